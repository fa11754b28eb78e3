package payload

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseX12 reads interchanges of ANSI X12: an array of interchanges. Separators come from each ISA segment. An
// interchange is an object with the elements ISA01 to ISA16, the list groups and the elements of its IEA; a group has
// its GS and GE and the list transactions; a transaction has its ST and SE, the list segments, and the list loops
// when it has HL segments. A loop has the elements of its HL, its segments and the loops below it.
//
// A segment is an object: the member tag, then its elements by their usual names (N102). Components are an object with
// the members 1, 2 …, repetitions an array. The data of a BIN or BDS segment is one value of bytes.
//
// Counts and control numbers that do not agree, envelopes that are not closed and line ends are facts.
func ParseX12(source []byte) (*Doc, error) {
	p := newEDIParser("x12", source, x12Levels)
	return p.document()
}

// ParseEDIFACT reads interchanges of UN/EDIFACT (ISO 9735) in the same form as ParseX12: interchange, groups,
// messages, segments. Separators come from UNA, or are those of the standard.
func ParseEDIFACT(source []byte) (*Doc, error) {
	p := newEDIParser("edifact", source, edifactLevels)
	return p.document()
}

var (
	x12Levels = []level{
		{open: "ISA", close: "IEA", control: 13, count: 1, again: 2},
		{open: "GS", close: "GE", list: "groups", control: 6, count: 1, again: 2},
		{open: "ST", close: "SE", list: "transactions", control: 2, count: 1, again: 2},
	}
	edifactLevels = []level{
		{open: "UNB", close: "UNZ", control: 5, count: 1, again: 2},
		{open: "UNG", close: "UNE", list: "groups", control: 5, count: 1, again: 2},
		{open: "UNH", close: "UNT", list: "messages", control: 1, count: 1, again: 2},
	}
)

func sniffX12(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	return len(head) > 3 && string(head[:3]) == "ISA" && isMark(head[3])
}

func sniffEDIFACT(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	return len(head) > 8 && (string(head[:3]) == "UNA" || string(head[:3]) == "UNB") && isMark(head[3])
}

// isMark reports whether a byte can be a separator.
func isMark(c byte) bool {
	return c != 0 && c != ' ' && !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')
}

// ediParser reads X12 and EDIFACT.
type ediParser struct {
	envelopes
	i          int
	terminator []byte
	advice     string          // the separators, for people
	headers    [][2]uint32     // spans of ISA segments, whose elements have a fixed width
	between    map[string]*int // counts of what stands between segments
	lastSpace  string          // and which of them was the last
	same       *int
	wrapped    int // columns after which lines are broken; 0: not
	unended    bool
	binary     []string
	parents    []string
	isaWidths  []string
}

func newEDIParser(format string, source []byte, levels []level) *ediParser {
	p := &ediParser{between: map[string]*int{}}
	p.format, p.s, p.levels = format, source, levels
	p.label = func(tag string, i int) string { return fmt.Sprintf("%s%02d", tag, i) }
	return p
}

func (p *ediParser) document() (*Doc, error) {
	if len(p.s) > MaxSize {
		return nil, syntaxError(p.format, p.s, MaxSize, "larger than %d bytes", MaxSize)
	}
	p.start()
	if err := p.parse(); err != nil {
		return nil, err
	}
	doc := &Doc{Format: p.format, Source: p.s, nodes: p.nodes, Facts: p.facts(), names: p.names}
	doc.shared = fmt.Appendf(nil, "%s %d", p.advice, p.wrapped)
	doc.syntax = ediSyntax{p.marks, p.terminator, p.wrapped, p.headers}
	return doc, nil
}

func (p *ediParser) parse() error {
	if bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	p.wrapped = wrapOf(p.s[p.i:])
	p.space()
	if p.i >= len(p.s) {
		return p.fail(p.i, "ends where an interchange should begin")
	}
	for p.i < len(p.s) {
		read, err := p.header()
		if err == nil && !read && p.i < len(p.s) {
			err = p.segment()
		}
		if err != nil {
			return err
		}
		from := p.i
		p.space()
		p.countSpace(p.s[from:p.i])
	}
	return nil
}

// wrapOf is how many characters a line has in a source that was broken into lines of equal width in the middle of its
// segments, or 0.
func wrapOf(s []byte) int {
	line, rest := cutLine(s)
	width, inside := utf8.RuneCount(line), false
	for width > 0 && len(rest) > 0 {
		// A segment ends with something that is no letter or digit; a break elsewhere is inside of one.
		last := line[len(line)-1]
		inside = inside || last < utf8.RuneSelf && !isMark(last)
		line, rest = cutLine(rest)
		switch n := utf8.RuneCount(line); {
		case n > width, n < width && len(bytes.Trim(rest, "\r\n")) > 0:
			return 0
		case n < width:
			rest = nil
		}
	}
	if !inside {
		return 0
	}
	return width
}

