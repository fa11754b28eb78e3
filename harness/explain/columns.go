package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// manyColumns is how many columns of one table come or go together as one cause.
const manyColumns = 4

// detectColumnsAdded claims tables that got many columns at once.
func detectColumnsAdded(s *state) {
	for _, t := range s.wideChanges(harness.Added) {
		d := s.at(t.list[0])
		f := s.sized(t.list)
		f.Count, f.Of, f.Unit = len(t.names), 0, "columns"
		f.Sentence = fmt.Sprintf("%d columns were added to %s of %s: %s.", len(t.names), d.Operation, s.side(answerer(d)), listSome(t.names, 6))
		moves, _ := s.movesColumns(d)
		switch {
		case s.downstream(d):
			f.NextStep = fmt.Sprintf("Ask %s whether it accepts the columns.", s.side(receiver(d)))
		case moves:
			f.Verdict = harness.Breaking // seen: columns moved
			f.Effects = []string{"The integration reads this table by position: every column behind the new ones moves."}
			f.NextStep = "Move the reader to names, or ask for the old layout."
		default:
			f.Effects = []string{"The integration reads fields by name and does not know these."}
			f.NextStep = "Nothing to do. Decide whether the new columns are of use."
		}
		s.claim(f, t.list)
	}
}

// detectColumnsRemoved claims tables that lost many columns at once, with what follows from it.
func detectColumnsRemoved(s *state) {
	for _, t := range s.wideChanges(harness.Removed) {
		list := s.take(t.list)
		d := s.at(list[0])
		f := s.sized(list)
		f.Count, f.Of, f.Unit = len(t.names), 0, "columns"
		f.Sentence = fmt.Sprintf("%d columns are gone from %s of %s: %s.", len(t.names), d.Operation, s.side(answerer(d)), listSome(t.names, 6))
		f.NextStep = "Find out who reads the columns; ask for them back or take them out of the mapping."
		if moves, _ := s.movesColumns(d); moves {
			f.Verdict = harness.Breaking
			f.Effects = []string{"The integration reads this table by position: every column behind a lost one moves."}
		}
		c := s.consequences(list)
		if len(c.list) > 0 {
			f.Verdict = harness.Breaking
		}
		c.addTo(&f)
		s.claim(f, append(list, c.list...))
	}
}

// wideChange is the columns of one table that came or went.
type wideChange struct {
	names []string
	list  []int
}

// wideChanges finds the tables in which many whole columns came or went.
func (s *state) wideChanges(class harness.ChangeClass) []wideChange {
	at := map[siblings]*wideChange{}
	var all []*wideChange
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == class && isField(d) && inRootTable(d) && len(d.Pattern) == 4
	}) {
		t := at[s.parentOf(g)]
		if t == nil {
			t = &wideChange{}
			at[s.parentOf(g)] = t
			all = append(all, t)
		}
		t.names = append(t.names, fmt.Sprintf("%q", fieldName(s.at(g.list[0]))))
		t.list = append(t.list, g.list...)
	}
	var wide []wideChange
	for _, t := range all {
		if len(t.names) >= manyColumns {
			wide = append(wide, *t)
		}
	}
	return wide
}
