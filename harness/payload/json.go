package payload

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf8BOM is the byte order mark of UTF-8.
const utf8BOM = "\xef\xbb\xbf"

// ParseJSON reads one JSON text (RFC 8259). Duplicate members, their order, the digits of numbers and the escapes of
// strings are kept. A byte order mark and bytes that are not UTF-8 are facts.
func ParseJSON(source []byte) (*Doc, error) {
	p := jsonParser{s: source}
	if err := p.parse(); err != nil {
		return nil, err
	}
	facts := jsonFacts(lengthOfBOM(source) > 0, !utf8.Valid(source))
	return &Doc{Format: "json", Source: source, Facts: facts, nodes: p.nodes, syntax: jsonSyntax{}}, nil
}

func jsonFacts(mark, invalid bool) []Fact {
	var facts []Fact
	if mark {
		facts = append(facts, Fact{"byte order mark", "UTF-8"})
	}
	if invalid {
		facts = append(facts, Fact{"encoding", "not UTF-8"})
	}
	return facts
}

func sniffJSON(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

// jsonParser fills the tape without recursion, so that nesting costs no stack.
type jsonParser struct {
	tape
	s []byte
	i int
}

func (p *jsonParser) fail(what string, args ...any) error {
	return syntaxError("json", p.s, p.i, what, args...)
}

func (p *jsonParser) parse() error {
	if len(p.s) > MaxSize {
		return p.fail("larger than %d bytes", MaxSize)
	}
	if bytes.HasPrefix(p.s, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	p.nodes = make([]node, 0, p.guess())
	return p.text()
}

// text reads one value and white space up to the end.
func (p *jsonParser) text() error {
	if err := p.one(); err != nil {
		return err
	}
	if p.space(); p.i < len(p.s) {
		return p.fail("more text after the end of the value")
	}
	return nil
}

// one reads one value.
func (p *jsonParser) one() error {
	for {
		p.space()
		name, err := p.name()
		if err != nil {
			return err
		}
		opened, err := p.value(name)
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if done, err := p.after(); done || err != nil {
			return err
		}
	}
}

// guess is how many nodes there are at most, so that the tape rarely grows; a source that is all marks gets less.
func (p *jsonParser) guess() int {
	n := 1
	for _, mark := range []byte("[{,") {
		n += bytes.Count(p.s, []byte{mark})
	}
	return min(n, len(p.s)/8+1)
}

// name reads a member name and its colon when the open container is an object.
func (p *jsonParser) name() (span [2]uint32, err error) {
	if len(p.open) == 0 || p.nodes[p.open[len(p.open)-1]].kind != object {
		return span, nil
	}
	if p.peek() != '"' {
		return span, p.fail("want a member name in quotes")
	}
	span[0] = uint32(p.i)
	if err := p.str(); err != nil {
		return span, err
	}
	span[1] = uint32(p.i)
	p.space()
	if p.peek() != ':' {
		return span, p.fail("want : after a member name")
	}
	p.i++
	p.space()
	return span, nil
}

// value reads a scalar or opens a container; an empty container is closed at once.
func (p *jsonParser) value(name [2]uint32) (opened bool, err error) {
	n := node{start: uint32(p.i), nameFrom: name[0], nameTo: name[1], named: name[1] > 0}
	switch c := p.peek(); {
	case c == '{' || c == '[':
		return p.container(n, c)
	case c == '"':
		n.kind = text
		err = p.str()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = number
		err = p.number()
	default:
		n.kind, err = p.literal()
	}
	n.stop = uint32(p.i)
	p.add(n)
	return false, err
}

func (p *jsonParser) container(n node, c byte) (opened bool, err error) {
	if len(p.open) >= MaxDepth {
		return false, p.fail("nested deeper than %d levels", MaxDepth)
	}
	closing := byte(']')
	n.kind = array
	if c == '{' {
		closing, n.kind = '}', object
	}
	p.begin(n)
	p.i++
	p.space()
	if p.peek() != closing {
		return true, nil
	}
	p.i++
	p.finish(p.i)
	return false, nil
}

// after reads what follows a value within another: a comma, or closing brackets. It is done behind the outermost one.
func (p *jsonParser) after() (done bool, err error) {
	for {
		if len(p.open) == 0 {
			return true, nil
		}
		p.space()
		closing := byte(']')
		if p.nodes[p.open[len(p.open)-1]].kind == object {
			closing = '}'
		}
		switch p.peek() {
		case ',':
			p.i++
			return false, nil
		case closing:
			p.i++
			p.finish(p.i)
		default:
			if p.i >= len(p.s) {
				return false, p.fail("ends before %q closes what opened at byte %d", closing, p.nodes[p.open[len(p.open)-1]].start)
			}
			return false, p.fail("want , or %q", closing)
		}
	}
}

func (p *jsonParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *jsonParser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *jsonParser) str() error {
	for i := p.i + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.i = i + 1
			return nil
		case c == '\\':
			n := escapeLength(p.s[i:])
			if n == 0 {
				p.i = i
				return p.fail("unknown escape in a string")
			}
			i += n - 1
		case c < ' ':
			p.i = i
			return p.fail("control character %#02x in a string", c)
		}
	}
	at := p.i
	p.i = len(p.s)
	return p.fail("ends inside the string that opened at byte %d", at)
}

