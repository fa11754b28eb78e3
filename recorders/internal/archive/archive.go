// Package archive is what the importers of other tools' files have in common: it finds the files, reads them within
// bounds, says where one is wrong, and makes exchanges of what the files hold.
//
// A file is a view of the traffic and not the traffic. What it does not hold cannot be brought back, so every departure
// from the wire is made in one documented way and counted in [Importer.Notes]:
//
//   - A body that is not packed as its head says loses Content-Encoding and Transfer-Encoding, and Content-Length becomes
//     its size; Content-Length that differs from the stored body is set to its size.
//   - A body that an answer cannot have (HEAD, 1xx, 204, 304) is left out.
//   - A missing Host field is added from the URL. A file that names no host gives requests without the field.
//   - A method is written in upper case, blanks in a URL as %20.
//   - The moment of an exchange that the file does not tell is the Date of its answer less its duration; without Date,
//     that of the exchange before it.
//
// Memory: one file at a time, as its format reads it, and the exchanges that it holds; of a format that streams at most
// 4,096 exchanges with 64 MiB of bodies.
package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/departure"
	"github.com/rehearse-dev/rehearse/recorders/internal/plain"
	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
)

// MaxFile is the size of the largest file that is read whole, in bytes.
const MaxFile = 64 << 20

// Format is how the files of one tool are read.
type Format struct {
	Extensions []string // of files in a folder, lower case with the dot; none: every file that is not hidden
	Skip       []string // names of folders that are not searched
	Wrote      string   // what the files are, for hints: "a file that VCR wrote"
	// Knows tells by the first bytes of a file whether it is of this format; nil: never.
	Knows func(head []byte) bool
	// Streams is set when a file may be larger than memory. Its exchanges then go to the sink while it is read, sorted by
	// their start among those that are near; what was read before an error is in the sink.
	Streams bool
	// Read adds the exchanges of a file in their order. It is called for one file after the other.
	Read func(*File) error
}

// Importer reads files of a format into a sink. It is a [harness.Recorder]; one Record at a time.
type Importer struct {
	Format Format
	Path   string    // a file, or a folder of files
	From   string    // system that calls; default "client"
	To     string    // system that answers; default the host of each URL, or "server" where there is none
	At     time.Time // moment of exchanges whose file tells none; the zero time says that it is unknown

	// Session names the session of the exchanges of a file; file is relative to Path, with slashes. Default: that name.
	// It keeps its extension, because sessions are scrubbed as identifiers, and a bare word would be found in many texts.
	Session func(file string) string

	notes      departure.Notes
	keepsOn    bool
	unreadable []error
}

// Record puts the exchanges of each file into the sink, files by name and exchanges in their order. It ends at the first
// file that cannot be read, with nothing of it in the sink unless the format streams; the error names the file, the line or
// byte, and the record, counted from 0.
func (im *Importer) Record(ctx context.Context, sink harness.Sink) error {
	im.notes, im.unreadable = departure.Notes{}, nil
	root, files, err := sources.Open(im.Path, im.Format.Extensions...)
	if err != nil {
		return harness.Usage(fmt.Errorf("import %s: %w", im.Path, err), "name "+im.Format.Wrote+", or a folder with such files")
	}
	defer root.Close()
	for _, name := range files {
		if im.Format.skips(name) {
			continue
		}
		f := im.file(ctx, root, name, sink)
		before := len(im.unreadable)
		err := im.Format.Read(f)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && f.out.failed() == nil && im.keepsOn:
			im.unreadable = append(im.unreadable, f.placed(err))
		case err != nil && f.out.failed() == nil:
			return harness.Usage(fmt.Errorf("import %w", f.placed(err)), "it must be "+im.Format.Wrote+"; write it again, leave it out, or go on without it by --keep-going")
		}
		for range im.unreadable[before:] {
			sink.Drop("record that cannot be read")
		}
		if err := f.out.flush(); err != nil {
			return fmt.Errorf("import %s: %w", name, err)
		}
	}
	return nil
}

// KeepOn makes Record pass over records and files that cannot be read, instead of ending at the first: each counts as
// dropped, so that the recording is incomplete, and Unreadable names it.
func (im *Importer) KeepOn() { im.keepsOn = true }

// Unreadable are the records and files that were passed over, each with its place.
func (im *Importer) Unreadable() []error { return im.unreadable }

