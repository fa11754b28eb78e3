package diff

// recordIndex finds the records of the baseline by the fingerprint of their key: a hash table with open addressing.
type recordIndex struct {
	prints  [][]fingerprint // in chunks, so that growing copies nothing
	len     int
	numbers []uint32            // of the baseline's records; nil when they are 0, 1, 2 and so on
	slots   []uint32            // entry + 1; 0 is free
	was     int                 // entries of the baseline; those behind are of the candidate, for keys that it alone has
	hit     []uint64            // one bit an entry: the candidate has the key
	more    map[uint32][]uint32 // first entry of a key → the further ones of the baseline, in order
	unique  bool                // a repeated key ends the work

	repeated int // records of the candidate whose key occurs before them
}

const chunkSize = 1 << 13 // fingerprints

func newRecordIndex(expected int, unique bool) *recordIndex {
	size := 1 << 10
	for size < expected+expected/2 {
		size *= 2
	}
	return &recordIndex{slots: make([]uint32, size), more: map[uint32][]uint32{}, unique: unique}
}

func (x *recordIndex) print(entry uint32) *fingerprint {
	return &x.prints[entry/chunkSize][entry%chunkSize]
}

// find returns the slot of a key: its own, or the free one where it belongs.
func (x *recordIndex) find(key [2]uint64) uint64 {
	mask := uint64(len(x.slots) - 1)
	at := key[0] & mask
	for x.slots[at] != 0 && x.print(x.slots[at]-1).key != key {
		at = (at + 1) & mask
	}
	return at
}

func (x *recordIndex) append(print fingerprint) (entry uint32) {
	if x.len%chunkSize == 0 {
		x.prints = append(x.prints, make([]fingerprint, 0, chunkSize))
	}
	last := len(x.prints) - 1
	x.prints[last] = append(x.prints[last], print)
	x.len++
	return uint32(x.len - 1)
}

// put appends an entry and, when the slot is free, lets it be found there.
func (x *recordIndex) put(print fingerprint, slot uint64) (entry uint32) {
	entry = x.append(print)
	if x.slots[slot] == 0 {
		x.slots[slot] = entry + 1
	}
	if x.len > len(x.slots)/4*3 {
		x.grow()
	}
	return entry
}

func (x *recordIndex) grow() {
	old := x.slots
	x.slots = make([]uint32, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			x.slots[x.find(x.print(slot-1).key)] = slot
		}
	}
}

// pass leaves out a record of the baseline that has no key.
func (x *recordIndex) pass() {
	x.append(fingerprint{})
	x.was++
}

// add takes a record of the baseline.
func (x *recordIndex) add(print fingerprint, n uint32) error {
	slot := x.find(print.key)
	first := x.slots[slot]
	entry := x.put(print, slot)
	x.was++
	if x.numbers != nil {
		x.numbers = append(x.numbers, n)
	}
	if first != 0 {
		x.more[first-1] = append(x.more[first-1], entry)
		return unlessUnique(x.unique)
	}
	return nil
}

// match joins a record of the candidate with the first record of the baseline that has its key and no partner yet. All of
// the baseline must have been added.
func (x *recordIndex) match(m *matching, print fingerprint, n uint32, same bool) error {
	slot := x.find(print.key)
	if x.slots[slot] == 0 {
		x.put(print, slot)
		return nil
	}
	entry := x.slots[slot] - 1
	if int(entry) >= x.was || x.hits(entry) {
		x.repeated++
		if x.unique {
			return errNoKey
		}
		more := x.more[entry]
		if len(more) == 0 {
			return nil
		}
		x.more[entry], entry = more[1:], more[0]
	}
	number := entry
	if x.numbers != nil {
		number = x.numbers[entry]
	}
	m.join(number, n, same && x.print(entry).sum == print.sum)
	return nil
}

// hits reports whether the entry was hit before, and notes that it is now.
func (x *recordIndex) hits(entry uint32) bool {
	if x.hit == nil {
		x.hit = make([]uint64, x.was/64+1)
	}
	before := x.hit[entry/64]
	x.hit[entry/64] |= 1 << (entry % 64)
	return before&(1<<(entry%64)) != 0
}