// escapeLength returns the length of the escape at the start of s, 0 when it is none.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	if s[1] != 'u' {
		if unescaped[s[1]] != 0 {
			return 2
		}
		return 0
	}
	if _, ok := hex4(s[2:]); !ok {
		return 0
	}
	return 6
}

func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (p *jsonParser) number() error {
	p.accept("-")
	if p.peek() == '0' {
		p.i++
	} else if !p.digits() {
		return p.fail("want a digit")
	}
	if p.accept(".") && !p.digits() {
		return p.fail("want a digit after the decimal point")
	}
	if p.accept("eE") {
		p.accept("+-")
		if !p.digits() {
			return p.fail("want a digit in the exponent")
		}
	}
	return nil
}

func (p *jsonParser) accept(any string) bool {
	if p.i < len(p.s) && strings.IndexByte(any, p.s[p.i]) >= 0 {
		p.i++
		return true
	}
	return false
}

func (p *jsonParser) digits() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

func (p *jsonParser) literal() (kind, error) {
	for _, l := range []struct {
		word string
		kind kind
	}{{"true", boolean}, {"false", boolean}, {"null", null}} {
		if bytes.HasPrefix(p.s[p.i:], []byte(l.word)) {
			p.i += len(l.word)
			return l.kind, nil
		}
	}
	if p.i >= len(p.s) {
		return null, p.fail("ends where a value should be")
	}
	return null, p.fail("unexpected %q, want a value", p.s[p.i])
}

// jsonSyntax spells JSON scalars.
type jsonSyntax struct{}

// plain is all between the quotes when it has no escape.
func (jsonSyntax) plain(raw []byte, _ *node) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return raw, true
	}
	raw = raw[1 : len(raw)-1]
	return raw, bytes.IndexByte(raw, '\\') < 0
}

func (j jsonSyntax) decode(raw []byte, n *node) string {
	if text, ok := j.plain(raw, n); ok {
		return string(text)
	}
	raw = raw[1 : len(raw)-1]
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		var n int
		out, n = unescape(out, raw[i:])
		i += n
	}
	return string(out)
}

// unescape appends what the escape at the start of s stands for. A lone surrogate becomes the three bytes that WTF-8
// gives it, so that two different lone surrogates stay different.
func unescape(out, s []byte) ([]byte, int) {
	if s[1] != 'u' {
		return append(out, unescaped[s[1]]), 2
	}
	r, _ := hex4(s[2:])
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		low, ok := hex4(s[8:])
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(out, pair), 12
		}
	}
	return append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f), 6
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (jsonSyntax) encodeName(out []byte, s string, _ []byte) []byte { return appendQuoted(out, s) }

// encode writes a number as it is when it is one and stood where a number stood; all else becomes a string, which escapes
// slashes and what is beyond ASCII when the one that stood there did.
func (jsonSyntax) encode(out []byte, s string, was []byte, n *node) []byte {
	if k := n.kind; k == number && isJSONNumber(s) || k == boolean && (s == "true" || s == "false") || k == null && s == "null" {
		return append(out, s...)
	}
	slash, ascii := bytes.Contains(was, []byte(`\/`)), bytes.Contains(was, []byte(`\u`)) && lengthOfASCII(was) == len(was)
	if !slash && !ascii {
		return appendQuoted(out, s)
	}
	return appendEscaped(out, appendQuoted(nil, s), slash, ascii)
}

// appendEscaped writes a JSON string in the manner of writers that escape slashes, or everything beyond ASCII.
func appendEscaped(out, quoted []byte, slash, ascii bool) []byte {
	for i := 0; i < len(quoted); {
		r, n := utf8.DecodeRune(quoted[i:])
		switch {
		case slash && r == '/':
			out = append(out, '\\', '/')
		case ascii && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		case ascii && r >= utf8.RuneSelf && (r != utf8.RuneError || n > 1):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, quoted[i:i+n]...)
		}
		i += n
	}
	return out
}

func isJSONNumber(s string) bool {
	p := jsonParser{s: []byte(s)}
	return p.number() == nil && p.i == len(s)
}

// appendQuoted writes a JSON string with the least escapes; bytes that are not UTF-8 stay as they are.
func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c < ' ':
			out = append(out, `\u00`...)
			if c < 0x10 {
				out = append(out, '0')
			}
			out = strconv.AppendUint(out, uint64(c), 16)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
