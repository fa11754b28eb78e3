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
	case bytes.Equal(a.Raw(), b.Raw()) && a.Kind() != harness.KindObject && a.Kind() != harness.KindArray:
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
	if a.Kind() == harness.KindNumber {
		x, okX := parseDecimal(was.Text)
		y, okY := parseDecimal(is.Text)
		if okX && okY && x.Cmp(y) == 0 {
			c.emitForm(at, was, is)
			return
		}
	}
	if a.Text() != b.Text() {
		c.emit(at, harness.Changed, was, is)
		return
	}
	if a.Format() == "csv" {
		c.emitForm(at, harness.Value{Kind: harness.KindString, Text: string(a.Raw())}, harness.Value{Kind: harness.KindString, Text: string(b.Raw())})
	}
}

// memberKey tells duplicate members apart: the n-th of a name.
type memberKey struct {
	name string
	n    int
}

// object compares members by name. Their order carries no meaning; the second of two members of one name is a place
// of its own.
func (c *comparer) object(at harness.Path, a, b payload.Node) {
	if payload.SameSource(a, b) {
		return
	}
	members := make(map[memberKey]payload.Node, b.Len())
	for k, m := range numbered(b) {
		members[k] = m
	}
	for k, m := range numbered(a) {
		place := at.Child(harness.Name(k.name))
		if k.n > 0 {
			place = place.Child(harness.Index(k.n))
		}
		other, ok := members[k]
		if !ok {
			c.emit(place, harness.Removed, valueOf(m), harness.Value{Kind: harness.KindAbsent})
			continue
		}
		delete(members, k)
		c.value(place, m, other)
	}
	if len(members) == 0 {
		return
	}
	for k, m := range numbered(b) {
		if _, left := members[k]; left {
			place := at.Child(harness.Name(k.name))
			if k.n > 0 {
				place = place.Child(harness.Index(k.n))
			}
			c.emit(place, harness.Added, harness.Value{Kind: harness.KindAbsent}, valueOf(m))
		}
	}
}

// numbered yields the members with their keys.
func numbered(n payload.Node) func(yield func(memberKey, payload.Node) bool) {
	return func(yield func(memberKey, payload.Node) bool) {
		seen := make(map[string]int, n.Len())
		for m := range n.Children() {
			name := m.Name()
			k := memberKey{name, seen[name]}
			seen[name]++
			if !yield(k, m) {
				return
			}
		}
	}
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
