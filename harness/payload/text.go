package payload

import (
	"bytes"
	"fmt"
)

// ParseText reads lines: an array of strings, each without its line end. Line ends, the final newline and a byte
// order mark are facts. UTF-16 is read as a view.
func ParseText(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("text", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	if cs := utf16Of(source); cs != nil {
		return parseView("text", cs, source, ParseText)
	}
	var t tape
	t.begin(node{kind: array})
	rest, at := source, 0
	if bytes.HasPrefix(rest, []byte(utf8BOM)) {
		rest, at = rest[len(utf8BOM):], len(utf8BOM)
	}
	for len(rest) > 0 {
		line, next := cutLine(rest)
		t.add(node{kind: text, start: uint32(at), stop: uint32(at + len(line))})
		at += len(rest) - len(next)
		rest = next
	}
	t.finish(len(source))
	return &Doc{Format: "text", Source: source, Facts: lineFacts(source), nodes: t.nodes, syntax: plainSyntax{}}, nil
}

// cutLine returns the first line without its end, and what follows the end.
func cutLine(b []byte) (line, rest []byte) {
	i := lineEndIn(b)
	if i < 0 {
		return b, nil
	}
	if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		return b[:i], b[i+2:]
	}
	return b[:i], b[i+1:]
}

// lineEndIn is where the first line end begins, or -1. It looks at a few bytes at a time, for either kind, so that a
// kind that is not there is not looked for in all of the source.
func lineEndIn(b []byte) int {
	const most = 256
	for from := 0; from < len(b); from += most {
		part := b[from:min(from+most, len(b))]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			return from + cr
		}
		if lf >= 0 {
			return from + lf
		}
	}
	return -1
}

// lineFacts states byte order mark, encoding, line ends and final newline of a source of lines.
func lineFacts(source []byte) []Fact {
	var facts []Fact
	if bytes.HasPrefix(source, []byte(utf8BOM)) {
		facts = append(facts, Fact{"byte order mark", "UTF-8"})
	}
	facts = append(facts, encodingFact(source)...)
	crlf := bytes.Count(source, []byte("\r\n"))
	lf := bytes.Count(source, []byte("\n")) - crlf
	cr := bytes.Count(source, []byte("\r")) - crlf
	return append(facts, Fact{"line ends", lineEnds(crlf, lf, cr)}, Fact{"final newline", finalNewline(source)})
}

func lineEnds(crlf, lf, cr int) string {
	switch {
	case crlf+lf+cr == 0:
		return "none"
	case lf+cr == 0:
		return "CRLF"
	case crlf+cr == 0:
		return "LF"
	case crlf+lf == 0:
		return "CR"
	default:
		return fmt.Sprintf("mixed: %d CRLF, %d LF, %d CR", crlf, lf, cr)
	}
}

func finalNewline(source []byte) string {
	if n := len(source); n > 0 && (source[n-1] == '\n' || source[n-1] == '\r') {
		return "yes"
	}
	return "no"
}

// sniffText accepts what holds no control characters beside white space. It does not ask for UTF-8: Latin-1 is text.
func sniffText(head []byte) bool {
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			return false
		}
	}
	return true
}

// ParseBytes reads anything as one value.
func ParseBytes(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("bytes", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	return &Doc{Format: "bytes", Source: source, nodes: []node{{kind: blob, stop: uint32(len(source)), end: 1}}, syntax: plainSyntax{}}, nil
}

// plainSyntax spells texts as they are.
type plainSyntax struct{}

func (plainSyntax) decode(raw []byte, _ *node) string                     { return string(raw) }
func (plainSyntax) encode(out []byte, s string, _ []byte, _ *node) []byte { return append(out, s...) }
func (plainSyntax) encodeName(out []byte, s string, _ []byte) []byte      { return append(out, s...) }
