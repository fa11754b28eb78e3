package diff

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// partFiles are files that are written side by side and read one after the other.
type partFiles struct {
	files   []*os.File
	buffers []*bufio.Writer
}

func newPartFiles(dir, name string, parts int) (*partFiles, error) {
	p := &partFiles{}
	for i := range parts {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s-%04d", name, i)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		const buffer = 32 << 10
		p.files, p.buffers = append(p.files, f), append(p.buffers, bufio.NewWriterSize(f, buffer))
	}
	return p, nil
}

func (p *partFiles) put(part int, b []byte) error {
	_, err := p.buffers[part].Write(b)
	return err
}

func (p *partFiles) flush() error {
	var errs []error
	for _, b := range p.buffers {
		errs = append(errs, b.Flush())
	}
	return errors.Join(errs...)
}

// read returns what was put into a part; it must have been flushed.
func (p *partFiles) read(part int) (io.Reader, error) {
	_, err := p.files[part].Seek(0, io.SeekStart)
	const buffer = 256 << 10
	return bufio.NewReaderSize(p.files[part], buffer), err
}

func (p *partFiles) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// recordStore keeps records with their numbers, in parts of which one is held in memory at a time. A single part is
// never written to disk.
type recordStore struct {
	dir   string
	files *partFiles // nil: there is one part
	held  heldRecords
	part  int // that is held
}

// storeMost is how much of a store is meant to be in memory, in bytes.
const storeMost = 8 << 20

// newRecordStore expects records of that many bytes in all.
func newRecordStore(bytes int64) (s *recordStore, err error) {
	parts := int(1 + bytes/storeMost)
	if parts == 1 {
		return &recordStore{}, nil
	}
	s = &recordStore{part: -1}
	if s.dir, err = os.MkdirTemp("", "rehearse-records-"); err != nil {
		return nil, err
	}
	if s.files, err = newPartFiles(s.dir, "held", parts); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// parts is how many there are.
func (s *recordStore) parts() int {
	if s.files == nil {
		return 1
	}
	return len(s.files.files)
}

func (s *recordStore) put(part int, n uint32, record []byte) error {
	if s.files == nil {
		s.held.add(n, record)
		return nil
	}
	var head [8]byte
	binary.LittleEndian.PutUint32(head[:], n)
	binary.LittleEndian.PutUint32(head[4:], uint32(len(record)))
	return errors.Join(s.files.put(part, head[:]), s.files.put(part, record))
}

// sealed ends putting.
func (s *recordStore) sealed() error {
	if s.files == nil {
		s.held.sort()
		return nil
	}
	return s.files.flush()
}

// load returns the records of a part, in the order of their numbers; they are valid until the next call.
func (s *recordStore) load(part int) (*heldRecords, error) {
	if s.files == nil || part == s.part {
		return &s.held, nil
	}
	r, err := s.files.read(part)
	if err != nil {
		return nil, err
	}
	s.held.reset()
	s.part = part
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) {
			s.held.sort()
			return &s.held, nil
		} else if err != nil {
			return nil, err
		}
		room := s.held.room(binary.LittleEndian.Uint32(head[:]), int(binary.LittleEndian.Uint32(head[4:])))
		if _, err := io.ReadFull(r, room); err != nil {
			return nil, err
		}
	}
}

func (s *recordStore) close() error {
	if s.files == nil {
		return nil
	}
	return errors.Join(s.files.close(), os.RemoveAll(s.dir))
}

// heldRecords is records in memory.
type heldRecords struct {
	bytes []byte
	list  []heldRecord
}

type heldRecord struct {
	n        uint32
	from, to int
}

func (h *heldRecords) add(n uint32, record []byte) { copy(h.room(n, len(record)), record) }

// room makes place for the bytes of a record.
func (h *heldRecords) room(n uint32, size int) []byte {
	from := len(h.bytes)
	h.bytes = slices.Grow(h.bytes, size)[:from+size]
	h.list = append(h.list, heldRecord{n, from, from + size})
	return h.bytes[from:]
}

func (h *heldRecords) sort() {
	slices.SortFunc(h.list, func(a, b heldRecord) int { return cmp.Compare(a.n, b.n) })
}

func (h *heldRecords) find(n uint32) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(h.list, n, func(r heldRecord, n uint32) int { return cmp.Compare(r.n, n) })
	if !ok {
		return nil, false
	}
	return h.bytes[h.list[i].from:h.list[i].to], true
}

// records returns all, in order.
func (h *heldRecords) records() [][]byte {
	list := make([][]byte, len(h.list))
	for i, r := range h.list {
		list[i] = h.bytes[r.from:r.to]
	}
	return list
}

func (h *heldRecords) reset() { h.bytes, h.list = h.bytes[:0], h.list[:0] }
