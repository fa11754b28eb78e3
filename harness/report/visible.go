package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// maxSentence bounds a text that may quote payloads, in columns.
const maxSentence = 2000

// visible shows what a terminal or browser would hide or obey: every character that is not printable becomes \n, \t,
// \x1b or \u202e, a byte that is not UTF-8 becomes \xe9. The result is one line. A word that begins with :: and a ##
// are broken as well, because CI servers read them as commands.
func visible(s string) string {
	if isHarmless(s) {
		return s
	}
	var b strings.Builder
	last := ' '
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ':' && last == ' ' && strings.HasPrefix(s[i:], "::"):
			b.WriteString(`\x3a`)
		case r == '#' && last == '#':
			b.WriteString(`\x23`)
		case isShown(r):
			b.WriteRune(r)
		default:
			b.WriteString(spell(r))
		}
		last = r
		i += n
	}
	return b.String()
}

// isHarmless spares the common case a copy.
func isHarmless(s string) bool {
	if strings.Contains(s, "::") || strings.Contains(s, "##") {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// isShown reports whether a reader sees the character as what it is. Letters without a glyph, such as the Hangul
// filler, and marks that only select a variant count as hidden.
func isShown(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func spell(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x100 && r != 0xa0:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// columns is the number of terminal columns that s takes: wide characters two, combining marks none.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens s to at most limit columns; a cut text ends in ….
func cut(s string, limit int) string {
	if len(s) <= limit || columns(s) <= limit {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeColumns(r); n > limit-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// pad fills s with blanks to n columns.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// padLeft puts s at the right end of n columns.
func padLeft(s string, n int) string {
	return strings.Repeat(" ", max(0, n-columns(s))) + s
}

// wrap breaks s at blanks into lines of at most limit columns. A word that is wider stands alone, whole. A percent
// sign stays with its number.
func wrap(s string, limit int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	words := strings.Fields(s)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if i+1 < len(words) && strings.HasPrefix(words[i+1], "%") {
			i++
			word += " " + words[i]
		}
		n := columns(word)
		if used > 0 && used+1+n > limit {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += n
	}
	return append(lines, line.String())
}
