package payload

import (
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

const payroll = `layout: PAYROLL
encoding: cp037
length: 44
records:
  - type: employee
    when: {at: 1, is: [E]}
    fields:
      - {name: emplid, at: 2, length: 5, type: packed}
      - {name: name, at: 7, length: 12}
      - {name: salary, at: 19, length: 6, type: packed, decimals: 2}
      - {name: balance, at: 25, length: 4, type: zoned, decimals: 2}
      - {name: hours, at: 29, length: 4, type: number}
      - {name: count, at: 33, length: 2, type: binary}
      - {name: born, at: 35, length: 8, type: date}
      - {name: code, at: 43, length: 2, align: right}
  - type: trailer
    when: {at: 1, is: [T]}
    fields:
      - {name: employees, at: 2, length: 2, type: packed}
      - {name: salaries, at: 4, length: 7, type: packed, decimals: 2}
totals:
  - {record: trailer, field: employees, counts: [employee]}
  - {record: trailer, field: salaries, sums: [employee.salary]}
`

// ebcdic spells a text in code page 037, and what stands in angle brackets as the bytes of its hexadecimal digits.
func ebcdic(t testing.TB, text string) string {
	t.Helper()
	var out strings.Builder
	for text != "" {
		plain, rest, found := strings.Cut(text, "<")
		encoded, err := charmap.CodePage037.NewEncoder().String(plain)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(encoded)
		digits, after, _ := strings.Cut(rest, ">")
		if raw, err := hex.DecodeString(digits); found && err == nil {
			out.Write(raw)
		}
		text = after
	}
	return out.String()
}

func payrollLayout(t testing.TB) *layout.Layout {
	t.Helper()
	l, err := layout.Parse("payroll.yaml", []byte(payroll))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func payrollFile(t testing.TB) []byte {
	return []byte(ebcdic(t, "E<000604821c>Núñez, José <00004125500c>012{0040<0007>20040229 A"+
		"E<000604822f>ADEYEMI F.  <00001188750d>012J0000<fffe>19991231B2"+
		"T<002c><0000000293675c>"+strings.Repeat(" ", 34)))
}

func TestMainframeFilesHaveTexts(t *testing.T) {
	l := payrollLayout(t)
	source := payrollFile(t)
	if len(source) != 3*44 {
		t.Fatalf("the file has %d bytes", len(source))
	}
	d, err := ParseFixed(l, source)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, want, why string }{
		{"[0].record", "employee", "the type stands there in EBCDIC"},
		{"[0].emplid", "604821", "packed"}, {"[0].name", "Núñez, José", "a text"}, {"[0].salary", "41255.00", "packed, implied decimals"},
		{"[0].balance", "1.20", "zoned, positive"}, {"[0].hours", "40", "digits"}, {"[0].count", "7", "binary"},
		{"[0].born", "20040229", "a date"}, {"[0].code", "A", "padded on the left"},
		{"[1].emplid", "604822", "packed without a sign"}, {"[1].salary", "-11887.50", "packed, negative"},
		{"[1].balance", "-1.21", "zoned, negative"}, {"[1].count", "-2", "binary, negative"}, {"[1].hours", "0", "zeros"},
		{"[2].employees", "2", "a count"},
	} {
		if got := textAt(t, d, c.at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.at, got, c.want)
		}
	}
	if got := d.Fact("encoding"); got != "cp037" {
		t.Errorf("the encoding is %q", got)
	}
	keepsBytes(t, d)
	if !layout.Shipped()[0].Sniff([]byte(glHeader)) || !l.Sniff(source) || layout.For([]*layout.Layout{l}, "", source) != l {
		t.Error("the layout is not found by its first record")
	}
}

