package plain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of YAML. The parser is recursive, so that its tokens are bounded before it sees them.
const (
	maxIndent = 500 // column of a key or a dash; each block level takes at least one column
	// What aliases stand for may be as much as this and what was written itself.
	maxAliased = 100_000
)

func parseYAML(source []byte) (top *Node, err error) {
	// The parser is not ours and the file is hostile until it is parsed: a panic is one more syntax error.
	defer func() {
		if v := recover(); v != nil {
			top, err = nil, &Error{1, fmt.Sprintf("not YAML that can be read: %v", v)}
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
		return nil, &Error{1, fmt.Sprintf("%d documents, want one", len(bodies))}
	}
	r := yamlReader{anchors: map[string]*Node{}}
	return r.node(bodies[0])
}

func syntaxError(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		return &Error{e.GetToken().Position.Line, e.GetMessage()}
	}
	return &Error{1, err.Error()}
}

// refused are the parts of YAML that plain data does without.
var refused = map[token.Type]string{
	token.MergeKeyType:   "merge keys are not read",
	token.MappingKeyType: "complex keys are not read",
	token.DirectiveType:  "directives are not read",
}

func checkTokens(tokens token.Tokens) error {
	flow := 0
	for _, t := range tokens {
		if what, bad := refused[t.Type]; bad {
			return &Error{t.Position.Line, what}
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > MaxDepth {
				return &Error{t.Position.Line, fmt.Sprintf("more than %d levels", MaxDepth)}
			}
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingValueType:
			at := t
			if t.Type == token.MappingValueType && t.Prev != nil {
				at = t.Prev
			}
			if at.Position.Column > maxIndent {
				return &Error{t.Position.Line, fmt.Sprintf("indented by more than %d columns", maxIndent)}
			}
		}
	}
	return nil
}

// yamlReader turns the syntax tree into nodes.
type yamlReader struct {
	anchors map[string]*Node
	written int // nodes
	aliased int // nodes that aliases stand for
}

func (r *yamlReader) node(n ast.Node) (*Node, error) {
	r.written++
	out := &Node{Line: lineOf(n), size: 1}
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.StringNode:
		out.Kind, out.Text, out.Quoted = Text, n.Value, true
	case *ast.LiteralNode:
		out.Kind, out.Text, out.Quoted = Text, n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = Text, n.GetToken().Value
	case *ast.SequenceNode:
		return out, r.items(out, n.Values)
	case *ast.MappingNode:
		return out, r.members(out, n.Values)
	case *ast.MappingValueNode:
		return out, r.members(out, []*ast.MappingValueNode{n})
	case *ast.TagNode:
		return r.tagged(n)
	case *ast.AnchorNode:
		return r.anchor(n)
	case *ast.AliasNode:
		return r.alias(n)
	default:
		return nil, out.Errorf("%s is not plain data", n.Type())
	}
	return out, nil
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

func (r *yamlReader) items(out *Node, values []ast.Node) error {
	out.Kind = List
	for _, v := range values {
		item, err := r.node(v)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, item)
		out.size += item.size
	}
	return nil
}

func (r *yamlReader) members(out *Node, values []*ast.MappingValueNode) error {
	out.Kind = Map
	for _, v := range values {
		name, err := r.node(v.Key)
		if err != nil {
			return err
		}
		if name.Kind == List || name.Kind == Map {
			return name.Errorf("complex keys are not read")
		}
		value, err := r.node(v.Value)
		if err != nil {
			return err
		}
		out.Members = append(out.Members, Member{name.Text, value})
		out.size += value.size
	}
	return nil
}

func (r *yamlReader) anchor(n *ast.AnchorNode) (*Node, error) {
	value, err := r.node(n.Value)
	if err != nil {
		return nil, err
	}
	r.anchors[n.Name.String()] = value // known behind its value only, so that no value holds itself
	return value, nil
}

func (r *yamlReader) alias(n *ast.AliasNode) (*Node, error) {
	at := &Node{Line: lineOf(n)}
	value := r.anchors[n.Value.String()]
	if value == nil {
		return nil, at.Errorf("alias %.40q stands for nothing before it", n.Value.String())
	}
	if r.aliased += value.size; r.aliased > r.written+maxAliased {
		return nil, at.Errorf("aliases stand for more than %d values", r.written+maxAliased)
	}
	return value, nil
}

// harmless are the tags that leave a value what it is: core ones, and those by which PyYAML and Psych say of which class
// a text, list or map was.
var harmless = map[string]Kind{
	"!": Text, "!!str": Text, "!!int": Text, "!!float": Text, "!!bool": Text, "!!null": Text, "!!timestamp": Text,
	"!!seq": List, "!!map": Map,
	"!!python/unicode": Text, "!!python/str": Text, "!!python/tuple": List, "!ruby/string": Text, "!str": Text,
	"!ruby/hash:ActiveSupport::HashWithIndifferentAccess": Map, "!ruby/hash:Hash": Map,
}

func (r *yamlReader) tagged(n *ast.TagNode) (*Node, error) {
	tag := n.Start.Value
	value, err := r.node(n.Value)
	if err != nil {
		return nil, err
	}
	if kind, ok := harmless[tag]; ok && (kind == value.Kind || value.Kind == Null || tag == "!") {
		return value, nil
	}
	if tag != "!!binary" && tag != "!binary" || value.Kind == List || value.Kind == Map {
		return nil, value.Errorf("tag %.40s is not plain data", tag)
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.Text), ""))
	if err != nil {
		return nil, value.Errorf("decode !!binary: %v", err)
	}
	return &Node{Kind: Text, Line: value.Line, Text: string(b), Quoted: true, size: 1}, nil
}
