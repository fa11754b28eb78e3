package infer

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// misread reads the bytes of a UTF-8 text as Windows-1252. The five bytes without a character there become the control
// characters of ISO-8859-1, as browsers and Java do it.
func misread(s string) string {
	return misreadAs(s, func(b byte) rune {
		if r := charmap.Windows1252.DecodeByte(b); r != utf8.RuneError {
			return r
		}
		return rune(b)
	})
}

func misreadLatin(s string) string { return misreadAs(s, func(b byte) rune { return rune(b) }) }

func misreadAs(s string, decode func(byte) rune) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(decode(s[i]))
		}
	}
	return b.String()
}

// reread undoes misread; a text that was not misread stays.
func reread(s string) string {
	return rereadAs(s, func(r rune) (byte, bool) {
		if b, ok := charmap.Windows1252.EncodeRune(r); ok {
			return b, true
		}
		return byte(r), r < 256
	})
}

func rereadLatin(s string) string {
	return rereadAs(s, func(r rune) (byte, bool) { return byte(r), r < 256 })
}

func rereadAs(s string, encode func(rune) (byte, bool)) string {
	out, ok := encoded(s, encode)
	if !ok || !utf8.ValidString(out) {
		return s
	}
	return out
}

// toWindows writes the text in Windows-1252; a text that has no such form stays.
func toWindows(s string) string {
	if out, ok := encoded(s, charmap.Windows1252.EncodeRune); ok && utf8.ValidString(s) && !utf8.ValidString(out) {
		return out
	}
	return s
}

// fromWindows reads bytes that are not UTF-8 as Windows-1252.
func fromWindows(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return misread(s)
}

func encoded(s string, encode func(rune) (byte, bool)) (string, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := encode(r)
		if !ok {
			return "", false
		}
		out = append(out, b)
	}
	return string(out), true
}

// lossWith puts a mark in place of every character beyond ASCII, or of every byte of one.
func lossWith(mark string, perByte bool) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			switch {
			case r < utf8.RuneSelf:
				b.WriteRune(r)
			case perByte:
				b.WriteString(strings.Repeat(mark, utf8.RuneLen(r)))
			default:
				b.WriteString(mark)
			}
		}
		return b.String()
	}
}
