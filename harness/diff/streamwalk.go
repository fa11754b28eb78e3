package diff

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// each reads the wanted records of a side again, in order.
func (s *streaming) each(side int, wanted func(n int) bool, use func(n int, r *payload.Records, record []byte) error) error {
	r, err := payload.RecordsOf(s.bodies[side])
	if err != nil {
		return err
	}
	defer r.Close()
	for n := range s.rows[side] {
		if !wanted(n) {
			continue
		}
		if mark := s.marks[side][n/markEvery]; mark.N > r.N() {
			if err := r.Skip(mark); err != nil {
				return err
			}
		}
		var record []byte
		for r.N() <= n {
			if record, err = r.Next(); errors.Is(err, io.EOF) {
				return fmt.Errorf("record %d was not found again: the body changed while it was compared", n)
			} else if err != nil {
				return err
			}
		}
		if err := use(n, r, record); err != nil {
			return err
		}
	}
	return nil
}

// leftover is a key that no record of the other side has as it is, but perhaps in another spelling.
type leftover struct {
	at    [2]uint32 // the record of each side
	count [2]int
}

// leftoversAtOnce is how many of them are held at a time.
const leftoversAtOnce = 1 << 20

// joinLeftovers pairs the records that are left on both sides: those whose keys differ only in ways that damage keys,
// and in order those that have no key at all.
func (s *streaming) joinLeftovers(m *matching) error {
	left := [2]int{len(m.is) - m.pairs, len(m.was) - m.pairs}
	if left[0] == 0 || left[1] == 0 {
		return nil
	}
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	rounds := uint64(1 + min(left[0], left[1])/leftoversAtOnce)
	var keyless [2]keylessRecords
	for round := range rounds {
		found := map[[2]uint64]*leftover{}
		for side, isLeft := range []func(int) bool{m.isRemoved, m.isAdded} {
			key := s.join
			key.Fold = FoldKey
			var room []byte
			err := s.each(side, isLeft, func(n int, r *payload.Records, record []byte) error {
				folded, ok := r.AppendKey(room[:0], record, &key)
				room = folded
				if !ok {
					if round == 0 {
						keyless[side].add(n, record)
					}
					return nil
				}
				sum := [2]uint64{maphash.Bytes(seeds[0], folded), maphash.Bytes(seeds[1], folded)}
				if sum[1]%rounds != round {
					return nil
				}
				if found[sum] == nil && side == 0 {
					found[sum] = &leftover{}
				}
				if l := found[sum]; l != nil {
					l.at[side] = uint32(n)
					l.count[side]++
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		for _, l := range found {
			if l.count == [2]int{1, 1} {
				m.join(l.at[0], l.at[1], false)
			}
		}
	}
	return s.joinKeyless(m, keyless)
}

// keylessRecords is the records of a side that have no key, as long as they fit into memory.
type keylessRecords struct {
	batch
	at   []uint32
	many bool
}

func (k *keylessRecords) add(n int, record []byte) {
	if k.many = k.many || len(k.bytes)+len(record) > wholeMost; k.many {
		return
	}
	k.batch.add(record)
	k.at = append(k.at, uint32(n))
}

func (s *streaming) joinKeyless(m *matching, keyless [2]keylessRecords) error {
	if keyless[0].many || keyless[1].many {
		s.c.notes.add(fmt.Sprintf("%s %s: so many records have no key that they were not aligned; they are removed and added", s.c.place.Operation, s.at.Pattern()))
		return nil
	}
	var nodes [2][]payload.Node
	for side := range nodes {
		doc, err := s.format[side].Doc(keyless[side].records()...)
		if err != nil {
			return err
		}
		nodes[side] = elements(doc.Root())
	}
	all := func(n int) (list []int) {
		for i := range n {
			list = append(list, i)
		}
		return list
	}
	al := alignment{removed: all(len(nodes[0])), added: all(len(nodes[1]))}
	al.joinKeyless(s.key, nodes[0], nodes[1], s.c.sumOf(s.at.Child(harness.Each())))
	for _, p := range al.pairs {
		m.join(keyless[0].at[p.was], keyless[1].at[p.is], false)
	}
	return nil
}

// state states what differs, in the order in which documents held whole are compared.
func (s *streaming) state(m *matching) error {
	if m.repeated > 0 && s.key != nil {
		s.c.notes.add(repeatedNote(s.c.place.Operation, s.at, m.repeated))
	}
	before := len(s.c.out.Differences)
	if err := s.stateColumns(m); err != nil {
		return err
	}
	absent := harness.Value{Kind: harness.KindAbsent}
	err := s.stateAlone(0, m.isRemoved, func(at harness.Path, n payload.Node) {
		s.c.emit(at, harness.Removed, recordValue(n), absent)
	})
	if err != nil {
		return err
	}
	err = s.stateAlone(1, m.isAdded, func(at harness.Path, n payload.Node) {
		s.c.emit(at, harness.Added, absent, recordValue(n))
	})
	if err != nil {
		return err
	}
	if s.key != nil {
		if n := m.moved(); n > 0 {
			s.c.emitMoved(s.at, n, m.pairs)
		}
	}
	if s.key != nil {
		s.c.collapse(s.at, before, m.pairs)
	}
	return nil
}

// Bounds of a batch of records that are parsed together.
const (
	batchBytes   = 256 << 10
	batchRecords = 512
)

func (b *batch) isFull() bool { return len(b.bytes) >= batchBytes || len(b.ends) >= batchRecords }

// statePairs compares the pairs whose bytes differ, in the order of the baseline.
func (s *streaming) statePairs(m *matching, columns *wholeColumns) (err error) {
	if m.changed == 0 {
		return nil
	}
	average := s.bodies[1].Body.Size() / int64(max(s.rows[1], 1))
	store, err := newRecordStore(average*int64(m.changed), s.rows[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	isPaired := func(n int) bool { return m.was[n] != 0 && m.isChanged(int(m.was[n]-1)) }
	err = s.each(1, isPaired, func(n int, _ *payload.Records, record []byte) error { return store.put(m.was[n]-1, record) })
	if err := errors.Join(err, store.sealed()); err != nil {
		return err
	}
	var sides [2]batch
	var at []int
	flush := func() error {
		defer func() { sides[0].reset(); sides[1].reset(); at = at[:0] }()
		before := len(s.c.out.Differences)
		err := s.comparePairs(sides, at)
		columns.count(s.c.out, before)
		return err
	}
	err = s.each(0, m.isChanged, func(n int, _ *payload.Records, record []byte) error {
		other, err := store.take(uint32(n))
		if err != nil {
			return err
		}
		sides[0].add(record)
		sides[1].add(other)
		if at = append(at, n); sides[0].isFull() || sides[1].isFull() {
			return flush()
		}
		return nil
	})
	return errors.Join(err, flush())
}

// comparePairs compares some pairs; at is their numbers in the baseline.
func (s *streaming) comparePairs(sides [2]batch, at []int) error {
	var nodes [2][]payload.Node
	for side := range nodes {
		doc, err := s.format[side].Doc(sides[side].records()...)
		if err != nil {
			return err
		}
		nodes[side] = elements(doc.Root())
	}
	for i, n := range at {
		s.c.record(s.at, s.key, nodes[0][i], nodes[1][i], n)
	}
	return nil
}

// stateAlone states the records of a side that have no partner.
func (s *streaming) stateAlone(side int, isAlone func(n int) bool, state func(at harness.Path, n payload.Node)) error {
	var b batch
	var at []int
	flush := func() error {
		defer func() { b.reset(); at = at[:0] }()
		doc, err := s.format[side].Doc(b.records()...)
		if err != nil {
			return err
		}
		for i, node := range elements(doc.Root()) {
			step := harness.Index(at[i])
			if s.key != nil {
				step = stepOf(s.key, node, at[i])
			}
			state(s.at.Child(step), node)
		}
		return nil
	}
	err := s.each(side, isAlone, func(n int, _ *payload.Records, record []byte) error {
		b.add(record)
		if at = append(at, n); b.isFull() {
			return flush()
		}
		return nil
	})
	return errors.Join(err, flush())
}
