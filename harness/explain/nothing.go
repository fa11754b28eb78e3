package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// detectNothing claims the ways to say "no value" that took each other's place, one finding for each pair of ways, and
// stand-ins such as N/A that came in place of values.
func detectNothing(s *state) {
	var all []group
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return isField(d) && inBody(d) && d.Class != harness.Reformed && nothings(d) != ""
	}) {
		if d := s.at(g.list[0]); (d.Was.IsAbsent() || d.Is.IsAbsent()) && !s.mayLack(d) {
			continue // a column that came or went is more than a way to say nothing
		}
		all = append(all, g)
	}
	for _, alike := range alikeBy(all, func(i int) string { return nothings(s.at(i)) }) {
		s.claimNothing(alike)
	}
}

// nothings names the two ways to say nothing; it is empty when one side has a value.
func nothings(d *harness.Difference) string {
	was, is := infer.Nothing(d.Was), infer.Nothing(d.Is)
	if was == "" || is == "" {
		return ""
	}
	return was + " → " + is
}

// mayLack reports whether a record of the body may lack a member: in tables every row has every column.
func (s *state) mayLack(d *harness.Difference) bool {
	r := s.read(s.before.byID[d.Exchange])
	format, err := r.format(d.Path[0].Name)
	s.note(err)
	return err == nil && format != "csv" && format != "fixed"
}

func (s *state) claimNothing(groups []group) {
	first := s.at(groups[0].list[0])
	was, is := infer.Nothing(first.Was), infer.Nothing(first.Is)
	f := s.sized(groups[0].list)
	f.Hit = s.hits(groups[0].list)
	f.Sentence = fmt.Sprintf("%q in %s from %s is %s now where it was %s (%s).", fieldName(first), first.Operation, s.side(answerer(first)), is, was, s.share(groups[0].list))
	f.NextStep = "Check what each reader does with the one and the other: they differ in updates, in comparisons and in required fields."
	var all []int
	for n, g := range groups {
		d := s.at(g.list[0])
		all = append(all, g.list...)
		if n > 0 {
			s.alsoAt(&f, g.list)
		}
		if s.isPatch(d) {
			f.Verdict = harness.Breaking
			f.Effects = append(f.Effects, fmt.Sprintf("%s is an update of parts: null deletes the value at %s, a missing member leaves it alone.", d.Operation, s.side(receiver(d))))
		}
	}
	if strings.HasPrefix(is, `"`) {
		f.Effects = append(f.Effects, fmt.Sprintf("A reader that does not know the stand-in takes %s for a value.", is))
	}
	s.kind.Kind, s.kind.Title = "F21", "null, missing and empty exchanged"
	own := s.take(all)
	s.claimWithEffects(f, own)
}

// isPatch reports whether the difference lies in an update of parts in which null came, went or took another's place.
func (s *state) isPatch(d *harness.Difference) bool {
	x := s.before.byID[d.Exchange]
	merge := x.Request.Head.Get(harness.FieldMethod) == "PATCH" || strings.Contains(x.Request.Media, "merge-patch")
	return merge && !isAnswer(d) && (d.Was.Kind == harness.KindNull || d.Is.Kind == harness.KindNull)
}

// detectStandInsRead claims the stand-ins in what the target reads; detectStandInsSent, behind the causes that lead to
// them, those in what it sends.
func detectStandInsRead(s *state) { s.detectStandIns(false) }
func detectStandInsSent(s *state) { s.detectStandIns(true) }

// detectStandIns claims stand-ins for "no value" that were never at the place and came where a value was.
func (s *state) detectStandIns(sent bool) {
	groups := s.uncrowded(s.groups(func(d *harness.Difference) bool {
		return s.downstream(d) == sent && isField(d) && inBody(d) && (d.Class == harness.Changed || d.Class == harness.Retyped) && infer.Nothing(d.Was) == "" && strings.HasPrefix(infer.Nothing(d.Is), `"`)
	}))
	s.loadSets(s.before, groups)
	if s.err != nil {
		return
	}
	var fresh []group
	for _, g := range groups {
		known := s.before.set(g.slot, s.at(g.list[0]).Pattern)
		if s.crosswalkFor(known).Name != "" {
			continue // a code like any other
		}
		for _, part := range splitBy(g, func(i int) string { return s.at(i).Is.Text }) {
			if known.counts[s.at(part.list[0]).Is.Text] == 0 {
				fresh = append(fresh, part)
			}
		}
	}
	for _, alike := range alikeBy(fresh, func(i int) string { return s.at(i).Is.Text }) {
		s.claimStandIn(alike)
	}
}

// claimStandIn makes one finding of all places that hold the stand-in.
func (s *state) claimStandIn(groups []group) {
	var own []int
	var f harness.Finding
	for _, g := range groups {
		list := s.take(g.list) // a consequence of another one, maybe
		if len(list) == 0 {
			continue
		}
		d := s.at(list[0])
		if len(own) == 0 {
			f = s.sized(list)
			f.Verdict, f.Hit = harness.Breaking, s.hits(list)
			f.Sentence = fmt.Sprintf("%q in %s from %s holds the stand-in %q now where values were (%s).", fieldName(d), d.Operation, s.side(answerer(d)), d.Is.Text, s.share(list))
			f.Effects = []string{fmt.Sprintf("A reader that does not know the stand-in takes %q for a value: for a date, a number or a name.", d.Is.Text)}
			f.NextStep = fmt.Sprintf("Ask %s whether the values are unknown now, and map the stand-in to nothing.", s.side(answerer(d)))
		} else {
			s.alsoAt(&f, list)
		}
		own = append(own, list...)
	}
	if len(own) == 0 {
		return
	}
	c := s.lostWith(own, func(*harness.Difference) bool { return true })
	c.join(s.consequences(own))
	c.addTo(&f)
	s.kind.Kind, s.kind.Title = "F21", "stand-in for no value"
	s.claim(f, slices.Concat(own, c.list))
}
