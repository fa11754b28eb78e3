package payload

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a document.
const (
	MaxSize  = 1 << 30 // bytes of a source
	MaxDepth = 1000    // levels of nesting
)

// Fact is a property of the whole document that has no place in its tree, such as the line ends of a table. Facts are
// compared by name.
type Fact struct{ Name, Value string }

// Doc is a parsed document. It is immutable and safe for concurrent use.
type Doc struct {
	Format string // name of a row in Formats
	Source []byte
	Facts  []Fact
	nodes  []node
	syntax syntax
	names  []string // of listed nodes
	shared []byte   // what stands outside the span of a node and still gives it meaning: the header of a table
	view   *view    // set when Source is a view of bytes in another encoding
}

// node is one entry of the tape. Children follow their parent; end is the index behind the last descendant.
type node struct {
	kind             kind
	listed           bool   // the name does not stand in the source: nameFrom is its index in the names of the document
	named            bool   // a member with a name, which may be empty
	start, stop      uint32 // span of the value in the source
	nameFrom, nameTo uint32 // span of the name in the source; empty for elements and the root
	end              uint32
	count            uint32 // children of a container
}

// kind is a compact harness.ValueKind.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
	blob
)

var kinds = [...]harness.ValueKind{
	null: harness.KindNull, boolean: harness.KindBool, number: harness.KindNumber, text: harness.KindString,
	array: harness.KindArray, object: harness.KindObject, blob: harness.KindBytes,
}

// syntax is how one format spells texts.
type syntax interface {
	// decode returns the text that raw spells: that of the scalar n, or a member name when n is nil.
	decode(raw []byte, n *node) string
	// encode appends text, spelled in the manner of the scalar n, which is written as was.
	encode(out []byte, text string, was []byte, n *node) []byte
	// encodeName appends text, spelled in the manner of the member name that stood there.
	encodeName(out []byte, text string, was []byte) []byte
}

// Node is a place in a document. The zero Node is absent.
type Node struct {
	doc *Doc
	i   uint32
}

// Root of the document.
func (d *Doc) Root() Node { return Node{doc: d} }

// Len is the number of nodes, the root included.
func (d *Doc) Len() int { return len(d.nodes) }

// Node returns the node at a position, or the zero Node when the document has fewer nodes. The same source always has the
// same nodes at the same positions.
func (d *Doc) Node(position int) Node {
	if position < 0 || position >= len(d.nodes) {
		return Node{}
	}
	return Node{d, uint32(position)}
}

// Position of the node among all nodes of its document, from 0.
func (n Node) Position() int { return int(n.i) }

