package harness

import (
	"strconv"
	"strings"
)

// Count writes a number with its noun: 1 row, 7 rows, 2 entries, no grouping of digits.
func Count(n int, noun string) string {
	return strconv.Itoa(n) + " " + Noun(n, noun)
}

// Noun is the noun as it stands behind the number: row behind 1, rows behind any other.
func Noun(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return Plural(noun)
}

// irregular are plurals that no rule makes.
var irregular = map[string]string{"person": "people"}

// Plural of an English noun, or of the last word of several.
func Plural(noun string) string {
	at := strings.LastIndexByte(noun, ' ') + 1
	last := noun[at:]
	if many, ok := irregular[last]; ok {
		return noun[:at] + many
	}
	switch {
	case strings.HasSuffix(last, "y") && len(last) > 1 && !strings.ContainsRune("aeiou", rune(last[len(last)-2])):
		return noun[:len(noun)-1] + "ies"
	case strings.HasSuffix(last, "s"), strings.HasSuffix(last, "x"), strings.HasSuffix(last, "ch"), strings.HasSuffix(last, "sh"):
		return noun + "es"
	}
	return noun + "s"
}
