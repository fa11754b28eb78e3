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

// recordStore keeps records until they are asked for in the order of their numbers: in memory, or in files of which
// each holds a stretch of numbers.
type recordStore struct {
	dir     string
	files   *partFiles // nil: all are in memory
	stretch uint32     // numbers for each file
	held    heldRecords
	part    int // that is held
}

// storeMost is how much of a store is held in memory, in bytes.
const storeMost = 8 << 20

// newRecordStore expects records of that many bytes in all, with numbers below limit.
func newRecordStore(bytes int64, limit int) (s *recordStore, err error) {
	s = &recordStore{stretch: uint32(limit)}
	parts := int(1 + bytes/storeMost)
	if parts == 1 {
		return s, nil
	}
	if s.dir, err = os.MkdirTemp("", "rehearse-records-"); err != nil {
		return nil, err
	}
	s.stretch = uint32(limit/parts) + 1
	s.part = -1
	if s.files, err = newPartFiles(s.dir, "held", parts); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *recordStore) put(n uint32, record []byte) error {
	if s.files == nil {
		s.held.add(n, record)
		return nil
	}
	head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, n), uint32(len(record)))
	part := int(n / s.stretch)
	return errors.Join(s.files.put(part, head), s.files.put(part, record))
}

// sealed ends putting.
func (s *recordStore) sealed() error {
	if s.files == nil {
		s.held.sort()
		return nil
	}
	return s.files.flush()
}

// take returns the record of a number; numbers must rise. It is valid until the next call.
func (s *recordStore) take(n uint32) ([]byte, error) {
	if part := int(n / s.stretch); s.files != nil && part != s.part {
		if err := s.load(part); err != nil {
			return nil, err
		}
	}
	record, ok := s.held.find(n)
	if !ok {
		return nil, fmt.Errorf("record %d was not found again: the body changed while it was compared", n)
	}
	return record, nil
}

func (s *recordStore) load(part int) error {
	r, err := s.files.read(part)
	if err != nil {
		return err
	}
	s.held.reset()
	s.part = part
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) {
			s.held.sort()
			return nil
		} else if err != nil {
			return err
		}
		room := s.held.room(binary.LittleEndian.Uint32(head[:]), int(binary.LittleEndian.Uint32(head[4:])))
		if _, err := io.ReadFull(r, room); err != nil {
			return err
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

func (h *heldRecords) reset() { h.bytes, h.list = h.bytes[:0], h.list[:0] }
