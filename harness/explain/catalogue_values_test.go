package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// example is one change of the catalogue: before and after as bodies, the one finding that must claim everything, and
// what its words must say.
type example struct {
	name, why     string
	before, after []harness.Exchange
	stray         []harness.Exchange // after, with one more difference that the cause does not explain
	setup         func(*Case)
	rules         []harness.Rule
	want          string   // kind and verdict
	count         string   // "3/12 rows"
	says          []string // parts of the sentence, effects, proof and next step
}

// one makes recordings of one input file.
func one(body string) []harness.Exchange { return xs(in(body)) }

// sent makes recordings of one output file.
func sent(body string) []harness.Exchange { return xs(out(body)) }

// swap replaces each old text by the new one behind it.
func swap(body string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(body) }

func TestCatalogueOfValuesAndFilesIsExplained(t *testing.T) {
	for _, group := range [][]example{formExamples()} {
		for _, tc := range group {
			t.Run(tc.name, func(t *testing.T) {
				findings, c := explained(t, tc.before, tc.after, tc.rules, tc.setup)
				claimedOnce(t, c, findings)
				if len(findings) != 1 {
					t.Fatalf("%s: one cause must be one finding, got %d:\n%s", tc.why, len(findings), words(findings))
				}
				f := findings[0]
				if got := f.Kind + " " + string(f.Verdict); got != tc.want {
					t.Errorf("%s: %s, want %s\n%s", tc.why, got, tc.want, words(findings))
				}
				if got := fmt.Sprintf("%d/%d %s", f.Count, f.Of, f.Unit); tc.count != "" && got != tc.count {
					t.Errorf("%s: counts %s, want %s\n%s", tc.why, got, tc.count, words(findings))
				}
				for _, part := range tc.says {
					if !strings.Contains(words(findings), part) {
						t.Errorf("%s: does not say %q\n%s", tc.why, part, words(findings))
					}
				}
				if tc.stray != nil {
					unclaimed(t, tc, f)
				}
			})
		}
	}
}

// unclaimed checks that one more difference at the same place belongs to another finding, and that the cause is found
// beside it.
func unclaimed(t *testing.T, tc example, alone harness.Finding) {
	t.Helper()
	findings, c := explained(t, tc.before, tc.stray, tc.rules, tc.setup)
	claimedOnce(t, c, findings)
	at := slices.IndexFunc(findings, func(f harness.Finding) bool { return f.Kind == alone.Kind && f.Verdict == alone.Verdict })
	if at < 0 || len(findings) != 2 {
		t.Fatalf("a stray difference must be a finding of its own beside the cause:\n%s", words(findings))
	}
	if got := len(findings[at].Differences); got != len(alone.Differences) {
		t.Errorf("the cause claims %d differences beside a stray one, and %d alone:\n%s", got, len(alone.Differences), words(findings))
	}
}

// roster is twelve enrolments as a table.
func roster(row func(i int) string) string { return table("user_id,role,name", 12, row) }

func plainRow(i int) string { return fmt.Sprintf("%s,student,N%d", id(i), i) }

