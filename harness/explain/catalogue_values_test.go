package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// example is one change of the catalogue: before and after as bodies, the one finding that must claim everything, and
// what its words must say.
type example struct {
	name, why     string
	before, after []harness.Exchange
	stray         []harness.Exchange // after, with one more difference beside the cause
	spoilt        []harness.Exchange // after, with the value garbage at one of the places of the cause
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
	for _, group := range [][]example{formExamples(), valueExamples(), recordExamples(), fixedExamples(), treeExamples()} {
		for _, tc := range group {
			t.Run(tc.name, func(t *testing.T) {
				findings, c := explained(t, tc.before, tc.after, tc.rules, tc.setup)
				claimedOnce(t, c, findings)
				if len(findings) != 1 {
					t.Fatalf("%s: one cause must be one finding, got %d:\n%s", tc.why, len(findings), words(findings))
				}
				f := findings[0]
				tc.check(t, f)
				if tc.stray != nil {
					unclaimed(t, tc, f)
				}
				if tc.spoilt != nil {
					notSwallowed(t, tc)
				}
			})
		}
	}
}

// check compares the kind, the counts and the words of the finding with what the example wants.
func (tc example) check(t *testing.T, f harness.Finding) {
	t.Helper()
	said := words([]harness.Finding{f})
	if got := f.Kind + " " + string(f.Verdict); got != tc.want {
		t.Errorf("%s: %s, want %s\n%s", tc.why, got, tc.want, said)
	}
	if got := fmt.Sprintf("%d/%d %s", f.Count, f.Of, f.Unit); tc.count != "" && got != tc.count {
		t.Errorf("%s: counts %s, want %s\n%s", tc.why, got, tc.count, said)
	}
	for _, part := range tc.says {
		if !strings.Contains(said, part) {
			t.Errorf("%s: does not say %q\n%s", tc.why, part, said)
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

// garbage is a value that no rule makes.
const garbage = "Zq7#"

// notSwallowed checks that garbage at a place of the cause belongs to another finding, and that the cause is found
// nevertheless.
func notSwallowed(t *testing.T, tc example) {
	t.Helper()
	findings, c := explained(t, tc.before, tc.spoilt, tc.rules, tc.setup)
	claimedOnce(t, c, findings)
	found := false
	for _, f := range findings {
		isCause := f.Kind == strings.Fields(tc.want)[0]
		found = found || isCause
		for _, d := range f.Differences {
			if isCause && d.Is.Text == garbage {
				t.Errorf("the cause swallows %s → %s:\n%s", d.Was.Text, d.Is.Text, words(findings))
			}
		}
	}
	if !found {
		t.Errorf("the cause is not found beside one value of garbage:\n%s", words(findings))
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
		{name: "F14 quoted in two nights", why: "the cells of every night belong to it", before: xs(in(plain), fileOf("next", "sis", target, "registrations.csv", plain)), after: xs(in(quotedAll), fileOf("next", "sis", target, "registrations.csv", quotedAll)), want: "F14 benign"},
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
		{name: "F15 CR CR LF", why: "converted twice; the lone CRs make blank lines", before: one(windows), after: one(strings.ReplaceAll(windows, "\n", "\r\n")), want: "F15 review", says: []string{"13 CR"}},
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
		{name: "F11 encoded twice from Latin-1", why: "the bytes between are control characters", before: one(accents), after: one(swap(accents, "ú", "Ã\u00ba", "ñ", "Ã\u00b1", "ä", "Ã¤", "ö", "Ã¶", "è", "Ã\u00a8")), want: "F11 breaking", count: "3/4 rows"},
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

// column is n rows with an id and a value.
func column(n int, value func(i int) string) string {
	return table("ID,V,NAME", n, func(i int) string { return fmt.Sprintf("%s,%s,N%d", id(i), value(i), i) })
}

// valued is one column before and after; stray changes a name beside it, which stays unclaimed.
func valued(name, why, want string, n int, was, is func(i int) string, says ...string) example {
	after := column(n, is)
	spoilt := column(n, func(i int) string {
		if i == 4 {
			return garbage
		}
		return is(i)
	})
	return example{name: name, why: why, before: one(column(n, was)), after: one(after), stray: one(swap(after, ",N1\n", ",X1\n")), spoilt: one(spoilt), want: want, says: says}
}

// only is the text in one row of each three, and the other text in the rest.
func only(text, other string) func(int) string {
	return func(i int) string {
		if i%3 == 0 {
			return text
		}
		return other
	}
}

func values(list ...string) func(int) string { return func(i int) string { return list[i%len(list)] } }

func valueExamples() []example {
	day := func(layout string) func(int) string {
		return func(i int) string { return now.AddDate(0, 0, 11*i).Format(layout) }
	}
	moment := func(layout, zone string, hours int) func(int) string {
		return func(i int) string {
			return now.AddDate(0, 0, 11*i).Add(time.Duration(hours) * time.Hour).In(zoneNamed(zone)).Format(layout)
		}
	}
	field := func(text string) func(int) string { return func(int) string { return text } }
	return []example{
		{name: "F01 new code", why: "rows with it are lost", before: xs(in(registrations("")), out(enrollments(active))), after: xs(in(registrations("RH", 3, 17)), out(enrollments(but("", 3, 17)))),
			stray: xs(in(registrations("RH", 3, 17)), out(swap(enrollments(but("", 3, 17)), "H0007,202640-00402,active", "H0007,202640-00402,Zq7#"))), setup: withCrosswalk(false, "RE", "RW", "AU", "WL"), want: "F01 breaking", count: "2/40 rows", says: []string{"RH", "No row for RH"}},
		{name: "F01 code caught by a default row", why: "somebody must say what it means", before: xs(in(registrations("")), out(enrollments(active))), after: xs(in(registrations("RH", 3, 17)), out(enrollments(but("unknown", 3, 17)))),
			setup: withCrosswalk(true, "RE", "RW", "AU", "WL"), want: "F01 review", count: "2/40 rows", says: []string{"default row"}},
		{name: "F01 N/A in a field with a code table", why: "a code like any other there", before: xs(in(registrations(""))), after: xs(in(registrations("N/A", 3, 17))), setup: withCrosswalk(false, "RE", "RW", "AU", "WL"), want: "F01 breaking", says: []string{"N/A"}},
		{name: "F02 column renamed", why: "the mapping finds nothing under the old name", before: one(column(9, values("202640", "202710", "202720"))), after: one(swap(column(9, values("202640", "202710", "202720")), "ID,V,", "ID,ENTRY,")), want: "F02 review", says: []string{`"V" looks renamed to "ENTRY"`}},
		{name: "F03 column gone", why: "the mapping may read it", before: one(column(9, values("202640", "202710", "202720"))), after: one(table("ID,NAME", 9, func(i int) string { return fmt.Sprintf("%s,N%d", id(i), i) })), want: "F03 review"},
		{name: "F03 column emptied", why: "the mapping may read it", before: one(column(9, values("202640", "202710", "202720"))), after: one(column(9, field(""))), want: "F03 review", says: []string{"is empty now"}},
		{name: "F13 column at the end", why: "readers by name pass over it", before: one(column(9, field("x"))), after: one(table("ID,V,NAME,LAST_ACTIVITY_TS", 9, func(i int) string { return fmt.Sprintf("%s,x,N%d,2026-10-0%d", id(i), i, i%9+1) })), want: "F13 benign"},
		{name: "F13 column in the middle, read by position", why: "every column behind it moves", setup: byPosition, before: one(column(9, field("x"))), after: one(table("ID,TERM,V,NAME", 9, func(i int) string { return fmt.Sprintf("%s,202640,x,N%d", id(i), i) })), want: "F13 breaking"},

		{name: "F04 boolean as text", why: "a text that is not empty counts as true", before: askMany(`{"active":false}`, `{"active":false}`), after: askMany(`{"active":"False"}`, `{"active":"False"}`), want: "F04 breaking", count: "2/2 calls", says: []string{"counts as true"}},
		{name: "F04 boolean as number", why: "strict readers refuse it", before: askMany(`{"active":true}`), after: askMany(`{"active":1}`), want: "F04 breaking"},
		{name: "F04 boolean as letter", why: "strict readers refuse it", before: askMany(`{"active":true}`), after: askMany(`{"active":"Y"}`), want: "F04 breaking"},
		{name: "F04 number as text", why: "it sorts as text", before: askMany(`{"gpa":3.5}`), after: askMany(`{"gpa":"3.5"}`), want: "F04 breaking"},
		{name: "F04 scalar as list", why: "what converters from XML do", before: askMany(`{"major":"BIOL"}`), after: askMany(`{"major":["BIOL"]}`), want: "F04 breaking"},
		{name: "F04 object as list of one", why: "what converters from XML do", before: askMany(`{"address":{"zip":"00417"}}`), after: askMany(`{"address":[{"zip":"00417"}]}`), want: "F04 breaking"},
		{name: "F04 list of one as object", why: "the count became one", before: askMany(`{"address":[{"zip":"00417"}]}`), after: askMany(`{"address":{"zip":"00417"}}`), want: "F04 breaking"},
		valued("F04 digits as words", "two values are enough to know a spelling of true and false", "F04 review", 9, values("1", "0"), values("True", "False"), "True/False instead of 1/0"),
		valued("F04 one word only", "one value is enough, too", "F04 review", 6, field("1"), field("True")),
		valued("F04 words as letters", "the other spelling", "F04 review", 9, values("true", "false"), values("Y", "N")),

		valued("F05 month and day swapped", "every value is still a date", "F05 breaking", 6, func(i int) string { return fmt.Sprintf("%02d/05/2026", 6+i) }, func(i int) string { return fmt.Sprintf("05/%02d/2026", 6+i) }),
		valued("F05 one ambiguous day", "nothing but the order of the parts differs", "F05 breaking", 6, field("08/05/2026"), field("05/08/2026"), "Not proven"),
		valued("F05 ISO to Oracle", "readers of one layout refuse the other", "F05 breaking", 6, day("2006-01-02"), func(i int) string { return strings.ToUpper(day("02-Jan-06")(i)) }),
		valued("F05 one day to Oracle", "one value is enough to know the layouts", "F05 breaking", 6, field("2026-08-17"), field("17-AUG-26")),
		valued("F05 to epoch seconds", "the number says nothing to a reader of dates", "F05 breaking", 6, moment(time.RFC3339, "UTC", 0), func(i int) string { return fmt.Sprint(now.AddDate(0, 0, 11*i).Unix()) }, "seconds since 1970"),
		valued("F05 to epoch milliseconds", "a thousand times as far", "F05 breaking", 6, moment(time.RFC3339, "UTC", 0), func(i int) string { return fmt.Sprint(now.AddDate(0, 0, 11*i).UnixMilli()) }, "milliseconds since 1970"),
		valued("F05 ISO to compact", "eight digits", "F05 breaking", 6, day("2006-01-02"), day("20060102")),
		valued("F05 year of two digits", "the century is gone", "F05 breaking", 6, day("01/02/2006"), day("01/02/06")),
		valued("F05 time dropped", "the clock is gone", "F05 breaking", 6, moment("2006-01-02T15:04:05", "UTC", 0), day("2006-01-02")),

		valued("F06 one day back", "midnight in UTC is the evening before in Chicago", "F06 breaking", 6, day("2006-01-02"), func(i int) string { return now.AddDate(0, 0, 11*i-1).Format("2006-01-02") }, "6 of 6"),
		valued("F06 hours from the zone", "another zone, other offsets on both sides of the switch", "F06 breaking", 12, moment("2006-01-02 15:04:05", "UTC", 0), moment("2006-01-02 15:04:05", "America/Chicago", 0), "America/Chicago"),
		valued("F06 one hour", "a constant distance", "F06 breaking", 6, moment("2006-01-02 15:04:05", "UTC", 0), moment("2006-01-02 15:04:05", "UTC", 1), "one hour"),
		valued("F06 one side of the switch", "only the days of winter time moved", "F06 breaking", 12, moment("2006-01-02 15:04:05", "America/Chicago", 0), func(i int) string { return now.AddDate(0, 0, 11*i).Add(-5 * time.Hour).Format("2006-01-02 15:04:05") }, "9 of 12", "daylight saving"),
		valued("F06 one day back in one value", "three places tell more than one", "F06 breaking", 6, field("2026-08-17"), field("2026-08-16"), "Not proven"),
		valued("F06 date-line", "one day on", "F06 breaking", 6, day("2006-01-02"), func(i int) string { return now.AddDate(0, 0, 11*i+1).Format("2006-01-02") }),

		valued("F17 upper case", "lookups by text fail", "F17 breaking", 6, values("Payroll", "Refund"), values("PAYROLL", "REFUND"), "upper case"),
		valued("F17 lower case", "lookups by text fail", "F17 breaking", 6, values("Payroll", "Refund", "Salary"), values("payroll", "refund", "salary"), "lower case"),
		valued("F17 mixed case", "the bank demands upper case", "F17 breaking", 6, field("PAYROLL"), field("Payroll"), "capital"),
		valued("F17 case of every other letter", "no rule makes it, and nothing but the case differs", "F17 breaking", 6, values("Payroll", "Refund"), values("pAYrOLL", "reFUnd"), "letter case"),
		valued("F17 padding trimmed", "records of fixed width become shorter", "F17 breaking", 6, values("REFUND    ", "SALARY    ", "TAX       "), values("REFUND", "SALARY", "TAX")),
		valued("F17 padding added", "the other direction", "F17 breaking", 6, values("REFUND", "SALARY", "TAX"), values("REFUND    ", "SALARY    ", "TAX       ")),
		valued("F17 zero fill", "numbers as texts of one width", "F17 breaking", 6, values("417", "892", "12061"), values("00417", "00892", "12061")),
		valued("F17 right to left", "the other side is filled", "F17 breaking", 6, values("       417", "      1206"), values("417       ", "1206      ")),

		valued("F18 leading zeros", "an identifier is no number", "F18 breaking", 6, func(i int) string { return fmt.Sprintf("%05d", 417+i) }, func(i int) string { return fmt.Sprint(417 + i) }, "Leading zeros are lost"),
		valued("F18 scientific", "the last digits are lost", "F18 breaking", 6, func(i int) string { return fmt.Sprint(1234567890123 + 1000000*i) }, func(i int) string { return "1.23457E+12" }, "scientific"),
		valued("F18 month and day", "3-26 is a section", "F18 breaking", 6, values("3-26", "4-12"), values("Mar-26", "Apr-12"), "dates"),
		valued("F18 day and month", "3-26 is a section", "F18 breaking", 6, values("3-26", "4-12"), values("26-Mar", "12-Apr"), "dates"),
		valued("F18 whole date", "the year is that of the detour", "F18 breaking", 6, values("3-26", "4-12"), values("3/26/2026", "4/12/2026"), "dates"),
		valued("F18 word and number", "MAR1 is a course", "F18 breaking", 6, values("MAR1", "SEPT2"), values("1-Mar", "2-Sep"), "dates"),
		valued("F18 fifteen digits", "a spreadsheet keeps no more", "F18 breaking", 6, func(i int) string { return fmt.Sprint(1234567890123456789 + i) }, func(i int) string { return "1234567890123450000" }, "15 digits"),
		valued("F18 exponent in a code", "12E4 is a section", "F18 breaking", 6, values("12E4", "30E2"), values("1.20E+05", "3.00E+03"), "scientific"),
		valued("F18 plus sign", "a telephone number is no number", "F18 breaking", 6, func(i int) string { return fmt.Sprintf("+1555555010%d", i) }, func(i int) string { return fmt.Sprintf("1555555010%d", i) }, "plus sign"),
		valued("F18 trailing zeros", "a version is no number", "F18 review", 6, values("1.10", "2.20", "3.50"), values("1.1", "2.2", "3.5"), "Trailing zeros"),

		valued("F19 point lost", "a hundred times as much", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("%d.50", 125+i) }, func(i int) string { return fmt.Sprintf("%d50", 125+i) }, "100"),
		valued("F19 one amount without point", "one value is enough to see it", "F19 breaking", 6, field("125.50"), field("12550"), "Not proven"),
		valued("F19 cents to dollars", "a hundredth", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("%d50", 125+i) }, func(i int) string { return fmt.Sprintf("%d.50", 125+i) }, "0.01"),
		valued("F19 separators", "the comma is the point elsewhere", "F19 breaking", 6, func(i int) string { return fmt.Sprintf(`"%d,234.50"`, 1+i) }, func(i int) string { return fmt.Sprintf(`"%d.234,50"`, 1+i) }),
		valued("F19 thousands", "a reader of numbers refuses the comma", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("%d234.50", 1+i) }, func(i int) string { return fmt.Sprintf(`"%d,234.50"`, 1+i) }),
		valued("F19 parentheses", "a reader takes the amount for text, or for positive", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("-%d.00", 5+i) }, func(i int) string { return fmt.Sprintf("(%d.00)", 5+i) }),
		valued("F19 one in parentheses", "one value is enough to see it", "F19 breaking", 6, field("-5.00"), field("(5.00)")),
		valued("F19 CR", "credit is a word", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("-%d.00", 5+i) }, func(i int) string { return fmt.Sprintf("%d.00CR", 5+i) }, "CR"),
		valued("F19 sign behind", "what mainframes write", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("-%d.00", 5+i) }, func(i int) string { return fmt.Sprintf("%d.00-", 5+i) }),
		valued("F19 sign lost", "a refund becomes a charge", "F19 breaking", 6, func(i int) string { return fmt.Sprintf("-%d.00", 5+i) }, func(i int) string { return fmt.Sprintf("%d.00", 5+i) }),

		valued("F20 cut", "the new field is shorter", "F20 breaking", 6, values("Bartholomew-Featherstonehaugh", "Wolfeschlegelsteinhausen-Berg", "Hale"), values("Bartholomew-Feathersto", "Wolfeschlegelsteinhaus", "Hale"), "22"),
		valued("F20 one cut", "one value is enough to see it", "F20 breaking", 6, only("Bartholomew-Featherstonehaugh", "Hale"), only("Bartholomew-Feathersto", "Hale"), "22"),
		valued("F20 cut by bytes", "letters of two bytes count twice", "F20 breaking", 6, values("Brännström-Åkerlund-Núñez", "Lefèvre-Brännström-Zoë-Hale", "Hale-Featherstonehaugh"), values("Brännström-Åkerlu", "Lefèvre-Brännströ", "Hale-Featherstonehau"), "bytes"),

		{name: "F21 missing to null", why: "null deletes in an update", before: askMany(`{"first":"Funmi"}`, `{"first":"Ola"}`), after: askMany(`{"first":"Funmi","middle":null}`, `{"first":"Ola","middle":null}`),
			stray: askMany(`{"first":"Funmi","middle":null}`, `{"first":"Ole","middle":null}`), want: "F21 review", count: "2/2 calls", says: []string{"null now where it was missing"}},
		{name: "F21 null to missing", why: "readers that want the member fail", after: askMany(`{"first":"Funmi"}`), before: askMany(`{"first":"Funmi","middle":null}`), want: "F21 review"},
		{name: "F21 null to empty", why: "empty is a value", before: askMany(`{"middle":null}`), after: askMany(`{"middle":""}`), want: "F21 review", says: []string{"empty now where it was null"}},
		{name: "F21 empty to null", why: "the other direction", before: askMany(`{"middle":""}`), after: askMany(`{"middle":null}`), want: "F21 review"},
		{name: "F21 null in a patch", why: "null deletes in an update", before: xs(callOf("s", target, "crm", "PATCH", "/people/1", `{"first":"Ola"}`, "200", `{}`)), after: xs(callOf("s", target, "crm", "PATCH", "/people/1", `{"first":"Ola","middle":null}`, "200", `{}`)),
			want: "F21 breaking", says: []string{"null deletes"}},
		valued("F21 empty to N/A", "the reader takes it for a value", "F21 review", 6, field(""), field("N/A"), `"N/A" now where it was empty`),
		valued("F21 empty to zeros", "no day is eight zeros", "F21 review", 6, only("20260817", ""), only("20260817", "00000000"), "00000000"),
		valued("F21 empty to the end of time", "nothing ends that day", "F21 review", 6, field(""), field("9999-12-31")),
		valued("F21 empty to a point", "what a statistics program writes", "F21 review", 6, field(""), field(".")),
		valued("F21 point to empty", "the other direction", "F21 review", 6, field("."), field("")),
		valued("F21 value to N/A", "valid values gained a stand-in", "F21 breaking", 6, only("3.50", "2.75"), only("N/A", "2.75"), "N/A"),
		valued("F21 date to the end of time", "no date is a date", "F21 breaking", 6, day("2006-01-02"), field("9999-12-31")),

		valued("F22 hard blank", "it cannot be seen", "F22 review", 6, func(i int) string { return fmt.Sprintf("K%d", i) }, func(i int) string { return fmt.Sprintf("K%d\u00a0", i) }, "a no-break space (U+00A0) came at the end"),
		valued("F22 zero width", "it cannot be seen", "F22 review", 6, field("BIOL"), only("BIOL\u200b", "BIOL"), "a zero-width space (U+200B)"),
		valued("F22 tab", "it cannot be seen", "F22 review", 6, field("BIOL"), field("BIOL\t"), "a tab came"),
		valued("F22 blank", "a trim rule frees it", "F22 review", 6, field("BIOL"), field("BIOL "), "a blank came at the end"),
		valued("F22 blank gone", "the other direction", "F22 review", 6, field(" BIOL"), field("BIOL"), "a blank went at the start"),
		valued("F22 blank behind codes of one length", "one blank is no width", "F22 review", 6, values("H00000142", "H00000177"), values("H00000142 ", "H00000177 ")),
		valued("F22 two blanks within", "the text does not match", "F22 review", 6, field("Mary Ann"), field("Mary  Ann"), "within the value"),
		{name: "F22 hard blank in a key", why: "no record is found by it", before: one(column(6, field("x"))), after: one(swap(column(6, field("x")), "H0003,", "H0003\u00a0,")), want: "F22 breaking", count: "1/6 rows", says: []string{"is a key"}},
		{name: "F22 zero width in a key", why: "no record is found by it", before: one(column(6, field("x"))), after: one(swap(column(6, field("x")), "H0003,", "H0003\u200b,")), want: "F22 breaking", count: "1/6 rows"},
	}
}

