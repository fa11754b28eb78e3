package payload

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// fixedSyntax spells the fields of a layout.
type fixedSyntax struct {
	l      *layout.Layout
	table  *charmap.Charmap // of its encoding; nil for UTF-8
	fields []*layout.Field
	types  []int
}

// plain is the bytes of a field in UTF-8 that is neither number nor type, without padding.
func (s *fixedSyntax) plain(raw []byte, n *node) ([]byte, bool) {
	if f := s.fields[n.nameFrom]; s.table == nil && isBare(f) {
		return s.bare(f, raw), true
	}
	return nil, false
}

func (s *fixedSyntax) decode(raw []byte, n *node) string {
	f := s.fields[n.nameFrom]
	switch {
	case isBare(f):
		return s.toText(s.bare(f, raw))
	case f.Type == layout.KindRecord:
		return s.l.Records[s.types[n.nameFrom]].Type
	case f.IsMachine():
		return machineText(s.l, f, raw)
	}
	return numberOf(f, s.l.Plain(raw))
}

// isBare reports whether the text of a field is its bytes without padding.
func isBare(f *layout.Field) bool {
	return f == nil || f.Type != layout.KindRecord && f.Type != layout.Number && f.Type != layout.Amount && !f.IsMachine()
}

// bare is the bytes of a field without padding.
func (s *fixedSyntax) bare(f *layout.Field, raw []byte) []byte {
	switch {
	case f == nil:
		return raw
	case f.Type == layout.Date:
		blank := s.l.Byte(' ')
		return trimLeft(trimRight(raw, blank), blank)
	case f.Align == layout.Right:
		return trimLeft(raw, s.l.Byte(f.Pad[0]))
	}
	return trimRight(raw, s.l.Byte(f.Pad[0]))
}

func trimLeft(b []byte, pad byte) []byte {
	for len(b) > 0 && b[0] == pad {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte, pad byte) []byte {
	for len(b) > 0 && b[len(b)-1] == pad {
		b = b[:len(b)-1]
	}
	return b
}

// holds reports whether a scalar has a text already.
func (s *fixedSyntax) holds(text string, raw []byte, n *node) bool {
	if plain, ok := s.plain(raw, n); ok {
		return text == string(plain) // without a copy
	}
	return text == s.decode(raw, n)
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
	return sign + pointed(digits, f.Decimals)
}

// pointed writes digits with the decimal point that a layout implies, and without zeros in front.
func pointed(digits []byte, decimals int) string {
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = append(bytes.Repeat([]byte("0"), missing), digits...)
	}
	point := len(digits) - decimals
	whole := bytes.TrimLeft(digits[:point-1], "0")
	out := string(whole) + string(digits[point-1:point])
	if decimals > 0 {
		out += "." + string(digits[point:])
	}
	return out
}

func isDigits(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' })
}

// encode keeps the width of what stood there.
func (s *fixedSyntax) encode(out []byte, value string, was []byte, n *node) []byte {
	if s.holds(value, was, n) {
		return append(out, was...)
	}
	f, from := s.fields[n.nameFrom], len(out)
	if f == nil {
		return s.fit(s.appendText(out, value), from, len(was), ' ', false)
	}
	switch f.Type {
	case layout.KindRecord:
		for _, r := range s.l.Records {
			if r.Type == value && r.When != nil && len(r.When.Spelled()) == len(was) {
				return append(out, r.When.Spelled()...)
			}
		}
		return append(out, was...)
	case layout.Packed, layout.Zoned, layout.Binary:
		return appendMachine(out, s.l, f, value, was)
	case layout.Number, layout.Amount:
		if number, ok := s.appendNumber(out, f, value, len(was)); ok {
			return number
		}
	}
	return s.fit(s.appendText(out, value), from, len(was), f.Pad[0], f.Align == layout.Right)
}

func (*fixedSyntax) encodeName(out []byte, value string, _ []byte) []byte {
	return append(out, value...)
}

// appendNumber spells a decimal with the decimals of the field; further ones are cut.
func (s *fixedSyntax) appendNumber(out []byte, f *layout.Field, value string, width int) ([]byte, bool) {
	from := len(out)
	sign, digits, ok := scaled(value, f.Decimals)
	if !ok || len(sign) >= width {
		return nil, false
	}
	if f.Pad != "0" {
		digits = strings.TrimLeft(digits[:len(digits)-1], "0") + digits[len(digits)-1:]
		return s.fit(s.appendText(out, sign+digits), from, width, f.Pad[0], f.Align == layout.Right), true
	}
	out = s.appendText(out, sign)
	return s.fit(s.appendText(out, digits), from+len(sign), width-len(sign), '0', true), true
}

// scaled is the sign and the digits of a decimal without its point; decimals beyond those of the field are cut.
func scaled(value string, decimals int) (sign, digits string, ok bool) {
	if strings.HasPrefix(value, "-") || strings.HasPrefix(value, "+") {
		sign, value = value[:1], value[1:]
	}
	whole, part, _ := strings.Cut(value, ".")
	if whole == "" || !isDigits([]byte(whole+part)) {
		return "", "", false
	}
	return sign, whole + (part + strings.Repeat("0", decimals))[:decimals], true
}

// fit is the fit of the encoding; the padding is in ASCII.
func (s *fixedSyntax) fit(out []byte, from, width int, pad byte, right bool) []byte {
	return fit(out, from, width, s.l.Byte(pad), right, s.table == nil)
}

// fit pads or cuts what was appended behind from to a width, on the left when right is set. In UTF-8 it cuts between
// characters.
func fit(out []byte, from, width int, pad byte, right, inUTF8 bool) []byte {
	b := out[from:]
	if len(b) > width && right {
		return append(out[:from], b[len(b)-width:]...)
	}
	if len(b) > width {
		cut := width
		for inUTF8 && cut > 0 && cut > width-utf8.UTFMax && !utf8.RuneStart(b[cut]) {
			cut--
		}
		b, out = b[:cut], out[:from+cut]
	}
	size := len(b)
	for range width - size {
		out = append(out, pad)
	}
	if right {
		b = out[from:]
		copy(b[width-size:], b[:size])
		for i := range width - size {
			b[i] = pad
		}
	}
	return out
}

func (s *fixedSyntax) toText(raw []byte) string {
	if s.table == nil {
		return string(raw)
	}
	var out strings.Builder
	for _, c := range raw {
		out.WriteRune(s.table.DecodeByte(c))
	}
	return out.String()
}

// inOneLine turns line ends into blanks.
var inOneLine = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ")

// appendText spells a text in the encoding of the layout; what it has no byte for, and a line end, becomes ? or a blank.
func (s *fixedSyntax) appendText(out []byte, value string) []byte {
	if strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, '\n') >= 0 {
		value = inOneLine.Replace(value)
	}
	if s.table == nil {
		return append(out, value...)
	}
	for _, r := range value {
		if b, ok := s.table.EncodeRune(r); ok && r != utf8.RuneError {
			out = append(out, b)
		} else {
			out = append(out, '?')
		}
	}
	return out
}
