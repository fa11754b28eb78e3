package correlate

import (
	"strings"
)

// A value is found by its anchor: of its runs, which are letters and digits without a mark between them, the one that is
// rarest by its looks. So a text is looked through once, whatever the number of values.

// run is the next run of the text at or behind from; it is false at the end.
func run(text string, from int) (start, end int, ok bool) {
	for start = from; start < len(text) && !isAlnum[text[start]]; start++ {
	}
	for end = start; end < len(text) && isAlnum[text[end]]; end++ {
	}
	return start, end, end > start
}

// hashOf is FNV-1a over the run, letter case aside.
func hashOf(run string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(run) {
		c := run[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// runsOf calls yield with the hash of each run until it returns false.
func runsOf(text string, yield func(hash uint64) bool) {
	for at := 0; ; {
		start, end, ok := run(text, at)
		if !ok || !yield(hashOf(text[start:end])) {
			return
		}
		at = end
	}
}

// stands reports whether value stands at text[from:], letter case aside, with nothing before and behind that would make
// it a part of a longer word or number.
func stands(text string, from int, value string) bool {
	to := from + len(value)
	if from < 0 || to > len(text) || !strings.EqualFold(text[from:to], value) {
		return false
	}
	if from > 0 && isAlnum[text[from-1]] && isAlnum[text[from]] || to < len(text) && isAlnum[text[to]] && isAlnum[text[to-1]] {
		return false
	}
	return !isDigits(value) || !inNumber(text, from, to)
}

// inNumber reports whether digits are a part of a longer number, with a point, a comma or a sign between.
func inNumber(text string, from, to int) bool {
	const joins = ".,"
	before := from > 1 && strings.IndexByte(joins, text[from-1]) >= 0 && isDigit(text[from-2])
	behind := to+1 < len(text) && strings.IndexByte(joins, text[to]) >= 0 && isDigit(text[to+1])
	return before || behind
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// anchor is the hash of the run by which a value is found, and how many bytes stand before it: the longest run with a
// digit, or else the longest one.
func anchor(value string) (hash uint64, before int, ok bool) {
	best, most := span{}, 0
	for at := 0; ; {
		start, end, more := run(value, at)
		if !more {
			break
		}
		weight := end - start
		if strings.ContainsAny(value[start:end], "0123456789") {
			weight += maxValue
		}
		if weight > most {
			best, most = span{start, end}, weight
		}
		at = end
	}
	if most == 0 {
		return 0, 0, false
	}
	return hashOf(value[best.from:best.to]), best.from, true
}

// caseOf says how the case of a value was changed to what stands there; ok is false when it was in no regular way.
func caseOf(value, there string) (t transform, ok bool) {
	switch there {
	case value:
		return asIs, true
	case strings.ToLower(value):
		return lowerCase, true
	case strings.ToUpper(value):
		return upperCase, true
	}
	return asIs, false
}

// transform is what a client does to a value before it sends it.
type transform uint8

// Transforms.
const (
	asIs transform = iota
	lowerCase
	upperCase
	noHyphens // of a UUID
)

var transforms = [...]struct {
	name string
	do   func(string) string
}{
	asIs:      {"", func(s string) string { return s }},
	lowerCase: {"lower case", strings.ToLower},
	upperCase: {"upper case", strings.ToUpper},
	noHyphens: {"one word", func(s string) string {
		if !isUUID(s) {
			return s
		}
		return strings.ReplaceAll(s, "-", "")
	}},
}
