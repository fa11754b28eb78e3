package payload

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
)

// writeCanonical writes kind, length and content of a subtree; members are sorted by name, duplicates keep their order.
func writeCanonical(w io.Writer, n Node) {
	kind := n.node().kind
	if n.IsScalar() {
		writePart(w, byte(kind), n.Text())
		return
	}
	writePart(w, byte(kind), "")
	binary.Write(w, binary.LittleEndian, n.node().count) //nolint:errcheck // a hash never fails
	members := slices.Collect(n.Children())
	if kind == object {
		slices.SortStableFunc(members, func(a, b Node) int { return strings.Compare(a.Name(), b.Name()) })
	}
	for _, m := range members {
		if kind == object {
			writePart(w, 'n', m.Name())
		}
		writeCanonical(w, m)
	}
}

func writePart(w io.Writer, tag byte, s string) {
	head := binary.LittleEndian.AppendUint64([]byte{tag}, uint64(len(s)))
	w.Write(head)        //nolint:errcheck // a hash never fails
	io.WriteString(w, s) //nolint:errcheck // a hash never fails
}
