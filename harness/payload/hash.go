package payload

import (
	"github.com/rehearse-dev/rehearse/harness"

	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// Sum is a typed 128-bit hash of a subtree. Equal sums of the same Hasher mean equal subtrees.
type Sum [2]uint64

// Hasher computes sums. Type, names, the digits of numbers, the text of strings and lengths enter the sum, so that
// [false] and [null], "1" and 1, or {"a":"bc"} and {"ab":"c"} differ. Member order does not enter, beside that of duplicates. Sums of different Hashers do not compare.
type Hasher struct{ seeds [2]maphash.Seed }

// NewHasher returns a Hasher with fresh seeds.
func NewHasher() *Hasher {
	return &Hasher{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Sum of the node's value, its own name left out.
func (h *Hasher) Sum(n Node) Sum { return h.SumWithout(n, nil, nil) }

// SumWithout is Sum as if the value at every place that skip names were the same; at is the path of the node. A nil
// skip names no place and costs nothing.
func (h *Hasher) SumWithout(n Node, at harness.Path, skip func(harness.Path) bool) Sum {
	if skip != nil && skip(at) {
		return Sum{}
	}
	switch kind := n.node().kind; {
	case kind == text:
		return h.leaf(byte(kind), []byte(n.Text()))
	case n.IsScalar():
		return h.leaf(byte(kind), n.Raw())
	}
	isObject := n.node().kind == object
	children := make([]child, 0, n.Len())
	for c := range n.Children() {
		var entry child
		var below harness.Path
		switch {
		case isObject:
			entry.name = h.leaf('n', []byte(c.Name()))
			if skip != nil {
				below = at.Child(harness.Name(c.Name()))
			}
		case skip != nil:
			below = at.Child(harness.Each())
		}
		entry.value = h.SumWithout(c, below, skip)
		children = append(children, entry)
	}
	if isObject {
		slices.SortStableFunc(children, child.byName)
	}
	parts := make([]byte, 0, childSize*len(children))
	for _, c := range children {
		parts = c.value.append(c.name.append(parts))
	}
	return h.leaf(byte(n.node().kind), parts)
}

// child is one member or element; an element has no name. Members are sorted by the sum of their name, duplicates in
// their order, because a reader takes the last one or the first.
type child struct{ name, value Sum }

const childSize = 32 // bytes

func (c child) byName(d child) int {
	return cmp.Or(cmp.Compare(c.name[0], d.name[0]), cmp.Compare(c.name[1], d.name[1]))
}

func (h *Hasher) leaf(tag byte, b []byte) Sum {
	var small [128]byte // most leaves need no allocation
	tagged := append(append(small[:0], tag), b...)
	return Sum{maphash.Bytes(h.seeds[0], tagged), maphash.Bytes(h.seeds[1], tagged)}
}

func (s Sum) append(b []byte) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, s[0]), s[1])
}

// CanonicalDigest identifies the value of a node over processes and time: member order and white space are free, the
// digits of numbers and the text of strings are not. Format: 32 bytes of SHA-256.
func CanonicalDigest(n Node) [sha256.Size]byte {
	h := sha256.New()
	writeCanonical(h, n)
	return [sha256.Size]byte(h.Sum(nil))
}
