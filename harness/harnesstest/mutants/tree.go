package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// tree is a document that can be rebuilt: scalars keep their lexemes.
type tree struct {
	kind harness.ValueKind
	name string
	raw  string // of a scalar, as written
	from int    // where the value begins in the source, in bytes
	kids []*tree
}

// grow copies a document.
func grow(n payload.Node) *tree {
	t := &tree{kind: n.Kind(), name: n.Name(), from: n.Offset()}
	if n.IsScalar() {
		t.raw = string(n.Raw())
		return t
	}
	for c := range n.Children() {
		t.kids = append(t.kids, grow(c))
	}
	return t
}

func (t *tree) clone() *tree {
	c := *t
	c.kids = make([]*tree, len(t.kids))
	for i, k := range t.kids {
		c.kids[i] = k.clone()
	}
	return &c
}

// member is the first one of that name, and its place; nil and -1 when there is none.
func (t *tree) member(name string) (*tree, int) {
	for i, k := range t.kids {
		if k.name == name {
			return k, i
		}
	}
	return nil, -1
}

// spell writes the tree in the format of the document. ok is false for formats that are only rewritten in place.
func spell(t *tree, like *payload.Doc) (text []byte, ok bool) {
	switch like.Format {
	case "json":
		return spellJSON(nil, t), true
	case "csv":
		return spellCSV(t, like)
	}
	return nil, false
}

func spellJSON(b []byte, t *tree) []byte {
	switch t.kind {
	case harness.KindObject, harness.KindArray:
		open, end := byte('{'), byte('}')
		if t.kind == harness.KindArray {
			open, end = '[', ']'
		}
		b = append(b, open)
		for i, k := range t.kids {
			if i > 0 {
				b = append(b, ',')
			}
			if t.kind == harness.KindObject {
				name, _ := json.Marshal(k.name) //nolint:errcheck // a string is always written
				b = append(append(b, name...), ':')
			}
			b = spellJSON(b, k)
		}
		return append(b, end)
	default:
		return append(b, t.raw...)
	}
}

// spellCSV writes a table whose rows all have the columns of the first one.
func spellCSV(t *tree, like *payload.Doc) ([]byte, bool) {
	if len(t.kids) == 0 || like.Fact("ragged") != "" || bytes.Contains(like.Source, []byte{'\r'}) || bytes.HasPrefix(like.Source, []byte("\xef\xbb\xbf")) {
		return nil, false
	}
	var b strings.Builder
	for i, c := range t.kids[0].kids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(cell(c.name))
	}
	b.WriteByte('\n')
	for _, row := range t.kids {
		if len(row.kids) != len(t.kids[0].kids) {
			return nil, false
		}
		for i, c := range row.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(c.raw)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String()), true
}

// cell quotes a text where it must be.
func cell(text string) string {
	if strings.ContainsAny(text, ",\"\n\r") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// lexeme spells a text as a scalar of the format.
func lexeme(text string, like *payload.Doc) string {
	if like.Format == "json" {
		b, _ := json.Marshal(text) //nolint:errcheck // a string is always written
		return string(b)
	}
	return cell(text)
}