// Fact returns the value of the fact of that name, or the empty string.
func (d *Doc) Fact(name string) string {
	for _, f := range d.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func (n Node) node() *node { return &n.doc.nodes[n.i] }

// IsZero reports whether the node is absent.
func (n Node) IsZero() bool { return n.doc == nil }

// Kind is the type of the value; KindAbsent for the zero Node.
func (n Node) Kind() harness.ValueKind {
	if n.doc == nil {
		return harness.KindAbsent
	}
	return kinds[n.node().kind]
}

// IsScalar reports whether the value has no children of its own kind: everything but arrays and objects.
func (n Node) IsScalar() bool {
	return n.doc != nil && n.node().kind != array && n.node().kind != object
}

// Raw is the value as written: the bytes of its span.
func (n Node) Raw() []byte {
	e := n.node()
	return n.doc.Source[e.start:e.stop]
}

// Offset is where the value begins in the source, in bytes from 0.
func (n Node) Offset() int { return int(n.node().start) }

// SameSource reports whether two nodes are spelled by the same bytes in the same surroundings. Then they are equal; if
// not they may still be.
func SameSource(a, b Node) bool {
	return a.Kind() == b.Kind() && a.doc.Format == b.doc.Format && bytes.Equal(a.Raw(), b.Raw()) && bytes.Equal(a.doc.shared, b.doc.shared)
}

// Format is the name of the document's row in Formats.
func (n Node) Format() string { return n.doc.Format }

// Text is a scalar's text: a string decoded, everything else as written. A container has its source.
func (n Node) Text() string {
	if n.doc == nil {
		return ""
	}
	if e := n.node(); e.kind == text {
		return n.doc.syntax.decode(n.Raw(), e)
	}
	return string(n.Raw())
}

// Name is the decoded member name; empty for elements and the root.
func (n Node) Name() string {
	if n.doc == nil {
		return ""
	}
	if e := n.node(); e.listed {
		return n.doc.names[e.nameFrom]
	}
	raw := n.rawName()
	if len(raw) == 0 {
		return ""
	}
	return n.doc.syntax.decode(raw, nil)
}

// plainer is a syntax that knows texts which stand in the source as they are.
type plainer interface {
	// plain is the text of the scalar n as a part of raw; ok is false when it has to be decoded.
	plain(raw []byte, n *node) (text []byte, ok bool)
}

// PlainText is the text of a scalar as it stands in the source, without a copy; nil when it is decoded, or empty.
func (n Node) PlainText() []byte {
	if p, ok := n.doc.syntax.(plainer); ok {
		if text, ok := p.plain(n.Raw(), n.node()); ok {
			return text
		}
	}
	return nil
}

// PlainName is the name as it stands in the source, without a copy; nil when it is decoded, or does not stand there.
func (n Node) PlainName() []byte {
	raw := n.RawName()
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	for _, c := range raw {
		if !isPlainByte[c] {
			return nil
		}
	}
	return raw
}

// isPlainByte holds the bytes that no format escapes in a name.
var isPlainByte = func() (plain [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") {
		plain[c] = true
	}
	return plain
}()

// RawName is the name as written: the bytes of its span; nil when it does not stand in the source.
func (n Node) RawName() []byte { return n.rawName() }

func (n Node) rawName() []byte {
	e := n.node()
	if e.listed {
		return nil
	}
	return n.doc.Source[e.nameFrom:e.nameTo]
}

// Len is the number of children.
func (n Node) Len() int {
	if n.doc == nil {
		return 0
	}
	return int(n.node().count)
}

// Children yields the members or elements in document order. Duplicate members are all there.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.doc == nil {
			return
		}
		end := n.node().end
		for i := n.i + 1; i < end; i = n.doc.nodes[i].end {
			if !yield(Node{n.doc, i}) {
				return
			}
		}
	}
}

// Member returns the first member of that name, or the zero Node.
func (n Node) Member(name string) Node {
	if n.Kind() != harness.KindObject {
		return Node{}
	}
	for c := range n.Children() {
		if raw := c.rawName(); isPlainName(raw, name) || c.Name() == name {
			return c
		}
	}
	return Node{}
}

// maxInStep bounds the members that InStep compares all with all.
const maxInStep = 40

// InStep yields the members of two objects pair by pair. It does so, and reports true, only when both have the same few
// names in the same order, none of them twice, spelled alike; that spares looking members up by name.
func InStep(a, b Node) (pairs iter.Seq2[Node, Node], ok bool) {
	if a.Len() != b.Len() || a.Len() > maxInStep || a.doc.Format != b.doc.Format {
		return nil, false
	}
	var names [maxInStep][]byte
	n := 0
	for x, y := range Pairs(a, b) {
		name := x.rawName()
		if x.node().listed || y.node().listed || !x.node().named || !bytes.Equal(name, y.rawName()) || bytes.IndexByte(name, '\\') >= 0 {
			return nil, false
		}
		for _, other := range names[:n] {
			if bytes.Equal(other, name) {
				return nil, false
			}
		}
		names[n] = name
		n++
	}
	return Pairs(a, b), true
}

// Pairs yields the children of two nodes pair by pair, in document order. Both must have as many of them.
func Pairs(a, b Node) iter.Seq2[Node, Node] {
	return func(yield func(Node, Node) bool) {
		i, j := a.i+1, b.i+1
		for range a.Len() {
			if !yield(Node{a.doc, i}, Node{b.doc, j}) {
				return
			}
			i, j = a.doc.nodes[i].end, b.doc.nodes[j].end
		}
	}
}

