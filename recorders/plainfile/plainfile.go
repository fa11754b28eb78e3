// Package plainfile reads files as they lie on disk: each is an exchange on the file channel, byte for byte, as package
// filedrop records it when it arrives.
//
// A folder is read to its bottom, files in the order of their names; hidden names (a leading dot, also of a folder) are
// left out. Files are opened below the folder only: a link that leads outside of it, a pipe and a device are errors, and
// so is a file that changes while it is read.
//
// Memory: none for bodies. They stay where they are, and are read from there each time.
package plainfile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/payload/layout"
	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
)

// Importer reads files into a sink. It is a [harness.Recorder]; one Record at a time.
type Importer struct {
	Path     string           // a file, or a folder of files
	From, To string           // systems: who wrote the files, and for whom; default "client" and "server"
	Name     string           // what a single file is called in the recording; empty: its own name
	Layouts  []*layout.Layout // of files of fixed width, which [payload.Formats] must have rows for
}

// Record puts each file into the sink. It ends at the first one that cannot be read; the error names it.
func (im *Importer) Record(ctx context.Context, sink harness.Sink) error {
	root, files, err := sources.Open(im.Path)
	if err != nil {
		return harness.Usage(fmt.Errorf("read files: %s: %w", im.Path, err), "name a file, or a folder that holds files")
	}
	defer root.Close()
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		x, err := im.exchange(root, name)
		if err != nil {
			return harness.Usage(fmt.Errorf("read files: %s: %w", filepath.Join(root.Name(), filepath.FromSlash(name)), err),
				"make it a regular file that you may read, or take it out of the folder")
		}
		if err := sink.Put(x); err != nil {
			return fmt.Errorf("read files: %s: %w", name, err)
		}
	}
	return nil
}

// Notes is empty: files are taken over as they are.
func (*Importer) Notes() []string { return nil }

func (im *Importer) exchange(root *os.Root, name string) (x harness.Exchange, err error) {
	info, err := root.Stat(name) // before it is opened: a pipe would block
	switch {
	case err != nil:
		return x, err
	case !info.Mode().IsRegular():
		return x, errors.New("not a regular file")
	}
	in, err := root.Open(name)
	if err != nil {
		return x, err
	}
	defer in.Close()
	body, head, err := bodyOf(root.Name(), name, in, info)
	if err != nil {
		return x, err
	}
	x = harness.Exchange{
		Channel: harness.ChannelFile, From: cmp.Or(im.From, "client"), To: cmp.Or(im.To, "server"), At: info.ModTime().UTC(),
		Request: harness.Message{
			Head: harness.Head{
				{Name: harness.FieldName, Value: cmp.Or(im.Name, name)},
				{Name: harness.FieldModified, Value: info.ModTime().UTC().Format(time.RFC3339Nano)},
			},
			Body: body,
		},
	}
	if l := layout.For(im.Layouts, name, head); l != nil {
		x.Request.Media = payload.LayoutMedia(l)
	}
	return x, nil
}

// bodyOf reads a file once for its digest. The body refers to where the file lies.
func bodyOf(dir, name string, in *os.File, before os.FileInfo) (harness.Body, []byte, error) {
	head := make([]byte, min(before.Size(), layout.MaxHead))
	sum := sha256.New()
	if _, err := io.ReadFull(in, head); err != nil {
		return harness.Body{}, nil, err
	}
	sum.Write(head)
	rest, err := io.Copy(sum, in)
	if err != nil {
		return harness.Body{}, nil, err
	}
	size := int64(len(head)) + rest
	if after, err := in.Stat(); err != nil || size != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return harness.Body{}, nil, errors.Join(errors.New("it changed while it was read"), err)
	}
	if size == 0 {
		return harness.Body{}, nil, nil
	}
	open := func() (io.ReadCloser, error) { return os.OpenInRoot(dir, name) }
	return harness.StoredBody(size, "sha256:"+hex.EncodeToString(sum.Sum(nil)), open), head, nil
}