func TestMachineNumbersKeepTheirForm(t *testing.T) {
	for _, c := range []struct{ kind, was, text, value, want, why string }{
		{"packed, length: 3", "<12345c>", "12345", "-7", "<00007d>", "a sign of its own"},
		{"packed, length: 3", "<12345f>", "12345", "77", "<00077f>", "no sign stays none"},
		{"packed, length: 3", "<12345d>", "-12345", "-1", "<00001d>", "negative"},
		{"packed, length: 3", "<12345a>", "12345", "2", "<00002a>", "a sign of another machine"},
		{"packed, length: 3", "<12345c>", "12345", "9876543", "<76543c>", "too large: the first digits are lost"},
		{"packed, length: 3", "<12345c>", "12345", "n/a", "<00000c>", "no number"},
		{"packed, length: 3", "<404040>", "", "5", "<00005c>", "blanks"},
		{"packed, length: 3", "<000000>", "", "5", "<00005c>", "zero bytes"},
		{"packed, length: 3", "<1a345c>", "0x1a345c", "5", "<00005c>", "no digits"},
		{"packed, length: 3, decimals: 2", "<12345c>", "123.45", "-1.5", "<00150d>", "decimals"},
		{"zoned, length: 3", "123", "123", "45", "045", "no sign stays none"},
		{"zoned, length: 3", "12C", "123", "45", "04E", "a sign"},
		{"zoned, length: 3", "123", "123", "-45", "04N", "a sign that was not there"},
		{"zoned, length: 3", "12L", "-123", "45", "04E", "negative before"},
		{"zoned, length: 3", "   ", "", "45", "045", "blanks"},
		{"binary, length: 2", "<0102>", "258", "-1", "<ffff>", "two's complement"},
		{"binary, length: 2", "<fffe>", "-2", "65537", "<0001>", "too large: the highest bits are lost"},
		{"binary, length: 4, decimals: 2", "<00000102>", "2.58", "1", "<00000064>", "decimals"},
	} {
		l, err := layout.Parse("one.yaml", []byte("layout: ONE\nencoding: cp037\nlength: "+strings.TrimSuffix(strings.Split(c.kind, "length: ")[1], ", decimals: 2")+
			"\nrecords: [{type: one, fields: [{name: n, at: 1, type: "+c.kind+"}]}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseFixed(l, []byte(ebcdic(t, c.was)))
		if err != nil {
			t.Fatal(err)
		}
		n := d.Root().Element(0).Member("n")
		if n.Text() != c.text || !n.IsMachineNumber() {
			t.Errorf("%s: %s is %q, want %q", c.why, c.was, n.Text(), c.text)
		}
		out, err := d.Rewrite([]Edit{{Node: n, Text: c.value}})
		if want := ebcdic(t, c.want); err != nil || string(out) != want {
			t.Errorf("%s: %s became %x, want %x: %v", c.why, c.value, out, want, err)
		}
		keepsBytes(t, d)
	}
}

func TestTotalsOfMainframeFiles(t *testing.T) {
	l := payrollLayout(t)
	source := payrollFile(t)
	d, err := ParseFixed(l, source)
	if err != nil {
		t.Fatal(err)
	}
	promises := d.Promises()
	if len(promises) != 2 || !promises[0].Holds || promises[1].Holds || promises[1].Gives != "29367.50" {
		t.Fatalf("%+v, facts %v", promises, d.Facts)
	}
	out, err := d.Rewrite([]Edit{{Node: promises[1].Node, Text: promises[1].Gives}})
	if err != nil {
		t.Fatal(err)
	}
	if d, _ = ParseFixed(l, out); d.Fact("totals") != "" {
		t.Errorf("%q", d.Fact("totals"))
	}
}

// Whatever bytes stand there: they are kept, and an edit keeps the width of the record.
func TestMainframeFilesKeepEveryByte(t *testing.T) {
	l := payrollLayout(t)
	everyCut(t, func(source []byte) (*Doc, error) { return ParseFixed(l, source) }, payrollFile(t))
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "source")
		d, err := ParseFixed(l, source)
		if err != nil {
			t.Fatal(err)
		}
		keepsBytes(t, d)
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,3})?`)).Draw(t, "value")
		var edits []Edit
		for _, n := range d.Root().Leaves() {
			if n.IsScalar() {
				edits = append(edits, Edit{Node: n, Text: value})
			}
		}
		if out, err := d.Rewrite(edits); err != nil || len(out) != len(source) {
			t.Fatalf("%d bytes became %d, %v", len(source), len(out), err)
		}
	})
}
