package filedrop

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/unfinished"
)

// version is what changes when a file is written.
type version struct{ size, modified int64 }

func versionOf(info fs.FileInfo) version {
	return version{info.Size(), info.ModTime().UnixNano()}
}

// file is what is known of one name.
type file struct {
	name    string
	info    fs.FileInfo // as it was when it had the version
	version version
	since   time.Time // when the version was first seen, by the clock of the machine
	at      time.Time // the same by the clock of the recording
	pending bool      // is to be taken once it is finished
	began   bool      // came or changed while watching
	digest  string    // of the content that was recorded; empty when none was
	left    time.Time // when the name vanished
	renamed bool      // vanished because the file got another name
}

// rewritten notes a new version.
func (f *file) rewritten(info fs.FileInfo, at time.Time) {
	f.info, f.version, f.since, f.at = info, versionOf(info), time.Now(), at
	f.began = true
	f.pending = !unfinished.Is(f.name)
}

// isUpload reports whether the file is an upload that began while watching and is still in progress.
func (f *file) isUpload() bool {
	return f.began && unfinished.HasEnding(f.name)
}

// arrived notes a name that was not there before. A file that was renamed into place is taken at once.
func (d *Drop) arrived(name string, info fs.FileInfo, old bool) {
	f := &file{name: name, info: info, version: versionOf(info), since: time.Now(), at: d.now(), began: !old}
	if !old {
		d.missed(info)
	}
	d.files[name] = f
	was := d.formerly(info)
	switch {
	case unfinished.Is(name):
	case was == nil:
		f.pending = d.Existing || !old
	case unfinished.Is(was.name), was.pending: // renamed into place
		f.pending = true
		d.take(f)
	default: // recorded already, or old: it only moved on
		f.digest = was.digest
	}
}

// missed notes that a file lost its old name since that was looked at, which is what a look at one name after the other
// does not see.
func (d *Drop) missed(info fs.FileInfo) {
	for name, f := range d.files {
		if !os.SameFile(f.info, info) {
			continue
		}
		if _, err := d.root.Lstat(filepath.FromSlash(name)); err != nil {
			d.gone(name, false)
			return
		}
	}
}

// formerly finds the file under the name that it had a moment ago. Identity alone is not enough, because file systems
// give the number of a deleted file to the next one.
func (d *Drop) formerly(info fs.FileInfo) *file {
	for i, f := range d.moved {
		if os.SameFile(f.info, info) && (f.renamed || f.version == versionOf(info)) {
			d.moved = slices.Delete(d.moved, i, i+1)
			return f
		}
	}
	return nil
}

// gone notes that a name vanished: of a file, or of a folder with all its files.
func (d *Drop) gone(name string, renamed bool) {
	if f := d.files[name]; f != nil {
		delete(d.files, name)
		f.left, f.renamed = time.Now(), renamed
		d.moved = append(d.moved, f)
		return
	}
	for below := range d.files {
		if strings.HasPrefix(below, name+"/") {
			d.gone(below, renamed)
		}
	}
}

// forgetMoved gives up on names that vanished before the moment and did not come back under another; zero: on all.
func (d *Drop) forgetMoved(before time.Time) {
	d.moved = slices.DeleteFunc(d.moved, func(f *file) bool {
		if !before.IsZero() && !f.left.Before(before) {
			return false
		}
		if f.pending {
			d.sink.Drop(DropVanished)
		}
		return true
	})
}

// settled takes the files that have not changed for long enough, in the order of their names.
func (d *Drop) settled() {
	now := time.Now()
	var due []*file
	for _, f := range d.files {
		if f.pending && now.Sub(f.since) >= d.settle() {
			due = append(due, f)
		}
	}
	slices.SortFunc(due, func(a, b *file) int { return strings.Compare(a.name, b.name) })
	for _, f := range due {
		was := f.version
		d.look(f.name, false, false) //nolint:errcheck // only folders give errors
		if d.files[f.name] == f && f.version == was {
			d.take(f)
		}
	}
	d.forgetMoved(now.Add(-d.settle()))
}

// Reasons not to take a file now.
var (
	errChanged   = errors.New("the file changed while it was read")
	errFolder    = errors.New("a link to a folder, whose files are seen under their own names")
	errOutside   = errors.New(DropOutside)
	errIrregular = errors.New(DropIrregular)
)

// dropped are the reasons that are counted, by error.
var dropped = map[error]string{errOutside: DropOutside, errIrregular: DropIrregular}

// take records the file as it is now, unless this content was recorded already.
func (d *Drop) take(f *file) {
	content, info, err := d.read(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.gone(f.name, false)
		return
	case errors.Is(err, errChanged):
		f.rewritten(info, d.now())
		return
	case errors.Is(err, errFolder):
		f.pending = false
		return
	case err != nil:
		f.pending = false
		reason, known := dropped[err]
		if !known {
			reason = DropUnreadable
		}
		d.sink.Drop(reason)
		return
	}
	f.pending = false
	f.info, f.version = info, versionOf(info)
	digest := fmt.Sprintf("%d %s", info.Size(), harness.Digest(content))
	if digest == f.digest {
		return
	}
	f.digest = digest
	d.put(f, content)
}

// put hands the exchange to the sink.
func (d *Drop) put(f *file, content []byte) {
	modified := f.info.ModTime().UTC()
	x := harness.Exchange{
		Session: modified.Format(time.DateOnly), Channel: harness.ChannelFile, From: d.From, To: d.To, At: f.at,
		Request: harness.Message{
			Head: harness.Head{
				{Name: harness.FieldName, Value: f.name},
				{Name: harness.FieldModified, Value: modified.Format(time.RFC3339Nano)},
			},
			Body: harness.BytesBody(content),
		},
	}
	if d.Session != nil {
		x.Session = d.Session(f.name)
	}
	if size := f.info.Size(); size > int64(len(content)) {
		x.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the file has %d bytes, of which %d are kept", size, len(content))}
	}
	d.refused.Put(d.sink, x)
}

// source is an open file.
type source interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

// openBelow opens a file below the folder.
func (d *Drop) openBelow(name string) (source, error) {
	return d.root.OpenFile(name, openFlags, 0)
}

// read returns the first MaxBody bytes of a file that does not change meanwhile, and what it is.
func (d *Drop) read(name string) ([]byte, fs.FileInfo, error) {
	name = filepath.FromSlash(path.Clean(name))
	if err := d.mayOpen(name); err != nil {
		return nil, nil, err
	}
	in, err := d.open(name)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	before, err := in.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case !before.Mode().IsRegular(): // put there since mayOpen looked
		return nil, nil, errIrregular
	}
	content := make([]byte, min(before.Size(), d.maxBody()))
	_, readErr := io.ReadFull(in, content)
	after, err := in.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case versionOf(before) != versionOf(after), errors.Is(readErr, io.ErrUnexpectedEOF), errors.Is(readErr, io.EOF):
		return nil, after, errChanged
	case readErr != nil:
		return nil, nil, readErr
	}
	return content, after, nil
}

// mayOpen refuses what is not a regular file within the folder, before it is opened: a pipe would block.
func (d *Drop) mayOpen(name string) error {
	link, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	info, err := d.root.Stat(name)
	switch {
	case err != nil && link.Mode()&fs.ModeSymlink != 0:
		return errOutside
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errIrregular
	}
	return nil
}
