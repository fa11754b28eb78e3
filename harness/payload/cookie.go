package payload

import (
	"bytes"
	"fmt"
	"strings"
)

// ParseSetCookie reads the value of a Set-Cookie field (RFC 6265): an object with the members name and value, and one
// for each attribute, its name in lower case. An attribute without a value (Secure, HttpOnly) is null. A value that is
// no cookie has a name only.
func ParseSetCookie(value string) *Doc {
	d := cookieParser{doc: Doc{Format: "set-cookie", Source: []byte(value), syntax: cookieSyntax{}}}
	return d.parse(func(i int, name, value span, hasValue bool) {
		if i > 0 {
			d.listed(strings.ToLower(string(d.doc.Source[name.from:name.to])), value, hasValue)
			return
		}
		d.listed("name", name, true)
		if hasValue {
			d.listed("value", value, true)
		}
	})
}

// ParseCookie reads the value of a Cookie field: an object of the pairs in their order.
func ParseCookie(value string) *Doc {
	d := cookieParser{doc: Doc{Format: "cookie", Source: []byte(value), syntax: cookieSyntax{}}}
	return d.parse(func(_ int, name, value span, hasValue bool) {
		n := node{kind: null, named: true, start: value.from, stop: value.to, nameFrom: name.from, nameTo: name.to}
		if hasValue {
			n.kind = text
		}
		d.add(n)
	})
}

type cookieParser struct {
	tape
	doc Doc
}

// parse hands over the pairs between semicolons, white space left out.
func (p *cookieParser) parse(pair func(i int, name, value span, hasValue bool)) *Doc {
	p.begin(node{kind: object})
	s := p.doc.Source
	for i, at := 0, 0; at < len(s); i++ {
		end := len(s)
		if n := bytes.IndexByte(s[at:], ';'); n >= 0 {
			end = at + n
		}
		whole := trimSpan(s, span{uint32(at), uint32(end)})
		name, value := whole, span{whole.to, whole.to}
		eq := bytes.IndexByte(s[whole.from:whole.to], '=')
		if eq >= 0 {
			name = trimSpan(s, span{whole.from, whole.from + uint32(eq)})
			value = trimSpan(s, span{whole.from + uint32(eq) + 1, whole.to})
		}
		if whole.len() > 0 {
			pair(i, name, value, eq >= 0)
		}
		at = end + 1
	}
	p.finish(len(s))
	p.doc.nodes = p.nodes
	return &p.doc
}

func (p *cookieParser) listed(name string, value span, hasValue bool) {
	n := node{kind: null, listed: true, named: true, start: value.from, stop: value.to, nameFrom: uint32(len(p.doc.names))}
	if hasValue {
		n.kind = text
	}
	p.doc.names = append(p.doc.names, name)
	p.add(n)
}

func trimSpan(s []byte, t span) span {
	for t.from < t.to && (s[t.from] == ' ' || s[t.from] == '\t') {
		t.from++
	}
	for t.from < t.to && (s[t.to-1] == ' ' || s[t.to-1] == '\t') {
		t.to--
	}
	return t
}

// cookieSyntax spells cookies, which know no escapes: what would end a cookie is written as its number in percent.
type cookieSyntax struct{ plainSyntax }

func (cookieSyntax) encode(out []byte, s string, _ []byte, n *node) []byte {
	if n.kind == null && s != "" {
		out = append(out, '=')
	}
	return appendCookie(out, s, ";")
}

func (cookieSyntax) encodeName(out []byte, s string, _ []byte) []byte {
	return appendCookie(out, s, ";=")
}

func appendCookie(out []byte, s, special string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || strings.IndexByte(special, c) >= 0 {
			out = fmt.Appendf(out, "%%%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return out
}
