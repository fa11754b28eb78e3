package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// RuleFromOutside is the kind of a rule that a regulator, a bank or a standard sets, with a day from which it holds.
const RuleFromOutside = "F40"

// detectOutside claims what differs because of a rule from outside: a candidate that follows it where the baseline did
// not is expected, one that changes and does not follow it breaks, and that nobody follows it is for a person.
func detectOutside(s *state) {
	var order []string
	byRule := map[string][]harness.Breach{}
	for _, b := range s.Breaches {
		if b.Invariant.Kind != RuleFromOutside {
			continue
		}
		key := fmt.Sprint(b.Invariant.Name, b.After, b.After && b.Before)
		if byRule[key] == nil {
			order = append(order, key)
		}
		byRule[key] = append(byRule[key], b)
	}
	for _, key := range order {
		s.claimOutside(byRule[key])
	}
}

// claimOutside makes one finding of all messages that stand to a rule in the same way.
func (s *state) claimOutside(breaches []harness.Breach) {
	first := breaches[0]
	own := s.take(s.ruled(first))
	list := own
	for _, b := range breaches[1:] {
		list = append(list, s.take(s.ruled(b))...)
	}
	if len(list) == 0 && !first.After {
		return // it was mended in a way that another finding explains
	}
	in := first.Invariant
	since := ""
	if !in.From.IsZero() {
		since = " since " + in.From.String()
	}
	f := harness.Finding{Count: len(breaches), Unit: "files", Source: first.From + ": " + first.Operation}
	if len(own) > 0 {
		f = s.sized(own)
		f.Hit = s.hits(own)
	}
	f.Effects = []string{fmt.Sprintf("The rule %s holds%s: %s.", in.Name, since, strings.TrimSuffix(in.Reason, "."))}
	switch {
	case !first.After:
		f.Verdict = harness.Expected
		f.Change = in.Name
		f.Sentence = fmt.Sprintf("%s from %s follows the rule %s now, which holds%s; the recording did not (%s).", first.Operation, s.side(first.From), in.Name, since, first.Says)
		f.NextStep = "Nothing to do; record a new baseline when the rule has come to stay."
	case first.Before && len(list) == 0:
		f.Verdict = harness.Review
		f.Sentence = fmt.Sprintf("%s from %s does not follow the rule %s, which holds%s, and did not before: %s.", first.Operation, s.side(first.From), in.Name, since, first.Says)
		f.NextStep = "Find out who has to follow the rule, and by when the receiver enforces it."
	default:
		f.Verdict = cmp.Or(in.Verdict, harness.Breaking)
		f.Sentence = fmt.Sprintf("%s from %s does not follow the rule %s, which holds%s: %s.", first.Operation, s.side(first.From), in.Name, since, first.Says)
		f.NextStep = "Mend what writes the value before the day on which the receiver enforces the rule."
	}
	s.tellOthers(&f, breaches)
	s.claim(f, list)
}

// tellOthers names the other messages that stand to the rule in the same way.
func (s *state) tellOthers(f *harness.Finding, breaches []harness.Breach) {
	var told []string
	for _, b := range breaches[1:] {
		text := fmt.Sprintf("The same in %s to %s.", b.Operation, s.side(b.To))
		if !slices.Contains(told, text) {
			told = append(told, text)
			f.Target = append(f.Target, b.To+": "+b.Operation)
		}
	}
	f.Effects = append(f.Effects, told...)
}

// ruled is the open differences at the places that the rule is about.
func (s *state) ruled(b harness.Breach) []int {
	if len(b.Invariant.At) == 0 {
		return nil
	}
	return s.unclaimed(func(d *harness.Difference) bool {
		return d.Session == b.Session && slotOf(d) == slot{b.From, b.To, b.Channel, b.Operation} &&
			(b.Invariant.At.Match(d.Path) || b.Invariant.At.Match(d.Pattern))
	})
}
