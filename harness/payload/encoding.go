package payload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding names the encoding of a text by its bytes, and says what shows it. The name is empty for plain UTF-8, for
// which there is nothing to show. The name does not depend on how often something occurs, so that two texts in one
// encoding have the same; the evidence does.
func Encoding(source []byte) (name, evidence string) {
	if cs := utf16Of(source); cs != nil {
		if bytes.HasPrefix(source, cs.mark) {
			return cs.name + " with byte order mark", fmt.Sprintf("begins with % X", cs.mark)
		}
		return cs.name, "every other byte is zero"
	}
	var t encodingTally
	t.add(source)
	return t.name()
}

// encodingFact is Encoding as facts of a document.
func encodingFact(source []byte) []Fact {
	name, _ := Encoding(source)
	return namedEncoding(name)
}

func namedEncoding(name string) []Fact {
	if name == "" {
		return nil
	}
	return []Fact{{"encoding", name}}
}

// encodingTally counts what tells encodings apart, in a text that comes in pieces which end between characters.
type encodingTally struct {
	seen          int // bytes
	whole, broken int // characters of several bytes; bytes that belong to none
	c1, undefined bool
	doubled       int // characters of UTF-8 whose bytes were taken for Windows-1252 and encoded again: é became Ã©
	firstBroken   int // where, in bytes
	brokenByte    byte
	firstDoubled  int
	sample        string
}

func (t *encodingTally) add(b []byte) {
	doubledTo := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i += lengthOfASCII(b[i:])
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			t.addBroken(b[i], t.seen+i)
			i++
			continue
		}
		t.whole++
		if i >= doubledTo {
			if length := twiceAt(b[i:]); length > 0 {
				doubledTo = i + length
				t.addDoubled(b[i:doubledTo], t.seen+i)
			}
		}
		i += n
	}
	t.seen += len(b)
}

