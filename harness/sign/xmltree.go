package sign

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlNode is an element, a text, a comment or a processing instruction of a document, with its place in the source. The
// node above the root holds the document itself. A CDATA section is a text.
type xmlNode struct {
	kind       xmlKind
	name       string // as written, with its prefix
	text       string // with references resolved
	attributes []xmlAttribute
	namespaces map[string]string // that the element declares, by prefix
	up         *xmlNode
	kids       []*xmlNode
	inner, end int // bytes between the tags of an element
	order      int // among the elements of the document
}

type xmlAttribute struct {
	name, value string
	at, to      int // of the value, between its quotes
}

type xmlKind uint8

const (
	xmlElement xmlKind = iota
	xmlText
	xmlComment
	xmlInstruction
)

// maxXMLDepth bounds recursion.
const maxXMLDepth = 256

// errNoXML is what is not well-formed, or is but lies beyond what is read here: a document type, another encoding.
var errNoXML = errors.New("the document is not plain XML in UTF-8")

// xmlReader reads a document from its source.
type xmlReader struct {
	source []byte
	at     int
	here   *xmlNode
	depth  int
	all    []*xmlNode // elements in order
}

// readXML reads a document that was found to be well-formed before; it is no check of that. It returns the node above the
// root, and all elements in order.
func readXML(source []byte) (*xmlNode, []*xmlNode, error) {
	if !utf8.Valid(source) {
		return nil, nil, errNoXML
	}
	top := &xmlNode{end: len(source)}
	r := &xmlReader{source: source, here: top, at: len(source) - len(bytes.TrimPrefix(source, []byte("\ufeff")))}
	for r.at < len(source) {
		if err := r.next(); err != nil {
			return nil, nil, err
		}
	}
	if r.here != top || len(r.all) == 0 {
		return nil, nil, errNoXML
	}
	return top, r.all, nil
}

func (r *xmlReader) next() error {
	rest := r.source[r.at:]
	switch {
	case rest[0] != '<':
		return r.run()
	case bytes.HasPrefix(rest, []byte("<!--")):
		return r.until("<!--", "-->", func(text string) { r.add(&xmlNode{kind: xmlComment, text: newLines(text)}) })
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return r.until("<![CDATA[", "]]>", func(text string) { r.add(&xmlNode{kind: xmlText, text: newLines(text)}) })
	case bytes.HasPrefix(rest, []byte("<?")):
		return r.until("<?", "?>", func(text string) {
			target, data, _ := strings.Cut(newLines(text), " ")
			if target != "xml" {
				r.add(&xmlNode{kind: xmlInstruction, name: target, text: strings.TrimLeft(data, " \t\n")})
			}
		})
	case bytes.HasPrefix(rest, []byte("</")):
		return r.endTag()
	case bytes.HasPrefix(rest, []byte("<!")):
		return errNoXML // a document type may give attributes values that nobody sees
	}
	return r.startTag()
}

func (r *xmlReader) add(n *xmlNode) {
	n.up = r.here
	r.here.kids = append(r.here.kids, n)
}

func (r *xmlReader) until(front, back string, take func(text string)) error {
	from := r.at + len(front)
	n := bytes.Index(r.source[min(from, len(r.source)):], []byte(back))
	if n < 0 {
		return errNoXML
	}
	take(string(r.source[from : from+n]))
	r.at = from + n + len(back)
	return nil
}

// run is a text up to the next tag.
func (r *xmlReader) run() error {
	n := bytes.IndexByte(r.source[r.at:], '<')
	if n < 0 {
		n = len(r.source) - r.at
	}
	text, err := resolved(newLines(string(r.source[r.at : r.at+n])))
	if err != nil {
		return err
	}
	r.at += n
	r.add(&xmlNode{kind: xmlText, text: text})
	return nil
}

func (r *xmlReader) endTag() error {
	n := bytes.IndexByte(r.source[r.at:], '>')
	if n < 0 || r.here.up == nil || strings.TrimSpace(string(r.source[r.at+2:r.at+n])) != r.here.name {
		return errNoXML
	}
	r.here.end = r.at
	r.here = r.here.up
	r.depth--
	r.at += n + 1
	return nil
}

func (r *xmlReader) startTag() error {
	if r.depth++; r.depth > maxXMLDepth {
		return fmt.Errorf("elements nest deeper than %d", maxXMLDepth)
	}
	r.at++
	n := &xmlNode{name: r.word(), order: len(r.all)}
	if n.name == "" {
		return errNoXML
	}
	r.add(n)
	r.all = append(r.all, n)
	for {
		r.blanks()
		switch rest := r.source[r.at:]; {
		case bytes.HasPrefix(rest, []byte("/>")):
			r.at += 2
			n.inner, n.end = r.at, r.at
			r.depth--
			return nil
		case bytes.HasPrefix(rest, []byte(">")):
			r.at++
			n.inner, r.here = r.at, n
			return nil
		}
		if err := r.attribute(n); err != nil {
			return err
		}
	}
}

