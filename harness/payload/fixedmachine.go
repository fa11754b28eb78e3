package payload

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// Half bytes of a packed number that are signs: C or F for positive ones, D for negative ones, and what other machines
// wrote in their place.
const positiveSigns, negativeSigns = "\x0c\x0f\x0a\x0e", "\x0d\x0b"

// overpunched are the last digits of zoned numbers with their signs: 12{ is 120, 12J is -121.
const positivePunches, negativePunches = "{ABCDEFGHI", "}JKLMNOPQR"

// IsMachineNumber reports whether the value is a field of fixed width in which only a number can be spelled.
func (n Node) IsMachineNumber() bool {
	f := n.field()
	return f != nil && f.IsMachine()
}

// machineText is the number in a packed, zoned or binary field. Blanks or zero bytes alone are an empty text, and
// anything else that is no number is its bytes in hexadecimal digits behind 0x.
func machineText(l *layout.Layout, f *layout.Field, raw []byte) string {
	sign, digits, ok := machineDigits(l, f, raw)
	switch {
	case ok:
		return sign + pointed(digits, f.Decimals)
	case len(trimLeft(raw, l.Byte(' '))) == 0 || len(trimLeft(raw, 0)) == 0:
		return ""
	}
	return "0x" + hex.EncodeToString(raw)
}

func machineDigits(l *layout.Layout, f *layout.Field, raw []byte) (sign string, digits []byte, ok bool) {
	switch f.Type {
	case layout.Packed:
		return packedDigits(raw)
	case layout.Zoned:
		return zonedDigits(l.Plain(raw))
	}
	return binaryDigits(raw, f.Length)
}

func packedDigits(raw []byte) (sign string, digits []byte, ok bool) {
	for i, c := range raw {
		digits = append(digits, '0'+c>>4)
		if i < len(raw)-1 {
			digits = append(digits, '0'+c&0xf)
		}
	}
	if len(raw) == 0 || !isDigits(digits) {
		return "", nil, false
	}
	last := raw[len(raw)-1] & 0xf
	if strings.IndexByte(negativeSigns, last) >= 0 {
		return "-", digits, true
	}
	return "", digits, strings.IndexByte(positiveSigns, last) >= 0
}

func zonedDigits(plain []byte) (sign string, digits []byte, ok bool) {
	if len(plain) == 0 {
		return "", nil, false
	}
	digits = slices.Clone(plain)
	last := &digits[len(digits)-1]
	if v := strings.IndexByte(negativePunches, *last); v >= 0 {
		sign, *last = "-", '0'+byte(v)
	} else if v := strings.IndexByte(positivePunches, *last); v >= 0 {
		*last = '0' + byte(v)
	}
	return sign, digits, isDigits(digits)
}

// binaryDigits wants all bytes of the number: the first ones of it say something else.
func binaryDigits(raw []byte, length int) (sign string, digits []byte, ok bool) {
	if len(raw) != length {
		return "", nil, false
	}
	n := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		sign = "-"
		n.Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))), n)
	}
	return sign, []byte(n.String()), true
}

// appendMachine spells a number as what stood there was spelled. What is too large loses its first digits, or its
// highest bits; what is no number becomes zero.
func appendMachine(out []byte, l *layout.Layout, f *layout.Field, value string, was []byte) []byte {
	sign, digits, ok := scaled(value, f.Decimals)
	if !ok {
		sign, digits = "", "0"
	}
	negative := sign == "-" && strings.Trim(digits, "0") != ""
	switch f.Type {
	case layout.Packed:
		return appendPacked(out, negative, digits, was)
	case layout.Zoned:
		return appendZoned(out, l, negative, digits, was)
	}
	return appendBinary(out, negative, digits, len(was))
}

// onTheRight is digits in a width, with zeros in front or without the first ones.
func onTheRight(digits string, width int) string {
	if len(digits) < width {
		return strings.Repeat("0", width-len(digits)) + digits
	}
	return digits[len(digits)-width:]
}

// signKept is the sign that stood there if it says the same, else the usual one.
func signKept(was byte, same string, usual byte) byte {
	if strings.IndexByte(same, was) >= 0 {
		return was
	}
	return usual
}

func appendPacked(out []byte, negative bool, digits string, was []byte) []byte {
	sign := was[len(was)-1] & 0xf
	if negative {
		sign = signKept(sign, negativeSigns, 0xd)
	} else {
		sign = signKept(sign, positiveSigns, 0xc)
	}
	digits = onTheRight(digits, 2*len(was)-1)
	for i := range was {
		low := sign
		if i < len(was)-1 {
			low = digits[2*i+1] - '0'
		}
		out = append(out, (digits[2*i]-'0')<<4|low)
	}
	return out
}

func appendZoned(out []byte, l *layout.Layout, negative bool, digits string, was []byte) []byte {
	plain := []byte(onTheRight(digits, len(was)))
	last := &plain[len(plain)-1]
	if punches := positivePunches; negative || strings.IndexByte(punches+negativePunches, l.Plain(was)[len(was)-1]) >= 0 {
		if negative {
			punches = negativePunches
		}
		*last = punches[*last-'0']
	}
	for _, c := range plain {
		out = append(out, l.Byte(c))
	}
	return out
}

func appendBinary(out []byte, negative bool, digits string, width int) []byte {
	n, _ := new(big.Int).SetString(digits, 10) // digits they are
	all := new(big.Int).Lsh(big.NewInt(1), uint(8*width))
	if n.Mod(n, all); negative {
		n.Mod(n.Sub(all, n), all)
	}
	return append(out, n.FillBytes(make([]byte, width))...)
}
