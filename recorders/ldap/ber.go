package ldap

import (
	"errors"
	"fmt"
)

// Tags of the universal class that LDAP uses (X.690).
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctets      = 0x04
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagSet         = 0x31
	tagConstructed = 0x20 // bit of a tag
)

// longestHeader is the bytes of a tag and a length of four bytes.
const longestHeader = 6

// errForm is the cause when bytes are not what RFC 4511 section 5.1 allows: definite lengths and low tag numbers.
var errForm = errors.New("not in the form of LDAP")

// header reads a tag and a length from the first bytes of an element. More says that bytes are missing.
func header(b []byte) (tag byte, size, length int, more bool, err error) {
	if len(b) < 2 {
		return 0, 0, 0, true, nil
	}
	if b[0]&0x1f == 0x1f {
		return 0, 0, 0, false, fmt.Errorf("tag %#x: %w", b[0], errForm)
	}
	if b[1] < 0x80 {
		return b[0], 2, int(b[1]), false, nil
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > longestHeader-2 {
		return 0, 0, 0, false, fmt.Errorf("length of %d bytes: %w", n, errForm)
	}
	if len(b) < 2+n {
		return 0, 0, 0, true, nil
	}
	for _, c := range b[2 : 2+n] {
		length = length<<8 | int(c)
	}
	if length < 0 || length > 1<<31-1 {
		return 0, 0, 0, false, fmt.Errorf("length %d: %w", length, errForm)
	}
	return b[0], 2 + n, length, false, nil
}

// element is a value and its tag.
type element struct {
	tag     byte
	content []byte
}

// elements reads what stands one behind the other. The first error stays, and every further element is empty.
type elements struct {
	rest []byte
	err  error
}

func (e element) inside() *elements { return &elements{rest: e.content} }

func (s *elements) more() bool { return s.err == nil && len(s.rest) > 0 }

// peek is the tag of the next element, 0 when there is none.
func (s *elements) peek() byte {
	if !s.more() {
		return 0
	}
	return s.rest[0]
}

func (s *elements) next() element {
	if s.err != nil {
		return element{}
	}
	tag, size, length, more, err := header(s.rest)
	if err == nil && (more || length > len(s.rest)-size) {
		err = fmt.Errorf("element is cut off: %w", errForm)
	}
	if err != nil {
		s.err = err
		return element{}
	}
	e := element{tag, s.rest[size : size+length]}
	s.rest = s.rest[size+length:]
	return e
}

// want reads an element of the tag.
func (s *elements) want(tag byte) element {
	e := s.next()
	if s.err == nil && e.tag != tag {
		s.err = fmt.Errorf("tag %#x, want %#x: %w", e.tag, tag, errForm)
	}
	return e
}

func (s *elements) text() string { return string(s.want(tagOctets).content) }

// number reads an integer or an enumeration. RFC 4511 has none of more than 31 bits.
func (s *elements) number(tag byte) int {
	content := s.want(tag).content
	if s.err == nil && (len(content) == 0 || len(content) > 5) {
		s.err = fmt.Errorf("number of %d bytes: %w", len(content), errForm)
	}
	if s.err != nil {
		return 0
	}
	n := int64(int8(content[0]))
	for _, c := range content[1:] {
		n = n<<8 | int64(c)
	}
	return int(n)
}

func (s *elements) truth() bool {
	content := s.want(tagBoolean).content
	return len(content) == 1 && content[0] != 0
}

// pack writes an element.
func pack(tag byte, contents ...[]byte) []byte {
	var all []byte
	for _, c := range contents {
		all = append(all, c...)
	}
	n := len(all)
	if n < 0x80 {
		return append([]byte{tag, byte(n)}, all...)
	}
	return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, all...)
}

// packNumber writes an integer or an enumeration that is not negative.
func packNumber(tag byte, n int) []byte {
	return pack(tag, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}[leading(n):])
}

// leading is how many of the four bytes of a number are not needed.
func leading(n int) int {
	skip := 0
	for skip < 3 && n>>(8*(3-skip)-1) == 0 {
		skip++
	}
	return skip
}
