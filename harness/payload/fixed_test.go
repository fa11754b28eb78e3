package payload

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// keepsBytes checks that a document is written as it was read, also when every scalar is edited to the text that it has.
func keepsBytes(t tester, d *Doc) {
	t.Helper()
	unchanged(t, d)
	if out := sameTexts(t, d); !bytes.Equal(out, d.Source) {
		t.Fatalf("%s: edits to the same texts changed it:\n%.300q\n%.300q", d.Format, d.Source, out)
	}
}

// everyCut parses the source cut at every byte: a document that keeps its bytes or an error with a place.
func everyCut(t *testing.T, parse func([]byte) (*Doc, error), source []byte) {
	t.Helper()
	for n := range len(source) + 1 {
		// A copy of its own, so that reading behind the cut would be seen.
		d, err := parse(bytes.Clone(source[:n]))
		if err == nil {
			keepsBytes(t, d)
		} else if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset < 0 || e.Offset > n || e.What == "" {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
	}
}

// textAt is the text at a path, or its kind when it is no scalar.
func textAt(t *testing.T, d *Doc, at string) string {
	t.Helper()
	path, err := harness.ParsePath(at)
	if err != nil {
		t.Fatal(err)
	}
	n := d.Root().At(path)
	if n.IsZero() {
		return "absent"
	}
	if !n.IsScalar() {
		return fmt.Sprintf("%s of %d", n.Kind(), n.Len())
	}
	return n.Text()
}

const (
	glHeader  = "HATRIUMAR20261005233000GL00004711"
	glDebit   = "DATRIUMARF0012345000120261005CHG1H110001210500113010000000Tuition Fall 2026                  0000000412550DH00000142202640"
	glCredit  = "DATRIUMARF0012345000220261005CHG1H110001210500511010100100Tuition Fall 2026                  0000000412550CH00000142202640"
	glTrailer = "TATRIUMAR0000002000000000412550000000000412550"
	nacha     = `101 99990000412345678902610061500A094101FIRST PRAIRIE BANK     HARROW LAKE UNIV               
5220HARROW LAKE UNIV                    1234567890PPDREFUND    OCT 06261007   1999900000000001
622999900017000123456789     0000025000H00000142      NUNEZ JOSE              0999900000000001
622999900130778899001        0000118875H00000977      ADEYEMI FUNMI           0999900000000002
822000000201999800140000000000000000001438751234567890                         999900000000001
9000001000001000000020199980014000000000000000000143875                                       
9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999
`
)

// columns pads lines to a width and ends each.
func columns(width int, end string, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%-*s%s", width, line, end)
	}
	return b.String()
}