// isPlainName spares decoding: a raw name equals name when it holds no escape, quoted or not.
func isPlainName(raw []byte, name string) bool {
	return len(raw) == len(name)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == name && bytes.IndexByte(raw, '\\') < 0
}

// Element returns the i-th child of an array, or the zero Node.
func (n Node) Element(i int) Node {
	if n.Kind() != harness.KindArray || i < 0 {
		return Node{}
	}
	for c := range n.Children() {
		if i == 0 {
			return c
		}
		i--
	}
	return Node{}
}

// At follows a concrete path from this node; it returns the zero Node when there is no such place. A keyed step takes
// the first element whose members have the texts.
func (n Node) At(path harness.Path) Node {
	for _, s := range path {
		switch s.Kind {
		case harness.StepName:
			n = n.Member(s.Name)
		case harness.StepIndex:
			n = n.Element(s.Index)
		case harness.StepKey:
			n = n.keyed(s)
		default:
			return Node{}
		}
		if n.IsZero() {
			return n
		}
	}
	return n
}

func (n Node) keyed(s harness.Step) Node {
	if len(s.Any) > 0 {
		return Node{}
	}
next:
	for c := range n.Children() {
		for _, k := range s.Keys {
			if m := c.Member(k.Name); m.IsZero() || m.Text() != k.Value {
				continue next
			}
		}
		return c
	}
	return Node{}
}

// Leaves yields every scalar below the node with its concrete path from the node, in document order; empty containers
// are leaves too. The path is only valid during the call.
func (n Node) Leaves() iter.Seq2[harness.Path, Node] {
	return func(yield func(harness.Path, Node) bool) {
		if n.doc != nil {
			n.leaves(make(harness.Path, 0, usualDepth), yield)
		}
	}
}

// usualDepth is that of paths for which there is room from the beginning.
const usualDepth = 8

func (n Node) leaves(path harness.Path, yield func(harness.Path, Node) bool) bool {
	if n.IsScalar() || n.Len() == 0 {
		return yield(path, n)
	}
	isObject, i := n.node().kind == object, 0
	for c := range n.Children() {
		step := harness.Index(i)
		if isObject {
			step = harness.Name(c.Name())
		}
		if !c.leaves(append(path, step), yield) {
			return false
		}
		i++
	}
	return true
}

// Edit replaces the text of a scalar, or the name of a member when Name is set.
type Edit struct {
	Node Node
	Name bool
	Text string
}

// splice puts bytes in place of a span of the source.
type splice struct {
	from, to uint32
	with     []byte
}

// splicer is a syntax that turns edits into splices itself, because one edit touches two places (the start and the end
// tag of an element) or because there are texts that it cannot spell.
type splicer interface {
	splices(d *Doc, edits []Edit) ([]splice, error)
}

// finisher is a syntax that puts a rewritten source into form.
type finisher interface {
	finish(was, out []byte) []byte
}

// Rewrite returns the source with the edits put in. Every byte outside the edited scalars stays. Each place may be
// edited once; edits of shared names (the header of a table) count as one place and the first wins. An edit of a place
// within an edited text is lost with that text. A source in another encoding is written in that encoding.
func (d *Doc) Rewrite(edits []Edit) ([]byte, error) {
	for _, e := range edits {
		if e.Node.doc != d {
			return nil, fmt.Errorf("rewrite %s: edit of another document", d.Format)
		}
	}
	build := d.splices
	if s, ok := d.syntax.(splicer); ok {
		build = func(edits []Edit) ([]splice, error) { return s.splices(d, edits) }
	}
	splices, err := build(edits)
	if err != nil {
		return nil, err
	}
	inOrder := func(a, b splice) int { return cmp.Compare(a.from, b.from) }
	if !slices.IsSortedFunc(splices, inOrder) {
		slices.SortStableFunc(splices, inOrder)
	}
	splices = slices.CompactFunc(splices, func(a, b splice) bool { return a.from == b.from && a.to == b.to })
	out := make([]byte, 0, len(d.Source)+64)
	at := uint32(0)
	for _, s := range splices {
		if s.from < at {
			continue
		}
		out = append(out, d.Source[at:s.from]...)
		out = append(out, s.with...)
		at = s.to
	}
	out = append(out, d.Source[at:]...)
	if f, ok := d.syntax.(finisher); ok && len(edits) > 0 {
		out = f.finish(d.Source, out)
	}
	if d.view != nil {
		return d.view.write(d.Format, out, len(edits) == 0)
	}
	return out, nil
}

