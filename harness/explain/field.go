package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectAdded claims fields that came. What the target reads by name is harmless on the way in; what the target sends
// must be known to the receiver.
func detectAdded(s *state) error {
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Added && isField(d) }) {
		d := s.at(g.list[0])
		n, of := s.places(g.list), s.population(d)
		f := harness.Finding{
			Verdict: harness.Review, Count: n, Of: of, Unit: plural(unitOf(d)),
			Sentence: fmt.Sprintf("%q was added to %s from %s (%d of %s).", fieldOf(*d), d.Operation, s.side(answerer(d)), n, count(of, unitOf(d))),
			Source:   s.place(answerer(d), d),
		}
		switch incoming := answerer(d) != s.Scenario.Target.System; {
		case incoming && s.Integration.Reads == "position":
			f.Verdict = harness.Breaking
			f.Effects = []string{"The integration reads this table by position: every column behind it moves."}
			f.NextStep = "Move the reader to names, or ask for the old layout."
		case incoming:
			f.Verdict = harness.Benign
			f.Effects = []string{"The integration reads fields by name and does not know this one."}
			f.NextStep = "Nothing to do. Decide whether the new field is of use."
		default:
			f.NextStep = fmt.Sprintf("Ask %s whether it accepts the field.", s.side(d.To))
		}
		s.claim(f, g.list)
	}
	return nil
}

// addQuietEffects says of each harmless addition that nothing followed from it, when that is so: no unexplained
// difference lies in what the target hands on.
func (s *state) addQuietEffects() {
	for _, f := range s.findings {
		if f.Kind == "F00" && slices.ContainsFunc(f.Differences, func(d harness.Difference) bool { return s.downstream(&d) }) {
			return
		}
	}
	for i := range s.findings {
		if f := &s.findings[i]; f.Kind == "F13" && f.Verdict == harness.Benign {
			f.Effects = append(f.Effects, "No effect on the output: every difference there has another cause.")
		}
	}
}

// detectRemoved claims fields that are gone, and fields that are emptied everywhere.
func detectRemoved(s *state) error {
	gone := func(d *harness.Difference) bool {
		return isField(d) && (d.Class == harness.Removed || isEmpty(d.Is) && !isEmpty(d.Was))
	}
	for _, g := range s.groups(gone) {
		d := s.at(g.list[0])
		n, of := s.places(g.list), s.population(d)
		verb := "was removed from"
		if d.Class != harness.Removed {
			verb = "is " + textOf(d.Is) + " now in"
		}
		f := harness.Finding{
			Verdict: harness.Review, Count: n, Of: of, Unit: plural(unitOf(d)), Hit: s.hits(g.list),
			Sentence: fmt.Sprintf("%q %s %s from %s (%d of %s).", fieldOf(*d), verb, d.Operation, s.side(answerer(d)), n, count(of, unitOf(d))),
			Source:   s.place(answerer(d), d),
			NextStep: "Find out who reads the field; ask for it back or take it out of the mapping.",
		}
		c := s.consequences(g.list)
		if len(c.list) > 0 {
			f.Verdict, f.Effects, f.Target, f.Proof = harness.Breaking, c.effects, c.targets, c.proof
		}
		s.claim(f, slices.Concat(g.list, c.list))
	}
	return nil
}

func isEmpty(v harness.Value) bool {
	return v.Kind == harness.KindNull || v.Kind == harness.KindString && v.Text == ""
}

// detectRetyped claims values of another type.
func detectRetyped(s *state) error {
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Retyped && len(d.Path) > 2 }) {
		d := s.at(g.list[0])
		n, of := s.places(g.list), s.population(d)
		f := harness.Finding{
			Verdict: harness.Breaking, Count: n, Of: of, Unit: plural(unitOf(d)), Hit: s.hits(g.list),
			Sentence: fmt.Sprintf("%q in %s from %s is now %s instead of %s (%d of %s).",
				fieldOf(*d), d.Operation, s.side(answerer(d)), kindWord(d.Is), kindWord(d.Was), n, count(of, unitOf(d))),
			Source:   s.place(answerer(d), d),
			NextStep: "Convert the type in the mapping, or ask for the old one; readers with strict types refuse it.",
		}
		if d.Was.Kind == harness.KindBool && d.Is.Kind == harness.KindString {
			f.Effects = append(f.Effects, fmt.Sprintf("The text %q counts as true in many languages: a switch-off may be ignored.", d.Is.Text))
		}
		c := s.consequences(g.list)
		f.Effects = append(f.Effects, c.effects...)
		f.Target, f.Proof = c.targets, c.proof
		s.claim(f, slices.Concat(g.list, c.list))
	}
	return nil
}

var kindWords = map[harness.ValueKind]string{
	harness.KindNull: "null", harness.KindBool: "a boolean", harness.KindNumber: "a number", harness.KindString: "text",
	harness.KindArray: "a list", harness.KindObject: "an object", harness.KindBytes: "binary data",
}

func kindWord(v harness.Value) string { return kindWords[v.Kind] }
