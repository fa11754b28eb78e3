package payload

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func mustCSV(t testing.TB, source string) *Doc {
	t.Helper()
	d, err := ParseCSV([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rows renders a table as one text: name=text for every cell.
func rows(d *Doc) string {
	var b strings.Builder
	for row := range d.Root().Children() {
		for cell := range row.Children() {
			fmt.Fprintf(&b, "%s=%s|", cell.Name(), cell.Text())
		}
		b.WriteByte('\n')
	}
	return strings.ReplaceAll(b.String(), "\r", "\\r")
}

func facts(d *Doc) string {
	var list []string
	for _, f := range d.Facts {
		list = append(list, f.Name+": "+f.Value)
	}
	return strings.Join(list, "; ")
}

const usual = "delimiter: comma; line ends: LF; final newline: yes"

func TestTablesAreRead(t *testing.T) {
	for _, c := range []struct{ source, rows, facts, why string }{
		{"ID,RSTS\nH001,RE\nH002,DW\n", "ID=H001|RSTS=RE|\nID=H002|RSTS=DW|\n", usual, "a plain table"},
		{"ID,RSTS\nH001,RE", "ID=H001|RSTS=RE|\n", "delimiter: comma; line ends: LF; final newline: no", "no newline at the end"},
		{"ID,RSTS\r\nH001,RE\r\n", "ID=H001|RSTS=RE|\n", "delimiter: comma; line ends: CRLF; final newline: yes", "CRLF"},
		{"ID,RSTS\rH001,RE\rH002,DW\r", "ID=H001|RSTS=RE|\nID=H002|RSTS=DW|\n", "delimiter: comma; line ends: CR; final newline: yes", "CR alone"},
		{"ID,RSTS\r\nH001,RE\nH002,DW\r", "ID=H001|RSTS=RE|\nID=H002|RSTS=DW|\n", "delimiter: comma; line ends: mixed: 1 CRLF, 1 LF, 1 CR; final newline: yes", "mixed line ends"},
		{"\xef\xbb\xbfID,RSTS\nH001,RE\n", "ID=H001|RSTS=RE|\n", usual + "; byte order mark: UTF-8", "a byte order mark is no part of the first name"},
		{"\xef\xbb\xbf\"ID\",\"last, first\"\n1,2\n", "ID=1|last, first=2|\n", usual + "; byte order mark: UTF-8", "a quote behind the byte order mark"},
		{"ID;AMOUNT\n1;3,50\n", "ID=1|AMOUNT=3,50|\n", strings.Replace(usual, "comma", "semicolon", 1), "semicolons, with a decimal comma"},
		{"ID\tNAME\n1\tA,B\n", "ID=1|NAME=A,B|\n", strings.Replace(usual, "comma", "tab", 1), "tabs"},
		{"ID|NAME\n1|A,B\n", "ID=1|NAME=A,B|\n", strings.Replace(usual, "comma", "bar", 1), "bars"},
		{"\"a,b,c\";d\n1;2\n", "a,b,c=1|d=2|\n", strings.Replace(usual, "comma", "semicolon", 1), "delimiters within quotes do not count"},
		{"\"a \"\"x,y,z\"\"\";d\n1;2\n", "a \"x,y,z\"=1|d=2|\n", strings.Replace(usual, "comma", "semicolon", 1), "nor behind doubled quotes"},
		{"5\" pipe;d\n1;\"a,b,c,d\"\n", "5\" pipe=1|d=a,b,c,d|\n", strings.Replace(usual, "comma", "semicolon", 1) + "; quotes inside cells: 1", "a quote inside a name opens nothing"},
		{"5\"\";b\n1;\",,,\"\n", "5\"\"=1|b=,,,|\n", strings.Replace(usual, "comma", "semicolon", 1) + "; quotes inside cells: 2", "nor do two of them"},
		{"\n\na;b\n1;2\n", "a=1|b=2|\n", strings.Replace(usual, "comma", "semicolon", 1) + "; blank lines: 2", "blank lines before the header"},
		{"a,b\n\n1,2\n\r\n3,4\n", "a=1|b=2|\na=3|b=4|\n", "delimiter: comma; line ends: mixed: 1 CRLF, 4 LF, 0 CR; final newline: yes; blank lines: 2", "blank lines are counted"},
		{"a,b\n1\n1,2,3,4\n", "a=1|\na=1|b=2|=3|=4|\n", usual + "; rows of another width: 2", "ragged rows lose nothing"},
		{"a,b\n,\n", "a=|b=|\n", usual, "empty cells"},
		{"a,b\n1,", "a=1|b=|\n", "delimiter: comma; line ends: LF; final newline: no", "an empty cell at the end"},
		{"a,,b\n1,2,3\n", "a=1|=2|b=3|\n", usual, "an empty name"},
		{"a,a\n1,2\n", "a=1|a=2|\n", usual, "two columns of one name"},
		{"a\n1\n2\n", "a=1|\na=2|\n", usual, "one column"},
		{"a,b\n", "", usual + "; columns without rows: a,b", "header only"},
		{"", "", "delimiter: comma; line ends: none; final newline: no; columns without rows: ", "no bytes"},
		{"\n", "", usual + "; blank lines: 1; columns without rows: ", "a blank line only"},
		{"\"a\",\"b\"\n\"1\",\"\"\n", "a=1|b=|\n", usual + "; quoting: all", "every cell quoted"},
		{"a,b\n\"001\",001\n", "a=001|b=001|\n", usual, "quoted or not, the text is the same"},
		{"a,b\n\"x \"\"y\"\"\",\"1,2\"\n", "a=x \"y\"|b=1,2|\n", usual, "doubled quotes and delimiters in quotes"},
		{"a,b\n\"line 1\r\nline 2\",x\n", "a=line 1\\r\nline 2|b=x|\n", usual, "CRLF inside quotes stays"},
		{"a,b\nx \"y\" z,\"q\"r\n", "a=x \"y\" z|b=qr|\n", usual + "; quotes inside cells: 3", "bare quotes are part of the cell"},
		{"a,b\n\"q\"r\"s\",1\n", "a=qr\"s\"|b=1|\n", usual + "; quotes inside cells: 3", "what follows a closing quote is kept as it is"},
		{"n,m\nGr\xf6\xdfe,1\n", "n=Gr\xf6\xdfe|m=1|\n", usual + "; encoding: Windows-1252 or Latin-1", "Latin-1"},
		{"a,b\n1\x002,\x00\n", "a=1\x002|b=\x00|\n", usual, "NUL bytes"},
		{" a , b \n 1 , 2 \n", " a = 1 | b = 2 |\n", usual, "spaces belong to the cell"},
	} {
		d, err := ParseCSV([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		unchanged(t, d)
		if diff := cmp.Diff(c.rows, rows(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
		if diff := cmp.Diff(c.facts, facts(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
}

func TestAQuoteThatIsNeverClosed(t *testing.T) {
	for _, c := range []struct {
		source       string
		offset, line int
	}{
		{"a,b\n1,2\n3,\"4\n5,6\n", 10, 3},
		{`"`, 0, 1},
		{"\"a,b\n1,2\n", 0, 1},
		{"a\n\"x\"\"\n", 2, 2},
	} {
		_, err := ParseCSV([]byte(c.source))
		got, ok := errors.AsType[*SyntaxError](err)
		if want := (&SyntaxError{"csv", c.offset, c.line, "quote is never closed"}); !ok {
			t.Errorf("%q: %v", c.source, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", c.source, diff)
		}
	}
	_, err := ParseCSV([]byte("a,b\n\"1,2\n"))
	if want := "parse csv at byte 4 (line 2): quote is never closed"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestTruncatedTables cuts a table at every byte: it is a shorter table, or the quote that is open is named.
func TestTruncatedTables(t *testing.T) {
	const source = "\xef\xbb\xbfID;\"NAME\";NOTE\r\nH001;\"O\"\"Neil; Ada\";x\r\n\r\nH002;\"line 1\r\nline 2\";\"\"\r\n"
	for n := range len(source) + 1 {
		d, err := ParseCSV([]byte(source[:n]))
		if err == nil {
			unchanged(t, d)
			continue
		}
		if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset >= n || source[e.Offset] != '"' || e.Line != 1+strings.Count(source[:e.Offset], "\n") {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
}

func TestTablesInPlainSpellingSurviveEdits(t *testing.T) {
	for _, source := range []string{
		"\xef\xbb\xbfID,NAME,NOTE\r\n001,\"Ortiz, Dana\",\r\n\r\n\"002\",\"say \"\"hi\"\"\",\"\"\r\n",
		"ID;AMOUNT\n1;3,50\n2;\"4;50\"\n",
		"a\n1\n\"\"\n2",
		"n,m\nGr\xf6\xdfe,1\n",
	} {
		if got := string(sameTexts(t, mustCSV(t, source))); got != source {
			t.Errorf("%q became %q", source, got)
		}
	}
}

func TestTableEdits(t *testing.T) {
	name := func(i, j int, text string) func(*Doc) Edit {
		return func(d *Doc) Edit {
			e := Edit{Node: d.Root().Element(i), Name: true, Text: text}
			for c := range d.Root().Element(i).Children() {
				if e.Node = c; j == 0 {
					break
				}
				j--
			}
			return e
		}
	}
	cell := func(i, j int, text string) func(*Doc) Edit {
		return func(d *Doc) Edit {
			e := name(i, j, text)(d)
			e.Name = false
			return e
		}
	}
	for _, c := range []struct {
		source string
		edit   func(*Doc) Edit
		want   string
		why    string
	}{
		{"a,b\n1,2\n", cell(0, 1, "x"), "a,b\n1,x\n", "a plain cell"},
		{"a,b\n1,\"2\"\n", cell(0, 1, "x"), "a,b\n1,\"x\"\n", "quotes stay"},
		{"a,b\n1,2\n", cell(0, 1, "x,y"), "a,b\n1,\"x,y\"\n", "a delimiter needs quotes"},
		{"a;b\n1;2\n", cell(0, 1, "x,y"), "a;b\n1;x,y\n", "another delimiter needs none"},
		{"a,b\n1,2\n", cell(0, 1, "say \"hi\""), "a,b\n1,\"say \"\"hi\"\"\"\n", "a quote needs quotes"},
		{"a,b\n1,2\n", cell(0, 1, "x\ny"), "a,b\n1,\"x\ny\"\n", "a line end needs quotes"},
		{"a,b\n1,2\n", cell(0, 1, ""), "a,b\n1,\n", "an empty cell"},
		{"a\n1\n", cell(0, 0, ""), "a\n\"\"\n", "an empty cell alone must not become a blank line"},
		{"a,b\n1\n", cell(0, 0, ""), "a,b\n\"\"\n", "also in a ragged table"},
		{"a,b\n1,2,3\n", cell(0, 2, "x"), "a,b\n1,2,x\n", "a cell without a column"},
		{"a,b\n1,2\n3,4\n", name(1, 1, "c"), "a,c\n1,2\n3,4\n", "a name is in the header"},
		{"a;b\n1;2\n", name(0, 0, "x,y,z"), "\"x,y,z\";b\n1;2\n", "a name must not change the delimiter"},
		{"a\n1\n", name(0, 0, "x;y"), "\"x;y\"\n1\n", "a name must not make a second column"},
		{"a\n1\n", name(0, 0, ""), "\"\"\n1\n", "an empty header must not become a blank line"},
		{",b\n1,2\n", name(0, 0, "a"), "a,b\n1,2\n", "an empty name at the very start"},
	} {
		d := mustCSV(t, c.source)
		got, err := d.Rewrite([]Edit{c.edit(d)})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.why, got, err, c.want)
		}
	}
	d := mustCSV(t, "a,b\n1,2,3\n")
	if got, err := d.Rewrite([]Edit{name(0, 2, "c")(d)}); err == nil {
		t.Errorf("a cell without a column was named: %q", got)
	}
}

// TestANameOfATableIsEditedOnce edits the header through every row, as an anonymizer does.
func TestANameOfATableIsEditedOnce(t *testing.T) {
	for source, want := range map[string]string{
		"id,b\n1,2\n3,4\n": "x0,b\n1,2\n3,4\n",
		",b\n1,2\n3,4\n":   "x0,b\n1,2\n3,4\n",
		"b,\n1,2\n3,4\n":   "x0,\n1,2\n3,4\n",
	} {
		d := mustCSV(t, source)
		var edits []Edit
		for row := range d.Root().Children() {
			for c := range row.Children() {
				edits = append(edits, Edit{Node: c, Name: true, Text: fmt.Sprintf("x%d", len(edits))})
				break
			}
		}
		if got, err := d.Rewrite(edits); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v; want %q", source, got, err, want)
		}
	}
}

func editedTablesReadBack(t tester, source []byte, text string) {
	t.Helper()
	d, err := ParseCSV(source)
	if err != nil {
		if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset >= len(source) || e.Line < 1 {
			t.Fatalf("error without a place: %v", err)
		}
		return
	}
	unchanged(t, d)
	again, err := ParseCSV(sameTexts(t, d))
	if err != nil {
		t.Fatalf("edits to the same texts broke the table: %v", err)
	}
	if diff := cmp.Diff(rows(d), rows(again)); diff != "" {
		t.Fatalf("edits to the same texts changed the table %q:\n%s", source, diff)
	}
	var edits []Edit
	for _, n := range d.Root().Leaves() {
		if n.IsScalar() {
			edits = append(edits, Edit{Node: n, Text: text})
			if n.node().named {
				edits = append(edits, Edit{Node: n, Name: true, Text: text})
			}
		}
	}
	out, err := d.Rewrite(edits)
	if err != nil {
		t.Fatal(err)
	}
	edited, err := ParseCSV(out)
	if err != nil {
		t.Fatalf("the text %q broke the table %q: %v", text, source, err)
	}
	if edited.Root().Len() != d.Root().Len() {
		t.Fatalf("the text %q made %d rows of %d: %q became %q", text, edited.Root().Len(), d.Root().Len(), source, out)
	}
	for p, n := range edited.Root().Leaves() {
		if n.IsScalar() && n.Text() != text || n.node().named && n.Name() != text && d.Root().Element(p[0].Index).Len() <= d.Root().Element(0).Len() {
			t.Fatalf("the text %q reads back as %q under %q: %q became %q", text, n.Text(), n.Name(), source, out)
		}
	}
}

func TestEditedTablesReadBack(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "a", "1", "001", `""`, `"x,y"`, `"a""b"`, `a"b`, `"q"r`, "\"l1\nl2\"", "é", "\xe9", " "})
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(t, "delimiter")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end")
		var b strings.Builder
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			b.WriteString(strings.Join(rapid.SliceOfN(cell, 0, 4).Draw(t, "row"), delimiter) + end)
		}
		editedTablesReadBack(t, []byte(b.String()), rapid.SampledFrom([]string{"", "x", ",", ";;", "\t", "|", `"`, "\n", "\r\n", "é"}).Draw(t, "text"))
	})
}

func FuzzParseCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\xef\xbb\xbf\"a\";b\r\n1;\"x\"\"y\"\r\n", "a\rb\r", "\n\n", "a,b\n1\n1,2,3\n", "a,b\n\"", "a,b\nx\"y,\"q\"r\n", ",\n,", "\x00,\xff\n"} {
		f.Add([]byte(seed), "x;\"y\"")
		f.Add([]byte(seed), "")
	}
	f.Fuzz(func(t *testing.T, source []byte, text string) { editedTablesReadBack(t, source, text) })
}

func TestRowsAreFoundByKey(t *testing.T) {
	d := mustCSV(t, "CRN,ID,RSTS\n00417,H001,RE\n00417,H002,DW\n00417,H001,WL\n")
	for _, c := range []struct{ path, want, why string }{
		{"[CRN=00417,ID=H002].RSTS", "DW", "two members make the key"},
		{"[ID=H001].RSTS", "RE", "the first of several"},
		{"[2].RSTS", "WL", "by place"},
		{"[ID=H003].RSTS", "", "no such row"},
		{"[CRN=417].RSTS", "", "keys are texts"},
		{"[NO=1].RSTS", "", "no such column"},
		{"[ID=*].RSTS", "", "a pattern is no place"},
		{"[*].RSTS", "", "a pattern is no place"},
		{"[3].RSTS", "", "behind the end"},
		{"RSTS", "", "an array has no members"},
	} {
		p, err := harness.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := d.Root().At(p); n.Text() != c.want || n.IsZero() != (c.want == "") {
			t.Errorf("%s: %s is %q, want %q", c.why, c.path, n.Text(), c.want)
		}
	}
}