func (p *ediParser) space() {
	for ; p.i < len(p.s); p.i++ {
		if c := p.s[p.i]; c != '\n' && c != '\r' && c != ' ' && c != '\t' {
			return
		}
	}
}

// Space between segments is counted by its bytes up to a length, and as longSpace beyond.
const (
	mostSpace = 24
	longSpace = "many"
)

// countSpace counts what stands between two segments; mostly it is what stood between the two before.
func (p *ediParser) countSpace(between []byte) {
	if p.same != nil && string(between) == p.lastSpace {
		*p.same++
		return
	}
	if len(between) > mostSpace {
		between = []byte(longSpace)
	}
	p.lastSpace = string(between)
	p.same = p.between[p.lastSpace]
	if p.same == nil {
		p.same = new(int)
		p.between[p.lastSpace] = p.same
	}
	*p.same++
}

// spaceName is the name of what stands between two segments.
func spaceName(between string) string {
	ends := strings.NewReplacer("\r\n", "CRLF ", "\r", "CR ", "\n", "LF ", " ", "", "\t", "").Replace(between)
	switch {
	case between == "":
		return "nothing"
	case strings.Trim(between, "\r\n") != "":
		return strings.TrimSpace(strings.TrimSpace(ends) + " blanks")
	}
	return strings.TrimSpace(ends)
}

// header reads the separators where an interchange begins, and the whole segment when it is ISA.
func (p *ediParser) header() (read bool, err error) {
	rest := p.s[p.i:]
	switch {
	case p.format == "x12" && bytes.HasPrefix(rest, []byte("ISA")):
		return true, p.isa()
	case p.format == "edifact" && (bytes.HasPrefix(rest, []byte("UNA")) || p.advice == "" && bytes.HasPrefix(rest, []byte("UNB"))):
		return false, p.una()
	case p.advice == "" && p.format == "x12":
		return false, p.fail(p.i, "want ISA")
	case p.advice == "":
		return false, p.fail(p.i, "want UNA or UNB")
	}
	return false, nil
}

// use takes separators; another interchange with others is an error, because the texts of a document have one spelling.
func (p *ediParser) use(m marks, terminator []byte, advice string, at int) error {
	if p.advice != "" && p.advice != advice {
		return p.fail(at, "the separators are %s, those of the interchange before it %s", advice, p.advice)
	}
	if p.advice == "" {
		parts := 1
		for c := range m.class {
			if m.class[c] == markElement || m.class[c] == markComponent {
				parts += bytes.Count(p.s, []byte{byte(c)})
			}
		}
		p.nodes = slices.Grow(p.nodes, min(parts+3*bytes.Count(p.s, terminator)+16, len(p.s)/2+16))
	}
	p.marks, p.terminator, p.advice = m, terminator, advice
	return nil
}

// isaWidth is the length of each element of ISA.
var isaWidth = [16]int{2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1}

// isa reads the segment that has fixed widths: 106 bytes with its terminator. Elements of another width are read by
// the separator, and are a fact.
func (p *ediParser) isa() error {
	start := p.i
	if start+4 > len(p.s) || !isMark(p.s[start+3]) {
		return p.fail(start, "no separator follows ISA")
	}
	separator := p.s[start+3]
	var spans [16][2]int
	at := start + 4
	for i := range spans {
		from := at
		if i < 15 {
			next := bytes.IndexByte(p.s[at:min(len(p.s), at+200)], separator)
			if next < 0 {
				return p.fail(len(p.s), "ends inside ISA%02d", i+1)
			}
			at += next
		} else if at = p.inLine(at) + 1; at >= len(p.s) {
			return p.fail(len(p.s), "ends inside ISA16")
		}
		spans[i] = [2]int{from, at}
		if got := at - from - lineBreaks(p.s[from:at]); got != isaWidth[i] {
			p.isaWidths = complain(p.isaWidths, "ISA%02d has %d bytes instead of %d", i+1, got, isaWidth[i])
		}
		at++
	}
	stop := spans[15][1]
	var m marks
	m.set(separator, markElement)
	component, repetition := p.s[stop-1], p.s[spans[10][0]:spans[10][1]]
	m.set(component, markComponent)
	advice := fmt.Sprintf("element %q, component %q", separator, component)
	if len(repetition) == 1 && isMark(repetition[0]) {
		m.set(repetition[0], markRepetition)
		advice += fmt.Sprintf(", repetition %q", repetition[0])
	}
	if !isMark(p.s[stop]) {
		return p.fail(stop, "no terminator follows ISA16")
	}
	_, size := utf8.DecodeRune(p.s[stop:])
	terminator := p.s[stop : stop+size]
	if bytes.HasPrefix(p.s[stop:], []byte("\r\n")) {
		terminator = p.s[stop : stop+2]
	}
	if err := p.use(m, terminator, advice+fmt.Sprintf(", segment %q", terminator), start); err != nil {
		return err
	}
	t := p.tagOf([]byte("ISA"))
	role := p.enter(t, start)
	for i, span := range spans {
		p.add(member(node{kind: text, start: uint32(span[0]), stop: uint32(span[1])}, p.element(t, i+1)))
	}
	p.headers = append(p.headers, [2]uint32{uint32(start), uint32(stop)})
	p.leave(role, stop, func(i int) string { return string(p.s[spans[i-1][0]:spans[i-1][1]]) })
	p.i = stop + len(terminator)
	return nil
}