func zoneNamed(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// refunds is an ACH file with two entries; the batch header has the description.
func refunds(description string) string {
	return strings.Join([]string{
		"101 99990000412345678902610061500A094101FIRST PRAIRIE BANK     HARROW LAKE UNIV               ",
		"5220HARROW LAKE UNIV                    1234567890PPD" + description + "OCT 06261007   1999900000000001",
		"622999900017000123456789     0000025000H00000142      NUNEZ JOSE              0999900000000001",
		"622999900130778899001        0000118875H00000977      ADEYEMI FUNMI           0999900000000002",
		"822000000201999800140000000000000000001438751234567890                         999900000000001",
		"9000001000001000000020199980014000000000000000000143875                                       ",
	}, "\n") + "\n"
}

func fixedExamples() []example {
	ach := func(body string) []harness.Exchange {
		return xs(unnamed(fileOf("night", target, "lms", "refunds.ach", body)))
	}
	fed := func(body string) []harness.Exchange {
		return xs(unnamed(fileOf("night", "sis", target, "gl.dat", body)))
	}
	keyed := []harness.Rule{{At: at("request.body"), Compare: "keyed", Key: []string{"document", "sequence"}, Reason: "one line for each side"}}
	whole := ledger(35, asIs)
	trimmed := func(body string) string {
		lines := strings.Split(body, "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		return strings.Join(lines, "\n")
	}
	stray := func(body string) string { return swap(body, "H00000105202640", "H00000105202710") }
	return []example{
		{name: "F16 description grew", why: "ten records and every field behind are one finding", before: fed(whole), after: fed(ledger(40, asIs)), rules: keyed, want: "F16 breaking", count: "10/12 records",
			says: []string{"from 132 to 137 bytes", "field description at column 59 is 5 longer"}},
		{name: "F16 description shrank", why: "the other direction", before: fed(ledger(40, asIs)), after: fed(whole), rules: keyed, want: "F16 breaking"},
		{name: "F17 padding of a field trimmed", why: "the batch header is four bytes shorter", before: ach(refunds("REFUND    ")), after: ach(refunds("REFUND")), want: "F17 breaking", count: "1/6 records",
			says: []string{"field description to its 10 bytes", "94 → 90 bytes"}},
		{name: "F17 padding of a field again", why: "the other direction", before: ach(refunds("REFUND")), after: ach(refunds("REFUND    ")), want: "F17 breaking", says: []string{"got the blanks"}},
		{name: "F17 case of a fixed field", why: "the bank demands upper case", before: ach(refunds("PAYROLL   ")), after: ach(refunds("Payroll   ")), want: "F17 breaking", says: []string{"description"}},
		{name: "F17 records trimmed", why: "loaders of fixed width refuse shorter records", before: fed(whole), after: fed(trimmed(whole)), stray: fed(stray(trimmed(whole))), rules: keyed, want: "F17 breaking", says: []string{"lost the blanks at their end"}},
		{name: "F17 records filled again", why: "the other direction", before: fed(trimmed(whole)), after: fed(whole), rules: keyed, want: "F17 breaking", says: []string{"got the blanks at their end"}},
		{name: "F17 blanks for zeros", why: "some loaders take a blank amount for none", before: fed(whole), after: fed(swap(whole, " 00000001013", "        1013")), stray: fed(stray(swap(whole, " 00000001013", "        1013"))), rules: keyed, want: "F17 breaking", says: []string{"amount", "the values are the same"}},
		{name: "F17 to the right of the field", why: "readers by position take the blanks for a part of the value", before: fed(whole), after: fed(swap(whole, "Tuition Fall 2026                  ", "                  Tuition Fall 2026")), rules: keyed, want: "F17 breaking"},
		{name: "F15 line ends of a fixed file", why: "Windows line ends are a byte more in each record", before: fed(whole), after: fed(strings.ReplaceAll(whole, "\n", "\r\n")), rules: keyed, want: "F15 benign"},
	}
}

// staffReport is an XML report of workers from the SIS.
func staffReport(worker func(i int) string) []harness.Exchange {
	x := fileOf("night", "sis", target, "workers.xml", table(`<?xml version="1.0" encoding="UTF-8"?><r:Workers xmlns:r="urn:hlu:hr">`, 12, func(i int) string {
		return fmt.Sprintf("<r:Worker><r:ID>W%04d</r:ID>%s</r:Worker>", i, worker(i))
	})+"</r:Workers>")
	x.Request.Media = "application/xml"
	return xs(x)
}

// people as JSON, one call with a list.
func listed(member func(i int) string) []harness.Exchange {
	var rows []string
	for i := range 12 {
		rows = append(rows, fmt.Sprintf(`{"id":"%s","name":"N%d"%s}`, id(i), i, member(i)))
	}
	return askMany("[" + strings.Join(rows, ",") + "]")
}

func treeExamples() []example {
	element := func(name, format string, value func(i int) any) func(int) string {
		return func(i int) string { return fmt.Sprintf("<r:%s>"+format+"</r:%s>", name, value(i), name) }
	}
	member := func(format string, value func(i int) any) func(int) string {
		return func(i int) string { return fmt.Sprintf(`,"v":`+format, value(i)) }
	}
	number := func(i int) any { return 417 + 3*i }
	word := func(list ...string) func(int) any { return func(i int) any { return list[i%len(list)] } }
	day := func(layout string) func(int) any {
		return func(i int) any { return now.AddDate(0, 0, 11*i).Format(layout) }
	}
	nothing := func(int) string { return "" }
	stray := func(list []harness.Exchange) []harness.Exchange {
		return askMany(strings.Replace(bodyOf(list[0]), `"name":"N7"`, `"name":"X7"`, 1))
	}
	lists := func(name, why, want string, before, after func(int) string, says ...string) example {
		return example{name: name, why: why, before: listed(before), after: listed(after), stray: stray(listed(after)), want: want, says: says}
	}
	trees := func(name, why, want string, before, after func(int) string, says ...string) example {
		return example{name: name, why: why, before: staffReport(before), after: staffReport(after), want: want, says: says}
	}
	return []example{
		trees("F02 element renamed", "the mapping finds nothing under the old name", "F02 review", element("Hired", "%s", day("2006-01-02")), element("HireDate", "%s", day("2006-01-02")), "Hired"),
		trees("F03 element gone", "the mapping may read it", "F03 review", element("Phone", "555-01%02d", func(i int) any { return i }), nothing, "Phone"),
		trees("F04 element repeated", "what occurs once is no list", "F04 breaking", element("Org", "%d", number), func(i int) string {
			return element("Org", "%d", number)(i) + element("Org", "%d", func(i int) any { return 900 + i })(i)
		}),
		trees("F05 dates of elements", "readers of one layout refuse the other", "F05 breaking", element("Hired", "%s", day("2006-01-02")), element("Hired", "%s", day("01/02/2006"))),
		{name: "F11 another encoding declared", why: "bytes and declaration changed, letters did not", before: staffReport(element("Name", "%s", word("Núñez", "Hale"))), after: xs(latin1(staffReport(element("Name", "%s", word("Núñez", "Hale")))[0])), want: "F11 breaking", says: []string{"ISO-8859-1"}},
		trees("F13 element added", "readers pass over it", "F13 benign", nothing, element("Mail", "w%d@hlu.example", number)),
		trees("F17 case of elements", "lookups by text fail", "F17 breaking", element("Type", "%s", word("Regular", "Faculty")), element("Type", "%s", word("REGULAR", "FACULTY")), "upper case"),
		trees("F18 zeros of elements", "an identifier is no number", "F18 breaking", element("Org", "%06d", number), element("Org", "%d", number)),
		trees("F19 amounts of elements", "a hundred times as much", "F19 breaking", element("Pay", "%d.50", number), element("Pay", "%d50", number)),
		trees("F20 elements cut", "the new field is shorter", "F20 breaking", element("Title", "%s", word("Associate Professor of Anthropology", "Director of Institutional Research", "Dean")), element("Title", "%s", word("Associate Professor", "Director of Institu", "Dean"))),
		trees("F21 empty elements", "empty is a value", "F21 review", func(int) string { return "<r:Middle/>" }, nothing, "missing"),
		trees("F22 blanks of elements", "pretty printing comes into values", "F22 review", element("Name", "%s", word("Hale", "Strand")), element("Name", " %s", word("Hale", "Strand"))),

		lists("F02 member renamed", "readers find nothing under the old name", "F02 review", func(i int) string { return fmt.Sprintf(`,"start_term":"%d"`, 202640+i) }, func(i int) string { return fmt.Sprintf(`,"entry_term":"%d"`, 202640+i) }, "start_term", "entry_term"),
		lists("F03 member gone", "readers may want it", "F03 review", member(`"555-01%02d"`, func(i int) any { return i }), nothing),
		lists("F03 member emptied", "readers may want it", "F03 review", member(`"555-01%02d"`, func(i int) any { return i }), member(`"%s"`, word("")), "empty"),
		lists("F03 member null", "it never was null", "F03 breaking", member(`"555-01%02d"`, func(i int) any { return i }), func(int) string { return `,"v":null` }, "null"),
		lists("F04 numbers as texts", "they sort as texts", "F04 breaking", member(`%d`, number), member(`"%d"`, number)),
		lists("F05 dates of members", "readers of one layout refuse the other", "F05 breaking", member(`"%s"`, day("2006-01-02")), member(`"%s"`, day("02.01.2006"))),
		lists("F06 instants an hour off", "a constant distance", "F06 breaking", member(`"%s"`, day(time.RFC3339)), member(`"%s"`, func(i int) any { return now.AddDate(0, 0, 11*i).Add(time.Hour).Format(time.RFC3339) })),
		lists("F13 member added", "readers pass over it", "F13 benign", nothing, member(`"%d"`, number)),
		lists("F18 zeros lost to numbers", "an identifier is no number", "F18 breaking", member(`"%05d"`, number), member(`%d`, number)),
		lists("F19 numbers in cents", "a hundred times as much", "F19 breaking", member(`%d.50`, number), member(`%d50`, number)),
		lists("F19 numbers written otherwise", "the same value", "F19 benign", member(`%d.50`, number), member(`%d.5`, number)),
		lists("F21 null for empty", "readers tell them apart", "F21 review", member(`"%s"`, word("", "x")), func(i int) string { return []string{`,"v":null`, `,"v":"x"`}[i%2] }),
		lists("F22 hard blank in members", "it cannot be seen", "F22 review", member(`"%s"`, word("BIOL", "CHEM")), member(`"%s\u00a0"`, word("BIOL", "CHEM")), "U+00A0"),
	}
}

// latin1 is the file in another encoding, which its declaration names.
func latin1(x harness.Exchange) harness.Exchange {
	b, err := x.Request.Body.Bytes()
	if err != nil {
		panic(err)
	}
	x.Request.Body = harness.BytesBody([]byte(swap(string(b), "UTF-8", "ISO-8859-1", "ú", "\xfa", "ñ", "\xf1")))
	return x
}

func bodyOf(x harness.Exchange) string {
	b, err := x.Response.Body.Bytes()
	if err != nil {
		panic(err)
	}
	return string(b)
}

// sorted is a table with its rows in the order of their texts.
func sorted(body string) string {
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n") + "\n"
}
