package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of one file; the package documentation lists them. The parser is quadratic in the keys of one mapping and
// recursive in depth, so both are counted on the tokens before it runs.
const (
	maxSize   = 1 << 20 // bytes
	maxDepth  = 64      // mappings and lists in one another
	maxTokens = 150_000
	maxKeys   = 1_000 // in one mapping
)

// readWhole reads a regular file of at most maxSize bytes.
func readWhole(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: file, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	return readLimited(f)
}

// readLimited reads one byte more than the limit, so that checkText sees the excess, and closes the file.
func readLimited(f *os.File) ([]byte, error) {
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

// parseFile returns the root of the only document in src, nil when src holds no value, or what is wrong.
func parseFile(file string, src []byte) (root ast.Node, ps Problems) {
	text, err := checkText(src)
	if err != nil {
		ps.add(file, err.place, "%s", err.text)
		return nil, ps
	}
	tokens := lexer.Tokenize(text)
	if at, problem := checkTokens(tokens); problem != "" {
		ps.add(file, at, "%s", problem)
		return nil, ps
	}
	parsed, parseErr := parse(tokens)
	if parseErr != nil {
		at, message := syntaxError(parseErr)
		ps.add(file, at, "%s", message)
		return nil, ps
	}
	var docs []*ast.DocumentNode
	for _, doc := range parsed.Docs {
		if doc.Body != nil || doc.Start != nil {
			docs = append(docs, doc)
		}
	}
	switch {
	case len(docs) == 0:
		return nil, nil
	case len(docs) > 1:
		at := place{1, 1}
		if docs[1].Start != nil {
			at = placeOf(docs[1].Start)
		} else if docs[1].Body != nil {
			at = placeOf(docs[1].Body.GetToken())
		}
		ps.add(file, at, "second document in one file; write one file for each")
		return nil, ps
	}
	return docs[0].Body, nil
}

// parse turns a panic of the parser, which is not ours and meets hostile input, into an error.
func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML cannot be understood: %.200q", fmt.Sprint(r))
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

func syntaxError(err error) (place, string) {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		if tk := e.GetToken(); tk != nil {
			return placeOf(tk), "not YAML: " + e.GetMessage()
		}
		return place{}, "not YAML: " + e.GetMessage()
	}
	return place{}, err.Error()
}

func placeOf(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{}
	}
	return place{tk.Position.Line, tk.Position.Column}
}

// textError is what is wrong with a file before it is looked at as YAML.
type textError struct {
	place
	text string
}

// checkText returns src as text without byte order mark.
func checkText(src []byte) (string, *textError) {
	switch {
	case len(src) > maxSize:
		return "", &textError{text: fmt.Sprintf("file is larger than %d bytes", maxSize)}
	case bytes.HasPrefix(src, []byte{0xFE, 0xFF}), bytes.HasPrefix(src, []byte{0xFF, 0xFE}),
		len(src) >= 2 && (src[0] == 0) != (src[1] == 0):
		return "", &textError{text: "file is UTF-16 or UTF-32; save it as UTF-8"}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	line, column := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return "", &textError{place{line, column}, fmt.Sprintf("byte %#02x is not UTF-8; save the file as UTF-8", src[i])}
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r':
			return "", &textError{place{line, column}, fmt.Sprintf("control character %U; write it as an escape in double quotes", r)}
		}
		i += size
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return string(src), nil
}

// refused are the parts of YAML that a workspace does without.
var refused = map[token.Type]string{
	token.AnchorType:     "anchors (&) are not supported; write the value where it is used",
	token.AliasType:      "aliases (*) are not supported; write the value out, and quote text that begins with *",
	token.MergeKeyType:   "merge keys (<<) are not supported; write the keys out",
	token.TagType:        "tags (!) are not supported; quote text that begins with !",
	token.DirectiveType:  "directives (%) are not supported",
	token.MappingKeyType: "keys that begin with ? are not supported; write key: value",
}

// checkTokens finds what is refused and what exceeds a limit, before the parser sees it.
func checkTokens(tokens token.Tokens) (place, string) {
	var shape nesting
	for i, tk := range tokens {
		at := placeOf(tk)
		if i >= maxTokens {
			return at, fmt.Sprintf("more than %d tokens; split the file", maxTokens)
		}
		if text, ok := refused[tk.Type]; ok {
			return at, text
		}
		if tk.Type == token.InvalidType {
			return at, "not YAML: " + tk.Error
		}
		shape.see(tk, at)
		switch {
		case shape.depth() > maxDepth:
			return at, fmt.Sprintf("nested more than %d levels deep", maxDepth)
		case shape.keys > maxKeys:
			return at, fmt.Sprintf("more than %d keys in one mapping", maxKeys)
		}
	}
	return place{}, ""
}

// nesting follows mappings and lists on the token stream: block ones by their column, flow ones by their brackets.
type nesting struct {
	blocks []block
	flows  []int // keys seen in each open bracket
	keys   int   // of the mapping of the last key
}

type block struct {
	column, keys int
	list         bool
}

func (n *nesting) depth() int { return len(n.blocks) + len(n.flows) }

func (n *nesting) see(tk *token.Token, at place) {
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.flows = append(n.flows, 0)
	case token.SequenceEndType, token.MappingEndType:
		if len(n.flows) > 0 {
			n.flows = n.flows[:len(n.flows)-1]
		}
	case token.SequenceEntryType:
		n.enter(at.column, true)
	case token.MappingValueType:
		if last := len(n.flows) - 1; last >= 0 {
			n.flows[last]++
			n.keys = n.flows[last]
			return
		}
		if key := tk.Prev; key != nil && key.Position != nil && key.Position.Line == at.line {
			at = placeOf(key)
		}
		n.enter(at.column, false)
	}
}

// enter closes the blocks that lie deeper than the column and counts one more entry of the block there. A list may
// stand at the column of the key that it belongs to.
func (n *nesting) enter(column int, list bool) {
	if len(n.flows) > 0 {
		return
	}
	for len(n.blocks) > 0 {
		top := n.blocks[len(n.blocks)-1]
		if top.column < column || top.column == column && (top.list == list || list) {
			break
		}
		n.blocks = n.blocks[:len(n.blocks)-1]
	}
	last := len(n.blocks) - 1
	if last < 0 || n.blocks[last].column != column || n.blocks[last].list != list {
		n.blocks = append(n.blocks, block{column: column, list: list})
		last++
	}
	if !list {
		n.blocks[last].keys++
		n.keys = n.blocks[last].keys
	}
}
