package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectOrder claims records in another order, in every operation at once: an output follows the order of its input.
func detectOrder(s *state) error {
	moved := s.unclaimed(func(d *harness.Difference) bool { return d.Class == harness.Moved })
	if len(moved) == 0 {
		return nil
	}
	first := s.at(moved[0])
	var effects []string
	for _, i := range moved[1:] {
		d := s.at(i)
		effects = append(effects, fmt.Sprintf("%s to %s follows: %s in another place.", d.Operation, s.side(d.To), count(d.Count, unitOf(d))))
	}
	s.claim(harness.Finding{
		Verdict: harness.Benign, Count: first.Count, Of: s.population(first), Unit: plural(unitOf(first)), Effects: effects,
		Sentence: fmt.Sprintf("%s from %s comes in another order: %s.", first.Operation, s.side(answerer(first)), s.sameRecords(first)),
		Source:   answerer(first) + ": " + first.Operation,
		Proof:    "Records were compared by key, so nothing but their order is claimed here.",
		NextStep: "Nothing to do, unless a receiver lets the last row win or needs parents before children.",
	}, moved)
	return nil
}

// sameRecords says whether both sides hold the same keys.
func (s *state) sameRecords(d *harness.Difference) string {
	for i := range s.open {
		if o := s.at(i); slotOf(o) == slotOf(d) && isRecord(o) {
			return fmt.Sprintf("%s that are on both sides stand elsewhere", count(d.Count, unitOf(d)))
		}
	}
	return fmt.Sprintf("the same %s, order only", count(s.population(d), "key"))
}
