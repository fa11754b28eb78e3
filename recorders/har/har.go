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
// Memory: one file at a time is held, at most [MaxFile] bytes of it, because entries are sorted by their start, except for those
// that Export wrote: they keep their order.
package har

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
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
	source, err := unpacked(in)
	if err != nil {
		return err
	}
	limited := &io.LimitedReader{R: source, N: MaxFile + 1}
	c := &converter{file: f}
	exchanges, err := readArchive(limited, c)
	if limited.N <= 0 {
		return fmt.Errorf("more than %d bytes", int64(MaxFile))
	}
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
func readArchive(r io.Reader, c *converter) ([]harness.Exchange, error) {
	dec := json.NewDecoder(&textReader{r: r})
	if err := enter(dec, '{', "an archive is a JSON object"); err != nil {
		return nil, err
	}
	var exchanges []harness.Exchange
	found := false
	for dec.More() {
		name, err := memberName(dec)
		if err != nil {
			return nil, err
		}
		if name != "log" {
			if err := skip(dec); err != nil {
				return nil, err
			}
			continue
		}
		if found {
			return nil, fmt.Errorf("byte %d: second log", dec.InputOffset())
		}
		found = true
		if exchanges, err = readLog(dec, c); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, fmt.Errorf("byte %d: no log: not an HTTP archive", dec.InputOffset())
	}
	return exchanges, finish(dec)
}

func readLog(dec *json.Decoder, c *converter) ([]harness.Exchange, error) {
	if err := enter(dec, '{', "log is not an object"); err != nil {
		return nil, err
	}
	var exchanges []harness.Exchange
	found := false
	for dec.More() {
		name, err := memberName(dec)
		if err != nil {
			return nil, err
		}
		if name != "entries" {
			if err := skip(dec); err != nil {
				return nil, err
			}
			continue
		}
		if found {
			return nil, fmt.Errorf("byte %d: second log.entries", dec.InputOffset())
		}
		found = true
		if exchanges, err = readEntries(dec, c); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, fmt.Errorf("byte %d: no log.entries: not an HTTP archive", dec.InputOffset())
	}
	return exchanges, leave(dec)
}

func readEntries(dec *json.Decoder, c *converter) ([]harness.Exchange, error) {
	if err := enter(dec, '[', "log.entries is not a list"); err != nil {
		return nil, err
	}
	var exchanges []harness.Exchange
	for i := 0; dec.More(); i++ {
		if err := c.file.Err(); err != nil {
			return nil, err
		}
		c.file.At(fmt.Sprintf("entry %d", i))
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, atOffset(dec, err))
		}
		more, err := c.read(raw)
		if err != nil {
			err = fmt.Errorf("entry %d (before byte %d): %w", i, dec.InputOffset(), err)
			if !c.file.PassOver(err) {
				return nil, err
			}
		}
		exchanges = append(exchanges, more...)
	}
	return exchanges, leave(dec)
}

// enter reads the opening delimiter, or says what was expected.
func enter(dec *json.Decoder, want json.Delim, otherwise string) error {
	at := dec.InputOffset()
	token, err := dec.Token()
	if err != nil {
		return atOffset(dec, err)
	}
	if token != want {
		return fmt.Errorf("byte %d: %s", at, otherwise)
	}
	return nil
}

// leave reads the closing delimiter.
func leave(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return atOffset(dec, err)
	}
	return nil
}

// finish reads the closing delimiter of the archive and makes sure that nothing follows.
func finish(dec *json.Decoder) error {
	if err := leave(dec); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("byte %d: something follows the archive", dec.InputOffset())
	}
	return nil
}

func memberName(dec *json.Decoder) (string, error) {
	token, err := dec.Token()
	if err != nil {
		return "", atOffset(dec, err)
	}
	name, _ := token.(string)
	return name, nil
}

func skip(dec *json.Decoder) error {
	var ignored json.RawMessage
	if err := dec.Decode(&ignored); err != nil {
		return atOffset(dec, err)
	}
	return nil
}

// atOffset adds the place to an error of the JSON decoder: bytes behind the byte order mark, where there is one.
func atOffset(dec *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if _, ok := errors.AsType[*encodingError](err); ok {
		return err
	}
	offset := dec.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	return fmt.Errorf("byte %d: %w", offset, err)
}