// inLine passes over the line breaks of a wrapped source.
func (p *ediParser) inLine(at int) int {
	for p.wrapped > 0 && at < len(p.s) && (p.s[at] == '\r' || p.s[at] == '\n') {
		at++
	}
	return at
}

func lineBreaks(b []byte) int { return bytes.Count(b, []byte("\r")) + bytes.Count(b, []byte("\n")) }

// una reads the service string advice, or takes the separators of the standard.
func (p *ediParser) una() error {
	given, start := ":+.? '", p.i
	if bytes.HasPrefix(p.s[p.i:], []byte("UNA")) {
		if len(p.s) < p.i+9 {
			return p.fail(len(p.s), "ends inside UNA")
		}
		given = string(p.s[p.i+3 : p.i+9])
		p.i += 9
		p.space()
	}
	if !isMark(given[0]) || !isMark(given[1]) || !isMark(given[5]) || given[0] == given[1] || given[5] == given[0] || given[5] == given[1] {
		return p.fail(start, "%q are no separators", given)
	}
	var m marks
	m.set(given[1], markElement)
	m.set(given[0], markComponent)
	m.set(given[4], markRepetition)
	if given[4] == ' ' && bytes.HasPrefix(p.s[p.i:], []byte("UNB"+given[1:2])) && len(p.s) > p.i+9 && p.s[p.i+9] == '4' {
		m.set('*', markRepetition) // syntax version 4 has one without saying so
	}
	if m.class[given[3]] == 0 && given[3] != ' ' {
		m.release = given[3]
	}
	return p.use(m, []byte{given[5]}, fmt.Sprintf("element %q, component %q, decimal mark %q, release %q, repetition %q, segment %q", given[1], given[0], given[2], given[3], given[4], given[5]), start)
}

// stop is where the segment at p.i ends.
func (p *ediParser) stop() int {
	at := p.i
	for {
		next := bytes.Index(p.s[at:], p.terminator)
		if next < 0 {
			p.unended = true
			return len(p.s)
		}
		at += next
		released := 0
		for k := at - 1; p.marks.release != 0 && k >= p.i && p.s[k] == p.marks.release; k-- {
			released++
		}
		if released%2 == 0 {
			return at
		}
		at++
	}
}

func (p *ediParser) segment() error {
	start, stop := p.i, p.stop()
	tagEnd := start
	for tagEnd < stop && p.marks.class[p.s[tagEnd]] == 0 {
		tagEnd++
	}
	tag := p.s[start:tagEnd]
	if p.wrapped > 0 {
		tag = withoutBreaks(tag)
	}
	if len(tag) < 2 || len(tag) > 3 || slices.ContainsFunc(tag, isMark) || tagEnd < stop && p.marks.class[p.s[tagEnd]] != markElement {
		return p.fail(start, "%.20q is no tag", p.s[start:min(tagEnd+1, stop)])
	}
	t := p.tagOf(tag)
	values := p.values(0, start, stop)
	if t.tag == "HL" && p.format == "x12" && p.enclosing(2) >= 0 {
		if err := p.loop(t, start, stop, values); err != nil {
			return err
		}
		p.i = stop + min(len(p.terminator), len(p.s)-stop)
		return nil
	}
	role := p.enter(t, start)
	if role == plainSegment {
		p.add(member(node{kind: text, start: uint32(start), stop: uint32(tagEnd)}, p.tagName))
	}
	done := false
	if p.format == "x12" && (t.tag == "BIN" || t.tag == "BDS") {
		stop, done = p.binaryData(t, tagEnd, stop)
	}
	if tagEnd < stop && !done {
		if err := p.elements(t, 1, tagEnd+1, stop); err != nil {
			return err
		}
	}
	p.leave(role, stop, values)
	p.i = stop + min(len(p.terminator), len(p.s)-stop)
	return nil
}

