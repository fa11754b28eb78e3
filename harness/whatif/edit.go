package whatif

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// edit makes other bytes of a document in which some of the leaves are the field. The leaves come in the order of the
// document.
type edit func(doc *payload.Doc, leaves []payload.Node) ([]byte, error)

// editBodies changes the bodies of the exchanges that hold the records, and returns how many it changed.
func editBodies(list []harness.Exchange, records []record, change edit) error {
	type message struct {
		exchange int
		answer   bool
	}
	at := map[message][]int{}
	var order []message
	for _, r := range records {
		m := message{r.exchange, r.answer}
		if at[m] == nil {
			order = append(order, m)
		}
		at[m] = append(at[m], r.leaf)
	}
	for _, m := range order {
		target := half(&list[m.exchange], m.answer)
		doc, err := payload.Of(*target)
		if err != nil {
			return fmt.Errorf("vary exchange %s: %w", list[m.exchange].ID, err)
		}
		var leaves []payload.Node
		n := 0
		for _, leaf := range doc.Root().Leaves() {
			if slices.Contains(at[m], n) {
				leaves = append(leaves, leaf)
			}
			n++
		}
		plain, err := change(doc, leaves)
		if err != nil {
			return fmt.Errorf("vary exchange %s: %w", list[m.exchange].ID, err)
		}
		if *target, err = withBody(*target, plain); err != nil {
			return fmt.Errorf("vary exchange %s: %w", list[m.exchange].ID, err)
		}
	}
	return nil
}

// withBody is the message with another body, in the same content encoding.
func withBody(m harness.Message, plain []byte) (harness.Message, error) {
	packed, err := payload.Pack(m.Head.Get("Content-Encoding"), plain)
	if err != nil {
		return m, err
	}
	m.Body = harness.BytesBody(packed)
	if m.Head.Has("Content-Length") {
		m.Head = m.Head.With("Content-Length", strconv.Itoa(len(packed)))
	}
	return m, nil
}

// toText sets the leaves to a text made of what they hold, as the format spells it.
func toText(of func(was string) string) edit {
	return func(doc *payload.Doc, leaves []payload.Node) ([]byte, error) {
		edits := make([]payload.Edit, len(leaves))
		for i, leaf := range leaves {
			edits[i] = payload.Edit{Node: leaf, Text: of(leaf.Text())}
		}
		out, err := doc.Rewrite(edits)
		if err != nil || doc.Layout() == nil {
			return out, err
		}
		out, _ = payload.Mend(doc.Layout(), out, doc.Held(), nil) // what cannot be mended is fed as it is
		return out, nil
	}
}

// toNull writes null for the leaves; in a format that has no null, nothing.
func toNull(doc *payload.Doc, leaves []payload.Node) ([]byte, error) {
	if doc.Format != "json" && doc.Format != "ndjson" {
		return toText(func(string) string { return "" })(doc, leaves)
	}
	return spliced(doc, leaves, func(leaf payload.Node) (int, int, string) {
		return leaf.Offset(), leaf.Offset() + len(leaf.Raw()), "null"
	}), nil
}

// spliced puts texts into the place of bytes, from behind.
func spliced(doc *payload.Doc, leaves []payload.Node, of func(payload.Node) (from, to int, text string)) []byte {
	out := bytes.Clone(doc.Source)
	for _, leaf := range slices.Backward(leaves) {
		from, to, text := of(leaf)
		out = slices.Replace(out, from, to, []byte(text)...)
	}
	return out
}

// toMissing takes the leaves away with their names: a member, an element, an attribute. A table loses the column in all
// rows, whatever row was asked for; what has places for its fields loses what stands there.
func toMissing(doc *payload.Doc, leaves []payload.Node) ([]byte, error) {
	switch doc.Format {
	case "json", "ndjson":
		return spliced(doc, leaves, func(leaf payload.Node) (int, int, string) {
			from, to := member(doc.Source, leaf)
			return from, to, ""
		}), nil
	case "xml":
		return spliced(doc, leaves, func(leaf payload.Node) (int, int, string) {
			from, to := element(doc.Source, leaf)
			return from, to, ""
		}), nil
	case "csv":
		return withoutColumn(doc, leaves[0].Name())
	}
	return toText(func(string) string { return "" })(doc, leaves)
}

// member is the bytes of a member of JSON with its name and one comma.
func member(source []byte, leaf payload.Node) (from, to int) {
	from, to = leaf.Offset(), leaf.Offset()+len(leaf.Raw())
	if from = bytes.LastIndex(source[:from], leaf.RawName()); source[from] != '"' {
		from-- // the quote before the name
	}
	before := bytes.TrimRight(source[:from], " \t\r\n")
	after := bytes.TrimLeft(source[to:], " \t\r\n")
	switch {
	case bytes.HasSuffix(before, []byte(",")):
		from = len(before) - 1
	case bytes.HasPrefix(after, []byte(",")):
		to = len(source) - len(after) + 1
	}
	return from, to
}

// element is the bytes of an element with its tags, or of an attribute with its name.
func element(source []byte, leaf payload.Node) (from, to int) {
	from, to = leaf.Offset(), leaf.Offset()+len(leaf.Raw())
	if len(leaf.Name()) > 0 && leaf.Name()[0] == '@' {
		return bytes.LastIndexAny(source[:from], " \t\r\n"), to + 1
	}
	from = bytes.LastIndexByte(source[:from], '<')
	if end := bytes.IndexByte(source[to:], '>'); end >= 0 {
		to += end + 1
	}
	return from, to
}

// withoutColumn is the table without one column. Every cell of it goes with the delimiter before or behind it.
func withoutColumn(doc *payload.Doc, name string) ([]byte, error) {
	columns := doc.Columns()
	at := slices.Index(columns, name)
	if len(columns) < 2 {
		return nil, fmt.Errorf("take column %s away: it is the only one", name)
	}
	var cuts [][2]int
	for row := range doc.Root().Children() {
		cells := slices.Collect(row.Children())
		if len(cells) != len(columns) {
			continue
		}
		cuts = append(cuts, cutOf(len(cells), at, func(i int) (int, int) { return cells[i].Offset(), cells[i].Offset() + len(cells[i].Raw()) }))
	}
	first := slices.Collect(doc.Root().Element(0).Children())
	from := 0
	spans := make([][2]int, len(first))
	for i, cell := range first {
		start := from + bytes.Index(doc.Source[from:], cell.RawName())
		spans[i] = [2]int{start, start + len(cell.RawName())}
		from = spans[i][1]
	}
	cuts = append([][2]int{cutOf(len(spans), at, func(i int) (int, int) { return spans[i][0], spans[i][1] })}, cuts...)
	out := bytes.Clone(doc.Source)
	for _, cut := range slices.Backward(cuts) {
		out = slices.Delete(out, cut[0], cut[1])
	}
	return out, nil
}

// cutOf is the bytes of one cell of a row with one delimiter.
func cutOf(n, at int, span func(i int) (from, to int)) [2]int {
	from, to := span(at)
	if at > 0 {
		_, from = span(at - 1)
	} else if n > 1 {
		to, _ = span(1)
	}
	return [2]int{from, to}
}
