package payload

import (
	"strings"
	"testing"
)

const bai2File = `01,FPBANK,HLU,261005,2330,1,80,1,2/
02,HLU,FPBANK,1,261005,,USD,2/
03,0555012,USD,010,+1500,,,015,500,2,V,261005,/
88,100,40,1,S,10,20,10,072,7,,D,2,0,3,1,4/
16,115,450,S,100,200,150,B1,C1,TUITION, FALL/
88,HARROW LAKE AB/12/
16,475,-50,,B2,,
49,2447,6/
98,2447,1,8/
99,2447,1,10/
`

func TestBAI2TreeHasNames(t *testing.T) {
	d, err := ParseBAI2([]byte(bai2File))
	if err != nil {
		t.Fatal(err)
	}
	const account = "[0].groups[0].accounts[0]"
	for _, c := range []struct{ at, want, why string }{
		{"", "array of 1", "a file"},
		{"[0].sender", "FPBANK", "a field of the header"},
		{"[0].group_count", "1", "a field of the trailer"},
		{"[0].groups[0].currency", "USD", "a group"},
		{account + ".account", "0555012", "an account"},
		{account + ".summaries", "array of 4", "those of the continuation too"},
		{account + ".summaries[0].amount", "+1500", "an amount as it is"},
		{account + ".summaries[1].value_date", "261005", "funds by date"},
		{account + ".summaries[2].one_day", "20", "funds by day"},
		{account + ".summaries[3].distributions[1].amount", "4", "distributed funds"},
		{account + ".transactions[0].bank_reference", "B1", "a reference"},
		{account + ".transactions[0].text[0]", "TUITION, FALL", "a text has commas"},
		{account + ".transactions[0].text[1]", "HARROW LAKE AB/12", "and goes on, with a slash in it"},
		{account + ".transactions[1].text[0]", "", "a record without a slash"},
		{account + ".control_total", "2447", "the trailer of the account"},
	} {
		if got := textAt(t, d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	keepsBytes(t, d)
}

func TestBAI2Facts(t *testing.T) {
	for _, c := range []struct{ from, to, fact, want, why string }{
		{"", "", "totals", "", "all totals hold"},
		{"", "", "counts", "", "all counts hold"},
		{"", "", "continuations", "2, at records 4, 6", "how the records are cut is form"},
		{"", "", "records without a slash", "1", "form"},
		{"49,2447,", "49,2448,", "totals", `49 in record 8 says "2448", the records give 2447; 98 in record 9 says "2447", the records give 2448`, "of an account, and of its group"},
		{"99,2447,1,10", "99,2447,2,11", "counts", `group_count in record 10 says "2", 1 are there; record_count in record 10 says "11", 10 are there`, "a group is missing"},
		{"49,2447,6/\n", "", "envelopes", "03 in segment 3 is never closed", "a lost record"},
		{"USD,2/\n03", "USD,2/  03", "records that share a line", "1", "form"},
		{"1,8/", "1,8/  ", "blanks after records", "1", "form"},
		{"LAKE AB", "LAKE\nAB", "line ends inside records", "1", "a text of two lines"},
	} {
		d, err := ParseBAI2([]byte(strings.Replace(bai2File, c.from, c.to, 1)))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if got := d.Fact(c.fact); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.fact, got, c.want)
		}
		keepsBytes(t, d)
	}
	for source, want := range map[string]string{
		"":                              "byte 0 (line 1): segment 1: want a file header 01",
		"00,1/\n":                       "segment 1: want a file header 01",
		"01,A/\n??/\n":                  "byte 6 (line 2): segment 2: \"??\" is no record code",
		"01" + strings.Repeat(",", 2e3): "more than 1000 fields",
	} {
		if _, err := ParseBAI2([]byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", source, err, want)
		}
	}
}

func TestBAI2EditsKeepTheStructure(t *testing.T) {
	d, err := ParseBAI2([]byte(bai2File))
	if err != nil {
		t.Fatal(err)
	}
	var edits []Edit
	for _, n := range d.Root().Leaves() {
		edits = append(edits, Edit{Node: n, Text: n.Text() + "a,b/c\r\n16,/"})
	}
	out, err := d.Rewrite(edits)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseBAI2(out); err != nil || again.Root().Element(0).Member("groups").Len() != 1 || strings.Count(string(out), "\n") != strings.Count(bai2File, "\n") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestTruncatedBAI2NeverPanics(t *testing.T) { everyCut(t, ParseBAI2, []byte(bai2File)) }

func TestRealBAI2FilesKeepTheirBytes(t *testing.T) { realFiles(t, "bai2", ParseBAI2, ".txt") }

func FuzzParseBAI2(f *testing.F) {
	f.Add([]byte(bai2File))
	f.Fuzz(func(t *testing.T, source []byte) { parsesOrSaysWhere(t, ParseBAI2, source) })
}
