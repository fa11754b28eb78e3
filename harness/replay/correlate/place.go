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

// parts yields the pieces of a text between marks, for each kind of marks. The text itself is none, and what is within a
// date, a time or an amount is none either.
func parts(text string) iter.Seq[span] {
	return func(yield func(span) bool) {
		whole := span{0, len(text)}
		for outer := range between(text, whole, 1) {
			if piece := text[outer.from:outer.to]; isMoment(piece) || isAmount(piece) {
				continue
			}
			if outer != whole && !yield(outer) {
				return
			}
			for name := range between(text, outer, 2) {
				if name != outer && !yield(name) {
					return
				}
				for word := range between(text, name, 3) {
					if word != name && !yield(word) {
						return
					}
				}
			}
		}
	}
}

// between yields the pieces of a span between marks of a kind, without the empty ones.
func between(text string, in span, kind uint8) iter.Seq[span] {
	return func(yield func(span) bool) {
		from := in.from
		for i := in.from; i <= in.to; i++ {
			if i < in.to && markOf[text[i]] != kind {
				continue
			}
			if i > from && !yield(span{from, i}) {
				return
			}
			from = i + 1
		}
	}
}

// inMoment reports whether a span lies within a date, a time or an amount.
func inMoment(text string, at span) bool {
	from, to := at.from, at.to
	for from > 0 && markOf[text[from-1]] != 1 {
		from--
	}
	for to < len(text) && markOf[text[to]] != 1 {
		to++
	}
	return at != span{from, to} && (isMoment(text[from:to]) || isAmount(text[from:to]))
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
		for i := len(l.top().steps) - 2; i >= 0; i-- {
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

// rankOf orders the places of one answer that give the same value: whole values before parts of texts, what is called an
// identifier before what is not, the body before the head, what lies near the root before what lies deep.
func rankOf(l *leaf, at span) int {
	rank := len(l.steps)
	for _, counts := range []struct {
		yes bool
		by  int
	}{{l.kind != inBody, 16}, {l.role() == plain, 32}, {l.parent != nil && l.kind != inCookie, 64}, {at.from > 0 || at.to < len(l.text), 128}} {
		if counts.yes {
			rank += counts.by
		}
	}
	return rank
}
