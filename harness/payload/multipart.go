package payload

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of multipart bodies.
const (
	maxParts    = 10_000
	maxBoundary = 70 // RFC 2046
)

// ParseMultipart reads a body of parts (RFC 2046, RFC 7578): an array of objects. Members of a part are the parameters
// of its Content-Disposition (name, filename), the fields of its head in lower case without those parameters, and body,
// a text or bytes. The boundary is the one of the first line that begins with two hyphens; it is a fact that there is
// one, and not which. What stands before the first and behind the last part is a fact and one of [Doc.Asides].
func ParseMultipart(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("multipart", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	p := multipartParser{s: source}
	start, err := p.findBoundary()
	if err != nil {
		return nil, err
	}
	p.aside("preamble", 0, start)
	p.begin(node{kind: array})
	if err := p.parts(start); err != nil {
		return nil, err
	}
	p.finish(len(source))
	for i := range p.asides {
		p.asides[i].end = uint32(len(p.nodes) + i + 1)
	}
	return &Doc{Format: "multipart", Source: source, Facts: append([]Fact{{"boundary", "present"}}, p.facts...), nodes: append(p.nodes, p.asides...),
		names: p.names, syntax: multipartSyntax{p.boundary}}, nil
}

func sniffMultipart(head []byte) bool {
	p := multipartParser{s: head}
	start, err := p.findBoundary()
	return err == nil && start == 0 && bytes.Contains(head, []byte("\nContent-"))
}

type multipartParser struct {
	tape
	s        []byte
	boundary []byte // with the two hyphens
	names    []string
	facts    []Fact
	asides   []node
}

func (p *multipartParser) aside(name string, from, to int) {
	if len(bytes.TrimSpace(p.s[from:to])) > 0 {
		p.facts = append(p.facts, Fact{name, fmt.Sprintf("%d bytes", to-from)})
		p.asides = append(p.asides, node{kind: text, start: uint32(from), stop: uint32(to)})
	}
}

// findBoundary returns where the first delimiter stands.
func (p *multipartParser) findBoundary() (start int, err error) {
	for at := 0; at < len(p.s); {
		line, rest := lineAt(p.s[at:])
		if b := bytes.TrimRight(line, " \t"); bytes.HasPrefix(b, []byte("--")) && len(b) > 2 && len(b) <= maxBoundary+2 {
			if closing, ok := bytes.CutSuffix(b, []byte("--")); ok && len(closing) > 2 && !bytes.Contains(p.s, slices.Concat(b, []byte("--"))) {
				b = closing // no part at all
			}
			p.boundary = b
			return at, nil
		}
		at += len(p.s[at:]) - len(rest)
	}
	return 0, syntaxError("multipart", p.s, 0, "no line begins with -- and a boundary")
}

// lineAt returns the first line without its end, LF or CRLF, and what follows.
func lineAt(s []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(s, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// delimiter finds the next delimiter line at or behind from: where its line end before it begins, where the next line
// begins, and whether it is the last one.
func (p *multipartParser) delimiter(from int) (stop, next int, last, ok bool) {
	for at := from; ; {
		n := bytes.Index(p.s[at:], p.boundary)
		if n < 0 {
			return 0, 0, false, false
		}
		if at += n; at > 0 && p.s[at-1] != '\n' {
			at += len(p.boundary)
			continue
		}
		line, rest := lineAt(p.s[at+len(p.boundary):])
		last = bytes.HasPrefix(line, []byte("--"))
		blank := len(bytes.Trim(bytes.TrimPrefix(line, []byte("--")), " \t")) == 0
		if blank {
			stop = at
			if stop > from {
				stop--
			}
			if stop > from && p.s[stop-1] == '\r' {
				stop--
			}
			return stop, len(p.s) - len(rest), last, true
		}
		at += len(p.boundary)
	}
}

func (p *multipartParser) parts(start int) error {
	_, at, last, _ := p.delimiter(start)
	for n := 0; !last; n++ {
		if n >= maxParts {
			return syntaxError("multipart", p.s, at, "more than %d parts", maxParts)
		}
		stop, next, isLast, ok := p.delimiter(at)
		if !ok {
			stop, next, isLast = len(p.s), len(p.s), true
			p.facts = append(p.facts, Fact{"closing boundary", "missing"})
		}
		if err := p.part(at, stop); err != nil {
			return err
		}
		at, last = next, isLast
	}
	p.aside("epilogue", at, len(p.s))
	return nil
}

// part reads the head of a part, up to a blank line, and its body.
func (p *multipartParser) part(at, stop int) error {
	p.begin(node{kind: object, start: uint32(at)})
	for at < stop {
		line, rest := lineAt(p.s[at:stop])
		next := stop - len(rest)
		if len(line) == 0 {
			at = next
			break
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || bytes.IndexByte(line[:colon], ' ') >= 0 {
			return syntaxError("multipart", p.s, at, "want a field of the head of a part, or a blank line")
		}
		p.field(strings.ToLower(string(line[:colon])), trimSpan(p.s, span{uint32(at + colon + 1), uint32(at + len(line))}))
		at = next
	}
	at = min(at, stop)
	body := node{kind: text, start: uint32(at), stop: uint32(stop)}
	if b := p.s[at:stop]; !utf8.Valid(b) || !sniffText(b) {
		body.kind = blob
	}
	p.listed("body", body)
	p.finish(stop)
	return nil
}

// field adds a field of a head; those of Content-Disposition are split.
func (p *multipartParser) field(name string, value span) {
	if name != "content-disposition" {
		p.listed(name, node{kind: text, start: value.from, stop: value.to})
		return
	}
	for i, at := 0, int(value.from); at < int(value.to); i++ {
		end := at + parameterLength(p.s[at:value.to])
		piece := trimSpan(p.s, span{uint32(at), uint32(end)})
		eq := bytes.IndexByte(p.s[piece.from:piece.to], '=')
		switch {
		case i == 0 || eq < 0 && piece.len() > 0:
			p.listed(name, node{kind: text, start: piece.from, stop: piece.to})
		case eq >= 0:
			key := trimSpan(p.s, span{piece.from, piece.from + uint32(eq)})
			of := trimSpan(p.s, span{piece.from + uint32(eq) + 1, piece.to})
			if b := p.s[of.from:of.to]; len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
				of.from++
				of.to--
			}
			p.listed(strings.ToLower(string(p.s[key.from:key.to])), node{kind: text, start: of.from, stop: of.to})
		}
		at = end + 1
	}
}

// parameterLength is the length up to a semicolon outside quotes.
func parameterLength(s []byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return i
		}
	}
	return len(s)
}

func (p *multipartParser) listed(name string, n node) {
	n.listed, n.named = true, true
	n.nameFrom = uint32(len(p.names))
	for i, known := range p.names {
		if known == name {
			n.nameFrom = uint32(i)
			break
		}
		if i == maxNames {
			break
		}
	}
	if int(n.nameFrom) == len(p.names) {
		p.names = append(p.names, name)
	}
	p.add(n)
}

// maxNames bounds the search for a name that is known already; what is not found is kept once more.
const maxNames = 64

// multipartSyntax spells texts as they are.
type multipartSyntax struct{ boundary []byte }

// decode is the text as it is: the quotes of a parameter stand outside its span, and clients escape within them each
// in its own way, mostly not at all.
func (multipartSyntax) decode(raw []byte, _ *node) string { return string(raw) }

func (multipartSyntax) encode(out []byte, s string, _ []byte, _ *node) []byte {
	return append(out, s...)
}
func (multipartSyntax) encodeName(out []byte, s string, _ []byte) []byte { return append(out, s...) }

// splices refuses a body in which the boundary stands, and a line end in a head.
func (m multipartSyntax) splices(d *Doc, edits []Edit) ([]splice, error) {
	for _, e := range edits {
		isAside := e.Node.i >= d.nodes[0].end
		isBody := e.Node.Name() == "body" || isAside
		switch {
		case e.Text == e.Node.Text():
		case isAside && strings.Contains("\n"+e.Text, "\n--"), isBody && bytes.Contains([]byte(e.Text), m.boundary):
			return nil, fmt.Errorf("rewrite multipart at byte %d: the boundary stands in the new text", e.Node.Offset())
		case !isBody && strings.ContainsAny(e.Text, "\r\n\";"):
			return nil, fmt.Errorf("rewrite multipart at byte %d: a quote, semicolon or line end in the head of a part", e.Node.Offset())
		}
	}
	return d.splices(edits)
}
