package payload

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// ediSyntax spells elements. X12 has no way to spell a separator: it becomes a blank. EDIFACT releases it.
type ediSyntax struct {
	marks      marks
	terminator []byte
	wrapped    int // characters of a line of a source that was broken into lines of equal width; 0: it was not
	headers    [][2]uint32
}

func (s ediSyntax) decode(raw []byte, _ *node) string {
	if s.wrapped == 0 && (s.marks.release == 0 || bytes.IndexByte(raw, s.marks.release) < 0) {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case s.wrapped > 0 && (c == '\r' || c == '\n'):
			continue
		case c == s.marks.release && c != 0 && i+1 < len(raw):
			i++
			c = raw[i]
		}
		out = append(out, c)
	}
	return string(out)
}

func (s ediSyntax) encode(out []byte, value string, was []byte, n *node) []byte {
	if n.kind == blob {
		return append(out, value...)
	}
	if value == s.decode(was, n) {
		return append(out, was...)
	}
	from := len(out)
	for i := range len(value) {
		c := value[i]
		special := s.marks.class[c] != 0 || bytes.IndexByte(s.terminator, c) >= 0 || c == s.marks.release && c != 0 || s.wrapped > 0 && (c == '\r' || c == '\n')
		switch {
		case special && s.marks.release != 0 && c != '\r' && c != '\n':
			out = append(out, s.marks.release, c)
		case special:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	if s.inHeader(n) {
		if len(was) == 1 && s.marks.class[was[0]] != 0 {
			return append(out[:from], was...) // a separator is no text
		}
		return fit(out, from, len(was), ' ', false, true)
	}
	return out
}

// inHeader reports whether a scalar stands in a header that names the separators. What is empty stands nowhere.
func (s ediSyntax) inHeader(n *node) bool {
	if n == nil || n.start == n.stop {
		return false
	}
	i, found := slices.BinarySearchFunc(s.headers, n.start, func(h [2]uint32, at uint32) int {
		switch {
		case h[1] <= at:
			return -1
		case h[0] > at:
			return 1
		}
		return 0
	})
	return found && i < len(s.headers)
}

// finish breaks a source into lines of the width again, after texts of other lengths were put into it.
func (s ediSyntax) finish(was, out []byte) []byte {
	if s.wrapped == 0 {
		return out
	}
	line, rest := cutLine(was)
	end := was[len(line) : len(was)-len(rest)]
	lines := make([]byte, 0, len(out))
	width := 0
	for _, c := range out {
		switch {
		case c == '\r' || c == '\n':
			continue
		case utf8.RuneStart(c) && width == s.wrapped:
			lines, width = append(lines, end...), 0
		}
		if utf8.RuneStart(c) {
			width++
		}
		lines = append(lines, c)
	}
	return append(lines, was[len(bytes.TrimRight(was, "\r\n")):]...)
}

func (ediSyntax) encodeName(out []byte, value string, _ []byte) []byte { return append(out, value...) }
