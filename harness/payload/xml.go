package payload

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxElements is how deep the elements of XML may nest.
const maxElements = 256

// ParseXML reads an XML 1.0 document with namespaces; SOAP is no more than that.
//
// The root is an object with one member, the document's element. A member's name is the local name of an element. An
// element with attributes or child elements is an object; every other one is a text. Members of an object, in this
// order: @xmlns, the namespace, when it is another than that of the parent; @name for each attribute, prefixes left
// out; then child elements and, as #text, the texts between them in document order. White space between elements is no
// text, unless xml:space="preserve".
//
// Prefixes, quotes, CDATA sections, comments, processing instructions and the XML declaration are facts. The order of
// attributes is no difference. Comments and processing instructions are also [Doc.Asides].
//
// A document type declaration is a fact when it only names a type; an internal subset is refused, because it can define
// entities, and so is an entity that XML does not define. An external subset is never read. Encodings: UTF-8, UTF-16,
// ISO-8859-1 and Windows-1252, as the byte order mark or else the declaration says; the last three as a view.
func ParseXML(source []byte) (*Doc, error) {
	if len(source) > MaxSize {
		return nil, syntaxError("xml", source, MaxSize, "larger than %d bytes", MaxSize)
	}
	cs, err := charsetOfXML(source)
	if err != nil {
		return nil, err
	}
	if cs != nil {
		return parseView("xml", cs, source, func(text []byte) (*Doc, error) { return parseXML(text, cs) })
	}
	return parseXML(source, nil)
}

// charsetOfXML is nil for UTF-8. A document that says UTF-16 and is not is what a program makes that writes to a string
// first; it is read as it is.
func charsetOfXML(source []byte) (*charset, error) {
	if cs := utf16Of(source); cs != nil {
		return cs, nil
	}
	if bytes.HasPrefix(source, []byte(utf8BOM)) {
		return nil, nil
	}
	declared := strings.ToLower(encodingOf(declarationOf(source)))
	switch declared {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be":
		return nil, nil
	}
	if cs := charsets[declared]; cs != nil {
		return cs, nil
	}
	return nil, syntaxError("xml", source, 0, "encoding %.40q is not known: want UTF-8, UTF-16, ISO-8859-1 or Windows-1252", declared)
}

// declarationOf is what stands in the XML declaration.
func declarationOf(source []byte) string {
	rest, ok := bytes.CutPrefix(bytes.TrimPrefix(source, []byte(utf8BOM)), []byte("<?xml"))
	if !ok || len(rest) == 0 || !isSpace[rest[0]] {
		return ""
	}
	inside, _, ok := bytes.Cut(rest[:min(len(rest), 1000)], []byte("?>"))
	if !ok {
		return ""
	}
	return strings.Join(strings.Fields(string(inside)), " ")
}

// encodingOf is the encoding that a declaration names.
func encodingOf(declaration string) string {
	_, rest, ok := strings.Cut(declaration, "encoding")
	rest, is := strings.CutPrefix(strings.TrimLeft(rest, " "), "=")
	rest = strings.TrimLeft(rest, " ")
	if !ok || !is || rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	name, _, _ := strings.Cut(rest[1:], rest[:1])
	return name
}

// sniffXML wants a tag and its end, and no HTML.
func sniffXML(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	if len(head) < 4 || head[0] != '<' {
		return false
	}
	low := bytes.ToLower(head[:min(len(head), 14)])
	switch {
	case bytes.HasPrefix(low, []byte("<!doctype html")), bytes.HasPrefix(low, []byte("<html")):
		return false
	case bytes.HasPrefix(low, []byte("<?xml")), bytes.HasPrefix(low, []byte("<!--")):
		return true
	}
	return startsName[head[1]] && (bytes.Contains(head, []byte("</")) || bytes.Contains(head, []byte("/>")))
}

// Tables of bytes. Letters beyond ASCII are taken for letters of names, as most of them are.
var isSpace, startsName, isNameByte, isPlainText, isPlainQuoted [256]bool

var _ = func() bool {
	for i := range 256 {
		c := byte(i)
		isSpace[i] = c == ' ' || c == '\t' || c == '\r' || c == '\n'
		startsName[i] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= utf8.RuneSelf
		isNameByte[i] = startsName[i] || c >= '0' && c <= '9' || c == '-' || c == '.'
		isPlainText[i] = c > ' ' && c != '<' && c != '&' && c != '>'
		isPlainQuoted[i] = (c >= ' ' || isSpace[i]) && c != '<' && c != '&' && c != '"' && c != '\''
	}
	return true
}()

