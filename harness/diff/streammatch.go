package diff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/payload"
)

// matching says which records of two lists belong together, by number.
type matching struct {
	is      []uint32 // for each record of the baseline its partner's number + 1, 0 when it has none; differs when their bytes do
	was     []uint32 // for each record of the candidate its partner's number + 1, 0 when it has none
	pairs   int
	changed int    // pairs whose bytes differ
	keyless [2]int // records of each side that lack the key
	counts  keyCounts
	again   [2]map[uint32]bool // records of each side whose key occurs before them
}

// differs is set in matching.is when the bytes of a pair differ.
const differs = 1 << 31

func (m *matching) join(was, is uint32, same bool) {
	m.pairs++
	m.was[is] = was + 1
	m.is[was] = is + 1
	if !same {
		m.is[was] |= differs
		m.changed++
	}
}

// part undoes join.
func (m *matching) part(was uint32) {
	m.pairs--
	if m.isChanged(int(was)) {
		m.changed--
	}
	m.was[m.is[was]&^differs-1] = 0
	m.is[was] = 0
}

func (m *matching) isChanged(was int) bool { return m.is[was]&differs != 0 }
func (m *matching) isRemoved(was int) bool { return m.is[was] == 0 }
func (m *matching) isAdded(is int) bool    { return m.was[is] == 0 }

// moved is how many pairs are out of order: all but the longest run of pairs that kept their order.
func (m *matching) moved() int {
	tails := make([]uint32, 0, m.pairs) // tails[n] is the least last place of an ordered run of n+1 pairs
	for _, partner := range m.is {
		is := partner &^ differs
		if is == 0 {
			continue
		}
		if n := len(tails); n == 0 || tails[n-1] < is {
			tails = append(tails, is)
			continue
		}
		low, high := 0, len(tails)-1
		for low < high {
			if mid := (low + high) / 2; tails[mid] < is {
				low = mid + 1
			} else {
				high = mid
			}
		}
		tails[low] = is
	}
	return m.pairs - len(tails)
}

// fingerprint stands for a record: 128 bits for its key and 128 for its bytes. Records of equal fingerprints are equal:
// by chance two different keys among a thousand million agree once in 10^20 comparisons, and the seeds are new each time.
type fingerprint struct{ key, sum [2]uint64 }

// recordsPerPart is how many records of one side are held as fingerprints at a time. Lists of more are split by key.
const recordsPerPart = 1 << 21

// matchAll joins the records whose key both sides have once. It gives up when more than the tolerated number of records
// of a side have no key or a repeated one.
func (s *streaming) matchAll(tolerated int) (*matching, error) {
	seeds := [4]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()}
	if parts := 1 + s.rows[0]/s.c.recordsPerPart; parts > 1 {
		return s.matchInParts(seeds, parts, tolerated)
	}
	m := &matching{is: make([]uint32, 0, s.rows[0]+s.rows[0]/32)}
	index := newRecordIndex(s.rows[0])
	err := s.scan(0, seeds, func(n uint32, print fingerprint, keyed bool) error {
		m.is = append(m.is, 0)
		if keyed {
			index.add(print, n)
		} else {
			m.keyless[0]++
			index.pass()
		}
		return enough(len(m.is)-index.counts.distinct[0], tolerated)
	})
	if err != nil {
		return nil, err
	}
	m.was = make([]uint32, 0, s.rows[1]+s.rows[1]/32)
	same := s.sameHeader()
	err = s.scan(1, seeds, func(n uint32, print fingerprint, keyed bool) error {
		m.was = append(m.was, 0)
		if keyed {
			index.match(m, print, n, same)
		} else {
			m.keyless[1]++
		}
		return enough(len(m.was)-index.counts.distinct[1], tolerated)
	})
	m.counts = index.counts
	return m, err
}

// enough ends the attempt with a key that too many records lack or share.
func enough(misses, tolerated int) error {
	if misses > tolerated {
		return errNoKey
	}
	return nil
}

// sameHeader reports whether records of equal bytes mean the same on both sides. Those that are joined by their value
// always do.
func (s *streaming) sameHeader() bool {
	return s.key == nil || string(s.format[0].Shared()) == string(s.format[1].Shared())
}

