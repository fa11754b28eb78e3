package shrink

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// list is what can be left out one by one within one container: members, elements, rows, columns, segments.
type list struct {
	n     int
	keep  func(source []byte, kept []int) []byte // the source with the items of those indexes only
	stays bool                                   // it cannot lose all items
}

// cutter finds the containers of a format, outer ones first.
type cutter struct {
	format string
	lists  func(doc *payload.Doc) []list
}

// cutters is the table of formats of which parts can be cut. What is left is of the format again.
var cutters = []cutter{
	{"json", jsonLists},
	{"ndjson", ndjsonLists},
	{"csv", tableLists},
	{"xml", func(doc *payload.Doc) []list { return xmlLists(doc.Source) }},
	{"fixed", func(doc *payload.Doc) []list { return recordLists(doc) }},
	{"x12", segmentLists},
	{"edifact", segmentLists},
	{"hl7v2", segmentLists},
	{"bai2", segmentLists},
	{"form", func(doc *payload.Doc) []list { return pairLists(doc.Source) }},
	{"text", recordLists},
}

// listsOf finds the containers of a source. A source of another format has none.
func listsOf(format string, doc *payload.Doc) []list {
	for _, c := range cutters {
		if c.format == format {
			return c.lists(doc)
		}
	}
	return nil
}

// span is bytes of a source: from the first to before the last.
type span struct{ from, to int }

// adjoining is items that reach from the end of the one before each, with commas between them or not.
func adjoining(items []span, comma bool) list {
	return list{n: len(items), keep: func(source []byte, kept []int) []byte {
		first, last := items[0], items[len(items)-1]
		out := append([]byte(nil), source[:first.from]...)
		for n, i := range kept {
			item := source[items[i].from:items[i].to]
			if comma {
				item = bytes.TrimLeft(item, ", \t\r\n")
				if n > 0 {
					out = append(out, ',')
				}
			}
			out = append(out, item...)
		}
		return append(out, source[last.to:]...)
	}}
}

// parted is items with something between them that also ends the last one: line ends, terminators of segments.
func parted(items []span) list {
	return list{n: len(items), keep: func(source []byte, kept []int) []byte {
		first, last := items[0], items[len(items)-1]
		out := append([]byte(nil), source[:first.from]...)
		for n, i := range kept {
			if n > 0 {
				out = append(out, source[items[i-1].to:items[i].from]...)
			}
			out = append(out, source[items[i].from:items[i].to]...)
		}
		rest := source[last.to:]
		if len(kept) == 0 {
			rest = behindTerminator(rest)
		}
		return append(out, rest...)
	}}
}

// behindTerminator is the source behind what ends a segment or line: one character and line ends.
func behindTerminator(rest []byte) []byte {
	if len(rest) > 0 && rest[0] != '\r' && rest[0] != '\n' {
		rest = rest[1:]
	}
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return rest[2:]
	case len(rest) > 0 && (rest[0] == '\r' || rest[0] == '\n'):
		return rest[1:]
	}
	return rest
}

// spansOf are the bytes of the children of a node.
func spansOf(n payload.Node) []span {
	var items []span
	for c := range n.Children() {
		items = append(items, span{c.Offset(), c.Offset() + len(c.Raw())})
	}
	return items
}

// jsonLists is the members and elements of each object and array, level by level.
func jsonLists(doc *payload.Doc) []list { return jsonBelow([]payload.Node{doc.Root()}) }

func jsonBelow(level []payload.Node) []list {
	var lists []list
	for len(level) > 0 {
		var next []payload.Node
		for _, n := range level {
			if n.IsScalar() {
				continue
			}
			var items []span
			at := n.Offset() + 1
			for c := range n.Children() {
				end := c.Offset() + len(c.Raw())
				items = append(items, span{at, end})
				next, at = append(next, c), end
			}
			if len(items) > 0 {
				lists = append(lists, adjoining(items, true))
			}
		}
		level = next
	}
	return lists
}

// ndjsonLists is the lines, then what is in them.
func ndjsonLists(doc *payload.Doc) []list {
	lists := recordLists(doc)
	var lines []payload.Node
	for line := range doc.Root().Children() {
		lines = append(lines, line)
	}
	return append(lists, jsonBelow(lines)...)
}

