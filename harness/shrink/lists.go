package shrink

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// span is bytes of a source: from the first to before the last.
type span struct{ from, to int }

// list is what can be left out one by one within one container: members, elements, rows.
type list struct {
	items []span // in order; each reaches from the end of the one before it
	comma bool   // commas stand between them
}

// keep returns the source with the items of those indexes only.
func (l list) keep(source []byte, kept []int) []byte {
	first, last := l.items[0], l.items[len(l.items)-1]
	out := append([]byte(nil), source[:first.from]...)
	for n, i := range kept {
		item := source[l.items[i].from:l.items[i].to]
		if l.comma {
			item = bytes.TrimLeft(item, ", \t\r\n")
			if n > 0 {
				out = append(out, ',')
			}
		}
		out = append(out, item...)
	}
	return append(out, source[last.to:]...)
}

// listsOf finds the containers of a source, outer ones first. A source of another format has none.
func listsOf(format string, doc *payload.Doc) []list {
	switch format {
	case "json":
		return jsonLists(doc)
	case "csv":
		return rowLists(doc)
	case "xml":
		return xmlLists(doc.Source)
	}
	return nil
}

// jsonLists is the members and elements of each object and array, level by level.
func jsonLists(doc *payload.Doc) []list {
	var lists []list
	for level := []payload.Node{doc.Root()}; len(level) > 0; {
		var next []payload.Node
		for _, n := range level {
			if n.IsScalar() {
				continue
			}
			l, at := list{comma: true}, n.Offset()+1
			for c := range n.Children() {
				end := c.Offset() + len(c.Raw())
				l.items = append(l.items, span{at, end})
				next, at = append(next, c), end
			}
			if len(l.items) > 0 {
				lists = append(lists, l)
			}
		}
		level = next
	}
	return lists
}

// rowLists is the rows of a table behind its header, each with its line end.
func rowLists(doc *payload.Doc) []list {
	var l list
	for row := range doc.Root().Children() {
		if n := len(l.items); n > 0 {
			l.items[n-1].to = row.Offset()
		}
		l.items = append(l.items, span{row.Offset(), len(doc.Source)})
	}
	if doc.Root().Kind() != harness.KindArray || len(l.items) == 0 {
		return nil
	}
	return []list{l}
}

// xmlLists is the child elements of each element, level by level, each with the text before it.
func xmlLists(source []byte) []list {
	type element struct {
		depth int
		list  list
		at    int // end of the child before, or of the start tag
	}
	var open, all []*element
	dec := xml.NewDecoder(bytes.NewReader(source))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // offsets matter, letters do not
	for {
		token, err := dec.RawToken()
		end := int(dec.InputOffset())
		switch token.(type) {
		case xml.StartElement:
			e := &element{depth: len(open), at: end}
			open, all = append(open, e), append(all, e)
		case xml.EndElement:
			if len(open) == 0 {
				return nil
			}
			open = open[:len(open)-1]
			if n := len(open); n > 0 {
				parent := open[n-1]
				parent.list.items = append(parent.list.items, span{parent.at, end})
				parent.at = end
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return nil
			}
			break
		}
	}
	var lists []list
	for depth, more := 0, true; more; depth++ {
		more = false
		for _, e := range all {
			more = more || e.depth > depth
			if e.depth == depth && len(e.list.items) > 0 {
				lists = append(lists, e.list)
			}
		}
	}
	return lists
}