func (r *xmlReader) attribute(n *xmlNode) error {
	name := r.word()
	r.blanks()
	if name == "" || r.at+2 > len(r.source) || r.source[r.at] != '=' {
		return errNoXML
	}
	r.at++
	r.blanks()
	if r.at == len(r.source) || r.source[r.at] != '"' && r.source[r.at] != '\'' {
		return errNoXML
	}
	from := r.at + 1
	size := bytes.IndexByte(r.source[from:], r.source[r.at])
	if size < 0 {
		return errNoXML
	}
	r.at = from + size + 1
	value, err := resolved(strings.NewReplacer("\t", " ", "\n", " ").Replace(newLines(string(r.source[from : from+size]))))
	if err != nil {
		return err
	}
	prefix, declared := strings.CutPrefix(name, "xmlns:")
	if name == "xmlns" || declared {
		if !declared {
			prefix = ""
		}
		if n.namespaces == nil {
			n.namespaces = map[string]string{}
		}
		n.namespaces[prefix] = value
		return nil
	}
	n.attributes = append(n.attributes, xmlAttribute{name, value, from, from + size})
	return nil
}

func (r *xmlReader) word() string {
	from := r.at
	for r.at < len(r.source) && !strings.ContainsRune(" \t\r\n=/><\"'", rune(r.source[r.at])) {
		r.at++
	}
	return string(r.source[from:r.at])
}

func (r *xmlReader) blanks() {
	for r.at < len(r.source) && strings.IndexByte(" \t\r\n", r.source[r.at]) >= 0 {
		r.at++
	}
}

// newLines makes line ends those that XML 1.0 reports (section 2.11).
func newLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

var xmlEntities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// resolved is a text without its references.
func resolved(text string) (string, error) {
	var b strings.Builder
	for {
		front, rest, found := strings.Cut(text, "&")
		b.WriteString(front)
		if !found {
			return b.String(), nil
		}
		name, rest, ok := strings.Cut(rest, ";")
		if !ok {
			return "", errNoXML
		}
		if number, isNumber := strings.CutPrefix(name, "#"); isNumber {
			base := 10
			if hexadecimal, ok := strings.CutPrefix(number, "x"); ok {
				number, base = hexadecimal, 16
			}
			c, err := strconv.ParseUint(number, base, 21)
			if err != nil {
				return "", errNoXML
			}
			b.WriteRune(rune(c))
		} else if plain, known := xmlEntities[name]; known {
			b.WriteString(plain)
		} else {
			return "", errNoXML
		}
		text = rest
	}
}

// split is a name without and with its prefix.
func splitName(name string) (prefix, local string) {
	if prefix, local, ok := strings.Cut(name, ":"); ok {
		return prefix, local
	}
	return "", name
}

const namespaceXML = "http://www.w3.org/XML/1998/namespace"

// namespace is what a prefix stands for at an element.
func (n *xmlNode) namespace(prefix string) string {
	if prefix == "xml" {
		return namespaceXML
	}
	for ; n != nil; n = n.up {
		if uri, ok := n.namespaces[prefix]; ok {
			return uri
		}
	}
	return ""
}

// is reports whether a node is an element of that name, prefix aside, in one of the namespaces.
func (n *xmlNode) is(local string, namespaces ...string) bool {
	prefix, name := splitName(n.name)
	if n.kind != xmlElement || name != local {
		return false
	}
	uri := n.namespace(prefix)
	for _, want := range namespaces {
		if uri == want {
			return true
		}
	}
	return len(namespaces) == 0
}

// child is the first element of that name in the namespace of XML Signature, or nil.
func (n *xmlNode) child(local string) *xmlNode {
	for _, c := range n.children(local) {
		return c
	}
	return nil
}

func (n *xmlNode) children(local string) (found []*xmlNode) {
	if n == nil {
		return nil
	}
	for _, c := range n.kids {
		if c.is(local, namespaceDSig) {
			found = append(found, c)
		}
	}
	return found
}

// attribute is the value of an attribute without a prefix.
func (n *xmlNode) attribute(name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// content is the text of an element.
func (n *xmlNode) content() string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range n.kids {
		if c.kind == xmlText {
			b.WriteString(c.text)
		}
	}
	return b.String()
}

// isWithin reports whether a node is another one, or lies below it.
func (n *xmlNode) isWithin(other *xmlNode) bool {
	for ; n != nil; n = n.up {
		if n == other {
			return true
		}
	}
	return false
}
