package diff

import (
	"unicode"
	"unicode/utf8"
)

// splitText takes a text apart into words, runs of white space and single marks. Joined they are the text again.
func splitText(text string) []string {
	var list []string
	start, last := 0, classNone
	for i, r := range text {
		class := classOfRune(r)
		if i > start && (class != last || class == classMark) {
			list = append(list, text[start:i])
			start = i
		}
		last = class
	}
	if start < len(text) {
		list = append(list, text[start:])
	}
	return list
}

const (
	classNone = iota
	classWord
	classSpace
	classMark
)

func classOfRune(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return classSpace
	case r == '_' || r == utf8.RuneError || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		return classWord
	default:
		return classMark
	}
}
