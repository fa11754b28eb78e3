package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// structure is a rule about where values stand, not about what they are.
type structure struct {
	says   string // continues "The field"
	claims func(e harness.Expectation, d *harness.Difference) bool
}

// structures is the rules about places that can be accepted, by family.
var structures = map[string]structure{
	"rename": {"has another name", func(e harness.Expectation, d *harness.Difference) bool {
		return d.Class == harness.Removed && inPlace(e.Scope()[0], d) || d.Class == harness.Added && inPlace(cameAt(e), d)
	}},
	"added": {"came", func(e harness.Expectation, d *harness.Difference) bool {
		return d.Class == harness.Added && inAnyPlace(e, d)
	}},
	"removed": {"is gone", func(e harness.Expectation, d *harness.Difference) bool {
		return d.Class == harness.Removed && isField(d) && inAnyPlace(e, d)
	}},
	"order": {"stands in another order", func(e harness.Expectation, d *harness.Difference) bool {
		return d.Class == harness.Moved && inAnyPlace(e, d)
	}},
}

// toParam is the parameter that says where a renamed field stands now.
const toParam = "to"

// cameAt is where a renamed field stands now.
func cameAt(e harness.Expectation) harness.Scope {
	at, err := harness.ParsePath(e.Rule.Params[toParam])
	if err != nil {
		at = nil // covers nothing but the whole exchange
	}
	return harness.Scope{Operation: e.Operation, At: at}
}

func inAnyPlace(e harness.Expectation, d *harness.Difference) bool {
	for _, sc := range e.Scope() {
		if inPlace(sc, d) {
			return true
		}
	}
	return false
}

// acceptedStructure claims what an accepted rule about places means. A renamed field must still carry its values.
func (s *state) acceptedStructure(e harness.Expectation, d *declaration, rule structure) []int {
	var list, gone, came []int
	for i, open := range s.open {
		if o := s.at(i); open && rule.claims(e, o) {
			list = append(list, i)
			if o.Class == harness.Removed {
				gone = append(gone, i)
			} else {
				came = append(came, i)
			}
		}
	}
	if len(list) == 0 {
		d.trouble = append(d.trouble, fmt.Sprintf("The accepted change at %s did not happen; remove the entry when it will not come back.", e.At))
		return nil
	}
	proof := harness.CauseProof{Explained: s.places(list), Proven: s.places(list) >= harness.MinProven}
	if e.Rule.Family == "rename" {
		if proof = s.renameProof(gone, came); proof.Exceptions > 0 {
			d.trouble = append(d.trouble, fmt.Sprintf("%s moved to the new name with another value, or did not move.", count(proof.Exceptions, "value")))
		}
	}
	d.cause = &harness.Cause{Rule: *e.Rule, Scope: e.Scope(), Proof: proof}
	return s.take(list)
}

// renameProof compares what is gone under the old name with what came under the new one, place by place; of columns the
// values of all rows.
func (s *state) renameProof(gone, came []int) harness.CauseProof {
	type where struct{ exchange, keys string }
	at := func(i int) where {
		p := s.at(i).Path
		return where{s.at(i).Exchange, keysAlong(p)}
	}
	now := map[where]int{}
	for _, i := range came {
		now[at(i)] = i
	}
	var p harness.CauseProof
	for _, i := range gone {
		n := s.at(i).Count
		j, ok := now[at(i)]
		delete(now, at(i))
		if ok && (n == 1 && s.at(i).Was.Text == s.at(j).Is.Text || n > 1 && s.sameColumn(i, j)) {
			p.Explained += n
		} else {
			p.Exceptions += n
		}
	}
	for _, j := range now {
		p.Exceptions += s.at(j).Count
	}
	p.Proven = p.Exceptions == 0 && p.Explained >= harness.MinProven
	return p
}

// sameColumn reports whether a column that is gone and one that came hold the same values.
func (s *state) sameColumn(gone, came int) bool {
	a, b := s.at(gone), s.at(came)
	s.note(s.before.load(slotOf(a), []harness.Path{a.Pattern}))
	s.note(s.after.load(slotOf(b), []harness.Path{b.Pattern}))
	return s.err == nil && s.before.set(slotOf(a), a.Pattern).overlap(s.after.set(slotOf(b), b.Pattern)) == 1
}

// structural is the cause of a finding about places.
func structural(family, says string, params map[string]string, proof harness.CauseProof, list ...*harness.Difference) *harness.Cause {
	c := &harness.Cause{Rule: harness.CauseRule{Family: family, Says: says, Params: params}, Proof: proof}
	for _, d := range list {
		c.Scope = append(c.Scope, harness.Scope{Operation: d.Operation, At: d.Pattern})
	}
	return c
}

// renameCause is the cause of a rename, and its proof in words: every value stands under the new name as it stood under
// the old one.
func (s *state) renameCause(m match) (string, *harness.Cause) {
	gone, came := s.at(m.gone.list[0]), s.at(m.came.list[0])
	proof := s.renameProof(m.gone.list, m.came.list)
	says := fmt.Sprintf("%q is called %q", fieldName(gone), fieldName(came))
	cause := structural("rename", says, map[string]string{toParam: came.Pattern.String()}, proof, gone)
	switch {
	case proof.Proven:
		return fmt.Sprintf("Proven: with the old name in place of the new one, all %d values are as before.", proof.Explained), cause
	case proof.Exceptions > 0:
		return fmt.Sprintf("Not proven: with the old name in place of the new one, %s as before, with %s.", valuesAre(proof.Explained), count(proof.Exceptions, "exception")), cause
	}
	return fmt.Sprintf("A candidate, not proven: with the old name in place of the new one, %s as before, which is too few to rule out chance.", valuesAre(proof.Explained)), cause
}

func valuesAre(n int) string {
	if n == 1 {
		return "1 value is"
	}
	return count(n, "value") + " are"
}

// presenceCause is the cause of fields that came or are gone, and its proof in words: whether it happened in every record.
// Nothing is said where it is not known how many records there are.
func (s *state) presenceCause(family, says string, places []group) (string, *harness.Cause) {
	var proof harness.CauseProof
	var scope []*harness.Difference
	for _, g := range places {
		of := s.whole(g.list)
		if of == 0 {
			return "", nil
		}
		proof.Explained += s.places(g.list)
		proof.Exceptions += of - s.places(g.list)
		scope = append(scope, s.at(g.list[0]))
	}
	proof.Proven = proof.Exceptions == 0 && proof.Explained >= harness.MinProven
	cause := structural(family, says, nil, proof, scope...)
	if !proof.Proven {
		return "", cause
	}
	if family == "added" {
		return fmt.Sprintf("Proven: it came in all %d places, and without it nothing differs there.", proof.Explained), cause
	}
	return fmt.Sprintf("Proven: it is gone from all %d places, and nothing else differs there.", proof.Explained), cause
}
