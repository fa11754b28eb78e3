package payload

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// ParseHL7 reads messages of HL7 version 2 in their encoding with bars: an array of messages, or of files (FHS) that
// hold batches (BHS) that hold messages. A message is an object with the fields of its MSH and the list segments. A
// segment is an object: the member tag, then its fields by their usual names (PID-3). Repetitions are an array,
// components and subcomponents objects with the members 1, 2 …: PID-3[0].4.1.
//
// Segments end with CR, LF or both, and a line that does not begin with a tag goes on with the field before it. Texts
// have no escapes: \F\, \S\, \T\, \R\, \E\, \P\, \Xdd\ and \.br\ are decoded, what else looks like an escape stays.
func ParseHL7(source []byte) (*Doc, error) {
	p := &hl7Parser{}
	p.format, p.s, p.levels, p.label = "hl7v2", source, hl7Levels, hl7Label
	if len(source) > MaxSize {
		return nil, syntaxError(p.format, source, MaxSize, "larger than %d bytes", MaxSize)
	}
	p.start()
	if err := p.parse(); err != nil {
		return nil, err
	}
	doc := &Doc{Format: p.format, Source: source, nodes: p.nodes, Facts: p.facts(), names: p.names, shared: p.head}
	doc.syntax = hl7Syntax{p.letters, p.release, p.heads}
	return doc, nil
}

var hl7Levels = []level{
	{open: "FHS", close: "FTS", count: 1},
	{open: "BHS", close: "BTS", list: "batches", count: 1},
	{open: "MSH", list: "messages"},
}

func hl7Label(tag string, i int) string { return fmt.Sprintf("%s-%d", tag, i) }

func sniffHL7(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), "\x0b\r\n")
	return len(head) > 8 && isHL7Head(head) && isMark(head[4])
}

func isHL7Head(b []byte) bool {
	return len(b) > 3 && (string(b[:3]) == "MSH" || string(b[:3]) == "FHS" || string(b[:3]) == "BHS") && isMark(b[3]) && b[3] >= ' '
}

// Frame bytes of MLLP.
const (
	mllpStart = 0x0b
	mllpEnd   = 0x1c
)

type hl7Parser struct {
	envelopes
	i       int
	head    []byte // separator and encoding characters
	letters [256]byte
	release byte        // the escape character, 0: none
	heads   [][2]uint32 // spans of the fields that name the separators
	framed  bool
	inside  int // line ends inside of fields
	blank   int
}

func (p *hl7Parser) parse() error {
	if bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	for p.space(); p.i < len(p.s); p.space() {
		if err := p.segment(); err != nil {
			return err
		}
	}
	if p.head == nil {
		return p.fail(p.i, "ends where a message should begin")
	}
	return nil
}

// space passes over line ends and the frames of MLLP.
func (p *hl7Parser) space() {
	for ends := 0; p.i < len(p.s); p.i++ {
		switch p.s[p.i] {
		case mllpStart, mllpEnd:
			p.framed = true
		case '\n':
			if ends++; ends > 1 && p.s[p.i-1] != '\r' {
				p.blank++
			}
		case '\r':
			if ends++; ends > 1 && p.s[p.i-1] != '\n' {
				p.blank++
			}
		default:
			return
		}
	}
}

// stop is where the segment that begins at p.i ends: at a line end that a tag, another line end or nothing follows.
func (p *hl7Parser) stop() int {
	at := p.i
	for {
		next := bytes.IndexAny(p.s[at:], "\r\n\x1c")
		if next < 0 {
			return len(p.s)
		}
		at += next
		_, rest := cutLine(p.s[at:])
		if p.s[at] == mllpEnd || len(rest) == 0 || strings.IndexByte("\r\n\x0b\x1c", rest[0]) >= 0 || p.tagged(rest) {
			return at
		}
		p.inside++
		at++
	}
}

// tagged reports whether a line begins with a tag.
func (p *hl7Parser) tagged(line []byte) bool {
	if len(line) < 3 || line[0] < 'A' || line[0] > 'Z' || isMark(line[1]) || isMark(line[2]) || line[1] == ' ' || line[2] == ' ' {
		return false
	}
	return len(line) == 3 || isHL7Head(line) || p.marks.class[line[3]] == markElement || line[3] == '\r' || line[3] == '\n'
}

