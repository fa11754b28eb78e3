package layout

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// encodings are what the bytes of a text may mean. The code pages beginning with cp are those of mainframes (EBCDIC).
var encodings = []namedTable{
	{"utf-8", nil}, {"latin-1", charmap.ISO8859_1}, {"windows-1252", charmap.Windows1252},
	{"cp037", charmap.CodePage037}, {"cp1047", charmap.CodePage1047}, {"cp1140", charmap.CodePage1140},
}

type namedTable struct {
	name  string
	table *charmap.Charmap // nil for UTF-8
}

// encoding is the encoding of a layout made ready.
type encoding struct {
	table  *charmap.Charmap
	ebcdic bool
	ascii  [256]byte // of the bytes of a code page; what is none is a question mark
	bytes  [128]byte // of ASCII in a code page
}

func (e *encoding) set(name string) error {
	at := slices.IndexFunc(encodings, func(row namedTable) bool { return row.name == name })
	if at < 0 {
		names := make([]string, len(encodings))
		for i, row := range encodings {
			names[i] = row.name
		}
		return fmt.Errorf("encoding %q is not known: want %s or %s", name, strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
	}
	e.table, e.ebcdic = encodings[at].table, strings.HasPrefix(name, "cp")
	if !e.ebcdic {
		return nil
	}
	for i := range e.ascii {
		e.ascii[i] = '?'
		if r := e.table.DecodeByte(byte(i)); r < 128 {
			e.ascii[i], e.bytes[r] = byte(r), byte(i)
		}
	}
	return nil
}

// plain is bytes of the encoding in ASCII, as far as they are of it; those of other encodings than EBCDIC stay.
func (e *encoding) plain(b []byte) []byte {
	if !e.ebcdic {
		return b
	}
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = e.ascii[c]
	}
	return out
}

// spelled is the bytes of an ASCII text in the encoding.
func (e *encoding) spelled(text string) []byte {
	out := []byte(text)
	for i, c := range out {
		out[i] = e.byteOf(c)
	}
	return out
}

func (e *encoding) byteOf(c byte) byte {
	if e.ebcdic && int(c) < len(e.bytes) {
		return e.bytes[c]
	}
	return c
}

// Charmap is the table of the encoding; nil for UTF-8.
func (l *Layout) Charmap() *charmap.Charmap { return l.encoding.table }

// IsEBCDIC reports whether the encoding is a code page of mainframes.
func (l *Layout) IsEBCDIC() bool { return l.encoding.ebcdic }

// Plain is bytes of a record in ASCII, with question marks for what ASCII has not; of other encodings than EBCDIC they
// stay.
func (l *Layout) Plain(b []byte) []byte { return l.encoding.plain(b) }

// Byte is the byte that stands for an ASCII character.
func (l *Layout) Byte(c byte) byte { return l.encoding.byteOf(c) }
