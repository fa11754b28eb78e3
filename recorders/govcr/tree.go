package govcr

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of the YAML that is read. The files of go-vcr are seven levels deep.
const (
	maxFlow   = 100 // levels of [ and {
	maxIndent = 500 // column of a key or a dash; each block level takes at least one column
)

// lineError says where a file is wrong; lines count from 1. It is printed behind "file:".
type lineError struct {
	line int
	what string
}

func (e *lineError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.what) }

func errorAt(n ast.Node, what string, args ...any) error {
	line := 0
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		line = n.GetToken().Position.Line
	}
	return &lineError{line, fmt.Sprintf(what, args...)}
}

// parse reads one document of plain data. The parser is recursive, so the tokens are bounded before it sees them.
func parse(source []byte) (top ast.Node, err error) {
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	if i := invalidUTF8(source); i >= 0 {
		return nil, &lineError{1 + bytes.Count(source[:i], []byte{'\n'}), fmt.Sprintf("byte %d is not UTF-8", i)}
	}
	// The parser is not ours and the file is hostile until it is parsed: a panic is one more syntax error.
	defer func() {
		if v := recover(); v != nil {
			top, err = nil, &lineError{1, fmt.Sprintf("not YAML that can be read: %v", v)}
		}
	}()
	tokens := lexer.Tokenize(string(source))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) != 1 {
		return nil, &lineError{1, fmt.Sprintf("%d documents, want one", len(bodies))}
	}
	return bodies[0], nil
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func syntaxError(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		return &lineError{e.GetToken().Position.Line, e.GetMessage()}
	}
	return &lineError{1, err.Error()}
}

// refused are the parts of YAML that plain data does without.
var refused = map[token.Type]string{
	token.AnchorType:     "anchors are not read",
	token.AliasType:      "aliases are not read",
	token.MergeKeyType:   "merge keys are not read",
	token.MappingKeyType: "complex keys are not read",
	token.DirectiveType:  "directives are not read",
}

func checkTokens(tokens token.Tokens) error {
	flow := 0
	for _, t := range tokens {
		if what, bad := refused[t.Type]; bad {
			return &lineError{t.Position.Line, what}
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxFlow {
				return &lineError{t.Position.Line, fmt.Sprintf("more than %d levels", maxFlow)}
			}
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingValueType:
			at := t
			if t.Type == token.MappingValueType && t.Prev != nil {
				at = t.Prev
			}
			if at.Position.Column > maxIndent {
				return &lineError{t.Position.Line, fmt.Sprintf("indented by more than %d columns", maxIndent)}
			}
		}
	}
	return nil
}

// member is one key of a mapping.
type member struct {
	name  string
	value ast.Node
}

// members reads a mapping in its order; null has none.
func members(n ast.Node) ([]member, error) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, errorAt(n, "want a mapping")
	}
	out := make([]member, 0, len(values))
	for _, v := range values {
		name, err := scalar(v.Key)
		if err != nil {
			return nil, err
		}
		out = append(out, member{name, v.Value})
	}
	return out, nil
}

// items reads a list; null has none.
func items(n ast.Node) ([]ast.Node, error) {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.SequenceNode:
		return n.Values, nil
	default:
		return nil, errorAt(n, "want a list")
	}
}

// coreTags are the tags that leave the text of a scalar alone.
var coreTags = map[string]bool{"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true}

// scalar reads the text of a scalar as it stands: a number keeps its digits, !!binary is decoded, null is empty.
func scalar(n ast.Node) (string, error) {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "", nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	case *ast.TagNode:
		return tagged(n)
	default:
		return "", errorAt(n, "want a text or a number")
	}
}

func tagged(n *ast.TagNode) (string, error) {
	text, err := scalar(n.Value)
	if err != nil || coreTags[n.Start.Value] {
		return text, err
	}
	if n.Start.Value != "!!binary" {
		return "", errorAt(n, "tag %s is not plain data", n.Start.Value)
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return "", errorAt(n, "decode !!binary: %v", err)
	}
	return string(b), nil
}
