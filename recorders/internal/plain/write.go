package plain

import (
	"bytes"
	"encoding/json"
)

// TextOr is the text of a Text, and otherwise for anything else, nothing included.
func (n *Node) TextOr(otherwise string) string {
	if n == nil || n.Kind != Text {
		return otherwise
	}
	return n.Text
}

// JSON writes the value as JSON without white space: numbers as they were written, members in their order.
func (n *Node) JSON() []byte {
	var b bytes.Buffer
	if n.Source != nil && json.Compact(&b, n.Source) == nil {
		return b.Bytes()
	}
	n.writeJSON(&b)
	return b.Bytes()
}

func (n *Node) writeJSON(b *bytes.Buffer) {
	switch n.Kind {
	case Map:
		b.WriteByte('{')
		for i, m := range n.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, m.Name)
			b.WriteByte(':')
			m.Value.writeJSON(b)
		}
		b.WriteByte('}')
	case List:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.writeJSON(b)
		}
		b.WriteByte(']')
	case Text:
		if !n.Quoted && json.Valid([]byte(n.Text)) {
			b.WriteString(n.Text)
			return
		}
		writeText(b, n.Text)
	default:
		b.WriteString("null")
	}
}

func writeText(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) //nolint:errcheck // a text can be written, and a buffer takes it
	b.Truncate(b.Len() - 1)
}
