// Package govcr imports the YAML files of go-vcr, versions 1 and 2, as recordings.
//
// go-vcr keeps what a Go client saw: fields sorted by name, no time in version 1, and bodies unpacked when the client's
// transport unpacked them. What the file does not hold cannot be brought back; every departure from the wire is made in
// one documented way and counted in [Importer.Notes]:
//
//   - A body that is not packed as its head says loses Content-Encoding and Transfer-Encoding, and Content-Length becomes
//     its size.
//   - Content-Length that differs from the stored body is set to its size. HEAD, 1xx, 204 and 304 keep their head.
//   - A request without body whose form has values gets the form as its body, sorted by name.
//   - The moment of an exchange is the Date of its answer less its duration; without Date, that of the exchange before it.
//
// YAML is read as plain data: anchors, aliases, merge keys, complex keys and tags of programs are refused, nesting is
// bounded. Memory: one file at a time, at most [MaxFile] bytes of it, as tokens and nodes.
package govcr

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
)

// MaxFile is the size of the largest file that is read, in bytes.
const MaxFile = 64 << 20

// Importer reads go-vcr files into a sink. It is a [harness.Recorder]; one Record at a time.
type Importer struct {
	Path string    // a file, or a folder that is searched for *.yaml and *.yml
	From string    // system that calls; default "client"
	To   string    // system that answers; default the host of each URL
	At   time.Time // moment of exchanges whose file tells none; the zero time says that it is unknown

	// Session names the session of the exchanges of a file; file is relative to Path, with slashes. Default: the name
	// without its extension.
	Session func(file string) string

	notes departure.Notes
}

// Record puts the exchanges of each file into the sink, files by name and exchanges in their order. It ends at the first
// file that cannot be read; the error names file, line and interaction, counted from 0.
func (im *Importer) Record(ctx context.Context, sink harness.Sink) error {
	im.notes = departure.Notes{}
	root, files, err := sources.Open(im.Path, ".yaml", ".yml")
	if err != nil {
		return harness.Usage(fmt.Errorf("import %s: %w", im.Path, err), "name a file that go-vcr wrote, or a folder with such *.yaml files")
	}
	defer root.Close()
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		exchanges, err := im.readFile(root, file)
		if err != nil {
			return harness.Usage(fmt.Errorf("import %w", err), "record the file again, or leave it out")
		}
		for _, x := range exchanges {
			if err := sink.Put(x); err != nil {
				return fmt.Errorf("import %s: %w", file, err)
			}
		}
	}
	return nil
}

// Notes says what of the files could not be taken over as it stands, one line for each kind with its count; empty when
// nothing was lost.
func (im *Importer) Notes() []string { return im.notes.Lines() }

func (im *Importer) readFile(root *os.Root, file string) ([]harness.Exchange, error) {
	f, err := root.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(source) > MaxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", file, int64(MaxFile))
	}
	c := &converter{from: im.From, to: im.To, session: im.session(file), file: file, at: im.At, notes: &im.notes}
	if c.from == "" {
		c.from = "client"
	}
	top, err := parse(source)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	exchanges, err := c.exchanges(top)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	return exchanges, nil
}

func (im *Importer) session(file string) string {
	if im.Session != nil {
		return im.Session(file)
	}
	return strings.TrimSuffix(file, path.Ext(file))
}
