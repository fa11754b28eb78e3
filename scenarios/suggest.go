package scenarios

import (
	"slices"
	"strings"
)

// suggestion returns `; did you mean "x"?` for the word of the list that is nearest to word, or nothing when none is
// near.
func suggestion(word string, list []string) string {
	if best := nearest(word, list); best != "" {
		return "; did you mean " + quoted(best) + "?"
	}
	return ""
}

// nearest returns the word of the list with the least distance, at most a third of the letters, or nothing.
func nearest(word string, list []string) string {
	const longest = 64 // nothing that a person mistyped is longer, and the distance costs the product of the lengths
	if len(word) > longest {
		return ""
	}
	best, least := "", max(1, len([]rune(word))/3)+1
	for _, candidate := range slices.Sorted(slices.Values(list)) {
		if len(candidate) > longest {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance in which two neighbours that changed places count as one edit (optimal string
// alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row[0] = i + 1
		for j := range t {
			change := 1
			if s[i] == t[j] {
				change = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+change)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