// recordLists is the records of a file: what stands between them ends each.
func recordLists(doc *payload.Doc) []list {
	items := spansOf(doc.Root())
	if doc.Root().Kind() != harness.KindArray || len(items) == 0 {
		return nil
	}
	return []list{parted(items)}
}

// segmentLists is the arrays of a document in segments, level by level: interchanges, groups, messages, segments.
func segmentLists(doc *payload.Doc) []list {
	var lists []list
	for level := []payload.Node{doc.Root()}; len(level) > 0; {
		var next []payload.Node
		for _, n := range level {
			if n.Kind() == harness.KindArray && n.Len() > 0 {
				lists = append(lists, parted(spansOf(n)))
			}
			for c := range n.Children() {
				if !c.IsScalar() {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return lists
}

// pairLists is the pairs of a form.
func pairLists(source []byte) []list {
	pairs := bytes.Split(source, []byte("&"))
	if len(source) == 0 {
		return nil
	}
	return []list{{n: len(pairs), keep: func(_ []byte, kept []int) []byte {
		var out [][]byte
		for _, i := range kept {
			out = append(out, pairs[i])
		}
		return bytes.Join(out, []byte("&"))
	}}}
}

// tableLists is the rows of a table behind its header, each with its line end, then its columns.
func tableLists(doc *payload.Doc) []list {
	var items []span
	for row := range doc.Root().Children() {
		if n := len(items); n > 0 {
			items[n-1].to = row.Offset()
		}
		items = append(items, span{row.Offset(), len(doc.Source)})
	}
	if doc.Root().Kind() != harness.KindArray || len(items) == 0 {
		return nil
	}
	lists := []list{adjoining(items, false)}
	if columns, ok := columnList(doc); ok {
		lists = append(lists, columns)
	}
	return lists
}

// columnList is the columns of a table whose rows are all as wide as its header. One column stays at least, or the table
// would be none.
func columnList(doc *payload.Doc) (list, bool) {
	width := len(doc.Columns())
	var rows [][]span
	for row := range doc.Root().Children() {
		cells := spansOf(row)
		if len(cells) != width || width < 2 {
			return list{}, false
		}
		rows = append(rows, cells)
	}
	header, ok := headerCells(doc)
	if !ok || len(header) != width {
		return list{}, false
	}
	rows = append([][]span{header}, rows...)
	return list{n: width, stays: true, keep: func(source []byte, kept []int) []byte {
		var out []byte
		at := 0
		for _, cells := range rows {
			out = append(out, source[at:cells[0].from]...)
			for n, i := range kept {
				if n > 0 { // what stands before the cell is the delimiter; the first of all has it behind
					out = append(out, source[cells[0].to:cells[1].from]...)
				}
				out = append(out, source[cells[i].from:cells[i].to]...)
			}
			at = cells[width-1].to
		}
		return append(out, source[at:]...)
	}}, true
}

// headerCells are the bytes of the cells of the first row.
func headerCells(doc *payload.Doc) ([]span, bool) {
	var cells []span
	first := doc.Root().Element(0)
	at := 0
	for cell := range first.Children() {
		name := cell.RawName()
		i := bytes.Index(doc.Source[at:], name)
		if i < 0 || at+i > first.Offset() {
			return nil, false
		}
		cells = append(cells, span{at + i, at + i + len(name)})
		at += i + len(name)
	}
	return cells, true
}

// element is one that is open or was, while a source is read.
type element struct {
	depth int
	items []span
	at    int // end of the child before, or of the start tag
}

// xmlLists is the child elements of each element, level by level, each with the text before it.
func xmlLists(source []byte) []list {
	var open, all []*element
	deepest := 0
	dec := xml.NewDecoder(bytes.NewReader(source))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // offsets matter, letters do not
	for {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil
		}
		end := int(dec.InputOffset())
		switch token.(type) {
		case xml.StartElement:
			e := &element{depth: len(open), at: end}
			open, all, deepest = append(open, e), append(all, e), max(deepest, e.depth)
		case xml.EndElement:
			if len(open) == 0 {
				return nil
			}
			open = open[:len(open)-1]
			if n := len(open); n > 0 {
				parent := open[n-1]
				parent.items = append(parent.items, span{parent.at, end})
				parent.at = end
			}
		}
	}
	var lists []list
	for depth := range deepest + 1 {
		for _, e := range all {
			if e.depth == depth && len(e.items) > 0 {
				lists = append(lists, adjoining(e.items, false))
			}
		}
	}
	return lists
}