func mustFixed(t testing.TB, source string) *Doc {
	t.Helper()
	d, err := parseShipped([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFixedRecordsHaveNamesAndTexts(t *testing.T) {
	gl := mustFixed(t, columns(132, "\n", glHeader, glDebit, glCredit, glTrailer))
	ach := mustFixed(t, nacha)
	for _, c := range []struct {
		d             *Doc
		at, want, why string
	}{
		{gl, "", "array of 4", "a record each"},
		{gl, "[0].record", "header", "the column of the type has the name of the type"},
		{gl, "[0].date", "20261005", "a date as it stands there"},
		{gl, "[0].batch", "GL00004711", "a text"},
		{gl, "[0].filler_34", "", "a column without a name is a filler, and blank"},
		{gl, "[1].record", "detail", "another type"},
		{gl, "[1].sequence", "1", "a number has no zeros in front"},
		{gl, "[1].account", "113010", "a code keeps its digits"},
		{gl, "[1].program", "000000", "a code of zeros is no number"},
		{gl, "[1].description", "Tuition Fall 2026", "a text has no padding"},
		{gl, "[1].amount", "4125.50", "implied decimals"},
		{gl, "[record=trailer].debits", "4125.50", "a record is found by its type"},
		{gl, "[record=trailer].count", "2", "a count"},
		{ach, "", "array of 7", "blocks are filled with nines"},
		{ach, "[0].destination", "999900004", "padded on the left"},
		{ach, "[1].description", "REFUND", "ten columns"},
		{ach, "[3].amount", "1188.75", "implied decimals"},
		{ach, "[3].receiving_dfi", "99990013", "a code"},
		{ach, "[4].entry_hash", "199980014", "a number"},
		{ach, "[5].record", "file_control", "a nine that is no filling"},
		{ach, "[6].record", "padding", "ten nines are filling"},
	} {
		if got := textAt(t, c.d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	if raw := gl.Root().Element(1).Member("amount").Raw(); string(raw) != "0000000412550" {
		t.Errorf("the amount is spelled %q", raw)
	}
}

func TestFixedFactsSayWhatIsNotInTheTree(t *testing.T) {
	file := columns(132, "\n", glHeader, glDebit, glCredit, glTrailer)
	shifted := columns(132, "\n", glHeader) + columns(137, "\n", glDebit, glCredit) + columns(132, "\n", glTrailer)
	for _, c := range []struct{ source, fact, want, why string }{
		{file, "layout", "HLU-GL-132", "which layout was taken"},
		{nacha, "layout", "NACHA-94", "which layout was taken"},
		{file, "record lengths", "4 × 132", "all alike"},
		{shifted, "record lengths", "2 × 132, 2 × 137", "a column grew"},
		{columns(0, "\r\n", glHeader, glDebit), "record lengths", "1 × 33, 1 × 122", "blanks at the end were cut"},
		{file, "line ends", "LF", "of the file"},
		{columns(132, "\r\n", glHeader, glDebit), "line ends", "CRLF", "of another system"},
		{strings.TrimSuffix(file, "\n"), "final newline", "no", "the last line may have none"},
		{"\xef\xbb\xbf" + file, "byte order mark", "", "in front of the first column no layout fits"},
		{strings.Replace(file, "Tuition", "Tuiti\xf3n", 1), "encoding", "Windows-1252 or Latin-1", "Latin-1"},
		{file, "totals", "", "every promise holds"},
		{nacha, "totals", "", "every promise holds"},
		{columns(132, "\n", glHeader, glDebit, glCredit, strings.Replace(glTrailer, "0000002", "0000060", 1)), "totals",
			"trailer count in record 4 says 60, the records give 2", "records are missing"},
		{columns(132, "\n", glHeader, glDebit, glTrailer), "totals",
			"trailer count in record 3 says 2, the records give 1; trailer credits in record 3 says 4125.50, the records give 0.00", "debits are not credits"},
		{columns(132, "\n", glHeader, glDebit, glCredit), "totals", "record trailer is missing", "a file that was cut"},
		{strings.Replace(nacha, "000000020199980014", "000000020199980013", 1), "totals", "file_control entry_hash in record 6 says 199980013, the records give 199980014", "the entry hash"},
		{strings.Replace(nacha, "0000118875", "000011887X", 1), "totals", "batch_control credits in record 5: amount of record 4 cannot be added", "no number"},
		{columns(132, "\n", glHeader, "?", glDebit, ""), "records of no type", "2", "an unknown line and a blank one"},
	} {
		if c.fact == "byte order mark" {
			if _, err := parseShipped([]byte(c.source)); err == nil {
				t.Errorf("%s: found a layout", c.why)
			}
			continue
		}
		if got := mustFixed(t, c.source).Fact(c.fact); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.fact, got, c.want)
		}
	}
}

func TestFixedRecordsOfAnotherLengthHideNothing(t *testing.T) {
	d := mustFixed(t, columns(132, "\n", glHeader)+columns(137, "\n", glDebit[:93]+"     "+glDebit[93:])+glDebit[:100]+"\n?\n")
	for _, c := range []struct{ at, want, why string }{
		{"[1].amount", "0.04", "what stands at the columns"},
		{"[1].rest", "     ", "what stands behind the last column"},
		{"[2].amount", "0.00", "a field as far as it goes"},
		{"[2].debit_credit", "absent", "a field behind the end"},
		{"[3].line", "?", "a line of no type"},
		{"[3].record", "absent", "a line of no type"},
	} {
		if got := textAt(t, d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	filled := mustFixed(t, columns(132, "\n", glHeader+"      X", glDebit))
	if got := textAt(t, filled, "[0].filler_34"); got != "      X" {
		t.Errorf("a filler that is not blank is %q", got)
	}
}

func TestFixedKeepsEveryByte(t *testing.T) {
	for _, c := range []struct{ source, why string }{
		{columns(132, "\n", glHeader, glDebit, glCredit, glTrailer), "plain"},
		{columns(132, "\r\n", glHeader, glDebit, "", "??"), "other line ends, unknown lines"},
		{columns(0, "\r", glHeader, glDebit), "short lines, old line ends"},
		{columns(140, "\n", glHeader) + columns(140, "", glDebit, glDebit), "long lines"},
		{columns(132, "\n", glHeader, strings.Replace(glDebit, "0000000412550", "   -00000.550", 1)), "numbers in a way of their own"},
		{columns(132, "\n", glHeader, strings.Replace(glDebit, "0000000412550", "      4125.50", 1)), "a point that should not be there"},
		{columns(132, "\n", glHeader, strings.Replace(glDebit, "Tuition", "\xff\x00\x1b\xc3\xb3!!", 1)), "bytes of any kind"},
		{nacha, "the other layout"},
	} {
		t.Run(c.why, func(t *testing.T) { keepsBytes(t, mustFixed(t, c.source)) })
	}
}

func TestFixedEditsKeepTheWidth(t *testing.T) {
	source := columns(132, "\n", glHeader, glDebit)
	for _, c := range []struct{ at, text, want, why string }{
		{"[1].description", "Housing", "Housing" + strings.Repeat(" ", 28), "padded with blanks"},
		{"[1].description", strings.Repeat("long ", 10), strings.Repeat("long ", 7), "cut at the end"},
		{"[1].description", strings.Repeat("é", 20), strings.Repeat("é", 17) + " ", "not cut inside a letter"},
		{"[1].description", "a\r\nb", "a b" + strings.Repeat(" ", 32), "a line end would make a record"},
		{"[1].amount", "1.5", "0000000000150", "decimals are implied"},
		{"[1].amount", "-1.505", "-000000000150", "a sign, and decimals that have no place"},
		{"[1].amount", "12345678901234.00", "4567890123400", "too large: the first digits are lost"},
		{"[1].amount", "n/a", "0000000000n/a", "no number"},
		{"[1].sequence", "7", "0007", "zeros in front"},
		{"[1].record", "trailer", "T", "a type by its name"},
		{"[1].record", "nothing", "D", "no such type"},
		{"[1].person", "H1", "H1       ", "a code"},
	} {
		d := mustFixed(t, source)
		path, _ := harness.ParsePath(c.at)
		n := d.Root().At(path)
		out, err := d.Rewrite([]Edit{{Node: n, Text: c.text}})
		want := source[:n.Offset()] + c.want + source[n.Offset()+len(c.want):]
		if err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s", c.why, err, cmp.Diff(want, string(out)))
		}
	}
}

func TestFixedByALayoutOfOnesOwn(t *testing.T) {
	l, err := layout.Parse("grades.yaml", []byte(`layout: GRADES
encoding: windows-1252
length: 16
line_ends: none
records:
  - type: student
    fields:
      - {name: name, at: 1, length: 6}
      - {name: grades, at: 7, length: 2, times: 4, type: number, pad: " "}
      - {name: status, at: 15, length: 1, align: right}
`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseFixed(l, []byte("Jos\xe9   1 210  A Ana \x80 12"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, want, why string }{
		{"", "array of 2", "records without line ends"},
		{"[0].name", "José", "the encoding of the layout"},
		{"[0].grades", "array of 4", "a field that repeats"},
		{"[0].grades[2]", "10", "one of them"},
		{"[1].name", "Ana €", "a character that Latin-1 has not"},
		{"[1].grades", "array of 1", "a record that was cut"},
	} {
		if got := textAt(t, d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	keepsBytes(t, d)
	out, err := d.Rewrite([]Edit{{Node: d.Root().Element(0).Member("name"), Text: "Ñu€漢"}})
	if err != nil || !bytes.HasPrefix(out, []byte("\xd1u\x80?   1 2")) {
		t.Errorf("%q, %v", out, err)
	}
}

func TestBodiesAreReadByTheLayoutThatTheirMediaTypeNames(t *testing.T) {
	l, err := layout.Parse("stock.yaml", []byte("layout: STOCK\nlength: 8\nrecords:\n  - type: item\n    fields:\n      - {name: sku, at: 1, length: 4}\n      - {name: left, at: 5, length: 4, type: number}\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(before []Format) { Formats = before }(Formats)
	AddLayouts(l)
	source := []byte("A1  0012\nB2  0007\n")
	if d := Parse(LayoutMedia(l), "stock.txt", source); d.Format != "fixed" || textAt(t, d, "[1].left") != "7" {
		t.Errorf("read as %s with the facts %v", d.Format, d.Facts)
	}
	if d := Parse("", "stock.txt", source); d.Format != "text" {
		t.Errorf("what names no layout is read as %s", d.Format)
	}
}

func TestTruncatedFixedNeverPanics(t *testing.T) {
	everyCut(t, parseShipped, []byte(columns(132, "\r\n", glHeader, glDebit, glTrailer)))
	everyCut(t, parseShipped, []byte(nacha))
}

func FuzzParseFixed(f *testing.F) {
	f.Add([]byte(columns(132, "\n", glHeader, glDebit, glTrailer)), "x")
	f.Add([]byte(nacha), "-1.5")
	f.Fuzz(func(t *testing.T, source []byte, value string) {
		for _, l := range layout.Shipped() {
			d, err := ParseFixed(l, source)
			if err != nil {
				t.Fatal(err) // the layout is given, so that every source is of it
			}
			keepsBytes(t, d)
			var edits []Edit
			for _, n := range d.Root().Leaves() {
				if n.IsScalar() {
					edits = append(edits, Edit{Node: n, Text: value})
				}
			}
			out, err := d.Rewrite(edits)
			if err != nil || len(out) != len(source) {
				t.Fatalf("edits changed the width: %d became %d, %v", len(source), len(out), err)
			}
		}
	})
}

func BenchmarkParseFixed(b *testing.B) {
	source := []byte(columns(132, "\n", glHeader) + strings.Repeat(columns(132, "\n", glDebit, glCredit), 20_000))
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := parseShipped(source); err != nil {
			b.Fatal(err)
		}
	}
}