// Notes says what of the files could not be taken over as it stands, one line for each kind with its count; empty when
// nothing was lost.
func (im *Importer) Notes() []string { return im.notes.Lines() }

func (f Format) skips(name string) bool {
	for folder := range strings.SplitSeq(path.Dir(name), "/") {
		for _, s := range f.Skip {
			if folder == s {
				return true
			}
		}
	}
	return false
}

func (im *Importer) file(ctx context.Context, root *os.Root, name string, sink harness.Sink) *File {
	f := &File{Name: name, From: cmp.Or(im.From, "client"), To: im.To, Session: im.session(name), ctx: ctx, root: root, at: im.At, im: im}
	f.out = &whole{sink: sink}
	if im.Format.Streams {
		f.out = &stream{sink: sink, late: func() { f.Note(NoteLate) }}
	}
	return f
}

func (im *Importer) session(file string) string {
	if im.Session != nil {
		return im.Session(file)
	}
	return file
}

// File is one file while it is read.
type File struct {
	Name     string // relative to the path of the import, with slashes
	From, To string // systems; To is empty when the host of each URL names it
	Session  string

	ctx    context.Context
	root   *os.Root
	record string    // the record that is read, such as "interaction 3"
	at     time.Time // of the exchange before
	im     *Importer
	out    outlet
}

// Caller is the system that calls: the one that the user names, or the one that the file tells.
func (f *File) Caller(told string) string { return cmp.Or(f.im.From, told, f.From) }

// Answerer is the system that answers: the one that the user names, or the one that the file tells.
func (f *File) Answerer(told string) string { return cmp.Or(f.im.To, told) }

// Err is the error of the context or of the sink, once the import is to end.
func (f *File) Err() error { return cmp.Or(f.out.failed(), f.ctx.Err()) }

// Note counts a departure from the wire.
func (f *File) Note(k departure.Kind) { f.im.notes.Add(k, strings.TrimSpace(f.Name+" "+f.record)) }

// At names the record that is read, such as "entry 3", for notes.
func (f *File) At(record string) { f.record = record }

// Open opens the file.
func (f *File) Open() (*os.File, error) { return f.root.Open(filepath.FromSlash(f.Name)) }

// Source reads the whole file, at most [MaxFile] bytes.
func (f *File) Source() ([]byte, error) { return f.Beside(f.Name) }

// Beside reads another file of the same folder, at most [MaxFile] bytes. Its name is relative to the path of the import;
// one that leads out of it is an error.
func (f *File) Beside(name string) ([]byte, error) {
	in, err := f.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, MaxFile+1))
	if err == nil && len(b) > MaxFile {
		err = fmt.Errorf("more than %d bytes", int64(MaxFile))
	}
	return b, err
}

// Document reads the whole file as JSON or YAML.
func (f *File) Document() (*plain.Node, error) {
	source, err := f.Source()
	if err != nil {
		return nil, err
	}
	return plain.Parse(source)
}

// Each reads one record after the other; noun is what the format calls one. Errors are placed in their record.
func (f *File) Each(noun string, records []*plain.Node, read func(*plain.Node) error) error {
	defer func() { f.record = "" }()
	for i, n := range records {
		if err := f.Err(); err != nil {
			return err
		}
		if err := f.One(fmt.Sprintf("%s %d", noun, i), n, read); err != nil {
			return err
		}
	}
	return nil
}

// One reads one record under the name that notes and errors give it.
func (f *File) One(record string, n *plain.Node, read func(*plain.Node) error) error {
	f.record = record
	err := read(n)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*plain.Error](err); !ok {
		err = n.Errorf("%v", err)
	}
	err = plain.Below(record, err)
	if f.PassOver(err) {
		return nil
	}
	return err
}

// PassOver reports whether the import keeps going behind a record that cannot be read, and keeps why.
func (f *File) PassOver(err error) bool {
	if f.im.keepsOn {
		f.im.unreadable = append(f.im.unreadable, f.placed(err))
	}
	return f.im.keepsOn
}

// placed puts the name of the file in front of an error.
func (f *File) placed(err error) error {
	if _, ok := errors.AsType[*plain.Error](err); ok {
		return fmt.Errorf("%s:%w", f.Name, err)
	}
	return fmt.Errorf("%s: %w", f.Name, err)
}
