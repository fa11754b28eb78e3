package har

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text is a JSON scalar read as text: a string decoded, a number as written; null is absent.
type text struct {
	value   string
	present bool
	lossy   bool // half a surrogate pair became U+FFFD
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

// unquoted decodes what stands between the quotes of a JSON string that the parser found valid. Half a surrogate pair
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
