package diff

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/rehearse-dev/rehearse/harness/payload"
)

// alignRest aligns the records that have no partner of their own: of damaged, repeated and missing keys, removed and
// added ones. They are few as a rule, and are aligned as the elements of a list held whole. When they are many, those
// whose keys could be damaged spellings of each other are aligned at a time.
func (s *streaming) alignRest(m *matching) (err error) {
	left := [2]int{len(m.is) - m.pairs, len(m.was) - m.pairs}
	if left[0]+left[1] == 0 {
		return nil
	}
	tooMany := s.sizeOf(0, m.keyless[0])+s.sizeOf(1, m.keyless[1]) > wholeMost
	if tooMany {
		s.c.notes.add(fmt.Sprintf("%s %s: so many records have no key that they were not aligned; they are removed and added", s.c.place.Operation, s.at.Pattern()))
	}
	var stores [2]*recordStore
	expected := max(s.sizeOf(0, left[0]), s.sizeOf(1, left[1]))
	seed := maphash.MakeSeed()
	for side, isLeft := range []func(int) bool{m.isRemoved, m.isAdded} {
		if stores[side], err = newRecordStore(expected); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stores[side].close()) }()
		if err := s.keepRest(side, isLeft, stores[side], seed, !tooMany); err != nil {
			return err
		}
	}
	repeated := 0
	m.again = [2]map[uint32]bool{{}, {}}
	for part := range stores[0].parts() {
		n, err := s.alignPart(m, stores, part)
		if err != nil {
			return err
		}
		repeated += n
	}
	if repeated > 0 {
		s.c.notes.add(repeatedNote(s.c.place.Operation, s.at, repeated))
	}
	if n := stores[0].parts(); n > 1 {
		s.c.notes.add(fmt.Sprintf("%s %s: %d and %d records had no partner of the same key; they were aligned in %d groups by key", s.c.place.Operation, s.at.Pattern(), left[0], left[1], n))
	}
	return nil
}

// keepRest stores the records of a side that are left, by their folded key; those that have none in the first part.
func (s *streaming) keepRest(side int, isLeft func(int) bool, store *recordStore, seed maphash.Seed, keepKeyless bool) error {
	key := s.join
	key.Fold = FoldKey
	var room []byte
	err := s.each(side, isLeft, func(n int, r *payload.Records, record []byte) error {
		folded, keyed := r.AppendKey(room[:0], record, &key)
		room = folded
		if s.key == nil {
			node, err := r.Node(record)
			if err != nil {
				return err
			}
			digest := payload.CanonicalDigest(node)
			folded = digest[:]
		}
		switch {
		case !keyed && !keepKeyless:
			return nil
		case !keyed:
			return store.put(0, uint32(n), record)
		default:
			return store.put(int(maphash.Bytes(seed, folded)%uint64(store.parts())), uint32(n), record)
		}
	})
	return errors.Join(err, store.sealed())
}

// alignPart joins what is left of both sides in one part, and returns how many of them repeat a key.
func (s *streaming) alignPart(m *matching, stores [2]*recordStore, part int) (repeated int, err error) {
	var nodes [2][]payload.Node
	var numbers [2][]heldRecord
	for side, store := range stores {
		held, err := store.load(part)
		if err != nil {
			return 0, err
		}
		doc, err := s.format[side].Doc(held.records()...)
		if err != nil {
			return 0, err
		}
		nodes[side], numbers[side] = elements(doc.Root()), held.list
	}
	if s.key == nil {
		for _, p := range equalPairs(nodes[0], nodes[1]) {
			m.join(numbers[0][p.was].n, numbers[1][p.is].n, true)
		}
		return 0, nil
	}
	al := alignByKey(s.key, nodes[0], nodes[1], s.c.keyless(s.at))
	for _, p := range al.pairs {
		m.join(numbers[0][p.was].n, numbers[1][p.is].n, false)
	}
	for side, again := range al.again {
		for i := range again {
			m.again[side][numbers[side][i].n] = true
		}
	}
	return al.repeated(), nil
}

// equalPairs pairs equal elements, of repeated ones the first with the first.
func equalPairs(was, is []payload.Node) (pairs []indexPair) {
	waiting := map[[32]byte][]int{}
	for i, n := range is {
		digest := payload.CanonicalDigest(n)
		waiting[digest] = append(waiting[digest], i)
	}
	for i, n := range was {
		digest := payload.CanonicalDigest(n)
		if list := waiting[digest]; len(list) > 0 {
			pairs = append(pairs, indexPair{i, list[0]})
			waiting[digest] = list[1:]
		}
	}
	return pairs
}
