package payload

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// level is one kind of envelope of a format of segments, from the outermost to the innermost.
type level struct {
	open, close string // tags; close is empty when nothing closes it
	list        string // member of the envelope around it that holds these
	control     int    // element of the opening segment that the closing one repeats; 0: none
	count       int    // element of the closing segment that counts what is inside; 0: none
	again       int    // element of the closing segment that repeats the control; 0: none
}

// Limits of a segment, so that a hostile source gets no names without end.
const (
	mostElements = 1000
	maxComplaint = 5 // sentences in one fact
	loopLevel    = 100
)

// frame is an object that is open.
type frame struct {
	level    int    // index in the levels, -1 the root, loopLevel a loop
	list     string // the list that is open in it
	id       string // of a loop
	control  string
	segments int // number of the opening segment
	children int
}

// envelopes builds the tree of a format of segments: envelopes are objects that hold the elements of the segments
// that open and close them, other segments are objects in the list segments.
type envelopes struct {
	tape
	format string
	s      []byte
	levels []level
	marks  marks
	label  func(tag string, i int) string // name of the i-th element, from 1

	names    []string
	known    map[string]uint32
	tags     map[string]*tagNames
	recent   [256]*tagNames // the tags seen last, which spare most look-ups
	ordinals []uint32
	tagName  uint32 // of the member tag

	frames     []frame
	segments   int
	last       int // end of the last segment
	unbalanced []string
	counts     []string
	controls   []string
}

type tagNames struct {
	tag   string
	names []uint32
	level int // that it opens, or -1
	close int // that it closes, or -1
}

// marks says what the bytes between elements are.
type marks struct {
	class   [256]byte
	release byte // 0: none
}

// Classes of separators, from the outermost to the innermost.
const (
	markElement = 1 + iota
	markRepetition
	markComponent
	markSubcomponent
)

func (m *marks) set(c, class byte) {
	if c != 0 && c != ' ' && m.class[c] == 0 {
		m.class[c] = class
	}
}

func (e *envelopes) start() {
	e.known, e.tags = map[string]uint32{}, map[string]*tagNames{}
	e.tagName = e.name("tag")
	e.begin(node{kind: array})
	e.frames = []frame{{level: -1}}
}

func (e *envelopes) name(s string) uint32 {
	i, ok := e.known[s]
	if !ok {
		i = uint32(len(e.names))
		e.names = append(e.names, s)
		e.known[s] = i
	}
	return i
}

// tagOf returns what is known about a tag of at least two bytes.
func (e *envelopes) tagOf(tag []byte) *tagNames {
	slot := &e.recent[(uint(tag[0])*7+uint(tag[1])*31+uint(tag[len(tag)-1]))%uint(len(e.recent))]
	if t := *slot; t != nil && t.tag == string(tag) {
		return t
	}
	if t := e.tags[string(tag)]; t != nil {
		*slot = t
		return t
	}
	t := &tagNames{tag: string(tag), level: -1, close: -1}
	for i, l := range e.levels {
		if l.open == t.tag {
			t.level = i
		}
		if l.close == t.tag {
			t.close = i
		}
	}
	e.tags[t.tag] = t
	return t
}

func (e *envelopes) element(t *tagNames, i int) uint32 {
	for len(t.names) < i {
		t.names = append(t.names, e.name(e.label(t.tag, len(t.names)+1)))
	}
	return t.names[i-1]
}

func (e *envelopes) ordinal(i int) uint32 {
	for len(e.ordinals) < i {
		e.ordinals = append(e.ordinals, e.name(strconv.Itoa(len(e.ordinals)+1)))
	}
	return e.ordinals[i-1]
}

func (e *envelopes) top() *frame { return &e.frames[len(e.frames)-1] }

// member is a node whose name is listed.
func member(n node, name uint32) node {
	n.listed, n.named, n.nameFrom = true, true, name
	return n
}

