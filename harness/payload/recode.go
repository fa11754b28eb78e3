package payload

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// charsets are the encodings that a reader can be told to expect, by the names that are in use, lower case.
var charsets = map[string]*charset{
	"utf-8": nil, "iso-8859-1": latin1, "latin1": latin1, "latin-1": latin1, "iso_8859-1": latin1, "l1": latin1,
	"windows-1252": windows1252, "cp1252": windows1252, "cp-1252": windows1252, "utf-16le": utf16LE, "utf-16be": utf16BE,
}

// ToUTF8 reads a source that is said to be in the encoding of that name and returns it in UTF-8, without a byte order
// mark. UTF-8 that is none is an error that names the first bad byte.
func ToUTF8(encoding string, source []byte) ([]byte, error) {
	cs, known := charsets[strings.ToLower(encoding)]
	switch {
	case !known:
		return nil, fmt.Errorf("encoding %q is not known: want UTF-8, UTF-16LE, UTF-16BE, ISO-8859-1 or Windows-1252", encoding)
	case cs != nil:
		return cs.decode(bytes.TrimPrefix(source, cs.mark))
	}
	source = bytes.TrimPrefix(source, []byte(utf8BOM))
	for i := 0; i < len(source); {
		r, n := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, fmt.Errorf("byte %02X at offset %d is no UTF-8", source[i], i)
		}
		i += n
	}
	return source, nil
}
