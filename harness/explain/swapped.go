package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// minSwapped is the share of the changed places that must have traded values, and minSwaps how many different ones.
const (
	minSwapped = 0.9
	minSwaps   = 3
)

// detectSwapped claims two fields of one parent that traded their values: the first holds what the second held, and the
// reverse. Records in which only one of the two changed are left for others.
func detectSwapped(s *state) {
	fields := s.fieldsOf(s.uncrowded(s.groups(func(d *harness.Difference) bool {
		return (d.Class == harness.Changed || d.Class == harness.Retyped) && isField(d) && inBody(d)
	})))
	for i, a := range fields {
		for _, b := range fields[i+1:] {
			if a.parent != b.parent || !s.open[a.list[0]] || !s.open[b.list[0]] {
				continue
			}
			if first, second := s.swaps(a, b); len(first) > 0 {
				s.claimSwapped(first, second)
			}
		}
	}
}

// field is the changes of one place, whatever their class.
type field struct {
	parent siblings
	list   []int
}

// fieldsOf joins the groups of one place.
func (s *state) fieldsOf(groups []group) []field {
	var fields []field
	for _, same := range partition(groups, func(g group) place { return place{g.slot, s.at(g.list[0]).Pattern.String()} }) {
		fields = append(fields, field{s.parentOf(same[0]), indexesOf(same)})
	}
	return fields
}

// swaps returns the places of both fields that traded values, record by record; none when that is not the story of
// nearly all of them.
func (s *state) swaps(a, b field) (first, second []int) {
	partner := map[string]int{}
	for _, j := range b.list {
		partner[holderOf(s.at(j))] = j
	}
	values := map[string]bool{}
	for _, i := range a.list {
		d := s.at(i)
		j, ok := partner[holderOf(d)]
		if !ok {
			continue
		}
		if e := s.at(j); sameText(d.Was, e.Is) && sameText(d.Is, e.Was) {
			first, second = append(first, i), append(second, j)
			values[d.Was.Text+"\x00"+d.Is.Text] = true
		}
	}
	most := max(len(a.list), len(b.list))
	if len(values) < minSwaps || float64(len(first)) < minSwapped*float64(most) {
		return nil, nil
	}
	return first, second
}

// holderOf names the object in which the place of a difference lies.
func holderOf(d *harness.Difference) string {
	return d.Exchange + " " + d.Path[:len(d.Path)-1].String()
}

func sameText(a, b harness.Value) bool { return a.Kind == b.Kind && a.Text == b.Text }

func (s *state) claimSwapped(first, second []int) {
	a, b := s.at(first[0]), s.at(second[0])
	f := s.sized(first)
	f.Verdict, f.Hit = harness.Breaking, s.hits(first)
	f.Sentence = fmt.Sprintf("%q and %q have traded their values in %s from %s (%s).", fieldName(a), fieldName(b), a.Operation, s.side(answerer(a)), s.share(first))
	f.NextStep = fmt.Sprintf("Ask %s which of the two is right; a reader by position sees this when two columns were exchanged.", s.side(answerer(a)))
	f.Proof = fmt.Sprintf("In each of them %q holds what %q held, and the reverse.", fieldName(a), fieldName(b))
	own := s.take(slices.Concat(first, second))
	c := s.consequences(first)
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}