// span is a piece of the source.
type span struct{ from, to uint32 }

func (s span) len() int { return int(s.to - s.from) }

// openElement is an element whose end was not read yet.
type openElement struct {
	node      uint32 // its place on the tape
	name      span   // with prefix
	namespace string
	bindings  int  // of the document when it opened
	inner     int  // behind the start tag
	isObject  bool // it has attributes or a namespace of its own
	hasKids   bool
	preserve  bool // xml:space
	text      textRun
}

// textRun is the text read since the last tag. Comments at both ends are left out; those within are part of the span.
type textRun struct {
	span
	begun, significant bool // significant: not only white space
}

// binding is a namespace declaration in scope.
type binding struct {
	prefix span
	uri    string
	at     span
}

type attribute struct {
	prefix, local, value span
}

// xmlParser fills the tape without recursion.
type xmlParser struct {
	tape
	s        []byte
	i        int
	open     []openElement
	scope    []binding
	attrs    []attribute
	asides   []node
	names    []string
	nameOf   map[string]uint32
	spelled  []byte // room for the name of an attribute
	form     xmlForm
	isClosed bool // the document's element ended
}

func (p *xmlParser) fail(at int, what string, args ...any) error {
	return syntaxError("xml", p.s, at, what, args...)
}

func parseXML(text []byte, cs *charset) (*Doc, error) {
	p := xmlParser{s: text, nameOf: map[string]uint32{}}
	p.nodes = make([]node, 0, min((bytes.Count(text, []byte{'<'})+bytes.Count(text, []byte{'"'}))/2, len(text)/4)+4)
	p.form.bound = map[string]string{}
	if bytes.HasPrefix(text, []byte(utf8BOM)) {
		p.i = len(utf8BOM)
	}
	p.begin(node{kind: object})
	if err := p.document(); err != nil {
		return nil, err
	}
	p.finish(len(text))
	for i := range p.asides {
		p.asides[i].end = uint32(len(p.nodes) + i + 1)
	}
	return &Doc{Format: "xml", Source: text, Facts: p.facts(), nodes: append(p.nodes, p.asides...), names: p.names,
		syntax: xmlSyntax{cs}, shared: p.form.shared(text)}, nil
}

func (p *xmlParser) document() error {
	if declaration := declarationOf(p.s); declaration != "" {
		p.form.declaration = declaration
		p.i += bytes.Index(p.s[p.i:], []byte("?>")) + 2
	}
	for p.i < len(p.s) {
		if err := p.next(); err != nil {
			return err
		}
	}
	switch {
	case len(p.open) > 0:
		last := p.open[len(p.open)-1]
		return p.fail(p.i, "ends before </%s> closes what opened at byte %d", p.raw(last.name), p.nodes[last.node].start)
	case !p.isClosed:
		return p.fail(p.i, "ends where an element should be")
	}
	return nil
}

func (p *xmlParser) raw(s span) []byte { return p.s[s.from:s.to] }

// next reads a text or one piece of markup.
func (p *xmlParser) next() error {
	if p.s[p.i] != '<' {
		return p.text()
	}
	rest := p.s[p.i:]
	switch {
	case len(rest) > 1 && startsName[rest[1]]:
		return p.startTag()
	case len(rest) > 1 && rest[1] == '/':
		return p.endTag()
	case bytes.HasPrefix(rest, []byte("<!--")):
		return p.comment()
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return p.cdata()
	case bytes.HasPrefix(rest, []byte("<?")):
		return p.instruction()
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return p.documentType()
	}
	return p.fail(p.i, "< begins no tag")
}

// text reads up to the next tag.
func (p *xmlParser) text() error {
	from, significant := p.i, false
	for p.i < len(p.s) && p.s[p.i] != '<' {
		switch c := p.s[p.i]; {
		case isPlainText[c]:
			significant = true
			for p.i++; p.i < len(p.s) && isPlainText[p.s[p.i]]; p.i++ {
			}
			continue
		case c == '&':
			n, what := referenceLength(p.s[p.i:])
			if n == 0 {
				return p.fail(p.i, "%s", what)
			}
			significant = true
			p.i += n - 1
		case c == '>':
			if significant = true; bytes.HasSuffix(p.s[from:p.i], []byte("]]")) {
				return p.fail(p.i-2, "]]> outside a CDATA section")
			}
		case !isSpace[c]:
			return p.fail(p.i, "control character %#02x", c)
		}
		p.i++
	}
	if len(p.open) == 0 {
		if significant {
			return p.fail(from, "text outside the document's element")
		}
		return nil
	}
	p.extend(from, significant)
	return nil
}

