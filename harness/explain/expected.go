package explain

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectExpected claims what the scenario declares. Entries of the same change form one finding. A declared count must
// be met exactly; a declaration that has expired, or that nothing matches, is a finding that needs a person.
func detectExpected(s *state) {
	var order []string
	changes := map[string]*declaration{}
	for _, e := range s.Scenario.Expect {
		d := changes[e.Change]
		if d == nil {
			d = &declaration{}
			changes[e.Change] = d
			order = append(order, e.Change)
		}
		d.entries = append(d.entries, e)
		d.list = append(d.list, s.declared(e, d)...)
	}
	for _, name := range order {
		s.claim(s.declaredFinding(name, changes[name]), changes[name].list)
	}
	s.gatherFacts() // what is declared is neither cause nor consequence
}

// declaration is the entries of one declared change and what they matched.
type declaration struct {
	entries []harness.Expectation
	list    []int
	trouble []string // sentences: expired, other count, nothing matched
	notes   []string // sentences that need nobody: new places of an accepted rule
	proof   string   // of an accepted rule
	cause   *harness.Cause
}

// declared returns the open differences that the entry covers and closes them, so that no entry counts them again.
func (s *state) declared(e harness.Expectation, d *declaration) []int {
	if e.Until.Before(s.Now) {
		d.trouble = append(d.trouble, fmt.Sprintf("The declaration at %s expired on %s.", e.At, e.Until))
		return nil
	}
	if e.Rule != nil {
		return s.acceptedRule(e, d)
	}
	var list []int
	for i, open := range s.open {
		if open && covers(e, s.at(i)) {
			s.open[i] = false
			list = append(list, i)
		}
	}
	switch found := s.places(list); {
	case found == 0:
		d.trouble = append(d.trouble, fmt.Sprintf("The declared change at %s did not happen.", e.At))
	case e.Count > 0 && found != e.Count:
		d.trouble = append(d.trouble, fmt.Sprintf("Declared: %s at %s; found: %d.", count(e.Count, "place"), e.At, found))
	}
	return list
}

func covers(e harness.Expectation, d *harness.Difference) bool {
	return harness.MatchOperation(e.Operation, d.Operation) && (e.Class == "" || e.Class == string(d.Class)) &&
		(e.At.Match(d.Path) || e.At.Match(d.Pattern)) &&
		(e.From == nil || says(*e.From, d.Was)) &&
		(e.To == nil || says(*e.To, d.Is))
}

// says reports whether a declaration means the value: its text, or the word that reports show for null, for nothing
// at all and for the empty text.
func says(declared string, v harness.Value) bool {
	return declared == textOf(v) || !v.IsAbsent() && v.Kind != harness.KindNull && declared == v.Text
}

func (s *state) declaredFinding(name string, d *declaration) harness.Finding {
	first := d.entries[0]
	f := harness.Finding{
		Verdict: harness.Expected, Change: name, Ticket: first.Ticket, Count: s.places(d.list), Unit: "places", Hit: s.hits(d.list),
		Sentence: fmt.Sprintf("Declared change %s: %s.", name, strings.TrimSuffix(first.Reason, ".")),
		Effects:  append(d.trouble, d.notes...), Proof: d.proof, Cause: d.cause,
		NextStep: "Nothing to do: the change is declared" + untilText(first.Until) + ".",
	}
	if len(s.grouped(d.list)) == 1 { // places of several fields are no rows of one table
		f.Unit = plural(unitOf(s.at(d.list[0])))
		f.Of = s.whole(d.list)
	}
	if len(d.trouble) > 0 {
		f.Verdict = harness.Review
		f.NextStep = "Compare the declaration with what happened, then mend the mapping or the declaration."
	}
	return f
}

func untilText(day harness.Date) string {
	if day.IsZero() {
		return ""
	}
	return " until " + day.String()
}
