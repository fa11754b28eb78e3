package correlate

import (
	"iter"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// span is a part of a text.
type span struct{ from, to int }

// Marks at which a text is parted: those between sentences and pairs, those within names and URLs, those within words.
const (
	outerMarks = " \t\r\n,;&=?\"'<>()[]{}|\\"
	nameMarks  = "/:@#"
	wordMarks  = "-_.~+*!$%"
)

// markOf is the kind of each mark: 1 outer, 2 of names, 3 of words.
var markOf = func() (of [256]uint8) {
	for i, marks := range []string{outerMarks, nameMarks, wordMarks} {
		for _, c := range []byte(marks) {
			of[c] = uint8(i + 1)
		}
	}
	return of
}()

// parts yields the pieces of a text between marks, for each kind of marks, those within before those around them. The
// text itself is none.
func parts(text string) iter.Seq[span] {
	return func(yield func(span) bool) {
		var starts [4]int // by kind of mark
		for i := 0; i <= len(text); i++ {
			mark := uint8(1)
			if i < len(text) {
				if mark = markOf[text[i]]; mark == 0 {
					continue
				}
			}
			last := -1
			for kind := uint8(3); kind >= mark; kind-- {
				from := starts[kind]
				starts[kind] = i + 1
				if from < i && from != last && (from > 0 || i < len(text)) && !yield(span{from, i}) {
					return
				}
				last = from
			}
		}
	}
}

// role is what the name of the leaf tells. A segment of a path behind the name of a collection is an identifier.
func (l *leaf) role() role {
	switch {
	case l.kind == inSegment:
		if l.before != "" && isWord(l.before) || isWordy(l.before) {
			return idRole
		}
		return plain
	case l.kind == inCookie:
		return tokenRole
	case l.key == ":url":
		return idRole
	}
	return roleOf(l.name)
}

func isWordy(s string) bool { return s != "" && describe(s).class == word }

// thing is what the value of the leaf names; of is what the operation is about.
func (l *leaf) thing(of string) string {
	switch l.kind {
	case inSegment:
		return thing(l.before)
	case inBody:
		if t := thing(l.name); t != "" {
			return t
		}
		for i := len(l.top().steps) - 2; i > 0; i-- { // the first one is body
			if s := l.top().steps[i]; s.Kind == harness.StepName {
				if t := thing(s.Name); t != "" {
					return t
				}
			}
		}
		return of
	}
	return thing(l.name)
}

// thingOfOperation is what a call is about: the last segment of its path that is no identifier.
func thingOfOperation(h harness.Head) string {
	path, _, _ := strings.Cut(h.Get(harness.FieldPath), "?")
	for segment := range backwards(path) {
		if t := thing(segment); t != "" && describe(segment).class <= word {
			return t
		}
	}
	return ""
}

// backwards yields the segments of a path, the last one first.
func backwards(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for path != "" {
			i := strings.LastIndexByte(path, '/')
			if segment := path[i+1:]; segment != "" && !yield(segment) {
				return
			}
			path = path[:max(i, 0)]
		}
	}
}

// rankOf orders the places of one answer that give the same value: whole members of the body, whole fields of the head,
// what stands within.
func rankOf(l *leaf, at span) int {
	rank := 0
	if at.from > 0 || at.to < len(l.text) {
		rank += 8
	}
	if l.role() == plain {
		rank += 2
	}
	if l.parent != nil && l.kind != inCookie {
		rank += 4
	}
	if l.kind != inBody {
		rank++
	}
	return rank
}