// loop opens the object of an HL segment, below the loop that it names as its parent.
func (p *ediParser) loop(t *tagNames, start, stop int, value func(int) string) error {
	id, parent := value(1), value(2)
	frames := p.enclosing(2) + 1
	if parent != "" {
		found := false
		for i := len(p.frames) - 1; i >= frames && !found; i-- {
			if found = p.frames[i].id == parent; found {
				frames = i + 1
			}
		}
		if !found {
			p.parents = complain(p.parents, "HL in segment %d names a parent that is not open", p.segments+1)
		}
	}
	if len(p.open) > MaxDepth-8 {
		return p.fail(start, "nested deeper than %d levels", MaxDepth)
	}
	p.popTo(frames)
	p.segments++
	p.push("loops", frame{level: loopLevel, id: id, segments: p.segments}, start)
	tagEnd := p.mark(start, stop, markElement)
	p.add(member(node{kind: text, start: uint32(start), stop: uint32(tagEnd)}, p.tagName))
	p.last = stop
	if tagEnd < stop {
		return p.elements(t, 1, tagEnd+1, stop)
	}
	return nil
}

// binaryData reads a segment whose data has as many bytes as it says, separators included.
func (p *ediParser) binaryData(t *tagNames, tagEnd, stop int) (end int, done bool) {
	before := 1 // elements in front of the data
	if t.tag == "BDS" {
		before = 2
	}
	at := tagEnd
	var spans [][2]int
	for range before {
		next := bytes.IndexByte(p.s[min(at+1, len(p.s)):], p.marksElement())
		if next < 0 || next > 64 {
			return stop, false
		}
		spans = append(spans, [2]int{at + 1, at + 1 + next})
		at += 1 + next
	}
	length := spans[before-1]
	n, err := strconv.Atoi(string(p.s[length[0]:length[1]]))
	if err != nil || n < 0 || n > len(p.s) || at+1+n > len(p.s) || !bytes.HasPrefix(p.s[at+1+n:], p.terminator) {
		p.binary = complain(p.binary, "%s in segment %d has another length than it says", t.tag, p.segments)
		return stop, false
	}
	for i, span := range spans {
		p.add(member(node{kind: text, start: uint32(span[0]), stop: uint32(span[1])}, p.element(t, i+1)))
	}
	p.add(member(node{kind: blob, start: uint32(at + 1), stop: uint32(at + 1 + n)}, p.element(t, before+1)))
	if at+1+n > stop {
		p.unended = false // the terminator stands behind the data
	}
	return at + 1 + n, true
}

func (p *ediParser) marksElement() byte { return byte(bytes.IndexByte(p.marks.class[:], markElement)) }

func (p *ediParser) facts() []Fact {
	facts := []Fact{{"separators", p.advice}}
	facts = append(facts, p.end()...)
	if p.format == "edifact" {
		una := "no"
		if bytes.Contains(p.s[:min(len(p.s), 64)], []byte("UNA")) {
			una = "yes"
		}
		facts = append(facts, Fact{"UNA", una})
	}
	if bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		facts = append(facts, Fact{"byte order mark", "UTF-8"})
	}
	if !utf8.Valid(p.s) {
		facts = append(facts, Fact{"encoding", "not UTF-8"})
	}
	if p.wrapped > 0 {
		facts = append(facts, Fact{"lines", fmt.Sprintf("broken after %d columns", p.wrapped)})
	}
	facts = append(facts, Fact{"between segments", spaces(p.between)})
	if p.unended {
		facts = append(facts, Fact{"last segment", "has no terminator"})
	}
	for _, f := range []struct {
		name string
		list []string
	}{{"ISA widths", p.isaWidths}, {"binary lengths", p.binary}, {"loops", p.parents}} {
		if len(f.list) > 0 {
			facts = append(facts, Fact{f.name, strings.Join(f.list, "; ")})
		}
	}
	return facts
}

// spaces lists what stands between segments, with how often when there are several.
func spaces(between map[string]*int) string {
	names := map[string]int{}
	for raw, n := range between {
		names[spaceName(raw)] += *n
	}
	var parts []string
	for name, n := range names {
		if len(names) == 1 {
			return name
		}
		parts = append(parts, fmt.Sprintf("%s × %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
