package layout

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const small = `layout: SMALL
length: 12
records:
  - type: detail
    when: {at: 1, is: [D]}
    fields:
      - {name: amount, at: 6, length: 4, type: amount, decimals: 2}
      - {name: id, at: 2, length: 3}
`

func TestShippedLayoutsAreComplete(t *testing.T) {
	var names []string
	for _, l := range Shipped() {
		names = append(names, l.Name)
		for _, r := range l.Records {
			at := 1
			for _, f := range r.Fields {
				if f.At != at {
					t.Errorf("%s %s: field %s stands at column %d, want %d", l.Name, r.Type, f.Name, f.At, at)
				}
				at = f.End() + 1
			}
			if at != l.Length+1 {
				t.Errorf("%s %s: the fields end at column %d of %d", l.Name, r.Type, at-1, l.Length)
			}
		}
	}
	if diff := cmp.Diff([]string{"HLU-GL-132", "NACHA-94"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsAreSortedAndGapsGetNames(t *testing.T) {
	l, err := Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range l.Records[0].Fields {
		got = append(got, fmt.Sprintf("%s %s %d+%d %q %s", f.Name, f.Type, f.At, f.Length, f.Pad, f.Align))
	}
	want := []string{`record record 1+1 " " left`, `id text 2+3 " " left`, `filler_5 filler 5+1 " " left`, `amount amount 6+4 "0" right`, `filler_10 filler 10+3 " " left`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrongLayoutsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ from, to, want, why string }{
		{"layout: SMALL", "layout: ''", "layout has no name", "a fact names the layout"},
		{"length: 12", "length: 0", "length is 0, want 1 to 65536", "a record has bytes"},
		{"length: 12", "length: 12\ncolour: red", `unknown field "colour"`, "a misspelt key would be passed over"},
		{"length: 12", "length: twelve", "[2:9]", "a wrong type has its place"},
		{"length: 12", "length: 12\nencoding: ebcdic", `encoding "ebcdic" is not known`, "texts would be wrong"},
		{"length: 12", "length: 12\nline_ends: maybe", `line_ends is "maybe"`, "one of two"},
		{"length: 12", "length: 12\nmatch: ['[']", "match", "a pattern that is none"},
		{"length: 12", "length: 12\nencoding: cp037\nline_ends: any", "any byte may stand in EBCDIC", "0x15 and 0x25 are no line ends of this kind"},
		{"length: 4, type: amount", "length: 9, type: binary", "at most 16 bytes when packed, 31 when zoned, 8 when binary", "no machine counts with more"},
		{"at: 2, length: 3", "at: 2, length: 5", "field amount at column 6 overlaps", "two names for one byte"},
		{"at: 2, length: 3", "at: 1, length: 4", "overlaps the one before it", "the column of the type has its own field"},
		{"at: 6, length: 4", "at: 6, length: 8", "field amount ends at column 13, a record at 12", "outside of the record"},
		{"name: id", "name: amount", "field amount is there twice", "names tell fields apart"},
		{"name: id", "name: ''", "the field at column 2 has no name", "names tell fields apart"},
		{"type: amount", "type: money", `type "money" is not known`, "one of five"},
		{"decimals: 2", "decimals: 20", "decimals are for an amount, packed, zoned or binary", "a bound"},
		{"type: amount, decimals", "decimals", "decimals are for an amount", "a text has no decimals"},
		{"length: 4", "length: 4, pad: ab", `pad "ab" is not one byte`, "a bound"},
		{"length: 4", "length: 4, align: middle", `align is "middle"`, "left or right"},
		{"length: 4", "length: 0", "want at, length and times from 1", "a field has bytes"},
		{"length: 4", "length: 1, times: 5000", "want at, length and times from 1", "a bound"},
		{"is: [D]", "is: []", "when wants a column from 1 and at least one value", "nothing would fit"},
		{"is: [D]", "is: [D, DD]", "of different lengths", "the field of the type has one length"},
		{"is: [D]", "is: &a [D]", "anchor is not allowed here", "an alias makes a small file large"},
		{"is: [D]", "is: " + strings.Repeat("[", 20) + strings.Repeat("]", 20), "nested deeper than 16 levels", "a bound"},
		{"records:", "totals: [{record: detail, field: amount}]\nrecords:", "total 1: want counts or sums", "a promise about nothing"},
		{"records:", "totals: [{record: trailer, field: n, counts: [detail]}]\nrecords:", `record "trailer" has no field "n"`, "a promise by nobody"},
		{"records:", "totals: [{record: detail, field: id, sums: [detail.x]}]\nrecords:", `record "detail" has no field "x"`, "a sum of nothing"},
		{"records:", "totals: [{record: detail, field: id, counts: [entry]}]\nrecords:", `there is no record "entry"`, "a count of nothing"},
		{small, "layout: A\nlength: 3\n", "layout has no records", "nothing to read with"},
		{small, "", "want one layout", "an empty file"},
		{small, "a: [", "read layout small.yaml", "no YAML"},
	} {
		source := strings.Replace(small, c.from, c.to, 1)
		if source == small {
			t.Fatalf("%s: %q does not stand in the layout", c.why, c.from)
		}
		if _, err := Parse("small.yaml", []byte(source)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "small.yaml") {
			t.Errorf("%s: %v, want %q", c.why, err, c.want)
		}
	}
}

func TestLoadReadsTheLayoutsOfAFolder(t *testing.T) {
	file := &fstest.MapFile{Data: []byte(small)}
	got, err := Load(fstest.MapFS{"b.yml": file, "README.md": {Data: []byte("x")}, "deep/c.yaml": file})
	if err != nil || len(got) != 1 || got[0].Name != "SMALL" || got[0].Digest == [32]byte{} {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Load(fstest.MapFS{"a.yaml": file, "b.yaml": file}); err == nil || !strings.Contains(err.Error(), "described by another file already") {
		t.Errorf("two layouts of one name: %v", err)
	}
	if _, err := Load(fstest.MapFS{"a.yaml": {Data: make([]byte, maxFile+1)}}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
}

func TestALayoutIsFoundByNameAndByItsFirstRecord(t *testing.T) {
	gl, nacha := Shipped()[0], Shipped()[1]
	header := "HATRIUMAR20261005233000GL00004711" + strings.Repeat(" ", 99)
	for _, c := range []struct {
		head string
		gl   bool
		why  string
	}{
		{header + "\nD", true, "the first record"},
		{strings.TrimRight(header, " ") + "\r\nD", true, "blanks at the end were cut"},
		{header + "     \nD", true, "a shifted column is a finding about a file of this layout"},
		{"HATRIUMAR2026X005233000GL00004711\n", false, "no date"},
		{"HATRIUMAR\n", false, "too short for its date"},
		{"Hello\n", false, "a word"},
		{"D" + header[1:], false, "another record type comes first"},
		{header + strings.Repeat(" ", 200), false, "more than twice as long"},
		{"", false, "nothing"},
	} {
		if got := gl.Sniff([]byte(c.head)); got != c.gl {
			t.Errorf("%s: %v", c.why, got)
		}
		if nacha.Sniff([]byte(c.head)) {
			t.Errorf("%s: taken for NACHA-94", c.why)
		}
	}
	if !nacha.Sniff([]byte("101 99990000412345678902610061500A094101FIRST PRAIRIE BANK     HARROW LAKE UNIV               \n")) {
		t.Error("NACHA-94 is not found")
	}
	for name, want := range map[string]bool{"outgoing/REFUND.ACH": true, "refund.nacha": true, "refund.csv": false} {
		if nacha.Fits(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("layout: A\nlength: 3\nrecords: [{type: a, fields: [{name: b, at: 1, length: 1, times: 3}]}]\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		l, err := Parse("fuzz.yaml", source)
		if err == nil {
			l.Sniff(source)
			l.Of(source)
			l.Fits("a.b")
		}
	})
}