// splices spells every edit as the syntax does. All that is put in is spelled into one room, of which each splice has
// a part.
func (d *Doc) splices(edits []Edit) ([]splice, error) {
	splices, room := make([]splice, 0, len(edits)), make([]byte, 0, roomFor(edits))
	for _, e := range edits {
		n, from := e.Node.node(), len(room)
		switch {
		case e.Name && (!n.named || n.listed):
			return nil, fmt.Errorf("rewrite %s at byte %d: no name stands there", d.Format, n.start)
		case e.Name:
			room = d.syntax.encodeName(room, e.Text, e.Node.rawName())
			splices = append(splices, splice{n.nameFrom, n.nameTo, room[from:]})
		case e.Node.IsScalar():
			room = d.syntax.encode(room, e.Text, e.Node.Raw(), n)
			splices = append(splices, splice{n.start, n.stop, room[from:]})
		default:
			return nil, fmt.Errorf("rewrite %s at byte %d: not a scalar", d.Format, n.start)
		}
	}
	return splices, nil
}

// roomFor is about how many bytes the texts of edits take when they are spelled.
func roomFor(edits []Edit) (size int) {
	for _, e := range edits {
		size += len(e.Text) + len(`""`)
	}
	return size
}

// Asides yields the texts that stand outside the tree and are no values, such as comments: an anonymizer must see
// them, a comparison need not. They are scalars without a name, and may be edited.
func (d *Doc) Asides() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for i := d.nodes[0].end; i < uint32(len(d.nodes)); i++ {
			if !yield(Node{d, i}) {
				return
			}
		}
	}
}

// SyntaxError says where a source is not of its format.
type SyntaxError struct {
	Format string
	Offset int // bytes from 0
	Line   int // from 1; 0 when it was not counted
	What   string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("parse %s at byte %d: %s", e.Format, e.Offset, e.What)
	}
	return fmt.Sprintf("parse %s at byte %d (line %d): %s", e.Format, e.Offset, e.Line, e.What)
}

func syntaxError(format string, source []byte, offset int, what string, args ...any) error {
	offset = min(offset, len(source))
	return &SyntaxError{format, offset, 1 + bytes.Count(source[:offset], []byte{'\n'}), fmt.Sprintf(what, args...)}
}

// tape builds the nodes of a document.
type tape struct {
	nodes []node
	open  []uint32
}

// next adds a node without children, and returns it to be filled in where it stands, until another one is added.
func (t *tape) next() *node {
	if len(t.open) > 0 {
		t.nodes[t.open[len(t.open)-1]].count++
	}
	t.nodes = append(t.nodes, node{})
	n := &t.nodes[len(t.nodes)-1]
	n.end = uint32(len(t.nodes))
	return n
}

func (t *tape) add(n node) {
	to := t.next()
	n.end = to.end
	*to = n
}

func (t *tape) begin(n node) {
	t.add(n)
	t.open = append(t.open, uint32(len(t.nodes)-1))
}

func (t *tape) finish(stop int) {
	last := len(t.open) - 1
	n := &t.nodes[t.open[last]]
	n.stop, n.end = uint32(stop), uint32(len(t.nodes))
	t.open = t.open[:last]
}

// Short renders a value in at most max bytes, for people.
func (n Node) Short(max int) string {
	s := n.Text()
	if len(s) > max {
		s = strings.ToValidUTF8(s[:max], "") + "…"
	}
	return s
}