func (p *hl7Parser) segment() error {
	start, first := p.i, 1
	fields := start + 4
	if isHL7Head(p.s[start:]) {
		if err := p.separators(start); err != nil {
			return err
		}
		first = 3
	} else if p.head == nil {
		return p.fail(start, "want MSH, FHS or BHS")
	}
	stop := p.stop()
	if stop-start < 3 || !p.tagged(p.s[start:stop]) {
		return p.fail(start, "%.20q is no tag", p.s[start:min(start+4, stop)])
	}
	t := p.tagOf(p.s[start : start+3])
	role := p.enter(t, start)
	if role == plainSegment {
		p.add(member(node{kind: text, start: uint32(start), stop: uint32(start + 3)}, p.tagName))
	}
	if first > 1 {
		end := p.mark(fields, stop, markElement)
		end = min(max(end, start+3+len(p.head)), stop)
		p.add(member(node{kind: text, start: uint32(start + 3), stop: uint32(start + 4)}, p.element(t, 1)))
		p.add(member(node{kind: text, start: uint32(start + 4), stop: uint32(end)}, p.element(t, 2)))
		p.heads = append(p.heads, [2]uint32{uint32(start + 3), uint32(end)})
		fields = end + 1
	}
	if fields <= stop {
		if err := p.elements(t, first, fields, stop); err != nil {
			return err
		}
	}
	p.leave(role, stop, p.values(0, start, stop))
	p.i = stop
	return nil
}

// separators reads the separator and the encoding characters behind a tag.
func (p *hl7Parser) separators(start int) error {
	rest := p.s[start+3:]
	end := 1
	for end < len(rest) && end < 8 && rest[end] != rest[0] && rest[end] != '\r' && rest[end] != '\n' {
		end++
	}
	head := rest[:end]
	if p.head != nil {
		if !bytes.Equal(head, p.head) {
			return p.fail(start, "the separators are %q, those before it %q", head, p.head)
		}
		return nil
	}
	p.head = head
	p.marks.set(head[0], markElement)
	p.letters[head[0]] = 'F'
	for i, c := range head[1:] {
		class, letter := byte(0), byte(0)
		switch i {
		case 0:
			class, letter = markComponent, 'S'
		case 1:
			class, letter = markRepetition, 'R'
		case 2:
			if p.marks.class[c] == 0 && isMark(c) {
				p.release, p.letters[c] = c, 'E'
			}
		case 3:
			class, letter = markSubcomponent, 'T'
		}
		// A character that has a meaning already keeps it.
		if class != 0 && isMark(c) && p.letters[c] == 0 {
			p.marks.set(c, class)
			p.letters[c] = letter
		}
	}
	return nil
}

func (p *hl7Parser) facts() []Fact {
	facts := append([]Fact{{"separators", string(p.head)}}, p.end()...)
	facts = append(facts, lineFacts(p.s)...)
	for _, count := range []struct {
		name string
		n    int
	}{{"line ends inside fields", p.inside}, {"blank lines", p.blank}} {
		if count.n > 0 {
			facts = append(facts, Fact{count.name, fmt.Sprint(count.n)})
		}
	}
	if p.framed {
		facts = append(facts, Fact{"frame", "MLLP"})
	}
	return facts
}

// hl7Syntax spells fields with escapes.
type hl7Syntax struct {
	letters [256]byte // letter of the escape of a character
	release byte
	heads   [][2]uint32
}

func (s hl7Syntax) decode(raw []byte, n *node) string {
	if s.release == 0 || bytes.IndexByte(raw, s.release) < 0 || s.isHead(n) {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == s.release {
			if end := bytes.IndexByte(raw[i+1:], s.release); end > 0 {
				if value, ok := s.escape(raw[i+1 : i+1+end]); ok {
					out = append(out, value...)
					i += end + 1
					continue
				}
			}
		}
		out = append(out, raw[i])
	}
	return string(out)
}

// escape is what the text between two escape characters stands for.
func (s hl7Syntax) escape(name []byte) ([]byte, bool) {
	if len(name) == 1 {
		for c, letter := range s.letters {
			if letter == name[0] && letter != 0 {
				return []byte{byte(c)}, true
			}
		}
		return nil, false
	}
	if string(name) == ".br" {
		return []byte("\n"), true
	}
	if name[0] == 'X' {
		value, err := hex.DecodeString(string(name[1:]))
		return value, err == nil && len(value) > 0
	}
	return nil, false
}

func (s hl7Syntax) encode(out []byte, value string, was []byte, n *node) []byte {
	if value == s.decode(was, n) || s.isHead(n) {
		return append(out, was...)
	}
	for i := range len(value) {
		c := value[i]
		switch {
		case s.letters[c] == 0 && c != '\r' && c != '\n' && c != mllpEnd && c != mllpStart:
			out = append(out, c)
		case s.release == 0:
			out = append(out, ' ')
		case s.letters[c] != 0:
			out = append(out, s.release, s.letters[c], s.release)
		default:
			out = fmt.Appendf(out, "%cX%02X%c", s.release, c, s.release)
		}
	}
	return out
}

// isHead reports whether a scalar is a field that names the separators: it has no escapes and does not change.
func (s hl7Syntax) isHead(n *node) bool { return ediSyntax{headers: s.heads}.inHeader(n) }

func (hl7Syntax) encodeName(out []byte, value string, _ []byte) []byte { return append(out, value...) }