// extend adds what was just read to the text of the open element.
func (p *xmlParser) extend(from int, significant bool) {
	t := &p.open[len(p.open)-1].text
	if !t.begun {
		t.begun, t.from = true, uint32(from)
	}
	t.to = uint32(p.i)
	t.significant = t.significant || significant
}

func (p *xmlParser) cdata() error {
	n := bytes.Index(p.s[p.i:], []byte("]]>"))
	if len(p.open) == 0 {
		return p.fail(p.i, "CDATA section outside the document's element")
	}
	if n < 0 {
		return p.fail(p.i, "CDATA section is never closed")
	}
	from := p.i
	p.i += n + len("]]>")
	p.form.cdata++
	p.extend(from, true)
	return nil
}

func (p *xmlParser) comment() error {
	inside := p.s[p.i+len("<!--"):]
	n := bytes.Index(inside, []byte("--"))
	if n < 0 {
		return p.fail(p.i, "comment is never closed")
	}
	if !bytes.HasPrefix(inside[n:], []byte("-->")) {
		return p.fail(p.i+len("<!--")+n, "-- in a comment")
	}
	p.aside(p.i+len("<!--"), n)
	p.form.comments.add(inside[:n])
	p.i += len("<!--") + n + len("-->")
	return nil
}

func (p *xmlParser) instruction() error {
	inside := p.s[p.i+2:]
	n := bytes.Index(inside, []byte("?>"))
	if n < 0 {
		return p.fail(p.i, "processing instruction is never closed")
	}
	target := inside[:nameLength(inside)]
	if len(target) == 0 || bytes.EqualFold(target, []byte("xml")) {
		return p.fail(p.i, "processing instruction without a name of its own")
	}
	p.aside(p.i+2, n)
	p.form.instructions.add(inside[:n])
	p.i += 2 + n + 2
	return nil
}

func (p *xmlParser) aside(from, n int) {
	p.asides = append(p.asides, node{kind: text, start: uint32(from), stop: uint32(from + n)})
}

// documentType passes over a declaration without an internal subset.
func (p *xmlParser) documentType() error {
	if len(p.open) > 0 || p.isClosed || p.form.doctype != "" {
		return p.fail(p.i, "document type declaration in another place than before the document's element")
	}
	from := p.i + len("<!DOCTYPE")
	quote := byte(0)
	for i := from; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[':
			return p.fail(i, "document type declaration with an internal subset, which can define entities, is refused")
		case c == '>':
			p.form.doctype = strings.Join(strings.Fields(string(p.s[from:i])), " ")
			if p.form.doctype == "" {
				return p.fail(p.i, "document type declaration without a name")
			}
			p.i = i + 1
			return nil
		}
	}
	return p.fail(p.i, "document type declaration is never closed")
}

// nameLength is the length of the name at the start of s.
func nameLength(s []byte) int {
	if len(s) == 0 || !startsName[s[0]] {
		return 0
	}
	for i, c := range s {
		if !isNameByte[c] {
			return i
		}
	}
	return len(s)
}

// name reads a name with at most one prefix.
func (p *xmlParser) name() (prefix, local span, err error) {
	from, i, colons := p.i, p.i, 0
	for ; i < len(p.s) && isNameByte[p.s[i]]; i++ {
		if p.s[i] == ':' {
			colons++
			prefix, local.from = span{uint32(from), uint32(i)}, uint32(i)+1
		}
	}
	if colons == 0 {
		local.from = uint32(from)
	}
	p.i, local.to = i, uint32(i)
	if colons > 1 || colons == 1 && prefix.len() == 0 || local.len() == 0 || !startsName[p.s[from]] || !startsName[p.s[local.from]] {
		return prefix, local, p.fail(from, "want a name")
	}
	return prefix, local, nil
}

func (p *xmlParser) space() bool {
	from := p.i
	for p.i < len(p.s) && isSpace[p.s[p.i]] {
		p.i++
	}
	return p.i > from
}

