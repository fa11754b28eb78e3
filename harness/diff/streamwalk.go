package diff

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// each reads the wanted records of a side again, in order.
func (s *streaming) each(side int, wanted func(n int) bool, use func(n int, r *payload.Records, record []byte) error) error {
	r, err := s.open(side)
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
				return errGone(n)
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

func errGone(n int) error {
	return fmt.Errorf("record %d was not found again: the body changed while it was compared", n)
}

// sizeOf is about how many bytes so many records of a side have.
func (s *streaming) sizeOf(side, records int) int64 {
	return s.bodies[side].Body.Size() / int64(max(s.rows[side], 1)) * int64(records)
}

// state states what differs, in the order in which documents held whole are compared.
func (s *streaming) state(m *matching) error {
	before := len(s.c.out.Differences)
	if err := s.stateColumns(m); err != nil {
		return err
	}
	absent := harness.Value{Kind: harness.KindAbsent}
	err := s.stateAlone(m, 0, m.isRemoved, func(at harness.Path, n payload.Node) {
		s.c.emit(at, harness.Removed, recordValue(n), absent)
	})
	if err != nil {
		return err
	}
	err = s.stateAlone(m, 1, m.isAdded, func(at harness.Path, n payload.Node) {
		s.c.emit(at, harness.Added, absent, recordValue(n))
	})
	if err != nil {
		return err
	}
	if s.key != nil {
		if n := m.moved(); n > 0 {
			s.c.emitMoved(s.at, n, m.pairs, "records")
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
	store, err := newRecordStore(s.sizeOf(1, m.changed))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	const most = 1 << 17 // differences that room is made for at once
	s.c.out.Differences = slices.Grow(s.c.out.Differences, min(m.changed, most))
	partOf := func(n uint32) int { return int(n) * store.parts() / s.rows[0] }
	isPaired := func(n int) bool { return m.was[n] != 0 && m.isChanged(int(m.was[n]-1)) }
	err = s.each(1, isPaired, func(n int, _ *payload.Records, record []byte) error {
		return store.put(partOf(m.was[n]-1), m.was[n]-1, record)
	})
	if err := errors.Join(err, store.sealed()); err != nil {
		return err
	}
	var sides [2]batch
	var at []int
	flush := func() error {
		defer func() { sides[0].reset(); sides[1].reset(); at = at[:0] }()
		before := len(s.c.out.Differences)
		err := s.comparePairs(m, sides, at)
		columns.count(s.c.out, before)
		return err
	}
	err = s.each(0, m.isChanged, func(n int, _ *payload.Records, record []byte) error {
		held, err := store.load(partOf(uint32(n)))
		if err != nil {
			return err
		}
		other, ok := held.find(uint32(n))
		if !ok {
			return errGone(n)
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
func (s *streaming) comparePairs(m *matching, sides [2]batch, at []int) error {
	var nodes [2][]payload.Node
	for side := range nodes {
		doc, err := s.format[side].Doc(sides[side].records()...)
		if err != nil {
			return err
		}
		nodes[side] = elements(doc.Root())
	}
	s.c.surveyPairs(s.at.Child(harness.Each()), nodes[0], nodes[1])
	for i, n := range at {
		if a, b := nodes[0][i], nodes[1][i]; !payload.SameSource(a, b) {
			s.c.value(s.at.Child(s.step(m, 0, a, n)), a, b)
		}
	}
	return nil
}

// step is the step to the n-th record of a side: its key when it is the first that has it, else its place.
func (s *streaming) step(m *matching, side int, node payload.Node, n int) harness.Step {
	if s.key == nil || m.again[side][uint32(n)] {
		return harness.Index(n)
	}
	return stepOf(s.key, node, n)
}

// stateAlone states the records of a side that have no partner.
func (s *streaming) stateAlone(m *matching, side int, isAlone func(n int) bool, state func(at harness.Path, n payload.Node)) error {
	var b batch
	var at []int
	flush := func() error {
		defer func() { b.reset(); at = at[:0] }()
		doc, err := s.format[side].Doc(b.records()...)
		if err != nil {
			return err
		}
		for i, node := range elements(doc.Root()) {
			state(s.at.Child(s.step(m, side, node, at[i])), node)
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
