package plain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// Fields is a map of names to one text or a list of texts, as many tools write header fields, in the order of the file.
type Fields harness.Head

// DecodePlain reads a map; a name whose value is null or an empty list has no field.
func (f *Fields) DecodePlain(n *Node) error {
	if n.Kind != Map {
		return n.Errorf("want a map, have %s", n.Kind)
	}
	for _, m := range n.Members {
		var values Texts
		if err := m.Value.Decode(&values); err != nil {
			return Below(fmt.Sprintf("%.40s", m.Name), err)
		}
		for _, v := range values {
			*f = append(*f, harness.Field{Name: m.Name, Value: v})
		}
	}
	return nil
}

// Texts is one text, or a list of them.
type Texts []string

// DecodePlain reads a text or a list of texts.
func (t *Texts) DecodePlain(n *Node) error {
	if n.Kind == Text {
		*t = Texts{n.Text}
		return nil
	}
	return n.Decode((*[]string)(t))
}
