// Package pattern makes texts that matchers accept, so that a request can stand for a stub that has none.
package pattern

import (
	"regexp/syntax"
	"strings"
)

// Text is a text that a matcher accepts.
type Text struct {
	Text  string
	Exact bool // it is the only text that is accepted
}

// Exactly is the text itself.
func Exactly(s string) Text { return Text{s, true} }

// maxRepeat bounds how often a counted repetition is written out.
const maxRepeat = 1000

// Regexp returns a short text that a regular expression accepts as a whole. Not ok: the expression is of a dialect that
// cannot be read, such as one that looks around.
func Regexp(expr string) (t Text, ok bool) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return Text{}, false
	}
	w := writer{exact: true}
	w.write(re)
	return Text{w.text.String(), w.exact}, w.text.Len() <= maxRepeat
}

// Glob returns a text that a pattern with * accepts.
func Glob(glob string) Text {
	return Text{strings.ReplaceAll(glob, "*", ""), !strings.Contains(glob, "*")}
}

type writer struct {
	text  strings.Builder
	exact bool
}

func (w *writer) write(re *syntax.Regexp) {
	if w.text.Len() > maxRepeat {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		w.exact = w.exact && re.Flags&syntax.FoldCase == 0
		for _, r := range re.Rune {
			w.text.WriteRune(r)
		}
	case syntax.OpCharClass:
		w.exact = w.exact && len(re.Rune) == 2 && re.Rune[0] == re.Rune[1]
		w.text.WriteRune(plainest(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.exact = false
		w.text.WriteByte('x')
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			w.write(sub)
		}
	case syntax.OpAlternate:
		w.exact = false
		w.write(re.Sub[0])
	case syntax.OpPlus:
		w.exact = false
		w.write(re.Sub[0])
	case syntax.OpRepeat:
		w.exact = w.exact && re.Min == re.Max
		for range re.Min {
			w.write(re.Sub[0])
		}
	case syntax.OpStar, syntax.OpQuest:
		w.exact = false
	}
}

// plainest is the character of a class that reads best: a letter or a digit, if there is one. The class is a list of
// first and last characters.
func plainest(class []rune) rune {
	for _, want := range "x1aA" {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= want && want <= class[i+1] {
				return want
			}
		}
	}
	if len(class) == 0 {
		return 'x'
	}
	return class[0]
}
