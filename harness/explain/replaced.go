package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectReplaced claims tables in which no record of before is left and others came: they are about other things, which
// is one cause, not one for what is gone and one for what came.
func detectReplaced(s *state) {
	records := s.groups(func(d *harness.Difference) bool { return isRecord(d) && inRootTable(d) && len(d.Pattern) == 3 })
	came := map[siblings][]int{}
	for _, g := range records {
		if s.at(g.list[0]).Class == harness.Added {
			came[s.parentOf(g)] = g.list
		}
	}
	for _, g := range records {
		d := s.at(g.list[0])
		others := came[s.parentOf(g)]
		if d.Class != harness.Removed || len(others) == 0 || len(g.list) < minReplaced || len(g.list) != s.population(d) {
			continue
		}
		f := s.sized(g.list)
		f.Sentence = fmt.Sprintf("None of the %s of %s from %s is there any more; %s came.", count(len(g.list), unitOf(d)), d.Operation, s.side(answerer(d)), count(len(others), "other"))
		f.NextStep = fmt.Sprintf("Find out whether %s was asked for other data, or whether what identifies a record was rewritten.", s.side(answerer(d)))
		s.claim(f, s.take(append(g.list, others...)))
	}
}

// minReplaced is how many records a table must have had, so that it is more than a record that was exchanged.
const minReplaced = 3
