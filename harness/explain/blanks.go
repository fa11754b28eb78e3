package explain

import (
	"fmt"
	"slices"
	"unicode"
)

// invisible is the names of characters that cannot be seen.
var invisible = map[rune]string{
	' ': "a blank", '\t': "a tab", '\n': "a line feed", '\r': "a carriage return", '\u00a0': "a no-break space (U+00A0)", '\u00ad': "a soft hyphen (U+00AD)",
	'\u200b': "a zero-width space (U+200B)", '\u200c': "a zero-width non-joiner (U+200C)", '\u200d': "a zero-width joiner (U+200D)",
	'\u200e': "a left-to-right mark (U+200E)", '\u200f': "a right-to-left mark (U+200F)", '\u2060': "a word joiner (U+2060)",
	'\u202f': "a narrow no-break space (U+202F)", '\u3000': "an ideographic space (U+3000)", '\ufeff': "a byte order mark (U+FEFF)", 0: "a zero byte",
}

// isInvisible holds for white space, control and format characters.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r)
}

func nameOfRune(r rune) string {
	if name := invisible[r]; name != "" {
		return name
	}
	return fmt.Sprintf("an invisible character (U+%04X)", r)
}

// blanksBeside names the invisible characters that is has more often than was, in order.
func blanksBeside(was, is string) []string {
	n := map[rune]int{}
	for _, r := range was {
		n[r]++
	}
	var names []string
	for _, r := range is {
		if n[r]--; n[r] < 0 && isInvisible(r) && !slices.Contains(names, nameOfRune(r)) {
			names = append(names, nameOfRune(r))
		}
	}
	return names
}
