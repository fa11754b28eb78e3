package payload

import (
	"bytes"
	"strconv"
	"strings"
)

// ParseForm reads application/x-www-form-urlencoded: an object of the pairs in their order, duplicates kept. A pair
// without = has null for its value. Escapes that are none are kept as they are and counted as a fact.
func ParseForm(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("form", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	var t tape
	t.begin(node{kind: object})
	empty := 0
	for at := 0; at < len(source); {
		end := len(source)
		if n := bytes.IndexByte(source[at:], '&'); n >= 0 {
			end = at + n
		}
		n := node{kind: null, named: true, start: uint32(end), stop: uint32(end), nameFrom: uint32(at), nameTo: uint32(end)}
		if eq := bytes.IndexByte(source[at:end], '='); eq >= 0 {
			n.kind, n.start, n.nameTo = text, uint32(at+eq+1), uint32(at+eq)
		}
		if at == end {
			empty++
		} else {
			t.add(n)
		}
		at = end + 1
	}
	t.finish(len(source))
	doc := &Doc{Format: "form", Source: source, Facts: encodingFact(source), nodes: t.nodes, syntax: formSyntax{}}
	if bytes.HasSuffix(source, []byte{'&'}) {
		empty++
	}
	if broken := brokenEscapes(source); broken > 0 {
		doc.Facts = append(doc.Facts, Fact{"broken escapes", strconv.Itoa(broken)})
	}
	if empty > 0 {
		doc.Facts = append(doc.Facts, Fact{"empty pairs", strconv.Itoa(empty)})
	}
	return doc, nil
}

func brokenEscapes(source []byte) (broken int) {
	for i, c := range source {
		if _, ok := percent(source[i:]); c == '%' && !ok {
			broken++
		}
	}
	return broken
}

// percent reads the escape at the start of s.
func percent(s []byte) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[1:3]), 16, 8)
	return byte(v), err == nil
}

// formSyntax spells names and values of a form.
type formSyntax struct{}

func (formSyntax) decode(raw []byte, _ *node) string {
	if !bytes.ContainsAny(raw, "+%") {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '+' {
			c = ' '
		} else if b, ok := percent(raw[i:]); ok {
			c = b
			i += 2
		}
		out = append(out, c)
	}
	return string(out)
}

// encode gives a value to a name that had none, when there is one now.
func (s formSyntax) encode(out []byte, value string, was []byte, n *node) []byte {
	if n.kind == null && value == "" {
		return out
	}
	if n.kind == null {
		out = append(out, '=')
	}
	return appendForm(out, value, was)
}

func (s formSyntax) encodeName(out []byte, name string, was []byte) []byte {
	return appendForm(out, name, bytes.ReplaceAll(was, []byte{'='}, nil))
}

// appendForm escapes in the manner of the old text: what stood there plain stays plain, what was escaped stays so.
func appendForm(out []byte, value string, was []byte) []byte {
	const upper, lower = "0123456789ABCDEF", "0123456789abcdef"
	var plain, escaped [256]bool
	digits := upper
	for i := 0; i < len(was); i++ {
		if c, ok := percent(was[i:]); ok {
			if bytes.ContainsAny(was[i+1:i+3], "abcdef") {
				digits = lower
			}
			escaped[c] = true
			i += 2
		} else {
			plain[was[i]] = true
		}
	}
	for i := range len(value) {
		c := value[i]
		isLetter := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("*-._", c) >= 0
		switch {
		case c == ' ' && !escaped[' ']:
			out = append(out, '+')
		case isLetter && !escaped[c], plain[c] && c != '&' && c != '+' && c != '%':
			out = append(out, c)
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}
