package explain

import (
	"fmt"
	"reflect"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectExpiredRules makes each rule past its day a finding that needs a person, whether it would still take something
// away or not. It claims no difference: what the rule took away counts again and has causes of its own.
func detectExpiredRules(s *state) {
	for _, r := range s.Comparison.Expired {
		again := 0
		for i := range s.open {
			if d := s.at(i); d.Rule != nil && reflect.DeepEqual(*d.Rule, r) {
				again += d.Count
			}
		}
		s.claim(harness.Finding{
			Verdict:  harness.Review,
			Sentence: fmt.Sprintf("The rule at %s (%s: %s) expired on %s and takes nothing away any more.", r.At, r.Compare, r.Reason, r.Until),
			Effects:  []string{againText(again)},
			Source:   r.At.String(),
			Ticket:   r.Ticket,
			NextStep: "Decide whether its reason still holds: give it a new last day, or take it out of the scenario.",
		}, nil)
	}
}

func againText(n int) string {
	if n == 0 {
		return "Nothing in this run is at its place in the way that it covered: it may not be needed any more."
	}
	return fmt.Sprintf("%s that it would have taken away count in this report.", count(n, "difference"))
}

// detectUncorrelated claims values that a rule calls drawn anew and that do not keep to their pairs: one old value that
// became two, or two that became one. References between records break there.
func detectUncorrelated(s *state) {
	broken := func(d *harness.Difference) bool {
		return d.Rule != nil && d.Rule.Compare == "correlated" && d.Note != "" && !d.Rule.Until.Before(s.Now)
	}
	for _, g := range s.groups(broken) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict = harness.Breaking
		f.Sentence = fmt.Sprintf("%s of %s from %s no longer stands for the same thing everywhere: in %s its new value does not follow from the old one.",
			fieldOf(*d), d.Operation, s.side(answerer(d)), s.share(g.list))
		f.Effects = append(f.Effects, fmt.Sprintf("For example %s became %s, but %s.", inWords(d.Was), inWords(d.Is), d.Note))
		f.Proof = fmt.Sprintf("A rule says that these values are drawn anew but map one to one (%s); every value of it that is not listed here does.", d.Rule.Reason)
		f.NextStep = fmt.Sprintf("Find out which records %s refers to now; joins by this value go wrong.", fieldOf(*d))
		s.claim(f, g.list)
	}
}