func formExamples() []example {
	plain := roster(plainRow)
	stray := func(body string) string { return swap(body, "N7", "X7") }
	quotedAll := table(`"user_id","role","name"`, 12, func(i int) string { return fmt.Sprintf(`"%s","student","N%d"`, id(i), i) })
	accents := table("ID,LAST_NAME", 4, func(i int) string { return id(i) + "," + []string{"Núñez", "Brännström", "Lefèvre", "Hale"}[i] })
	semicolons := strings.ReplaceAll(plain, ",", ";")
	windows := strings.ReplaceAll(plain, "\n", "\r\n")
	return []example{
		{name: "F12 order of columns read by name", why: "readers by name do not mind", before: one(plain),
			after: one(table("role,user_id,name", 12, func(i int) string { return fmt.Sprintf("student,%s,N%d", id(i), i) })),
			stray: one(table("role,user_id,name", 12, func(i int) string {
				return stray(fmt.Sprintf("student,%s,N%d", id(i), i))
			})),
			want: "F12 benign", says: []string{"columns in another order: role, user_id, name, was user_id, role, name"}},
		{name: "F12 order of columns read by position", why: "every value lands in another field", setup: byPosition, before: one(plain),
			after: one(table("role,user_id,name", 12, func(i int) string { return fmt.Sprintf("student,%s,N%d", id(i), i) })), want: "F12 breaking"},
		{name: "F12 order of columns sent", why: "the receiver may read by position", before: sent(plain),
			after: sent(table("role,user_id,name", 12, func(i int) string { return fmt.Sprintf("student,%s,N%d", id(i), i) })), want: "F12 review"},
		{name: "F12 header in upper case with a blank", why: "importers leave out columns that they do not know", before: one(plain), after: one(swap(plain, "user_id,", "USER_ID ,")),
			stray: one(stray(swap(plain, "user_id,", "USER_ID ,"))), want: "F12 breaking", count: "1/0 columns", says: []string{`"user_id" → "USER_ID "`, "with a blank"}},
		{name: "F12 whole header in upper case", why: "no column has its old name, and still all rows are paired", before: one(plain), after: one(swap(plain, "user_id,role,name", "USER_ID,ROLE,NAME")),
			stray: one(stray(swap(plain, "user_id,role,name", "USER_ID,ROLE,NAME"))), want: "F12 breaking", count: "3/0 columns"},
		{name: "F12 header with words apart", why: "what a report writer does", before: one(plain), after: one(swap(plain, "user_id,", "User ID,")), want: "F12 breaking", says: []string{`"user_id" → "User ID"`}},
		{name: "F12 header with a hard blank", why: "it looks the same and is not", before: one(plain), after: one(swap(plain, "role,", "role\u00a0,")), want: "F12 breaking", says: []string{"a no-break space (U+00A0)"}},
		{name: "F12 header with lost values", why: "the target reads the old name", before: xs(in(plain), out(plain)),
			after: xs(in(swap(plain, "name", "Name")), out(roster(func(i int) string { return fmt.Sprintf("%s,student,", id(i)) }))), want: "F12 breaking", says: []string{"is now empty"}},

		{name: "F14 semicolon", why: "what a change of locale does", before: one(plain), after: one(semicolons), stray: one(stray(semicolons)), want: "F14 breaking", says: []string{"semicolon now, was comma"}},
		{name: "F14 tab", why: "what an export as text does", before: one(plain), after: one(strings.ReplaceAll(plain, ",", "\t")), want: "F14 breaking", says: []string{"tab now, was comma"}},
		{name: "F14 everything quoted", why: "the same values", before: one(plain), after: one(quotedAll), stray: one(stray(quotedAll)), want: "F14 benign", says: []string{"quotes all of its values now"}},
		{name: "F14 everything quoted in the output", why: "strict loaders exist", before: sent(plain), after: sent(quotedAll), want: "F14 review"},
		{name: "F14 quotes dropped", why: "the other direction", before: one(quotedAll), after: one(plain), want: "F14 benign", says: []string{"only some"}},
		{name: "F14 one column quoted", why: "quotes of some values", before: one(plain), after: one(roster(func(i int) string { return fmt.Sprintf(`%s,student,"N%d"`, id(i), i) })), want: "F14 benign"},

		{name: "F14 quotes not doubled", why: "strict readers refuse the file", before: one(cars(`"Chevy ""The"" X"`)), after: one(cars(`Chevy "The" X`)), want: "F14 breaking", says: []string{"not escaped"}},
		{name: "F14 quotes escaped by backslash", why: "the reader takes the backslashes for text", before: one(cars(`"Chevy ""The"" X"`)), after: one(cars(`"Chevy \"The\" X"`)), want: "F14 breaking"},
		{name: "F14 quotes doubled again", why: "the other direction", after: one(cars(`"Chevy ""The"" X"`)), before: one(cars(`Chevy "The" X`)), want: "F14 benign"},
		{name: "F14 comma not quoted", why: "the title falls apart, and what follows stands in another column", before: one(cars(`"Ethics, Law and Data"`)), after: one(cars(`Ethics, Law and Data`)),
			stray: one(swap(cars(`Ethics, Law and Data`), "T5", "X5")), want: "F14 breaking", count: "1/8 rows", says: []string{"fall apart at a delimiter"}},
		{name: "F14 comma quoted again", why: "the other direction", after: one(cars(`"Ethics, Law and Data"`)), before: one(cars(`Ethics, Law and Data`)), want: "F14 review", count: "1/8 rows"},

		{name: "F15 CRLF", why: "readers take both", before: one(plain), after: one(windows), stray: one(stray(windows)), want: "F15 benign", says: []string{"CRLF now, was LF"}},
		{name: "F15 LF", why: "the other direction", before: one(windows), after: one(plain), want: "F15 benign", says: []string{"LF now, was CRLF"}},
		{name: "F15 CRLF in the output", why: "a strict loader wants LF", before: sent(plain), after: sent(windows), want: "F15 review"},
		{name: "F15 CR", why: "two records are read as one", before: one(plain), after: one(strings.ReplaceAll(plain, "\n", "\r")), want: "F15 breaking"},
		{name: "F15 mixed", why: "seldom meant", before: one(plain), after: one(strings.Replace(plain, "\n", "\r\n", 3)), want: "F15 review", says: []string{"mixed"}},
		{name: "F15 no final newline", why: "some loaders skip the last line", before: one(plain), after: one(strings.TrimSuffix(plain, "\n")), want: "F15 benign", says: []string{"without a line end"}},
		{name: "F15 final newline", why: "the other direction", before: sent(strings.TrimSuffix(plain, "\n")), after: sent(plain), want: "F15 review"},
		{name: "F15 blank line", why: "a strict loader takes it for a record", before: one(plain), after: one(plain + "\n"), want: "F15 benign", says: []string{"1 blank line"}},
		{name: "F15 line ends within a value", why: "the text of the note is the same", before: one("ID,NOTE\nH1,\"a\nb\"\nH2,c\n"), after: one("ID,NOTE\r\nH1,\"a\r\nb\"\r\nH2,c\r\n"), want: "F15 benign"},

		{name: "F11 mark came", why: "it becomes a part of the first name", before: one(plain), after: one("\ufeff" + plain), stray: one("\ufeff" + stray(plain)), want: "F11 breaking", says: []string{"EF BB BF"}},
		{name: "F11 mark went", why: "readers that tell UTF-8 by it take the file for Latin-1", before: one("\ufeff" + plain), after: one(plain), want: "F11 review", says: []string{"any more"}},
		{name: "F11 mark before JSON", why: "parsers refuse it", before: askMany(`{"a":1}`), after: askMany("\ufeff" + `{"a":1}`), want: "F11 review"},
		{name: "F11 Windows-1252", why: "the receiver needs UTF-8", before: one(accents), after: one(swap(accents, "ú", "\xfa", "ñ", "\xf1", "ä", "\xe4", "ö", "\xf6", "è", "\xe8")),
			want: "F11 breaking", count: "3/4 rows", says: []string{"Windows-1252", "FA"}},
		{name: "F11 UTF-8 again", why: "the other direction", after: one(accents), before: one(swap(accents, "ú", "\xfa", "ñ", "\xf1", "ä", "\xe4", "ö", "\xf6", "è", "\xe8")), want: "F11 breaking", count: "3/4 rows"},
		{name: "F11 encoded twice", why: "é is shown as two letters", before: one(accents), after: one(swap(accents, "ú", "Ãº", "ñ", "Ã±", "ä", "Ã¤", "ö", "Ã¶", "è", "Ã¨")), want: "F11 breaking", count: "3/4 rows", says: []string{"UTF-8 twice"}},
		{name: "F11 repaired", why: "the other direction", after: one(accents), before: one(swap(accents, "ú", "Ãº", "ñ", "Ã±", "ä", "Ã¤", "ö", "Ã¶", "è", "Ã¨")), want: "F11 review", count: "3/4 rows"},
		{name: "F11 decomposed", why: "it looks the same and is not", before: one(accents), after: one(swap(accents, "ú", "u\u0301", "ñ", "n\u0303", "ä", "a\u0308", "ö", "o\u0308", "è", "e\u0300")), want: "F11 review", says: []string{"composed differently"}},
		{name: "F11 question marks", why: "what is lost cannot be restored", before: one(accents), after: one(swap(accents, "ú", "?", "ñ", "?", "ä", "?", "ö", "?", "è", "?")), want: "F11 breaking"},
		{name: "F11 replacement characters", why: "what is lost cannot be restored", before: one(accents), after: one(swap(accents, "ú", "\ufffd", "ñ", "\ufffd", "ä", "\ufffd", "ö", "\ufffd", "è", "\ufffd")), want: "F11 breaking"},
		{name: "F11 letters without accents", why: "names do not match any more", before: one(accents), after: one(swap(accents, "ú", "u", "ñ", "n", "ä", "a", "ö", "o", "è", "e")), want: "F11 breaking", says: []string{"accents"}},
		{name: "F11 letters dropped", why: "names lose letters", before: one(accents), after: one(swap(accents, "ú", "", "ñ", "", "ä", "", "ö", "", "è", "")), want: "F11 breaking"},
		{name: "F11 UTF-16", why: "no reader of UTF-8 takes it", before: one(plain), after: one(utf16le(plain)), want: "F11 breaking", says: []string{"UTF-16"}},
	}
}

// cars is eight rows; the third has the given cell in its middle.
func cars(cell string) string {
	return table("ID,TITLE,PTRM", 8, func(i int) string {
		if i == 3 {
			return id(i) + "," + cell + ",1"
		}
		return fmt.Sprintf("%s,T%d,1", id(i), i)
	})
}

func utf16le(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}