// into makes a list of the innermost envelope the open one.
func (e *envelopes) into(list string, at int) {
	f := e.top()
	if f.level < 0 || f.list == list {
		return
	}
	if f.list != "" {
		e.finish(e.last)
	}
	f.list = list
	e.begin(member(node{kind: array, start: uint32(at)}, e.name(list)))
}

func (e *envelopes) push(list string, f frame, at int) {
	e.into(list, at)
	e.top().children++
	e.begin(node{kind: object, start: uint32(at)})
	e.frames = append(e.frames, f)
}

// pop closes the innermost envelope.
func (e *envelopes) pop() {
	if e.top().list != "" {
		e.finish(e.last)
	}
	e.finish(e.last)
	e.frames = e.frames[:len(e.frames)-1]
}

// enclosing is the index of the frame of a level, or -1.
func (e *envelopes) enclosing(level int) int {
	for i := len(e.frames) - 1; i > 0; i-- {
		if e.frames[i].level == level {
			return i
		}
	}
	return -1
}

// popTo closes what is open above a number of frames; envelopes that lack their closing segment are complained about.
func (e *envelopes) popTo(frames int) {
	for len(e.frames) > frames {
		if l := e.top().level; l >= 0 && l != loopLevel && e.levels[l].close != "" {
			e.unbalanced = complain(e.unbalanced, "%s in segment %d is never closed", e.levels[l].open, e.top().segments)
		}
		e.pop()
	}
}

// Roles of a segment.
const (
	plainSegment = iota
	openingSegment
	closingSegment
)

// enter begins the object to which the elements of a segment belong.
func (e *envelopes) enter(t *tagNames, at int) (role int) {
	e.segments++
	if t.level >= 0 {
		frames := len(e.frames)
		for frames > 1 && e.frames[frames-1].level >= t.level {
			frames--
		}
		e.popTo(frames)
		e.push(e.levels[t.level].list, frame{level: t.level, segments: e.segments}, at)
		return openingSegment
	}
	if t.close >= 0 {
		if i := e.enclosing(t.close); i >= 0 {
			e.popTo(i + 1)
			if f := e.top(); f.list != "" {
				e.finish(e.last)
				f.list = ""
			}
			return closingSegment
		}
		e.unbalanced = complain(e.unbalanced, "%s in segment %d closes nothing", t.tag, e.segments)
	}
	e.into("segments", at)
	e.begin(node{kind: object, start: uint32(at)})
	return plainSegment
}

// leave ends the segment; values are the texts of its elements that a check asks for.
func (e *envelopes) leave(role, stop int, value func(i int) string) {
	e.last = stop
	switch role {
	case plainSegment:
		e.finish(stop)
	case openingSegment:
		f := e.top()
		if i := e.levels[f.level].control; i > 0 {
			f.control = value(i)
		}
	case closingSegment:
		e.check(e.top(), value)
		e.pop()
	}
}

// check compares what a closing segment repeats with what is there.
func (e *envelopes) check(f *frame, value func(i int) string) {
	l := e.levels[f.level]
	if l.count > 0 {
		there := f.children
		if f.level == len(e.levels)-1 {
			there = e.segments - f.segments + 1
		}
		if says := value(l.count); says != "" || l.again > 0 {
			if n, err := strconv.Atoi(says); err != nil || n != there {
				e.counts = complain(e.counts, "%s in segment %d says %s, %d are there", e.label(l.close, l.count), e.segments, strconv.Quote(says), there)
			}
		}
	}
	if l.again > 0 && value(l.again) != f.control {
		e.controls = complain(e.controls, "%s in segment %d is not %s in segment %d", e.label(l.close, l.again), e.segments, e.label(l.open, l.control), f.segments)
	}
}

func complain(list []string, what string, args ...any) []string {
	if len(list) < maxComplaint {
		list = append(list, fmt.Sprintf(what, args...))
	}
	return list
}

