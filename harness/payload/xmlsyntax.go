package payload

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlSyntax spells the texts and names of XML.
type xmlSyntax struct{ charset *charset }

var xmlEntities = []struct {
	name string
	is   byte
}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}

// reference reads what the reference at the start of s stands for. Its length is 0 when it is none.
func reference(s []byte) (r rune, n int) {
	for _, e := range xmlEntities {
		if bytes.HasPrefix(s, []byte(e.name)) {
			return rune(e.is), len(e.name)
		}
	}
	const longest = 16
	end := bytes.IndexByte(s[:min(len(s), longest)], ';')
	if end < 3 || s[1] != '#' {
		return 0, 0
	}
	digits, base := string(s[2:end]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil || v > utf8.MaxRune || !isXMLChar(rune(v)) {
		return 0, 0
	}
	return rune(v), end + 1
}

func referenceLength(s []byte) (n int, what string) {
	if _, n = reference(s); n > 0 {
		return n, ""
	}
	if end := bytes.IndexByte(s[:min(len(s), 40)], ';'); end > 1 {
		return 0, fmt.Sprintf("%s is no entity of XML", s[:end+1])
	}
	return 0, "& begins no reference; a plain one is spelled &amp;"
}

func isXMLChar(r rune) bool {
	return r >= ' ' && r != 0xfffe && r != 0xffff && (r < 0xd800 || r > 0xdfff) || r == '\t' || r == '\n' || r == '\r'
}

// plain is a text without references, markup and carriage returns.
func (xmlSyntax) plain(raw []byte, _ *node) ([]byte, bool) {
	for _, c := range raw {
		if isSpelled[c] {
			return nil, false
		}
	}
	return raw, true
}

// isSpelled are the bytes that do not stand for themselves.
var isSpelled = [256]bool{'&': true, '<': true, '\r': true}

// decode resolves references, takes CDATA sections apart, leaves out comments, and makes line ends what a reader of
// XML sees. The white space of attributes stays as it is.
func (x xmlSyntax) decode(raw []byte, n *node) string {
	if text, ok := x.plain(raw, n); ok {
		return string(text)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '&':
			r, n := reference(raw[i:])
			if n == 0 {
				out = append(out, c)
				i++
				continue
			}
			out = utf8.AppendRune(out, r)
			i += n
		case '<':
			var n int
			out, n = appendMarkup(out, raw[i:])
			i += n
		case '\r':
			out = append(out, '\n')
			if i++; i < len(raw) && raw[i] == '\n' {
				i++
			}
		default:
			out = append(out, c)
			i++
		}
	}
	return string(out)
}

// appendMarkup appends what a CDATA section holds; a comment or instruction holds nothing.
func appendMarkup(out, s []byte) ([]byte, int) {
	const open = "<![CDATA["
	end, mark := -1, "]]>"
	switch {
	case bytes.HasPrefix(s, []byte(open)):
		if end = bytes.Index(s, []byte(mark)); end >= 0 {
			inside := bytes.ReplaceAll(s[len(open):end], []byte("\r\n"), []byte("\n"))
			out = append(out, bytes.ReplaceAll(inside, []byte("\r"), []byte("\n"))...)
		}
	case bytes.HasPrefix(s, []byte("<!--")):
		mark = "-->"
		end = bytes.Index(s, []byte(mark))
	case bytes.HasPrefix(s, []byte("<?")):
		mark = "?>"
		end = bytes.Index(s, []byte(mark))
	}
	if end < 0 { // no markup: the name of a member, or a text of which only a part is asked for
		return append(out, s[0]), 1
	}
	return out, end + len(mark)
}

func (x xmlSyntax) encode(out []byte, s string, was []byte, _ *node) []byte {
	return x.spellText(out, s, was)
}

func (x xmlSyntax) encodeName(out []byte, s string, _ []byte) []byte { return append(out, s...) }

