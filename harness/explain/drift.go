package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectDrift finds things that the rehearsal needs and that a test system does not hold any more: it answers not found
// for some of them, and answers for others as before. The data moved, not the interface, so the run proves nothing.
func detectDrift(s *state) {
	gone := s.refusals(func(d *harness.Difference, _ harness.Exchange) bool {
		return (d.Is.Text == "404" || d.Is.Text == "410") && verbOfCall(d) == "GET" && d.To != s.Scenario.Target.System
	})
	for _, g := range s.grouped(gone) {
		if found := s.stillFound(g.slot); found > 0 {
			s.claimDrift(g, found)
		}
	}
}

// stillFound counts the calls of the slot that the candidate answers with success.
func (s *state) stillFound(k slot) int {
	n := 0
	for _, x := range s.after.bySlot[k] {
		if x.Status() < 300 && x.Status() >= 200 {
			n++
		}
	}
	return n
}

func (s *state) claimDrift(g group, found int) {
	d := s.at(g.list[0])
	f := s.sized(g.list)
	f.Verdict, f.Hit = harness.NoConclusion, s.hits(g.list)
	f.Sentence = fmt.Sprintf("The test data moved: %s does not hold what %s asks for any more (%s), and answers %s of the same kind as before.",
		s.side(d.To), d.Operation, s.share(g.list), count(found, "other call"))
	f.Effects = []string{"What follows in these sessions says nothing about the release or the mapping."}
	f.NextStep = fmt.Sprintf("Bring the data back into %s (or record a new baseline after its refresh), then rehearse again.", s.side(d.To))
	own := s.answersOf(g.list)
	s.claimWithEffects(f, own)
}
