package mitmproxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds of what is read.
const (
	maxFlow   = 256 << 20 // bytes of one flow
	maxDepth  = 32        // of lists and dictionaries in one another
	maxValues = 1 << 20   // in one flow
	maxDigits = 10        // of a length
)

// value is a tagged netstring: nil, bool, number, string (UTF-8 text), []byte, []value or dict. Bytes are those that were
// read and not a copy.
type value any

// number is an integer or decimal as written.
type number string

// dict is a dictionary; of a key that occurs twice the last holds.
type dict map[string]value

// readFlow reads the next netstring of a file and the bytes that it took. The error is io.EOF when nothing is left.
func readFlow(r *bufio.Reader) (raw []byte, size int64, err error) {
	length := make([]byte, 0, maxDigits)
	for {
		c, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && size == 0:
			return nil, 0, io.EOF
		case err != nil:
			return nil, size, unexpected(err)
		}
		size++
		if c == ':' {
			break
		}
		if c < '0' || c > '9' || len(length) == maxDigits {
			return nil, size, fmt.Errorf("%q is not a length", append(length, c))
		}
		length = append(length, c)
	}
	n, err := strconv.ParseInt(string(length), 10, 64)
	if err != nil || n > maxFlow {
		return nil, size, fmt.Errorf("length %q: not a number up to %d", length, int64(maxFlow))
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, n+1); err != nil {
		return nil, size + int64(b.Len()), unexpected(err)
	}
	return b.Bytes(), size + n + 1, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parser reads netstrings out of the bytes of one flow.
type parser struct{ left int }

// parse reads a payload with the tag that follows it.
func parse(raw []byte) (value, error) {
	p := parser{left: maxValues}
	last := len(raw) - 1
	return p.payload(raw[:last], raw[last], 0)
}

func (p *parser) payload(b []byte, tag byte, depth int) (value, error) {
	if p.left--; p.left < 0 {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	switch tag {
	case ',':
		return b, nil
	case ';':
		return string(b), nil
	case '#', '^':
		if _, err := strconv.ParseFloat(string(b), 64); err != nil {
			return nil, fmt.Errorf("%.20q is not a number", b)
		}
		return number(b), nil
	case '!':
		if s := string(b); s == "true" || s == "false" {
			return s == "true", nil
		}
		return nil, fmt.Errorf("%.20q is not a truth value", b)
	case '~':
		if len(b) > 0 {
			return nil, errors.New("null has a value")
		}
		return nil, nil
	case ']', '}':
		list, err := p.list(b, depth)
		if err != nil || tag == ']' {
			return list, err
		}
		return pair(list)
	}
	return nil, fmt.Errorf("tag %q is not known", tag)
}

// list reads netstrings that follow each other.
func (p *parser) list(b []byte, depth int) ([]value, error) {
	if depth == maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	var list []value
	for len(b) > 0 {
		digits, _, found := bytes.Cut(b[:min(len(b), maxDigits+1)], []byte(":"))
		n, err := strconv.ParseUint(string(digits), 10, 63)
		if !found || err != nil {
			return nil, fmt.Errorf("%.20q is not a length", digits)
		}
		if b = b[len(digits)+1:]; n >= uint64(len(b)) {
			return nil, fmt.Errorf("a length of %d is more than there is", n)
		}
		v, err := p.payload(b[:n], b[n], depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		b = b[n+1:]
	}
	return list, nil
}

// pair makes a dictionary of keys and values that take turns.
func pair(list []value) (dict, error) {
	if len(list)%2 != 0 {
		return nil, errors.New("a dictionary holds a key without a value")
	}
	d := make(dict, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		key, ok := text(list[i])
		if !ok {
			return nil, errors.New("a dictionary holds a key that is not text")
		}
		d[key] = list[i+1]
	}
	return d, nil
}

// text is a text or bytes as a string.
func text(v value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}