// spellText appends a text between tags, in CDATA when it was. A text of white space alone begins with a reference,
// because else it would be no text where elements stand beside it.
func (x xmlSyntax) spellText(out []byte, s string, was []byte) []byte {
	const open, end = "<![CDATA[", "]]>"
	if bytes.HasPrefix(was, []byte(open)) && bytes.Index(was, []byte(end)) == len(was)-len(end) && x.fits(s) && !strings.Contains(s, "\r") {
		return append(append(append(out, open...), strings.ReplaceAll(s, end, "]]]]><![CDATA[>")...), end...)
	}
	greater := bytes.Contains(was, []byte("&gt;")) || strings.Contains(s, end)
	blank := s != "" && strings.Trim(s, " \t\n\r") == "" && len(bytes.Trim(was, " \t\n\r")) > 0
	for i, r := range s {
		switch {
		case r == '&':
			out = append(out, "&amp;"...)
		case r == '<':
			out = append(out, "&lt;"...)
		case r == '>' && greater:
			out = append(out, "&gt;"...)
		case r == '\r' || blank && i == 0:
			out = fmt.Appendf(out, "&#%d;", r)
		default:
			out = x.appendRune(out, s, i, r)
		}
	}
	return out
}

// spellQuoted appends the value of an attribute. Line ends and tabs that were not there before are written as
// references, because a reader of XML takes them for blanks.
func (x xmlSyntax) spellQuoted(out []byte, s string, was []byte, quote byte) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			out = append(out, "&amp;"...)
		case r == '<':
			out = append(out, "&lt;"...)
		case r == '>' && bytes.Contains(was, []byte("&gt;")):
			out = append(out, "&gt;"...)
		case r == '"' && quote == '"':
			out = append(out, "&quot;"...)
		case r == '\'' && quote == '\'':
			out = append(out, "&apos;"...)
		case r == '\r' || (r == '\n' || r == '\t') && bytes.IndexByte(was, byte(r)) < 0:
			out = fmt.Appendf(out, "&#%d;", r)
		default:
			out = x.appendRune(out, s, i, r)
		}
	}
	return out
}

// appendRune writes the character at s[i], a byte that is not UTF-8 as it is.
func (x xmlSyntax) appendRune(out []byte, s string, i int, r rune) []byte {
	if r == utf8.RuneError {
		_, n := utf8.DecodeRuneInString(s[i:])
		return append(out, s[i:i+n]...)
	}
	if x.charset != nil && !x.charset.has(r) {
		return fmt.Appendf(out, "&#%d;", r)
	}
	return utf8.AppendRune(out, r)
}

// fits reports whether the document's encoding can spell the text without references.
func (x xmlSyntax) fits(s string) bool {
	for _, r := range s {
		if x.charset != nil && !x.charset.has(r) {
			return false
		}
	}
	return true
}

// splices spells each edit by where it stands: between tags, in an attribute, in a tag that closes itself, or in a
// comment. A new name of an element goes into its end tag, too.
func (x xmlSyntax) splices(d *Doc, edits []Edit) ([]splice, error) {
	out := make([]splice, 0, len(edits))
	renamed := map[uint32]string{}
	for _, e := range edits {
		if _, again := renamed[e.Node.i]; !e.Name || again {
			continue
		}
		spans, err := x.nameSpans(d, e)
		if err != nil {
			return nil, err
		}
		name := e.Text
		if e.Node.node().listed {
			name = name[1:] // @
		}
		renamed[e.Node.i] = name
		for _, s := range spans {
			out = append(out, splice{s.from, s.to, []byte(name)})
		}
	}
	room := make([]byte, 0, roomFor(edits))
	for _, e := range edits {
		n, from := e.Node.node(), len(room)
		if e.Name || e.Node.isUndeclared() && e.Text == "" {
			continue
		}
		s, err := x.spell(d, e, renamed, room)
		if err != nil {
			return nil, fmt.Errorf("rewrite xml at byte %d: %w", n.start, err)
		}
		room = s.with
		s.with = room[from:]
		out = append(out, s)
	}
	return out, nil
}

// isUndeclared reports whether the node stands for the namespace of an element that has none.
func (n Node) isUndeclared() bool {
	e := n.node()
	return e.listed && e.start == e.stop && n.doc.Source[e.start] == '<' && n.Name() == "@xmlns"
}

