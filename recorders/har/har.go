// Package har reads and writes HTTP archives: HAR 1.2, as browsers, proxies and Polly.JS write them, also compressed by
// zlib as mitmproxy does (*.zhar).
//
// An archive is a view of the traffic, not the traffic: bodies are kept as text, often decoded while the head still says
// how they were packed, and some are missing. What the archive does not hold cannot be brought back, so every
// departure from the wire is made in one documented way and noted:
//
//   - A body that was stored unpacked loses Content-Encoding and Transfer-Encoding, and Content-Length becomes its size.
//     A body that is still packed as its head says keeps its head.
//   - A text that is marked as base64 is decoded only when it is valid base64 and its size agrees with content.size, or
//     when the text itself has another size than the declared one; else the text is the body. Chunked lists of base64 or
//     of hexadecimal digits, as Polly.JS writes them for packed and binary answers, are joined.
//   - Text becomes UTF-8, or Latin-1 when the head says so or when only that agrees with Content-Length.
//   - A body that an answer cannot have (HEAD, 1xx, 204, 304: browsers put the cached one there) is left out.
//   - A body that was cut or never stored makes the exchange incomplete: it has a Fault.
//   - Entries that never crossed a network (data:, blob:, about:) are left out.
//
// Memory: one file at a time is held whole, at most [MaxFile] bytes of it, and what becomes of it, because entries are sorted by
// their start, except for those that Export wrote: they keep their order.
package har

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/internal/archive"
	"github.com/rehearse-dev/rehearse/recorders/internal/sniff"
)

// MaxFile is the size of the largest archive that is read, in bytes, unpacked.
const MaxFile = 256 << 20

// Format reads archives.
var Format = archive.Format{
	Extensions: []string{".har", ".zhar"}, Wrote: "an archive in HAR 1.2, with contents", Read: read,
	Knows: func(head []byte) bool { return sniff.Has(head, "log.entries") },
}

func read(f *archive.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	source, err := sourceOf(in)
	if err != nil {
		return err
	}
	c := &converter{file: f}
	exchanges, err := readArchive(source, c)
	if err != nil {
		return err
	}
	if !c.ours {
		slices.SortStableFunc(exchanges, func(a, b harness.Exchange) int { return a.At.Compare(b.At) })
	}
	for _, x := range exchanges {
		f.Put(x)
	}
	return nil
}

// sourceOf reads a file whole and unpacked.
func sourceOf(in *os.File) ([]byte, error) {
	r, err := unpacked(in)
	if err != nil {
		return nil, err
	}
	size := 0
	if info, err := in.Stat(); err == nil {
		size = int(min(info.Size(), MaxFile))
	}
	all := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := all.ReadFrom(io.LimitReader(r, MaxFile+1)); err != nil {
		return nil, err
	}
	if all.Len() > MaxFile {
		return nil, fmt.Errorf("more than %d bytes", int64(MaxFile))
	}
	return all.Bytes(), nil
}

// unpacked reads through zlib what begins as its most usual headers do (RFC 1950).
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	start, err := b.Peek(2)
	if err != nil || !bytes.Contains([]byte("\x01\x5e\x9c\xda"), start[1:]) || start[0] != 0x78 {
		return b, nil //nolint:nilerr // what is too short is read as it is
	}
	return zlib.NewReader(b)
}

// readArchive reads one archive entry by entry, in file order.
func readArchive(source []byte, c *converter) (exchanges []harness.Exchange, err error) {
	if !utf8.Valid(source) {
		return nil, fmt.Errorf("byte %d is not UTF-8", validTo(source))
	}
	s := &cursor{source: source}
	if mark := []byte("\ufeff"); bytes.HasPrefix(source, mark) {
		s.at = len(mark)
	}
	found := false
	err = s.members("an archive is a JSON object", func(name string) error {
		if name != "log" {
			_, err := s.value()
			return err
		}
		if found {
			return fmt.Errorf("byte %d: second log", s.at)
		}
		found = true
		exchanges, err = readLog(s, c)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("byte %d: no log: not an HTTP archive", s.at)
	case s.peek() != 0 || s.at < len(source):
		return nil, fmt.Errorf("byte %d: something follows the archive", s.at)
	}
	return exchanges, nil
}

// validTo is where a text stops to be UTF-8.
func validTo(source []byte) (at int) {
	for at < len(source) {
		r, size := utf8.DecodeRune(source[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

func readLog(s *cursor, c *converter) (exchanges []harness.Exchange, err error) {
	found := false
	err = s.members("log is not an object", func(name string) error {
		if name != "entries" {
			_, err := s.value()
			return err
		}
		if found {
			return fmt.Errorf("byte %d: second log.entries", s.at)
		}
		found = true
		exchanges, err = readEntries(s, c)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("byte %d: no log.entries: not an HTTP archive", s.at)
	}
	return exchanges, err
}

func readEntries(s *cursor, c *converter) (exchanges []harness.Exchange, err error) {
	i := 0
	return exchanges, s.elements("log.entries is not a list", func() error {
		if err := c.file.Err(); err != nil {
			return err
		}
		c.file.At(fmt.Sprintf("entry %d", i))
		n, err := s.value()
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		more, err := c.read(n)
		if err != nil {
			err = fmt.Errorf("entry %d (before byte %d): %w", i, s.at, err)
			if !c.file.PassOver(err) {
				return err
			}
		}
		exchanges = append(exchanges, more...)
		i++
		return nil
	})
}

// cursor goes through an archive. Only what is a value of its own gets nodes, one at a time: an archive as one document
// would take several times its size.
type cursor struct {
	source []byte
	at     int
	values payload.JSONValues
}

// peek is the next byte that is no white space, 0 at the end.
func (s *cursor) peek() byte {
	for s.at < len(s.source) {
		switch c := s.source[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// value reads the next value. The node is good until the next call.
func (s *cursor) value() (payload.Node, error) {
	n, end, err := s.values.At(s.source, s.at)
	s.at = end
	if syntax, ok := errors.AsType[*payload.SyntaxError](err); ok {
		return n, fmt.Errorf("byte %d: %s", syntax.Offset, syntax.What)
	}
	return n, err
}

// members calls read with the name of each member of an object, in front of its value.
func (s *cursor) members(otherwise string, read func(name string) error) error {
	return s.each('{', '}', otherwise, func() error {
		if s.peek() != '"' {
			return fmt.Errorf("byte %d: want a member name in quotes", s.at)
		}
		n, err := s.value()
		if err != nil {
			return err
		}
		name := n.Text()
		if s.peek() != ':' {
			return fmt.Errorf("byte %d: want : after a member name", s.at)
		}
		s.at++
		return read(name)
	})
}

// elements calls read in front of each element of a list.
func (s *cursor) elements(otherwise string, read func() error) error {
	return s.each('[', ']', otherwise, read)
}

func (s *cursor) each(first, last byte, otherwise string, read func() error) error {
	if s.peek() != first {
		return fmt.Errorf("byte %d: %s", s.at, otherwise)
	}
	s.at++
	for n := 0; s.peek() != last; n++ {
		switch c := s.peek(); {
		case c == 0 && s.at >= len(s.source):
			return fmt.Errorf("byte %d: %w", s.at, io.ErrUnexpectedEOF)
		case n > 0 && c != ',':
			return fmt.Errorf("byte %d: want , or %q", s.at, last)
		case n > 0:
			s.at++
		}
		if err := read(); err != nil {
			return err
		}
	}
	s.at++
	return nil
}