// scan reads all records of a side.
func (s *streaming) scan(side int, seeds [4]maphash.Seed, use func(n uint32, print fingerprint, keyed bool) error) error {
	r, err := s.open(side)
	if err != nil {
		return err
	}
	defer r.Close()
	s.marks[side] = nil
	key := s.join // its own for each side, because the columns may stand elsewhere
	var room []byte
	for n := 0; ; n++ {
		if n%markEvery == 0 {
			s.marks[side] = append(s.marks[side], r.Mark())
		}
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			s.facts[side], s.rows[side] = r.Facts(), n
			return nil
		}
		if err != nil {
			return err
		}
		if n >= maxRecords {
			return fmt.Errorf("compare %s: more than %d records", s.at, maxRecords)
		}
		print, keyed, err := s.fingerprint(r, record, &key, seeds, &room)
		if err != nil {
			return err
		}
		if err := use(uint32(n), print, keyed); err != nil {
			return err
		}
	}
}

func (s *streaming) fingerprint(r *payload.Records, record []byte, key *payload.Key, seeds [4]maphash.Seed, room *[]byte) (print fingerprint, keyed bool, err error) {
	if s.key == nil {
		node, err := r.Node(record)
		if err != nil {
			return print, false, err
		}
		digest := payload.CanonicalDigest(node)
		print.key = [2]uint64{binary.LittleEndian.Uint64(digest[:]), binary.LittleEndian.Uint64(digest[8:])}
		return print, true, nil
	}
	*room, keyed = r.AppendKey((*room)[:0], record, key)
	print.key = [2]uint64{maphash.Bytes(seeds[0], *room), maphash.Bytes(seeds[1], *room)}
	print.sum = [2]uint64{maphash.Bytes(seeds[2], record), maphash.Bytes(seeds[3], record)}
	return print, keyed, nil
}

// matchInParts splits the fingerprints of both sides by key, on disk, and joins one part after the other.
func (s *streaming) matchInParts(seeds [4]maphash.Seed, parts, tolerated int) (m *matching, err error) {
	dir, err := os.MkdirTemp("", "rehearse-records-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m = &matching{}
	var files [2]*partFiles
	var errs [2]error
	var wg sync.WaitGroup
	for side := range files {
		wg.Go(func() {
			files[side], errs[side] = s.split(dir, side, seeds, parts, tolerated, &m.keyless[side])
		})
	}
	wg.Wait()
	defer func() { err = errors.Join(err, files[0].close(), files[1].close()) }()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	m.is, m.was = make([]uint32, s.rows[0]), make([]uint32, s.rows[1])
	for part := range parts {
		if err := s.matchPart(m, files, part); err != nil {
			return nil, err
		}
	}
	misses := max(s.rows[0]-m.counts.distinct[0], s.rows[1]-m.counts.distinct[1])
	return m, enough(misses, tolerated)
}

// split writes the fingerprints of a side to one file for each part, and counts the records that have no key.
func (s *streaming) split(dir string, side int, seeds [4]maphash.Seed, parts, tolerated int, keyless *int) (*partFiles, error) {
	files, err := newPartFiles(dir, fmt.Sprint(side), parts)
	if err != nil {
		return nil, err
	}
	var line [fingerprintSize]byte
	err = s.scan(side, seeds, func(n uint32, print fingerprint, keyed bool) error {
		if !keyed {
			*keyless++
			return enough(*keyless, tolerated)
		}
		return files.put(int(print.key[1]%uint64(parts)), print.write(line[:], n))
	})
	return files, errors.Join(err, files.flush())
}

func (s *streaming) matchPart(m *matching, files [2]*partFiles, part int) error {
	index := newRecordIndex(s.rows[0] / len(files[0].files))
	index.numbers = []uint32{}
	same := s.sameHeader()
	for side, use := range []func(fingerprint, uint32){
		index.add,
		func(print fingerprint, n uint32) { index.match(m, print, n, same) },
	} {
		r, err := files[side].read(part)
		if err != nil {
			return err
		}
		var line [fingerprintSize]byte
		for {
			if _, err := io.ReadFull(r, line[:]); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
			use(readFingerprint(line[:]))
		}
	}
	m.counts.add(index.counts)
	return nil
}

// fingerprintSize is the length of a fingerprint and the number of its record on disk.
const fingerprintSize = 4*8 + 4

func (f fingerprint) write(b []byte, n uint32) []byte {
	for i, word := range [4]uint64{f.key[0], f.key[1], f.sum[0], f.sum[1]} {
		binary.LittleEndian.PutUint64(b[8*i:], word)
	}
	binary.LittleEndian.PutUint32(b[32:], n)
	return b
}

func readFingerprint(b []byte) (f fingerprint, n uint32) {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return fingerprint{[2]uint64{word(0), word(1)}, [2]uint64{word(2), word(3)}}, binary.LittleEndian.Uint32(b[32:])
}