// lengthOfASCII is how many bytes at the start of b are below 80.
func lengthOfASCII(b []byte) int {
	const high = 0x8080808080808080
	i := 0
	for ; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&high == 0; i += 8 {
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

func (t *encodingTally) addBroken(c byte, at int) {
	if t.broken++; t.broken == 1 {
		t.firstBroken, t.brokenByte = at, c
	}
	t.c1 = t.c1 || c < 0xa0
	t.undefined = t.undefined || c < 0xa0 && windows1252High[c-0x80] < 0xa0
}

func (t *encodingTally) addDoubled(text []byte, at int) {
	if t.doubled++; t.doubled == 1 {
		t.firstDoubled, t.sample = at, string(text)
	}
}

// name tells apart the encodings of one byte a character, UTF-8 that is broken in places, and UTF-8 encoded twice.
func (t *encodingTally) name() (name, evidence string) {
	if t.broken == 0 && t.doubled == 0 {
		return "", ""
	}
	if t.broken == 0 {
		return "UTF-8 encoded twice", fmt.Sprintf("%d places, first %s at byte %d", t.doubled, t.sample, t.firstDoubled)
	}
	evidence = fmt.Sprintf("%d bytes above 7F that are no UTF-8, first %02X at byte %d", t.broken, t.brokenByte, t.firstBroken)
	switch {
	case t.whole > t.broken:
		return "UTF-8 with broken bytes", evidence
	case t.undefined:
		return "neither UTF-8 nor Windows-1252", evidence
	case t.c1:
		return "Windows-1252", evidence
	default:
		return "Windows-1252 or Latin-1", evidence
	}
}

// twiceAt returns the length of the characters at the start of s that are the bytes of one other character, or 0.
func twiceAt(s []byte) int {
	var room [utf8.UTFMax]byte
	once := room[:0]
	for n := 0; n < len(s) && len(once) < utf8.UTFMax; {
		r, size := utf8.DecodeRune(s[n:])
		b, ok := windows1252.byteOf(r)
		if !ok || b < utf8.RuneSelf {
			return 0
		}
		once = append(once, b)
		n += size
		if utf8.Valid(once) {
			return n
		}
	}
	return 0
}

// charset is an encoding that a document may have beside UTF-8. Decoding and encoding are exact inverses.
type charset struct {
	name string
	mark []byte // byte order mark
	// one byte a character: those from 80 to 9F; the others stand for themselves
	high *[32]rune
	// two bytes a character
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
}

// windows1252High follows the Encoding Standard: bytes without a character stand for the control of their number.
var windows1252High = [32]rune{
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
}

var latin1High = func() (high [32]rune) {
	for i := range high {
		high[i] = rune(0x80 + i)
	}
	return high
}()

var (
	latin1      = &charset{name: "ISO-8859-1", high: &latin1High}
	windows1252 = &charset{name: "Windows-1252", high: &windows1252High}
	utf16LE     = &charset{name: "UTF-16LE", mark: []byte{0xff, 0xfe}, order: binary.LittleEndian}
	utf16BE     = &charset{name: "UTF-16BE", mark: []byte{0xfe, 0xff}, order: binary.BigEndian}
)

// utf16Of recognises UTF-16 by its byte order mark, or by zeros in at least half of the bytes on one side only.
func utf16Of(source []byte) *charset {
	const headSize, fewest = 4096, 8 // bytes
	head := source[:min(len(source), headSize)&^1]
	for _, cs := range []*charset{utf16LE, utf16BE} {
		if bytes.HasPrefix(head, cs.mark) {
			return cs
		}
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	switch {
	case len(head) < fewest:
		return nil
	case zeros[0] == 0 && zeros[1]*4 >= len(head):
		return utf16LE
	case zeros[1] == 0 && zeros[0]*4 >= len(head):
		return utf16BE
	}
	return nil
}

// byteOf is the byte of a character in an encoding of one byte a character.
func (cs *charset) byteOf(r rune) (byte, bool) {
	if r >= 0 && r < 0x80 || r >= 0xa0 && r <= 0xff {
		return byte(r), true
	}
	for i, h := range cs.high {
		if h == r {
			return byte(0x80 + i), true
		}
	}
	return 0, false
}

// has reports whether the encoding can spell the character.
func (cs *charset) has(r rune) bool {
	if cs.order != nil {
		return true
	}
	_, ok := cs.byteOf(r)
	return ok
}

// decode returns the text in UTF-8. Half a surrogate pair becomes its three bytes of WTF-8, so that it can be written
// back.
func (cs *charset) decode(source []byte) ([]byte, error) {
	out := make([]byte, 0, len(source)+len(source)/8)
	if cs.order == nil {
		for _, c := range source {
			r := rune(c)
			if c >= 0x80 && c < 0xa0 {
				r = cs.high[c-0x80]
			}
			out = utf8.AppendRune(out, r)
		}
		return out, nil
	}
	if len(source)%2 != 0 {
		return nil, fmt.Errorf("%s has an odd number of bytes", cs.name)
	}
	for i := 0; i < len(source); i += 2 {
		r := rune(cs.order.Uint16(source[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 <= len(source) {
				if pair := utf16.DecodeRune(r, rune(cs.order.Uint16(source[i+2:]))); pair != utf8.RuneError {
					out = utf8.AppendRune(out, pair)
					i += 2
					continue
				}
			}
			out = append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

// encode is the inverse of decode.
func (cs *charset) encode(text []byte) ([]byte, error) {
	out := make([]byte, 0, 2*len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			if r, n = halfPair(text[i:]); n == 0 {
				return nil, fmt.Errorf("byte %02X is not UTF-8 and cannot be written in %s", text[i], cs.name)
			}
		}
		i += n
		if cs.order != nil {
			if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
				out = cs.order.AppendUint16(out, uint16(hi))
				r = lo
			}
			out = cs.order.AppendUint16(out, uint16(r))
			continue
		}
		b, ok := cs.byteOf(r)
		if !ok {
			return nil, fmt.Errorf("character %U cannot be written in %s", r, cs.name)
		}
		out = append(out, b)
	}
	return out, nil
}

// halfPair reads half a surrogate pair in WTF-8.
func halfPair(s []byte) (rune, int) {
	if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0, 0
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
}

// view remembers the bytes behind a decoded source.
type view struct {
	charset  *charset
	original []byte
}

// write returns the bytes of a decoded text.
func (v *view) write(format string, text []byte, unedited bool) ([]byte, error) {
	if unedited {
		return bytes.Clone(v.original), nil
	}
	out, err := v.charset.encode(text)
	if err != nil {
		return nil, fmt.Errorf("rewrite %s: %w", format, err)
	}
	return out, nil
}

// parseView decodes a source and parses the text. Places in errors are those in the source.
func parseView(format string, cs *charset, source []byte, parse func([]byte) (*Doc, error)) (*Doc, error) {
	if len(source) > MaxSize/3 { // a character of two bytes may take three
		return nil, syntaxError(format, source, MaxSize/3, "larger than %d bytes, the most that is decoded from %s", MaxSize/3, cs.name)
	}
	text, err := cs.decode(source)
	if err != nil {
		return nil, syntaxError(format, source, len(source), "%v", err)
	}
	doc, err := parse(text)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		if before, err := cs.encode(text[:e.Offset]); err == nil {
			e.Offset = len(before)
		}
	}
	if err != nil {
		return nil, err
	}
	doc.view = &view{cs, source}
	facts := doc.Facts[:0]
	for _, f := range doc.Facts {
		if f.Name != "byte order mark" && f.Name != "encoding" {
			facts = append(facts, f)
		}
	}
	name := cs.name
	if cs.order != nil && bytes.HasPrefix(source, cs.mark) {
		name += " with byte order mark"
	}
	doc.Facts = append(facts, Fact{"encoding", name})
	return doc, nil
}

// Original is the bytes that were parsed. They are the Source, unless that is a view of another encoding.
func (d *Doc) Original() []byte {
	if d.view != nil {
		return d.view.original
	}
	return d.Source
}
