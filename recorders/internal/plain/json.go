package plain

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// jsonReader walks a document that is known to be valid JSON.
type jsonReader struct {
	source []byte
	at     int
	line   int
	depth  int
}

func parseJSON(source []byte) (*Node, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(source, &whole); err != nil {
		return nil, jsonError(source, err)
	}
	r := &jsonReader{source: source, line: 1}
	return r.value()
}

func jsonError(source []byte, err error) error {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return &Error{1, err.Error()}
	}
	offset := min(int(syntax.Offset), len(source))
	return &Error{lineAt(source, max(offset-1, 0)), fmt.Sprintf("byte %d: %v", offset, err)}
}

func (r *jsonReader) space() {
	for r.at < len(r.source) {
		switch r.source[r.at] {
		case '\n':
			r.line++
		case ' ', '\t', '\r':
		default:
			return
		}
		r.at++
	}
}

// next passes over white space and returns the byte behind it, which is there in a valid document.
func (r *jsonReader) next() byte {
	r.space()
	return r.source[r.at]
}

func (r *jsonReader) value() (*Node, error) {
	first := r.next()
	n := &Node{Line: r.line, size: 1}
	from := r.at
	var err error
	switch first {
	case '{', '[':
		if r.depth++; r.depth > MaxDepth {
			return nil, n.Errorf("more than %d levels", MaxDepth)
		}
		if first == '{' {
			err = r.members(n)
		} else {
			err = r.items(n)
		}
		r.depth--
	case '"':
		n.Kind, n.Quoted = Text, true
		n.Text, err = r.text()
	default:
		r.skipWord()
		if word := string(r.source[from:r.at]); word != "null" {
			n.Kind, n.Text = Text, word
		}
	}
	n.Source = r.source[from:r.at]
	return n, err
}

func (r *jsonReader) members(n *Node) error {
	n.Kind = Map
	r.at++ // {
	for r.next() != '}' {
		name, err := r.text()
		if err != nil {
			return err
		}
		r.next()
		r.at++ // :
		v, err := r.value()
		if err != nil {
			return err
		}
		n.Members = append(n.Members, Member{name, v})
		n.size += v.size
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	return nil
}

func (r *jsonReader) items(n *Node) error {
	n.Kind = List
	r.at++ // [
	for r.next() != ']' {
		v, err := r.value()
		if err != nil {
			return err
		}
		n.Items = append(n.Items, v)
		n.size += v.size
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	return nil
}

// text reads a string. Half a surrogate pair is an error: no text holds it, and it would be replaced in silence.
func (r *jsonReader) text() (string, error) {
	from := r.at
	for r.at++; r.source[r.at] != '"'; r.at++ {
		if r.source[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
	raw := r.source[from:r.at]
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", &Error{r.line, err.Error()}
	}
	const replaced = "\ufffd"
	if n := strings.Count(s, replaced); n > strings.Count(string(raw), replaced)+strings.Count(strings.ToLower(string(raw)), `\ufffd`) {
		return "", &Error{r.line, "a text holds half a surrogate pair"}
	}
	return s, nil
}

func (r *jsonReader) skipWord() {
	for r.at < len(r.source) && strings.IndexByte(" \t\r\n,]}", r.source[r.at]) < 0 {
		r.at++
	}
}
