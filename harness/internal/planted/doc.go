// Package planted makes lists of invented records of any length with a known number of edits, for benchmarks and for
// tests that must find exactly what was planted.
//
// Half a percent of the records differ in one member, a tenth of a percent is gone, a tenth of a percent is new, one of
// them at the front. Nothing is held: a record follows from its number.
package planted

// Workload is two lists that differ in planted edits.
type Workload struct {
	Records  int
	Shuffled bool // the second list has another order, within each million records
	Volatile bool // a time stamp differs in every record
}

// Changed is how many records of both lists differ in one planted member.
func (w Workload) Changed() int { return max(2, w.Records/200) }

// Removed is how many records are gone from the second list.
func (w Workload) Removed() int { return max(1, w.Records/1000) }

// Added is how many records are new in the second list.
func (w Workload) Added() int { return max(1, w.Records/1000) }

// Edits is how many places differ, each added or removed record being one.
func (w Workload) Edits() int {
	edits := w.Changed() + w.Removed() + w.Added()
	if w.Volatile {
		edits += w.Records - w.Removed()
	}
	return edits
}

func (w Workload) isChanged(i int) bool {
	step := w.Records / w.Changed()
	return i%step == step/2 && i/step < w.Changed()
}

func (w Workload) isRemoved(i int) bool {
	step := w.Records / w.Removed()
	return i%step == 1 && i/step < w.Removed()
}

// isAdded reports whether a new record stands before record i.
func (w Workload) isAdded(i int) bool {
	step := w.Records / w.Added()
	return i == 0 || i%step == 2 && i/step > 0 && i/step < w.Added()
}
