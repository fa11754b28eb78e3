// Package plain reads the JSON and YAML files of other tools as plain data: maps, lists and texts that know their line.
//
// Nothing is guessed: a number keeps the digits that were written, true is the text true, null is nothing. No tag of a
// program is obeyed. JSON is RFC 8259; YAML is 1.2 without merge keys, complex keys and directives. Aliases are read, as
// Psych and PyYAML write them for values that are the same, up to a bound on what they stand for.
//
// Memory: the whole document as nodes, some ten times the size of its source.
package plain

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is the most levels of maps and lists in one another.
const MaxDepth = 100

// Kind of a [Node].
type Kind uint8

// Kinds of nodes.
const (
	Null Kind = iota
	Text      // a string, number or boolean
	List
	Map
)

var kindNames = [...]string{Null: "nothing", Text: "a text", List: "a list", Map: "a map"}

func (k Kind) String() string { return kindNames[k] }

// Node is a value and where it stands. Nodes are not changed after they were read, and may be shared.
type Node struct {
	Kind    Kind
	Line    int      // counted from 1
	Text    string   // of a Text, as written
	Quoted  bool     // a Text that is a string, and not a number or boolean
	Items   []*Node  // of a List
	Members []Member // of a Map, in the order of the source
	Source  []byte   // of JSON: the value as it was written; nil in YAML

	size int // nodes, those behind aliases included
}

// Member is one key of a map.
type Member struct {
	Name  string
	Value *Node
}

// Get returns the value of a key, nil when the node is no map or lacks it.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Has reports whether the node is a map with that key.
func (n *Node) Has(name string) bool { return n.Get(name) != nil }

// At walks down the keys, as far as there are maps; nil when one is missing.
func (n *Node) At(names ...string) *Node {
	for _, name := range names {
		n = n.Get(name)
	}
	return n
}

// IsFilled reports whether there is a node that is neither null nor empty.
func (n *Node) IsFilled() bool { return n != nil && len(n.Items)+len(n.Members)+len(n.Text) > 0 }

// Error says where a document is wrong. It is printed behind the name of the file and a colon.
type Error struct {
	Line int // counted from 1
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("%d: %s", e.Line, e.What) }

// Errorf is an error at the line of the node.
func (n *Node) Errorf(format string, args ...any) error {
	line := 1
	if n != nil {
		line = n.Line
	}
	return &Error{line, fmt.Sprintf(format, args...)}
}

// Parse reads one document of JSON or YAML: JSON is what begins with a brace, a bracket or a quotation mark, after white
// space. A byte order mark is passed over. Errors are of type [*Error].
func Parse(source []byte) (*Node, error) {
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	if i := invalidUTF8(source); i >= 0 {
		return nil, &Error{lineAt(source, i), fmt.Sprintf("byte %d is not UTF-8", i)}
	}
	if looksLikeJSON(source) {
		return parseJSON(source)
	}
	return parseYAML(source)
}

func looksLikeJSON(source []byte) bool {
	text := bytes.TrimLeft(source, " \t\r\n")
	return len(text) > 0 && bytes.IndexByte([]byte(`{["`), text[0]) >= 0
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func lineAt(source []byte, offset int) int { return 1 + bytes.Count(source[:offset], []byte{'\n'}) }
