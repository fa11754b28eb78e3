// Package har imports HTTP archives (HAR 1.2, as browsers, proxies and Polly.JS write them) as recordings.
//
// An archive is a view of the traffic, not the traffic: bodies are kept as text, often decoded while the head still says
// how they were packed, and some are missing. What the archive does not hold cannot be brought back, so every
// departure from the wire is made in one documented way and counted in [Importer.Notes]:
//
//   - A body that was stored unpacked loses Content-Encoding and Transfer-Encoding, and Content-Length becomes its size.
//     A body that is still packed as its head says keeps its head.
//   - A text that is marked as base64 is decoded only when it is valid base64 and its size agrees with content.size, or
//     when the text itself has another size than the declared one; else the text is the body. Chunked lists of base64,
//     as Polly.JS writes them for packed answers, are joined.
//   - Text becomes UTF-8, or Latin-1 when the head says so or when only that agrees with Content-Length.
//   - A body that an answer cannot have (HEAD, 1xx, 204, 304: browsers put the cached one there) is left out.
//   - A body that was cut or never stored makes the exchange incomplete: it has a Fault.
//   - Entries that never crossed a network (data:, blob:, about:) are left out.
//
// Memory: one file at a time is held, at most [MaxFile] bytes of it, because entries are sorted by their start.
package har

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
)

// MaxFile is the size of the largest archive that is read, in bytes.
const MaxFile = 256 << 20

// Importer reads archives into a sink. It is a [harness.Recorder]; one Record at a time.
type Importer struct {
	Path string // an archive, or a folder that is searched for *.har
	From string // system that calls; default "client"
	To   string // system that answers; default the host of each URL

	// Session names the session of the exchanges of a file; file is relative to Path, with slashes. Default: the name
	// without its extension, so that each archive is a session.
	Session func(file string) string

	notes departure.Notes
}

// Record puts the exchanges of each file into the sink, files by name and exchanges by their start. It ends at the first
// file that cannot be read; the error names the file, the byte offset and the entry, counted from 0.
func (im *Importer) Record(ctx context.Context, sink harness.Sink) error {
	im.notes = departure.Notes{}
	root, files, err := sources.Open(im.Path, ".har")
	if err != nil {
		return harness.Usage(fmt.Errorf("import %s: %w", im.Path, err), "name a HAR 1.2 file, or a folder with *.har files")
	}
	defer root.Close()
	for _, file := range files {
		if err := im.importFile(ctx, root, file, sink); err != nil {
			return err
		}
	}
	return nil
}

// Notes says what of the archives could not be taken over as it stands, one line for each kind with its count; empty
// when nothing was lost.
func (im *Importer) Notes() []string { return im.notes.Lines() }

func (im *Importer) importFile(ctx context.Context, root *os.Root, file string, sink harness.Sink) error {
	exchanges, err := im.readFile(ctx, root, file)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return harness.Usage(err, "export the archive again as HAR 1.2 with contents")
	}
	for _, x := range exchanges {
		if err := sink.Put(x); err != nil {
			return fmt.Errorf("import %s: %w", file, err)
		}
	}
	return nil
}

func (im *Importer) readFile(ctx context.Context, root *os.Root, file string) ([]harness.Exchange, error) {
	f, err := root.Open(file)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", file, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > MaxFile {
		return nil, fmt.Errorf("import %s: %d bytes, more than %d", file, info.Size(), int64(MaxFile))
	}
	c := &converter{from: im.From, to: im.To, session: im.session(file), file: file, notes: &im.notes}
	if c.from == "" {
		c.from = "client"
	}
	exchanges, err := readArchive(ctx, io.LimitReader(f, MaxFile+1), c)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", file, err)
	}
	slices.SortStableFunc(exchanges, func(a, b harness.Exchange) int { return a.At.Compare(b.At) })
	return exchanges, nil
}

func (im *Importer) session(file string) string {
	if im.Session != nil {
		return im.Session(file)
	}
	return strings.TrimSuffix(file, path.Ext(file))
}

// readArchive reads one archive entry by entry, in file order.
func readArchive(ctx context.Context, r io.Reader, c *converter) ([]harness.Exchange, error) {
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
		if exchanges, err = readLog(ctx, dec, c); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, errors.New("no log: not an HTTP archive")
	}
	return exchanges, finish(dec)
}

func readLog(ctx context.Context, dec *json.Decoder, c *converter) ([]harness.Exchange, error) {
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
		if exchanges, err = readEntries(ctx, dec, c); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, errors.New("no log.entries: not an HTTP archive")
	}
	return exchanges, leave(dec)
}

func readEntries(ctx context.Context, dec *json.Decoder, c *converter) ([]harness.Exchange, error) {
	if err := enter(dec, '[', "log.entries is not a list"); err != nil {
		return nil, err
	}
	var exchanges []harness.Exchange
	for i := 0; dec.More(); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var e entry
		if err := dec.Decode(&e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, atOffset(dec, err))
		}
		c.place = fmt.Sprintf("%s entry %d", c.file, i)
		x, crossed, err := c.exchange(e)
		if err != nil {
			return nil, fmt.Errorf("entry %d (before byte %d): %w", i, dec.InputOffset(), err)
		}
		if crossed {
			exchanges = append(exchanges, x)
		}
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
