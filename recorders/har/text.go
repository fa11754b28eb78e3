package har

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
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
	for i := 0; i < len(b); {
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
		if err := json.Unmarshal(raw, &t.value); err != nil {
			return err
		}
		t.lossy = bytes.Contains(raw, []byte(`\u`)) && hasLoneSurrogate(raw)
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

// hasLoneSurrogate reports whether a JSON string holds an escape of half a surrogate pair.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		r, ok := unicodeEscape(raw[i-1:])
		if !ok || !utf16.IsSurrogate(r) {
			continue
		}
		low, ok := unicodeEscape(raw[i+5:])
		if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return true
		}
		i += 10
	}
	return false
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

// latin1 writes text with one byte for each character; not ok when a character has no such byte.
func latin1(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}
