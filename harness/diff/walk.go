package diff

import (
	"bytes"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// value compares two nodes at the same place.
func (c *comparer) value(at harness.Path, a, b payload.Node) {
	switch {
	case a.Kind() != b.Kind():
		c.emit(at, harness.Retyped, valueOf(a), valueOf(b))
	case a.IsScalar() && bytes.Equal(a.Raw(), b.Raw()):
		c.unchanged(at, a)
	case a.Kind() == harness.KindObject:
		c.object(at, a, b)
	case a.Kind() == harness.KindArray:
		c.array(at, a, b)
	default:
		c.scalar(at, a, b)
	}
}

// scalar compares two scalars of one kind whose bytes differ.
func (c *comparer) scalar(at harness.Path, a, b payload.Node) {
	was, is := valueOf(a), valueOf(b)
	if a.Kind() == harness.KindNumber && sameDecimal(was.Text, is.Text) {
		c.emitForm(at, was, is)
		return
	}
	if a.Text() != b.Text() {
		was, is = withParts(was, is)
		c.emit(at, harness.Changed, was, is)
		return
	}
	if a.Format() == "csv" || a.Format() == "fixed" {
		c.emitForm(at, harness.Value{Kind: harness.KindString, Text: string(a.Raw())}, harness.Value{Kind: harness.KindString, Text: string(b.Raw())})
	}
}

// object compares members by name; their order carries no meaning. Members that share a name, as repeated elements of
// XML do and duplicates of JSON, are a list.
func (c *comparer) object(at harness.Path, a, b payload.Node) {
	if payload.SameSource(a, b) {
		c.unchanged(at, a)
		return
	}
	if pairs, ok := payload.InStep(a, b); ok {
		for x, y := range pairs {
			if !c.isSame(at, x, y) {
				c.value(at.Child(harness.Name(x.Name())), x, y)
			}
		}
		return
	}
	was, is := membersOf(a), membersOf(b)
	for i, name := range was.names {
		c.member(at.Child(harness.Name(name)), was.nodes(i), is.named(name))
	}
	for i, name := range is.names {
		if _, both := was.place[name]; !both {
			c.member(at.Child(harness.Name(name)), nil, is.nodes(i))
		}
	}
}

// isSame spares a path for members of one name that are spelled alike. Arrays are looked at nevertheless where their size
// is noted, or a rule may speak of them.
func (c *comparer) isSame(at harness.Path, a, b payload.Node) bool {
	if a.Kind() != b.Kind() || c.rules.pairing || !bytes.Equal(a.Raw(), b.Raw()) {
		return false
	}
	return a.IsScalar() || payload.SameSource(a, b) && (a.Kind() == harness.KindObject || !c.rules.guiding && !c.countsTables(at))
}

// member compares what stands under one name on both sides.
func (c *comparer) member(at harness.Path, was, is []payload.Node) {
	switch {
	case len(was) > 1 || len(is) > 1:
		if c.countsTables(at) || len(was) != len(is) {
			c.records(at, len(was), len(is))
		}
		c.list(at, was, is)
	case len(is) == 0:
		c.emit(at, harness.Removed, valueOf(was[0]), harness.Value{Kind: harness.KindAbsent})
	case len(was) == 0:
		c.emit(at, harness.Added, harness.Value{Kind: harness.KindAbsent}, valueOf(is[0]))
	default:
		c.value(at, was[0], is[0])
	}
}

// members is an object's members by name, names in the order of their first member.
type members struct {
	names []string
	first []payload.Node         // by place of the name
	place map[string]int         // of the name
	more  map[int][]payload.Node // all members of the names that occur more than once
}

func membersOf(n payload.Node) members {
	m := members{make([]string, 0, n.Len()), make([]payload.Node, 0, n.Len()), make(map[string]int, n.Len()), nil}
	for c := range n.Children() {
		name := c.Name()
		i, again := m.place[name]
		if !again {
			m.place[name] = len(m.names)
			m.names, m.first = append(m.names, name), append(m.first, c)
			continue
		}
		if m.more == nil {
			m.more = map[int][]payload.Node{}
		}
		if m.more[i] == nil {
			m.more[i] = []payload.Node{m.first[i]}
		}
		m.more[i] = append(m.more[i], c)
	}
	return m
}

// nodes returns the members of the i-th name.
func (m members) nodes(i int) []payload.Node {
	if list := m.more[i]; list != nil {
		return list
	}
	return m.first[i : i+1]
}

func (m members) named(name string) []payload.Node {
	if i, ok := m.place[name]; ok {
		return m.nodes(i)
	}
	return nil
}

// maxText is the most of a value that a difference carries, in bytes. Two longer values that agree so far are told
// apart by their digests.
const maxText = 16 << 10

// valueOf copies a node into a Value.
func valueOf(n payload.Node) harness.Value {
	text := n.Text()
	if len(text) > maxText {
		text = text[:maxText] + "… " + harness.Digest([]byte(text))
	}
	return harness.Value{Kind: n.Kind(), Text: text}
}

// recordValue copies a record with its scalar members, so that a removed record can be joined with others.
func recordValue(n payload.Node) harness.Value {
	v := valueOf(n)
	for m := range n.Children() {
		if m.IsScalar() && n.Kind() == harness.KindObject {
			v.Fields = append(v.Fields, harness.Field{Name: m.Name(), Value: valueOf(m).Text})
		}
	}
	return v
}