// spell makes the splice of one new text, appended to the room of all.
func (x xmlSyntax) spell(d *Doc, e Edit, renamed map[uint32]string, room []byte) (splice, error) {
	n := e.Node.node()
	for _, r := range e.Text {
		if !isXMLChar(r) {
			return splice{}, fmt.Errorf("character %U has no place in XML", r)
		}
	}
	switch {
	case !e.Node.IsScalar():
		return splice{}, fmt.Errorf("not a scalar")
	case e.Node.isUndeclared():
		return splice{}, fmt.Errorf("no namespace is declared there")
	case e.Node.i >= d.nodes[0].end:
		if d.Source[n.start-1] == '?' && strings.Contains(e.Text, "?>") || d.Source[n.start-1] == '-' && (strings.Contains(e.Text, "--") || strings.HasSuffix(e.Text, "-")) {
			return splice{}, fmt.Errorf("the text would end the comment")
		}
		return splice{n.start, n.stop, append(room, e.Text...)}, nil
	case n.listed && e.Node.Name() != "#text":
		return splice{n.start, n.stop, x.spellQuoted(room, e.Text, e.Node.Raw(), d.Source[n.start-1])}, nil
	case !isHollow(d, n):
		return splice{n.start, n.stop, x.spellText(room, e.Text, e.Node.Raw())}, nil
	case e.Text == "":
		return splice{n.start, n.stop, room}, nil
	}
	from := n.nameFrom
	for d.Source[from-1] != '<' {
		from--
	}
	name := string(d.Source[from:n.nameTo])
	if to, ok := renamed[e.Node.i]; ok {
		name = string(d.Source[from:n.nameFrom]) + to
	}
	room = x.spellText(append(room, '>'), e.Text, nil)
	return splice{n.start, n.start + 2, fmt.Appendf(room, "</%s>", name)}, nil
}

// isHollow reports whether a leaf is a tag that closes itself.
func isHollow(d *Doc, n *node) bool {
	return n.start == n.stop && d.Source[n.start] == '/' && d.Source[n.start-1] != '>'
}

// nameSpans are the places of a member's local name.
func (x xmlSyntax) nameSpans(d *Doc, e Edit) ([]span, error) {
	n := e.Node.node()
	name := e.Text
	isAttribute := n.listed && strings.HasPrefix(e.Node.Name(), "@") && e.Node.Name() != "@xmlns"
	if isAttribute {
		name, isAttribute = strings.CutPrefix(name, "@")
	}
	switch {
	case !n.named || n.listed && !isAttribute:
		return nil, fmt.Errorf("rewrite xml at byte %d: no name stands there", n.start)
	case nameLength([]byte(name)) != len(name) || name == "" || strings.Contains(name, ":") || name == "xmlns" || !x.fits(name):
		return nil, fmt.Errorf("rewrite xml at byte %d: %.40q cannot be a name", n.start, e.Text)
	case isAttribute:
		to := n.start - 1 // the quote
		for to--; !isNameByte[d.Source[to]]; to-- {
		}
		to++
		from := to
		for isNameByte[d.Source[from-1]] && d.Source[from-1] != ':' {
			from--
		}
		return []span{{from, to}}, nil
	}
	start := span{n.nameFrom, n.nameTo}
	if e.Node.IsScalar() && isHollow(d, n) || !e.Node.IsScalar() && d.Source[n.stop-2] == '/' {
		return []span{start}, nil
	}
	to := n.stop - 1 // the > of the end tag
	if e.Node.IsScalar() {
		to = endTagBehind(d.Source, n.stop)
	}
	for to--; !isNameByte[d.Source[to]]; to-- {
	}
	return []span{start, {to + 1 - uint32(start.len()), to + 1}}, nil
}

// endTagBehind returns where the end tag of a leaf ends; comments may stand before it.
func endTagBehind(s []byte, at uint32) uint32 {
	for s[at+1] != '/' || s[at] != '<' {
		_, n := appendMarkup(nil, s[at:])
		at += uint32(n)
	}
	return at + uint32(bytes.IndexByte(s[at:], '>'))
}