// startTag opens an element; one that closes itself is closed at once.
func (p *xmlParser) startTag() error {
	start := p.i
	if len(p.open) >= maxElements {
		return p.fail(start, "nested deeper than %d elements", maxElements)
	}
	if len(p.open) == 0 && p.isClosed {
		return p.fail(start, "a second element outside the document's element")
	}
	p.i++
	prefix, local, err := p.name()
	if err != nil {
		return err
	}
	bindings := len(p.scope)
	if err := p.attributes(); err != nil {
		return err
	}
	closed := p.s[p.i] == '/'
	if closed {
		p.i++
	}
	if p.i >= len(p.s) || p.s[p.i] != '>' {
		return p.fail(p.i, "want > at the end of the tag that opened at byte %d", start)
	}
	p.i++
	e := openElement{name: span{uint32(start + 1), local.to}, bindings: bindings, inner: p.i}
	if err := p.enter(&e, start, prefix, local); err != nil {
		return err
	}
	if closed {
		p.leave(p.i-2, true)
	}
	return nil
}

// enter puts the element and its attributes on the tape.
func (p *xmlParser) enter(e *openElement, start int, prefix, local span) error {
	at, uri, ok := p.resolve(prefix)
	if !ok {
		return p.fail(start, "prefix %.40q is not declared", p.raw(prefix))
	}
	p.form.use(p.raw(prefix), uri)
	e.namespace = uri
	outer := ""
	if len(p.open) > 0 {
		parent := &p.open[len(p.open)-1]
		p.flush(parent, false)
		parent.hasKids = true
		outer, e.preserve = parent.namespace, parent.preserve
	}
	p.begin(node{kind: object, named: true, start: uint32(start), nameFrom: local.from, nameTo: local.to})
	e.node = uint32(len(p.nodes) - 1)
	if uri != outer {
		if at.from == 0 { // no namespace, because none is declared
			at = span{uint32(start), uint32(start)}
		}
		p.member([]byte("@xmlns"), at)
	}
	for _, a := range p.attrs {
		if a.prefix.len() > 0 {
			if _, uri, ok = p.resolve(a.prefix); !ok {
				return p.fail(int(a.prefix.from), "prefix %.40q is not declared", p.raw(a.prefix))
			}
			if string(p.raw(a.prefix)) == "xml" && string(p.raw(a.local)) == "space" {
				e.preserve = string(p.raw(a.value)) == "preserve"
			}
		}
		p.spelled = append(append(p.spelled[:0], '@'), p.raw(a.local)...)
		p.member(p.spelled, a.value)
	}
	e.isObject = uri != outer || len(p.attrs) > 0
	p.open = append(p.open, *e)
	return nil
}

// resolve finds the declaration of a prefix. The empty one needs none.
func (p *xmlParser) resolve(prefix span) (at span, uri string, ok bool) {
	name := p.raw(prefix)
	for _, b := range slices.Backward(p.scope) {
		if bytes.Equal(p.raw(b.prefix), name) {
			return b.at, b.uri, true
		}
	}
	if string(name) == "xml" {
		return span{}, "http://www.w3.org/XML/1998/namespace", true
	}
	return span{}, "", len(name) == 0
}

// member adds a text whose name does not stand in the source as it is.
func (p *xmlParser) member(name []byte, value span) {
	i, ok := p.nameOf[string(name)]
	if !ok {
		i = uint32(len(p.names))
		p.names = append(p.names, string(name))
		p.nameOf[string(name)] = i
	}
	p.add(node{kind: text, listed: true, named: true, start: value.from, stop: value.to, nameFrom: i})
}

// attributes reads the attributes of a tag into p.attrs, and its namespace declarations into the scope.
func (p *xmlParser) attributes() error {
	p.attrs = p.attrs[:0]
	for {
		spaced := p.space()
		if p.i >= len(p.s) {
			return p.fail(p.i, "ends inside a tag")
		}
		if c := p.s[p.i]; c == '>' || c == '/' {
			return p.duplicate()
		}
		if !spaced {
			return p.fail(p.i, "want white space or > in a tag")
		}
		at := p.i
		prefix, local, err := p.name()
		if err != nil {
			return err
		}
		a := attribute{prefix: prefix, local: local}
		if a.value, err = p.quoted(); err != nil {
			return err
		}
		switch {
		case prefix.len() == 0 && string(p.raw(local)) == "xmlns":
			p.declare(span{}, a.value)
		case string(p.raw(prefix)) == "xmlns" && a.value.len() == 0:
			return p.fail(at, "prefix %.40q is declared as nothing", p.raw(local))
		case string(p.raw(prefix)) == "xmlns":
			p.declare(local, a.value)
		default:
			p.attrs = append(p.attrs, a)
		}
	}
}

