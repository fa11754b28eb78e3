package ldap

import (
	"fmt"
	"strings"
)

// withheld stands in a filter for a password.
const withheld = "withheld"

// deepest is how many filters may lie within one another.
const deepest = 100

// Tags of filters (RFC 4511 section 4.5.1).
const (
	filterAnd        = 0xa0
	filterOr         = 0xa1
	filterNot        = 0xa2
	filterEqual      = 0xa3
	filterSubstrings = 0xa4
	filterAtLeast    = 0xa5
	filterAtMost     = 0xa6
	filterPresent    = 0x87
	filterApprox     = 0xa8
	filterExtensible = 0xa9
)

var comparisons = map[byte]string{filterEqual: "=", filterAtLeast: ">=", filterAtMost: "<=", filterApprox: "~="}

// filterText writes a filter as text, RFC 4515.
func filterText(e element) (string, error) {
	var b strings.Builder
	err := writeFilter(&b, e, deepest)
	return b.String(), err
}

func writeFilter(b *strings.Builder, e element, depth int) error {
	if depth == 0 {
		return fmt.Errorf("filter is more than %d deep: %w", deepest, errForm)
	}
	s := e.inside()
	b.WriteByte('(')
	switch e.tag {
	case filterAnd, filterOr, filterNot:
		b.WriteByte("&|!"[e.tag-filterAnd])
		for s.more() {
			inner := s.next()
			if s.err != nil {
				break
			}
			if err := writeFilter(b, inner, depth-1); err != nil {
				return err
			}
		}
	case filterPresent:
		b.WriteString(clean(string(e.content)) + "=*")
	case filterSubstrings:
		writeSubstrings(b, s)
	case filterExtensible:
		writeExtensible(b, s)
	default:
		comparison, ok := comparisons[e.tag]
		if !ok {
			return fmt.Errorf("filter %#x: %w", e.tag, errForm)
		}
		name := s.text()
		b.WriteString(clean(name) + comparison + escaped(name, s.want(tagOctets).content))
	}
	b.WriteByte(')')
	return s.err
}

const tagInitial, tagFinal = 0x80, 0x82

func writeSubstrings(b *strings.Builder, s *elements) {
	name := s.text()
	b.WriteString(clean(name) + "=")
	parts := s.want(tagSequence).inside()
	for parts.more() {
		part := parts.next()
		if part.tag != tagInitial {
			b.WriteByte('*')
		}
		b.WriteString(escaped(name, part.content))
		if part.tag != tagFinal && !parts.more() {
			b.WriteByte('*')
		}
	}
	s.err = firstOf(s.err, parts.err)
}

const tagRule, tagType, tagMatch, tagDNAttributes = 0x81, 0x82, 0x83, 0x84

func writeExtensible(b *strings.Builder, s *elements) {
	var name, rule, dn string
	var value []byte
	for s.more() {
		switch e := s.next(); e.tag {
		case tagRule:
			rule = ":" + clean(string(e.content))
		case tagType:
			name = string(e.content)
		case tagMatch:
			value = e.content
		case tagDNAttributes:
			if len(e.content) == 1 && e.content[0] != 0 {
				dn = ":dn"
			}
		}
	}
	b.WriteString(clean(name) + dn + rule + ":=" + escaped(name, value))
}

// escaped is a value in a filter; that of a password is withheld.
func escaped(attribute string, value []byte) string {
	if isPassword(attribute) {
		return withheld
	}
	const digits = "0123456789abcdef"
	text := isText(value)
	var b strings.Builder
	for _, c := range value {
		if strings.IndexByte("*()\\", c) >= 0 || c < ' ' || c == 0x7f || c > 0x7f && !text {
			b.Write([]byte{'\\', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
