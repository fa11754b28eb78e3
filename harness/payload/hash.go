package payload

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
)

// Sum is a typed 128-bit hash of a subtree. Equal sums of the same Hasher mean equal subtrees.
type Sum [2]uint64

// Hasher computes sums. Type, names, lexical form and lengths enter the sum, so that [false] and [null], "1" and 1,
// or {"a":"bc"} and {"ab":"c"} differ. Member order does not enter. Sums of different Hashers do not compare.
type Hasher struct{ seeds [2]maphash.Seed }

// NewHasher returns a Hasher with fresh seeds.
func NewHasher() *Hasher {
	return &Hasher{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// Sum of the node's value, its own name left out.
func (h *Hasher) Sum(n Node) Sum {
	if n.IsScalar() {
		return h.leaf(byte(n.node().kind), n.Raw())
	}
	var parts []byte
	isObject := n.node().kind == object
	var unordered Sum
	for c := range n.Children() {
		s := h.Sum(c)
		if !isObject {
			parts = append(parts, s.bytes()...)
			continue
		}
		name := h.leaf('n', []byte(c.Name()))
		member := h.leaf('m', append(name.bytes(), s.bytes()...))
		unordered[0] += member[0]
		unordered[1] += member[1]
	}
	if isObject {
		parts = binary.LittleEndian.AppendUint32(unordered.bytes(), n.node().count)
	}
	return h.leaf(byte(n.node().kind), parts)
}

func (h *Hasher) leaf(tag byte, b []byte) Sum {
	var s Sum
	for i, seed := range h.seeds {
		var m maphash.Hash
		m.SetSeed(seed)
		m.WriteByte(tag)
		m.Write(b)
		s[i] = m.Sum64()
	}
	return s
}

func (s Sum) bytes() []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(make([]byte, 0, 20), s[0]), s[1])
}

// CanonicalDigest identifies the value of a node over processes and time: member order and white space are free, the
// digits of numbers and the text of strings are not. Format: 32 bytes of SHA-256.
func CanonicalDigest(n Node) [sha256.Size]byte {
	h := sha256.New()
	writeCanonical(h, n)
	return [sha256.Size]byte(h.Sum(nil))
}