func (p *xmlParser) declare(prefix, value span) {
	b := binding{prefix, xmlSyntax{}.decode(p.raw(value), nil), value}
	p.scope = append(p.scope, b)
	p.form.declare(p.raw(prefix), b.uri, len(p.open))
}

// duplicate reports an attribute that stands in a tag twice.
func (p *xmlParser) duplicate() error {
	if len(p.attrs) < 2 {
		return nil
	}
	key := func(a attribute) string { return string(p.raw(a.prefix)) + ":" + string(p.raw(a.local)) }
	const few = 12
	if len(p.attrs) <= few {
		for i, a := range p.attrs {
			for _, b := range p.attrs[:i] {
				if a.local.len() == b.local.len() && key(a) == key(b) {
					return p.fail(int(a.local.from), "attribute %.40q stands here twice", p.raw(a.local))
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(p.attrs))
	for _, a := range p.attrs {
		if k := key(a); seen[k] {
			return p.fail(int(a.local.from), "attribute %.40q stands here twice", p.raw(a.local))
		} else {
			seen[k] = true
		}
	}
	return nil
}

// quoted reads = and a value in quotes.
func (p *xmlParser) quoted() (value span, err error) {
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '=' {
		return value, p.fail(p.i, "want = after the name of an attribute")
	}
	p.i++
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '"' && p.s[p.i] != '\'' {
		return value, p.fail(p.i, "want the value of an attribute in quotes")
	}
	quote, at := p.s[p.i], p.i
	p.form.quote(quote)
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case isPlainQuoted[c]:
		case c == quote:
			p.i++
			return span{uint32(at + 1), uint32(p.i - 1)}, nil
		case c == '&':
			n, what := referenceLength(p.s[p.i:])
			if n == 0 {
				return value, p.fail(p.i, "%s", what)
			}
			p.i += n - 1
		case c == '<' || c < ' ':
			return value, p.fail(p.i, "%q in the value of an attribute", c)
		}
	}
	return value, p.fail(at, "quote is never closed")
}

func (p *xmlParser) endTag() error {
	start := p.i
	p.i += 2
	if len(p.open) == 0 {
		return p.fail(start, "</%.40s> closes nothing", p.s[p.i:p.i+nameLength(p.s[p.i:])])
	}
	e := &p.open[len(p.open)-1]
	rest, ok := bytes.CutPrefix(p.s[p.i:], p.raw(e.name))
	if !ok || len(rest) > 0 && isNameByte[rest[0]] {
		return p.fail(start, "</%.40s> where </%.40s> should close what opened at byte %d", p.s[p.i:p.i+nameLength(p.s[p.i:])],
			p.raw(e.name), p.nodes[e.node].start)
	}
	p.i += e.name.len()
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '>' {
		return p.fail(p.i, "want > at the end of a tag")
	}
	p.i++
	p.leave(e.inner, false)
	return nil
}

// leave closes the innermost element; empty is where the text of an element without one would stand.
func (p *xmlParser) leave(empty int, hollow bool) {
	e := &p.open[len(p.open)-1]
	isLeaf := !e.isObject && !e.hasKids
	if isLeaf {
		n := &p.nodes[e.node]
		n.kind, n.start = text, uint32(empty)
		stop := empty
		if e.text.begun {
			n.start, stop = e.text.from, int(e.text.to)
		}
		p.form.empty(stop == int(n.start) && !e.text.begun, hollow)
		p.finish(stop)
	} else {
		p.form.empty(!e.hasKids && !e.text.begun, hollow)
		p.flush(e, true)
		p.finish(p.i)
	}
	p.scope = p.scope[:e.bindings]
	p.open = p.open[:len(p.open)-1]
	p.isClosed = len(p.open) == 0
}

// flush adds the text read so far as a member, unless it is white space between elements.
func (p *xmlParser) flush(e *openElement, atEnd bool) {
	t := e.text
	e.text = textRun{}
	if t.begun && (t.significant || e.preserve || atEnd && !e.hasKids) {
		p.member([]byte("#text"), t.span)
	}
}
