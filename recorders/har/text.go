package har

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// textReader passes UTF-8 on without its byte order mark and fails at the first byte that is not UTF-8, which the JSON
// decoder would replace in silence.
type textReader struct {
	r       io.Reader
	started bool
	offset  int64
	pending []byte // an incomplete character at the end of what was read, at most 3 bytes
}

// encodingError says where an archive is not UTF-8, in bytes from its start.
type encodingError struct{ offset int64 }

func (e *encodingError) Error() string { return fmt.Sprintf("byte %d is not UTF-8", e.offset) }

// Read needs room for two characters; the JSON decoder gives more.
func (t *textReader) Read(p []byte) (int, error) {
	if len(p) < 2*utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	n := copy(p, t.pending)
	t.pending = nil
	more, err := t.r.Read(p[n:])
	n += more
	b := p[:n]
	if !t.started && (n >= 3 || err != nil) {
		t.started = true
		if bom := []byte("\ufeff"); bytes.HasPrefix(b, bom) {
			n = copy(p, b[len(bom):])
			t.offset += int64(len(bom))
			b = p[:n]
		}
	}
	valid := utf8.Valid(b)
	for i := 0; i < len(b) && !valid; {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			if err == nil && !utf8.FullRune(b[i:]) {
				t.pending = bytes.Clone(b[i:])
				b = b[:i]
				break
			}
			return 0, &encodingError{t.offset + int64(i)}
		}
		i += size
	}
	t.offset += int64(len(b))
	return len(b), err
}

// text is a JSON scalar read as text: a string decoded, a number as written; null is absent.
type text struct {
	value   string
	present bool
	lossy   bool // half a surrogate pair became U+FFFD
}

// UnmarshalJSON reads a scalar; a list or object is an error.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '{', '[':
		return fmt.Errorf("want a text or a number, have %.20s", raw)
	case 'n':
		return nil
	case '"':
		t.value, t.lossy = unquoted(raw[1 : len(raw)-1])
	default:
		t.value = string(raw)
	}
	t.present = true
	return nil
}

// int reads a number, -1 when there is none.
func (t text) int() int {
	n, err := strconv.Atoi(t.value)
	if err != nil {
		return -1
	}
	return n
}

// escapes are those of one letter.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unquoted decodes what stands between the quotes of a JSON string that the decoder found valid. Half a surrogate pair
// becomes U+FFFD, which is a loss.
func unquoted(raw []byte) (value string, lossy bool) {
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return string(raw), false
	}
	var b strings.Builder
	b.Grow(len(raw))
	for ; i >= 0; i = bytes.IndexByte(raw, '\\') {
		b.Write(raw[:i])
		raw = raw[i:]
		r, ok := unicodeEscape(raw)
		if !ok {
			b.WriteByte(escapes[raw[1]])
			raw = raw[len(`\n`):]
			continue
		}
		raw = raw[len(`\u0000`):]
		if utf16.IsSurrogate(r) {
			low, _ := unicodeEscape(raw)
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				lossy = true
			} else {
				raw = raw[len(`\u0000`):]
			}
		}
		b.WriteRune(r)
	}
	b.Write(raw)
	return b.String(), lossy
}

// unicodeEscape reads \uXXXX.
func unicodeEscape(raw []byte) (rune, bool) {
	const length = 6
	if len(raw) < length || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:length]), 16, 16)
	return rune(n), err == nil
}

// latin1 writes text with one byte for each character; not ok when a character has no such byte, or when the text is
// ASCII and the same in UTF-8.
func latin1(s string) ([]byte, bool) {
	if utf8.RuneCountInString(s) == len(s) {
		return nil, false
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}
