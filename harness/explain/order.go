package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectOrder claims records in another order. An output follows the order of its input: what the target hands on in
// the same sessions belongs to the first input that moved.
func detectOrder(s *state) {
	mixed := s.slotsOfRecords()
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Moved && !s.downstream(d) }) {
		roots := s.sessions(g.list)
		follow := s.groups(func(d *harness.Difference) bool {
			_, same := slices.BinarySearch(roots, d.Session)
			return d.Class == harness.Moved && s.downstream(d) && same
		})
		s.claimOrder(g, follow, mixed)
	}
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Moved }) {
		s.claimOrder(g, nil, mixed)
	}
}

func (s *state) claimOrder(g group, follow []group, mixed map[slot]bool) {
	d := s.at(g.list[0])
	f := s.sized(g.list)
	same := fmt.Sprintf("the same %s, order only", count(s.population(d), "key"))
	if mixed[g.slot] {
		same = fmt.Sprintf("%s that are on both sides stand elsewhere", count(f.Count, unitOf(d)))
	}
	f.Sentence = fmt.Sprintf("%s from %s comes in another order: %s.", d.Operation, s.side(answerer(d)), same)
	f.Proof = "Records were compared by key, so nothing but their order is claimed here."
	f.NextStep = "Nothing to do, unless a receiver lets the last row win or needs parents before children."
	moved := harness.CauseProof{Explained: f.Count, Proven: f.Count >= harness.MinProven}
	f.Cause = structural("order", "records stand in another order", nil, moved, d)
	s.addOrderEffects(&f, s.tablesOf(d))
	list := g.list
	for _, o := range follow {
		out := s.at(o.list[0])
		f.Effects = append(f.Effects, fmt.Sprintf("%s to %s follows: %s in another place.", out.Operation, s.side(out.To), s.share(o.list)))
		list = append(list, o.list...)
	}
	s.claim(f, list)
}

// slotsOfRecords is the slots in which whole records came or went, so that their keys are not the same.
func (s *state) slotsOfRecords() map[slot]bool {
	mixed := map[slot]bool{}
	for i := range s.open {
		if d := s.at(i); isRecord(d) {
			mixed[slotOf(d)] = true
		}
	}
	return mixed
}
