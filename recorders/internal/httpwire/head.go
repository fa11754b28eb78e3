package httpwire

import (
	"bytes"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a head that is read from the wire.
const (
	MaxHead   = 1 << 20 // bytes
	MaxFields = 512
	MaxLine   = 4096 // bytes of a line between chunks
)

// HeadScanner collects the bytes of one head, up to and with its blank line. The zero value is ready.
type HeadScanner struct {
	buf  []byte
	line int // where the current line begins in buf
}

// Take consumes the part of p that belongs to the head. Blank lines before the head are skipped.
func (s *HeadScanner) Take(p []byte) (n int, done bool) {
	for n < len(p) {
		i := bytes.IndexByte(p[n:], '\n')
		if i < 0 {
			s.buf = append(s.buf, p[n:]...)
			return len(p), false
		}
		s.buf = append(s.buf, p[n:n+i+1]...)
		n += i + 1
		blank := IsBlank(s.buf[s.line:])
		if blank && s.line > 0 {
			return n, true
		}
		if blank {
			s.buf = s.buf[:0]
		}
		s.line = len(s.buf)
	}
	return n, false
}

// Bytes is what was collected; it changes with the next Take.
func (s *HeadScanner) Bytes() []byte { return s.buf }

// Reset makes it ready for the next head.
func (s *HeadScanner) Reset() { s.buf, s.line = s.buf[:0], 0 }

// Overflow reports whether the head is larger than [MaxHead].
func (s *HeadScanner) Overflow() bool { return len(s.buf) > MaxHead }

// Partial reports whether a head has begun and not ended.
func (s *HeadScanner) Partial() bool { return len(bytes.Trim(s.buf, "\r\n")) > 0 }

// IsBlank reports whether a line, which ends in a line feed, holds nothing.
func IsBlank(line []byte) bool {
	return len(line) == 1 || len(line) == 2 && line[0] == '\r'
}

// Head is a head as it crossed: its first line, and its fields in order.
type Head struct {
	Start  string
	Fields harness.Head
}

// ParseHead cuts a head into its fields. Values lose the white space around them, as RFC 9110 section 5.5 defines;
// folded lines are joined by one space, as net/http does.
func ParseHead(b []byte) (h Head, ok bool) {
	text := string(b)
	h.Start, text, _ = strings.Cut(text, "\n")
	h.Start = strings.TrimSuffix(h.Start, "\r")
	h.Fields = make(harness.Head, 0, min(strings.Count(text, "\n"), MaxFields))
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if last := len(h.Fields) - 1; line[0] == ' ' || line[0] == '\t' {
			if last < 0 {
				return h, false
			}
			h.Fields[last].Value += " " + strings.Trim(line, " \t")
			continue
		}
		name, value, colon := strings.Cut(line, ":")
		if !colon || name == "" || len(h.Fields) == MaxFields {
			return h, false
		}
		h.Fields = append(h.Fields, harness.Field{Name: name, Value: strings.Trim(value, " \t")})
	}
	return h, true
}

// Media is the media type of a Content-Type without its parameters, lower case.
func Media(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
