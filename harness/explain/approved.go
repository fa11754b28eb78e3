package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// CheckCause reports what is wrong with an accepted rule: its family, its parameters, its condition.
func CheckCause(r harness.CauseRule) error {
	if _, ok := structures[r.Family]; ok {
		return nil
	}
	_, err := lawOf(r)
	return err
}

// Covers reports whether the rule of the expectation speaks of the difference: it lies in its scope, and is of the sort
// that the rule makes.
func Covers(e harness.Expectation, d harness.Difference) bool {
	if structure, ok := structures[e.Rule.Family]; ok {
		return structure.claims(e, &d)
	}
	return isPlace(&d) && d.Class != harness.Moved && d.Class != harness.Reformed && inAnyPlace(e, &d)
}

// lawOf reads an accepted rule.
func lawOf(r harness.CauseRule) (l law, err error) {
	if l.rule, err = infer.Parse(r); err != nil {
		return l, err
	}
	l.when, err = infer.ParseCondition(r.When)
	return l, err
}

// acceptedRule applies an accepted rule anew. It holds when every value in its scope follows it; it is broken when some do
// not, and those are left for the detectors; it is stale when nothing follows it. Places beyond its scope at which it
// holds without exception belong to it, too, and are told.
func (s *state) acceptedRule(e harness.Expectation, d *declaration) []int {
	if e.Proof != "" && e.Proof != e.Rule.Digest(e.Scope()) {
		d.trouble = append(d.trouble, fmt.Sprintf("The rule at %s is not the one that was proven: it, its condition or its places were edited since.", e.At))
	}
	if structure, ok := structures[e.Rule.Family]; ok {
		return s.acceptedStructure(e, d, structure)
	}
	l, err := lawOf(*e.Rule)
	if err != nil {
		d.trouble = append(d.trouble, fmt.Sprintf("The rule at %s cannot be applied: %v.", e.At, err))
		return nil
	}
	always := func(*study) (law, bool) { return l, true }
	inside, outside := s.inScope(e)
	held := s.applied(inside, always)
	var list []int
	var all []evidence
	for _, st := range held {
		list, all = append(list, st.explained...), append(all, st.evidence)
	}
	list = s.take(list)
	text, proof := proofText(l, all...)
	d.cause = &harness.Cause{Rule: *e.Rule, Scope: e.Scope(), Proof: proof}
	if len(list) > 0 {
		d.proof = text
	}
	switch {
	case len(list) == 0:
		d.trouble = append(d.trouble, fmt.Sprintf("The accepted change at %s did not happen; remove the entry when it will not come back.", e.At))
	case proof.Exceptions > 0:
		d.trouble = append(d.trouble, brokenWords(l, e.At, proof.Exceptions, all)...)
	}
	if proof.Exceptions > 0 {
		return list
	}
	return append(list, s.widened(l, outside, d)...)
}

// brokenWords says which values break an accepted rule: those that follow it beyond its condition, and those that do not
// follow it.
func brokenWords(l law, at harness.Path, exceptions int, all []evidence) (list []string) {
	beyond := 0
	for _, e := range all {
		beyond += e.beyond
	}
	if beyond > 0 {
		list = append(list, fmt.Sprintf("%s at %s changed in the same way, but beyond the accepted condition (%s).", count(beyond, "value"), at, l.when))
	}
	if n := exceptions - beyond; n > 0 {
		list = append(list, fmt.Sprintf("%s at %s not follow the accepted rule any more.", count(n, "value"), doOrDoes(at, n)))
	}
	return list
}

func doOrDoes(at harness.Path, n int) string {
	if n == 1 {
		return at.String() + " does"
	}
	return at.String() + " do"
}

// widened claims places beyond the scope at which the law explains everything.
func (s *state) widened(l law, outside []group, d *declaration) []int {
	var list []int
	for _, st := range s.applied(outside, func(*study) (law, bool) { return l, true }) {
		if !st.proves() || len(st.explained) < len(st.list) || s.differentOld(st.explained) < minOldValues {
			continue
		}
		o := s.at(st.explained[0])
		d.notes = append(d.notes, fmt.Sprintf("New since it was accepted: the same in %s of %s (%s); the proof holds there, too.", fieldName(o), o.Operation, s.share(st.explained)))
		list = append(list, s.take(st.explained)...)
	}
	return list
}

func (s *state) differentOld(list []int) int {
	old := map[string]bool{}
	for _, i := range list {
		old[s.at(i).Was.Text] = true
	}
	return len(old)
}

// inScope parts the open differences of values by place: the places of the entry, and the others.
func (s *state) inScope(e harness.Expectation) (inside, outside []group) {
	var list []int
	for i, open := range s.open {
		if d := s.at(i); open && isPlace(d) && d.Class != harness.Moved && d.Class != harness.Reformed && d.Class != harness.Added {
			list = append(list, i)
		}
	}
	for _, same := range partition(list, func(i int) place { return place{slotOf(s.at(i)), s.at(i).Pattern.String()} }) {
		g := group{slotOf(s.at(same[0])), same}
		if slices.ContainsFunc(e.Scope(), func(sc harness.Scope) bool { return inPlace(sc, s.at(g.list[0])) }) {
			inside = append(inside, g)
		} else {
			outside = append(outside, g)
		}
	}
	return inside, outside
}

// inPlace reports whether the difference lies at a place of a scope.
func inPlace(sc harness.Scope, d *harness.Difference) bool {
	return harness.MatchOperation(sc.Operation, d.Operation) && (sc.At.Match(d.Pattern) || sc.At.Match(d.Path))
}
