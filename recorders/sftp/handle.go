package sftp

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	wire "github.com/pkg/sftp"

	"github.com/rehearse-dev/rehearse/harness"
)

// copied is the bytes of a file that went over the wire, each at its place.
type copied struct {
	most  int64 // that are kept
	bytes []byte
	spans []span // that are known, sorted, apart from one another
	end   int64  // of the last byte that went over the wire
}

type span struct{ from, to int64 }

// take keeps what was read or written at an offset.
func (c *copied) take(p []byte, offset int64) {
	if len(p) == 0 {
		return
	}
	c.end = max(c.end, offset+int64(len(p)))
	c.add(span{offset, offset + int64(len(p))})
	if offset >= c.most {
		return
	}
	p = p[:min(int64(len(p)), c.most-offset)]
	if need := offset + int64(len(p)); need > int64(len(c.bytes)) {
		c.bytes = slices.Grow(c.bytes, int(need)-len(c.bytes))[:need]
	}
	copy(c.bytes[offset:], p)
}

func (c *copied) add(s span) {
	i, _ := slices.BinarySearchFunc(c.spans, s, func(a, b span) int {
		if a.to < b.from {
			return -1
		}
		return 1
	})
	j := i
	for ; j < len(c.spans) && c.spans[j].from <= s.to; j++ {
		s = span{min(s.from, c.spans[j].from), max(s.to, c.spans[j].to)}
	}
	c.spans = slices.Replace(c.spans, i, j, s)
}

// has reports whether every byte up to an offset is known.
func (c *copied) has(end int64) bool {
	return end == 0 || len(c.spans) > 0 && c.spans[0].from == 0 && c.spans[0].to >= end
}

// cut makes the file shorter.
func (c *copied) cut(size int64) {
	c.end = min(c.end, size)
	c.bytes = c.bytes[:min(int64(len(c.bytes)), size)]
	c.spans = slices.DeleteFunc(c.spans, func(s span) bool { return s.from >= size })
	if n := len(c.spans); n > 0 {
		c.spans[n-1].to = min(c.spans[n-1].to, size)
	}
}

// fault says what of a file with that many bytes did not cross, or is not kept.
func (c *copied) fault(size int64, cut error) *harness.Fault {
	switch {
	case cut != nil:
		return &harness.Fault{Kind: harness.FaultClientGone, Detail: fmt.Sprintf("the connection ended after %d bytes", c.end)}
	case !c.has(size):
		return &harness.Fault{Kind: harness.FaultClientGone, Detail: fmt.Sprintf("only a part of %d bytes crossed", size)}
	case size > c.most:
		return &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the file has %d bytes, of which %d are kept", size, c.most)}
	}
	return nil
}

// download is a file that a client reads.
type download struct {
	file
	h    *handlers
	name string
	at   time.Time

	mu   sync.Mutex
	size int64 // when it was opened; -1: not known
	copied
	lost error
}

func (l *ledger) download(h *handlers, name string, f file) *download {
	d := &download{file: f, h: h, name: name, at: l.tap.now(), size: -1, copied: copied{most: l.tap.maxBody()}}
	if info, err := f.Stat(); err == nil {
		d.size = info.Size()
	}
	return d
}

// ReadAt reads for the client.
func (d *download) ReadAt(p []byte, offset int64) (int, error) {
	n, err := d.file.ReadAt(p, offset)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(p[:n], offset)
	if err == io.EOF && n > 0 { // a client may read on behind the end
		d.size = offset + int64(n)
	}
	return n, err
}

// TransferError is told that the connection ended.
func (d *download) TransferError(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = err
}

// Close records what crossed. A file that was only opened did not cross.
func (d *download) Close() error {
	err := d.file.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end == 0 && d.size != 0 {
		return err
	}
	size, l := max(d.size, d.end), d.h.ledger
	if d.has(size) {
		d.lost = nil // the client had all of it before
	}
	c := crossing{name: d.name, by: d.h, outgoing: true, at: d.at, took: l.tap.now().Sub(d.at), content: d.bytes}
	c.fault = d.fault(size, d.lost)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(c)
	return err
}

// upload is a file that a client writes.
type upload struct {
	file
	h      *handlers
	append bool
	at     time.Time
	name   string // guarded by the ledger

	mu sync.Mutex
	copied
	wrote    bool // anything, or the file is new
	modified *time.Time
	lost     error
}

func (l *ledger) upload(h *handlers, name string, f file, want wire.FileOpenFlags) *upload {
	u := &upload{file: f, h: h, append: want.Append, at: l.tap.now(), name: name, copied: copied{most: l.tap.maxBody()}}
	before := l.continued(name, want.Trunc)
	switch {
	case before != nil:
		u.at, u.wrote = before.at, true
		u.take(before.content, 0)
	case want.Trunc:
		u.wrote = true
	default:
		u.start()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, u)
	return u
}

// start takes what is in a file that is continued, where it can be read.
func (u *upload) start() {
	info, err := u.file.Stat()
	if err != nil || info.Size() == 0 {
		u.wrote = true
		return
	}
	buf := make([]byte, min(info.Size(), u.most))
	if reader, err := u.h.files.open(u.name, os.O_RDONLY); err == nil {
		n, _ := io.ReadFull(io.NewSectionReader(reader, 0, int64(len(buf))), buf) //nolint:errcheck // what is missing is a fault
		u.take(buf[:n], 0)
		reader.Close() //nolint:errcheck // opened for reading
	}
	u.end = info.Size()
}

// WriteAt writes for the client.
func (u *upload) WriteAt(p []byte, offset int64) (int, error) {
	u.mu.Lock()
	if u.append {
		offset = u.end
	}
	u.mu.Unlock()
	n, err := u.file.WriteAt(p, offset)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.take(p[:n], offset)
	u.wrote = true
	return n, err
}

// TransferError is told that the connection ended.
func (u *upload) TransferError(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.lost = err
}

func (u *upload) set(a attributes) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if a.size != nil {
		u.cut(*a.size)
		u.wrote = true
	}
	if a.modified != nil {
		u.modified = a.modified
	}
}

// Close hands what crossed to the ledger.
func (u *upload) Close() error {
	err := u.file.Close()
	u.mu.Lock()
	c := crossing{by: u.h, at: u.at, took: u.h.ledger.tap.now().Sub(u.at), modified: u.modified, content: u.bytes}
	c.fault = u.fault(u.end, u.lost)
	if err != nil && c.fault == nil {
		c.fault = &harness.Fault{Kind: harness.FaultReset, Detail: "the file could not be closed where it was written"}
	}
	wrote := u.wrote
	u.mu.Unlock()
	u.h.ledger.closed(u, c, wrote)
	return err
}
