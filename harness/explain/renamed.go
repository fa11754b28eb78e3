package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// minOverlap is the share of values that a renamed field must have in common with its old self.
const minOverlap = 0.9

// detectRenamed pairs a field that is gone with one that came in the same parent and carries the same values.
func detectRenamed(s *state) error {
	gone := s.groups(func(d *harness.Difference) bool { return d.Class == harness.Removed && isField(d) })
	came := s.groups(func(d *harness.Difference) bool { return d.Class == harness.Added && isField(d) })
	for _, g := range gone {
		for i, c := range came {
			share, err := s.renameShare(g, c)
			if err != nil {
				return err
			}
			if share < minOverlap {
				continue
			}
			s.claimRename(g, c)
			came = slices.Delete(came, i, i+1)
			break
		}
	}
	return nil
}

// isField reports whether the difference is about one named member, column or header.
func isField(d *harness.Difference) bool {
	return len(d.Path) > 2 && d.Path[len(d.Path)-1].Kind == harness.StepName && d.Path[1].Name != "form"
}

// renameShare is the share of values that the two fields have in common; 0 when they cannot be one field. Values that
// are always the same carry evidence only together with a likeness of the names.
func (s *state) renameShare(gone, came group) (float64, error) {
	old, now := s.at(gone.list[0]).Pattern, s.at(came.list[0]).Pattern
	if gone.slot != came.slot || old[:len(old)-1].String() != now[:len(now)-1].String() {
		return 0, nil
	}
	was, err := s.before.texts(gone.slot, old)
	if err != nil {
		return 0, err
	}
	is, err := s.after.texts(came.slot, now)
	if err != nil {
		return 0, err
	}
	a, b := setOf(was), setOf(is)
	if len(a.counts) < 3 && !namesAlike(old.Leaf(), now.Leaf()) {
		return 0, nil
	}
	return a.overlap(b), nil
}

// namesAlike reports whether two names share a word.
func namesAlike(a, b string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' })
	}
	for _, w := range words(a) {
		if slices.Contains(words(b), w) {
			return true
		}
	}
	return strings.EqualFold(a, b)
}

func (s *state) claimRename(gone, came group) {
	d := s.at(gone.list[0])
	old, now := fieldOf(*d), fieldOf(*s.at(came.list[0]))
	n, of := s.places(gone.list), s.population(d)
	list := slices.Concat(gone.list, came.list)
	f := harness.Finding{
		Verdict: harness.Review, Count: n, Of: of, Unit: plural(unitOf(d)), Hit: s.hits(gone.list),
		Sentence: fmt.Sprintf("%q looks renamed to %q in %s of %s (%d of %d, same values).", old, now, d.Operation, s.side(answerer(d)), n, of),
		Source:   s.place(answerer(d), d),
		NextStep: fmt.Sprintf("Read %q in the mapping, or both names while the two releases run side by side; ask %s whether more fields were renamed.", now, s.side(answerer(d))),
	}
	c := s.consequences(gone.list)
	if len(c.list) > 0 {
		f.Verdict = harness.Breaking
		f.Effects, f.Target = c.effects, c.targets
		f.Proof = c.proof
		list = append(list, c.list...)
	}
	s.claim(f, list)
}

// answerer is the system whose message the difference lies in.
func answerer(d *harness.Difference) string {
	if len(d.Path) > 0 && d.Path[0].Name == "response" {
		return d.To
	}
	return d.From
}
