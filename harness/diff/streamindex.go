package diff

// recordIndex finds the records of the baseline by the fingerprint of their key: a hash table with open addressing.
type recordIndex struct {
	prints  [][]fingerprint // in chunks, so that growing copies nothing
	len     int
	numbers []uint32 // of the baseline's records; nil when they are 0, 1, 2 and so on
	slots   []uint32 // entry + 1; 0 is free
	was     int      // entries of the baseline; those behind are of the candidate, for keys that it alone has
	hit     bits     // entries whose key the candidate has
	twice   bits     // entries whose key a side has more than once
	counts  keyCounts
}

// keyCounts tells whether a key identifies records.
type keyCounts struct {
	distinct [2]int // keys of each side
	found    int    // keys that both sides have
}

func (k *keyCounts) add(other keyCounts) {
	k.distinct[0] += other.distinct[0]
	k.distinct[1] += other.distinct[1]
	k.found += other.found
}

const chunkSize = 1 << 13 // fingerprints

func newRecordIndex(expected int) *recordIndex {
	size := 1 << 10
	for size < expected+expected/2 {
		size *= 2
	}
	return &recordIndex{slots: make([]uint32, size)}
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
func (x *recordIndex) add(print fingerprint, n uint32) {
	slot := x.find(print.key)
	first := x.slots[slot]
	x.put(print, slot)
	x.was++
	if x.numbers != nil {
		x.numbers = append(x.numbers, n)
	}
	if first != 0 {
		x.twice.set(first - 1)
		return
	}
	x.counts.distinct[0]++
}

// match joins a record of the candidate with the one of the baseline that has its key, when both sides have it once. All
// of the baseline must have been added.
func (x *recordIndex) match(m *matching, print fingerprint, n uint32, same bool) {
	slot := x.find(print.key)
	if x.slots[slot] == 0 {
		x.put(print, slot)
		x.counts.distinct[1]++
		return
	}
	entry := x.slots[slot] - 1
	if int(entry) >= x.was {
		return
	}
	number := entry
	if x.numbers != nil {
		number = x.numbers[entry]
	}
	switch {
	case x.hit.get(entry) && !x.twice.get(entry):
		x.twice.set(entry)
		m.part(number)
	case !x.hit.get(entry):
		x.hit.set(entry)
		x.counts.distinct[1]++
		x.counts.found++
		if !x.twice.get(entry) {
			m.join(number, n, same && x.print(entry).sum == print.sum)
		}
	}
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) get(n uint32) bool {
	return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0
}

func (b *bits) set(n uint32) {
	for int(n/64) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}
