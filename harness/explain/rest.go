package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectRest shows what nobody claimed, one finding for each place and class.
func detectRest(s *state) error {
	for _, g := range s.groups(func(*harness.Difference) bool { return true }) {
		d := s.at(g.list[0])
		n := s.places(g.list)
		s.claim(harness.Finding{
			Verdict: harness.Review, Count: n, Of: s.population(d), Unit: plural(unitOf(d)), Hit: s.hits(g.list),
			Sentence: s.restSentence(d, n, len(g.list)),
			Source:   s.place(answerer(d), d),
			NextStep: "Look at the samples. Declare the change in expect, cover it with a rule and a reason, or mend it.",
		}, g.list)
	}
	return nil
}

func (s *state) restSentence(d *harness.Difference, places, facts int) string {
	field, from := fieldOf(*d), s.side(answerer(d))
	switch {
	case d.Class == harness.MissingCall:
		return fmt.Sprintf("%s to %s is not called any more (%d of %d); no cause was found.", d.Operation, s.side(d.To), facts, s.population(d))
	case d.Class == harness.ExtraCall:
		return fmt.Sprintf("%s to %s is called %s more than before; no cause was found.", d.Operation, s.side(d.To), count(facts, "time"))
	case isRecord(d) && d.Class == harness.Removed:
		return fmt.Sprintf("%s missing from %s; no cause was found.", count(places, unitOf(d)), d.Operation)
	case isRecord(d):
		return fmt.Sprintf("%s new in %s; no cause was found.", count(places, unitOf(d)), d.Operation)
	case d.Class == harness.Reformed:
		return fmt.Sprintf("The form of %s in %s from %s changed: %s → %s (%s).", field, d.Operation, from, textOf(d.Was), textOf(d.Is), count(places, "place"))
	default:
		return fmt.Sprintf("%q in %s from %s %s in %s; no cause was found.", field, d.Operation, from, verbOf(d.Class), count(places, "place"))
	}
}

var verbs = map[harness.ChangeClass]string{
	harness.Changed: "changed", harness.Added: "was added", harness.Removed: "was removed", harness.Retyped: "has another type", harness.Moved: "moved",
}

func verbOf(c harness.ChangeClass) string { return verbs[c] }