// fail is an error in the segment that is not entered yet.
func (e *envelopes) fail(at int, what string, args ...any) error {
	return syntaxError(e.format, e.s, at, "segment %d: %s", e.segments+1, fmt.Sprintf(what, args...))
}

// end closes everything and states what does not agree.
func (e *envelopes) end() []Fact {
	e.popTo(1)
	e.finish(len(e.s))
	var facts []Fact
	for _, f := range []struct {
		name string
		list []string
	}{{"envelopes", e.unbalanced}, {"counts", e.counts}, {"control numbers", e.controls}} {
		if len(f.list) > 0 {
			facts = append(facts, Fact{f.name, strings.Join(f.list, "; ")})
		}
	}
	return facts
}

// elements adds what stands behind the tag: elements from number first on. It is where the time goes, so it fills the
// tape by itself.
func (e *envelopes) elements(t *tagNames, first, from, to int) error {
	s, class, release := e.s[:to], &e.marks.class, e.marks.release
	plain := uint32(0)
	for i := first; ; i++ {
		if i > mostElements {
			return syntaxError(e.format, e.s, from, "segment %d: more than %d elements", e.segments, mostElements)
		}
		at, seen := from, false
		for ; at < len(s); at++ {
			c := s[at]
			if k := class[c]; k == markElement {
				break
			} else if k != 0 {
				seen = true
			} else if c == release && c != 0 && at+1 < len(s) {
				at++
			}
		}
		if i > len(t.names) {
			e.element(t, i)
		}
		n := node{kind: text, listed: true, named: true, start: uint32(from), stop: uint32(at), nameFrom: t.names[i-1]}
		if !seen {
			n.end = uint32(len(e.nodes) + 1)
			e.nodes = append(e.nodes, n)
			plain++
		} else if err := e.parts(n, markRepetition); err != nil {
			return err
		}
		if at >= len(s) {
			e.nodes[e.open[len(e.open)-1]].count += plain
			return nil
		}
		from = at + 1
	}
}

// parts adds a value that may hold separators of a class or of those further in: repetitions are an array, components
// an object whose members are numbers from 1.
func (e *envelopes) parts(n node, class byte) error {
	from, to := int(n.start), int(n.stop)
	next := e.mark(from, to, class)
	if next == to {
		if class == markSubcomponent {
			e.add(n)
			return nil
		}
		return e.parts(n, class+1)
	}
	n.kind = object
	if class == markRepetition {
		n.kind = array
	}
	e.begin(n)
	for i := 1; ; i++ {
		if i > mostElements {
			return syntaxError(e.format, e.s, from, "segment %d: more than %d parts of an element", e.segments, mostElements)
		}
		part := node{kind: text, start: uint32(from), stop: uint32(next)}
		if class != markRepetition {
			part = member(part, e.ordinal(i))
		}
		if class == markSubcomponent {
			e.add(part)
		} else if err := e.parts(part, class+1); err != nil {
			return err
		}
		if next == to {
			e.finish(to)
			return nil
		}
		from = next + 1
		next = e.mark(from, to, class)
	}
}

// mark is where the next separator of a class stands, or to.
func (e *envelopes) mark(from, to int, class byte) int {
	for ; from < to; from++ {
		c := e.s[from]
		if e.marks.class[c] == class {
			return from
		}
		if c == e.marks.release && c != 0 {
			from++
		}
	}
	return to
}

// withoutBreaks leaves line breaks out.
func withoutBreaks(b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r"), nil), []byte("\n"), nil)
}

// values returns a reader of the plain text of the elements of a segment, by number from first on.
func (e *envelopes) values(first, from, to int) func(i int) string {
	return func(i int) string {
		at := from
		for k := first; at <= to; k++ {
			next := e.mark(at, to, markElement)
			if k == i {
				return string(withoutBreaks(e.s[at:next]))
			}
			at = next + 1
		}
		return ""
	}
}
