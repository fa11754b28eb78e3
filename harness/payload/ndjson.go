package payload

import (
	"bytes"
	"errors"
	"strconv"
)

// ParseNDJSON reads JSON Lines: an array of the values, one on each line. Line ends, the final newline, blank lines
// and a byte order mark are facts. A line that is not one JSON text is an error.
func ParseNDJSON(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("ndjson", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	p := jsonParser{s: source}
	p.nodes = make([]node, 1, 1+p.guess())
	p.nodes[0] = node{kind: array}
	blank, values, at := 0, 0, 0
	if bytes.HasPrefix(source, []byte(utf8BOM)) {
		at = len(utf8BOM)
	}
	for at < len(source) {
		end := len(source)
		if n := bytes.IndexByte(source[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		p.s, p.i = source[:end], at
		if p.space(); p.i == end {
			blank++
		} else if err := p.text(); err != nil {
			if e, ok := errors.AsType[*SyntaxError](err); ok {
				e.Format = "ndjson"
				if e.Offset == end && source[end-1] == '\n' { // it ends with its line, not behind it
					e.Offset--
					e.Line--
				}
			}
			return nil, err
		} else {
			values++
		}
		at = end
	}
	root := &p.nodes[0]
	root.stop, root.end, root.count = uint32(len(source)), uint32(len(p.nodes)), uint32(values)
	doc := &Doc{Format: "ndjson", Source: source, Facts: lineFacts(source), nodes: p.nodes, syntax: jsonSyntax{}}
	if blank > 0 {
		doc.Facts = append(doc.Facts, Fact{"blank lines", strconv.Itoa(blank)})
	}
	return doc, nil
}

// sniffNDJSON wants a whole object or array on the first line, and another one beginning on the second.
func sniffNDJSON(head []byte) bool {
	first, rest, _ := bytes.Cut(head, []byte{'\n'})
	_, err := ParseJSON(first)
	return sniffJSON(first) && sniffJSON(rest) && err == nil
}
