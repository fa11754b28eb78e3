package explain

import (
	"fmt"
	"iter"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Sizes by which a part is told from the whole: at least so many records are missing, and they are such a share of it.
const (
	minMissing      = 20
	minMissingShare = 0.8
)

// detectDelta claims records that are missing because a file holds the few that changed where it held all, and the
// reverse. What differs in the records that are there is left to others.
func detectDelta(s *state) {
	for _, class := range []harness.ChangeClass{harness.Removed, harness.Added} {
		for _, sent := range []bool{false, true} {
			for _, g := range s.groups(func(d *harness.Difference) bool { return isRecord(d) && d.Class == class && s.downstream(d) == sent }) {
				for _, part := range splitBy(g, func(i int) string { return s.at(i).Exchange + " " + tableOf(s.at(i).Path).String() }) {
					if t := s.tablesOf(s.at(part.list[0])); isDelta(t, class) && len(s.stillOpen(slices.Clone(part.list))) == len(part.list) {
						s.claimDelta(part.list, t, class)
					}
				}
			}
		}
	}
}

// isDelta reports whether the smaller side holds a small part of the other one, picked from all over it: a file that was
// cut off holds its beginning.
func isDelta(t tables, class harness.ChangeClass) bool {
	whole, part := t.was, t.is
	if class == harness.Added {
		whole, part = t.is, t.was
	}
	missing := whole.n - part.n
	return part.n > 0 && missing >= minMissing && float64(missing) >= minMissingShare*float64(whole.n) && !isBeginning(whole, part)
}

// isBeginning reports whether the part is the first or the last rows of the whole.
func isBeginning(whole, part rows) bool {
	key := businessKey(whole)
	same := func(from int) bool {
		next, stop := iter.Pull(whole.all)
		defer stop()
		for range from {
			next()
		}
		for row := range part.all {
			other, _ := next()
			if a, b := fieldsOf(other), fieldsOf(row); keyText(a, key) != keyText(b, key) || key == nil && contentOf(a) != contentOf(b) {
				return false
			}
		}
		return true
	}
	return same(0) || same(whole.n-part.n)
}

func (s *state) claimDelta(list []int, t tables, class harness.ChangeClass) {
	list = s.take(list)
	d := s.at(list[0])
	f := s.sized(list)
	f.Hit = s.hits(list)
	f.Sentence = fmt.Sprintf("%s from %s looks like a delta where a snapshot was: %d → %d %s, picked from all over the file%s.",
		d.Operation, s.side(answerer(d)), t.was.n, t.is.n, plural(unitOf(d)), s.changedSince(d, t))
	f.Effects = []string{"A receiver that takes what is missing for deleted deletes the rest."}
	f.NextStep = fmt.Sprintf("Ask %s for the whole file, or switch the receiver to deltas before it reads this one.", s.side(answerer(d)))
	if class == harness.Added {
		f.Verdict, f.Of = harness.Review, 0
		f.Sentence = fmt.Sprintf("%s from %s looks like a snapshot where a delta was: %d → %d %s, those from before among them.", d.Operation, s.side(answerer(d)), t.was.n, t.is.n, plural(unitOf(d)))
		f.Effects = []string{"A receiver of deltas handles every record as a change: it takes long, and may write to everybody."}
		f.NextStep = fmt.Sprintf("Ask %s for what changed, or tell the receiver that everything comes once.", s.side(answerer(d)))
	}
	c := s.lostWith(list, func(o *harness.Difference) bool { return isRecord(o) && o.Class == class })
	c.join(s.consequences(list))
	c.addTo(&f)
	s.claim(f, append(list, c.list...))
}

// changedSince says how many of the records that are left differ from before, which is what a delta holds.
func (s *state) changedSince(d *harness.Difference, t tables) string {
	before := map[content]bool{}
	for row := range t.was.all {
		before[contentOf(fieldsOf(row))] = true
	}
	n := 0
	for row := range t.is.all {
		if !before[contentOf(fieldsOf(row))] {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of the %d that are there changed since", n, t.is.n)
}
