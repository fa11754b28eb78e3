package payload

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// fixedSyntax spells the fields of a layout.
type fixedSyntax struct {
	doc    *Doc
	l      *layout.Layout
	fields []*layout.Field
	types  []int
}

// placeOf is where raw stands in the source, or -1 when it is no part of it. Raw must be a slice of the source that
// reaches to its end, as Node.Raw gives it.
func placeOf(source, raw []byte) int {
	at := cap(source) - cap(raw)
	if len(raw) == 0 || at < 0 || at+len(raw) > len(source) || &source[at] != &raw[0] {
		return -1
	}
	return at
}

// field is the field whose bytes raw is, and the number of its record type; nil for what has no field.
func (s fixedSyntax) field(raw []byte) (*layout.Field, int) {
	at := placeOf(s.doc.Source, raw)
	if at < 0 {
		return nil, 0
	}
	// The nodes are in the order of their beginnings; the last that begins there is the scalar.
	nodes := s.doc.nodes
	i := sort.Search(len(nodes), func(i int) bool { return int(nodes[i].start) > at }) - 1
	if i < 0 || !nodes[i].listed {
		return nil, 0
	}
	name := nodes[i].nameFrom
	return s.fields[name], s.types[name]
}

func (s fixedSyntax) decode(raw []byte) string {
	f, kind := s.field(raw)
	if f == nil {
		return s.toText(raw)
	}
	return s.textOf(f, kind, raw)
}

func (s fixedSyntax) textOf(f *layout.Field, kind int, raw []byte) string {
	switch f.Type {
	case layout.KindRecord:
		return s.l.Records[kind].Type
	case layout.Number, layout.Amount:
		return numberOf(f, raw)
	case layout.Date:
		return s.toText(bytes.Trim(raw, " "))
	}
	if f.Align == layout.Right {
		return s.toText(bytes.TrimLeft(raw, f.Pad))
	}
	return s.toText(bytes.TrimRight(raw, f.Pad))
}

// numberOf writes digits without padding and with the decimal point that the layout implies. What is no number stays
// as it is, without blanks.
func numberOf(f *layout.Field, raw []byte) string {
	plain := bytes.Trim(raw, " ")
	sign, digits := "", plain
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = string(digits[:1]), digits[1:]
	}
	if f.Pad != "0" {
		digits = bytes.TrimLeft(digits, f.Pad)
	}
	if len(digits) == 0 || !isDigits(digits) {
		return string(plain)
	}
	if missing := f.Decimals + 1 - len(digits); missing > 0 {
		digits = append(bytes.Repeat([]byte("0"), missing), digits...)
	}
	point := len(digits) - f.Decimals
	whole := bytes.TrimLeft(digits[:point-1], "0")
	out := sign + string(whole) + string(digits[point-1:point])
	if f.Decimals > 0 {
		out += "." + string(digits[point:])
	}
	return out
}

func isDigits(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' })
}

// encode keeps the width of what stood there.
func (s fixedSyntax) encode(value string, was []byte, _ kind) []byte {
	f, kind := s.field(was)
	if f == nil {
		if value == s.toText(was) {
			return was
		}
		return fit(s.fromText(value), len(was), ' ', false)
	}
	if value == s.textOf(f, kind, was) {
		return was
	}
	switch f.Type {
	case layout.KindRecord:
		for _, r := range s.l.Records {
			if r.Type == value && r.When != nil && len(r.When.Is[0]) == len(was) {
				return []byte(r.When.Is[0])
			}
		}
		return was
	case layout.Number, layout.Amount:
		if out, ok := fitNumber(f, value, len(was)); ok {
			return out
		}
	}
	return fit(s.fromText(value), len(was), f.Pad[0], f.Align == layout.Right)
}

func (fixedSyntax) encodeName(value string, _ []byte) []byte { return []byte(value) }

// fitNumber spells a decimal with the decimals of the field; further ones are cut.
func fitNumber(f *layout.Field, value string, width int) ([]byte, bool) {
	sign := ""
	if strings.HasPrefix(value, "-") || strings.HasPrefix(value, "+") {
		sign, value = value[:1], value[1:]
	}
	whole, part, _ := strings.Cut(value, ".")
	digits := whole + (part + strings.Repeat("0", f.Decimals))[:f.Decimals]
	if whole == "" || !isDigits([]byte(whole+part)) || len(sign) >= width {
		return nil, false
	}
	if f.Pad != "0" {
		digits = strings.TrimLeft(digits[:len(digits)-1], "0") + digits[len(digits)-1:]
		return fit([]byte(sign+digits), width, f.Pad[0], f.Align == layout.Right), true
	}
	return append([]byte(sign), fit([]byte(digits), width-len(sign), '0', true)...), true
}

// fit pads or cuts to a width, on the left when right is set.
func fit(b []byte, width int, pad byte, right bool) []byte {
	if len(b) > width && right {
		return b[len(b)-width:]
	}
	if len(b) > width {
		cut := width
		for cut > 0 && cut > width-utf8.UTFMax && !utf8.RuneStart(b[cut]) {
			cut--
		}
		b = b[:cut]
	}
	padding := bytes.Repeat([]byte{pad}, width-len(b))
	if right {
		return append(padding, b...)
	}
	return append(slices.Clip(b), padding...)
}

func (s fixedSyntax) charmap() *charmap.Charmap {
	switch s.l.Encoding {
	case "latin-1":
		return charmap.ISO8859_1
	case "windows-1252":
		return charmap.Windows1252
	}
	return nil
}

func (s fixedSyntax) toText(raw []byte) string {
	table := s.charmap()
	if table == nil {
		return string(raw)
	}
	var out strings.Builder
	for _, c := range raw {
		out.WriteRune(table.DecodeByte(c))
	}
	return out.String()
}

// inOneLine turns line ends into blanks.
var inOneLine = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ")

// fromText spells a text in the encoding of the layout; what it has no byte for, and a line end, becomes ? or a blank.
func (s fixedSyntax) fromText(value string) []byte {
	if strings.ContainsAny(value, "\r\n") {
		value = inOneLine.Replace(value)
	}
	table := s.charmap()
	if table == nil {
		return []byte(value)
	}
	out := make([]byte, 0, len(value))
	for _, r := range value {
		if b, ok := table.EncodeRune(r); ok && r != utf8.RuneError {
			out = append(out, b)
		} else {
			out = append(out, '?')
		}
	}
	return out
}
