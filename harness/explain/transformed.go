package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// transformations is what an inferred rule of each kind means, by kind.
var transformations = map[string]struct {
	title string
	next  string
}{
	"F01": {"codes translated", "Ask who owns the codes whether the new ones are meant, then update the crosswalks of every receiver."},
	"F02": {"put together", "Find out which readers take the field apart, and declare the change when it is right."},
	"F04": {"type changed", "Convert the type in the mapping, or ask for the old one."},
	"F05": {"date format changed", "Read the new format in the mapping; check days up to 12, which read both ways."},
	"F06": {"time zone changed", "Treat the value in the zone that it is meant in: a date without time has none."},
	"F17": {"writing changed", "Restore the writing that the receiver demands, or ask it whether it takes the new one."},
	"F18": {"identifier damaged", "Keep the identifier as text in the mapping."},
	"F19": {"number format or unit changed", "Convert the format or unit in the mapping, and check the control totals."},
	"F20": {"cut off", "Find the field that is too short; what is cut off cannot be restored behind it."},
	"F21": {"null, missing and empty exchanged", "Check what the receiver does with null, missing and empty: in updates they differ."},
	"F22": {"blanks changed", "Trim the value where it is compared, and say so with a rule."},
	"F35": {"identifiers exchanged", "Make sure that no identifier now stands for another person or thing, and map the old ones."},
}

// minOldValues is how many different old values a rule must explain: the same change of one value is a constant.
const minOldValues = 3

// maxUnchanged bounds how many different values that did not change are asked.
const maxUnchanged = 2000

// site is one place with the rule that explains it.
type site struct {
	list []int
	rule infer.Rule
	rest int // different values that did not change
}

// detectTransformed explains changed values by the simplest rule that turns the old ones into the new ones. Places with
// the same rule are one finding: one change of the mapping or of the vendor shows in many fields.
func detectTransformed(s *state) {
	var order []string
	byRule := map[string][]site{}
	groups := s.uncrowded(s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isField(d) && inBody(d) }))
	s.loadSets(s.before, groups)
	if s.err != nil {
		return
	}
	for _, g := range groups {
		t, ok := s.infer(g)
		if _, known := transformations[t.rule.Kind]; !ok || !known {
			continue
		}
		key := t.rule.Kind + " " + t.rule.Text
		if byRule[key] == nil {
			order = append(order, key)
		}
		byRule[key] = append(byRule[key], t)
	}
	for _, key := range order {
		s.claimTransformed(byRule[key])
	}
}

// infer finds the rule of a group. The values of the place that did not change are asked, too: a rule that would change
// them is too general.
func (s *state) infer(g group) (site, bool) {
	first := s.at(g.list[0])
	var pairs []infer.Pair
	changed := map[string]int{}
	for _, i := range g.list {
		d := s.at(i)
		pairs = append(pairs, infer.Pair{Was: d.Was, Is: d.Is})
		changed[d.Was.Text]++
	}
	if len(changed) < minOldValues {
		return site{}, false
	}
	rest, all := 0, s.before.set(g.slot, first.Pattern)
	for _, text := range all.sorted(maxUnchanged) {
		if all.counts[text] > changed[text] {
			rest++
			v := harness.Value{Kind: first.Was.Kind, Text: text}
			pairs = append(pairs, infer.Pair{Was: v, Is: v})
		}
	}
	rule, ok := infer.Infer(pairs, infer.Options{})
	if !ok {
		return site{}, false
	}
	explained := slices.DeleteFunc(slices.Clone(g.list), func(i int) bool {
		return !rule.Explains(infer.Pair{Was: s.at(i).Was, Is: s.at(i).Is})
	})
	return site{explained, rule, rest}, len(explained) >= minOldValues
}

func (s *state) claimTransformed(sites []site) {
	first, rule := sites[0], sites[0].rule
	d := s.at(first.list[0])
	means := transformations[rule.Kind]
	f := s.sized(first.list)
	f.Hit, f.NextStep = s.hits(first.list), means.next
	f.Sentence = fmt.Sprintf("%q in %s from %s: %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), rule.Text, s.share(first.list))
	var list []int
	for n, t := range sites {
		list = append(list, t.list...)
		if o := s.at(t.list[0]); n > 0 {
			f.Effects = append(f.Effects, fmt.Sprintf("The same in %s of %s to %s (%s).", fieldName(o), o.Operation, s.side(receiver(o)), s.share(t.list)))
			f.Target = append(f.Target, s.place(receiver(o), o))
		}
	}
	if rule.Lossy {
		f.Effects = append(f.Effects, "The old values cannot be told from the new ones: two of them can become the same.")
	}
	for _, other := range rule.Ambiguous {
		f.Effects = append(f.Effects, "Not the only reading: "+other+".")
	}
	f.Proof = proofOf(sites)
	s.kind.Kind, s.kind.Title = rule.Kind, means.title
	own := s.take(list)
	c := s.consequences(own)
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}

// proofOf says what came of applying the rule to the old side: whether its differences vanish, and whether it would make
// new ones.
func proofOf(sites []site) string {
	applied, exceptions, rest := 0, 0, 0
	for _, t := range sites {
		applied += len(t.list)
		exceptions += t.rule.Exceptions
		rest += t.rest
	}
	if exceptions > 0 {
		return fmt.Sprintf("Not proven: applied to the old values, the rule gives %d of the new ones, with %s.", applied, count(exceptions, "exception"))
	}
	if rest > 0 {
		return fmt.Sprintf("Proven: applied to the old values, the rule gives all %d new ones and leaves what did not change alone.", applied)
	}
	return fmt.Sprintf("Proven: applied to the old values, the rule gives all %d new ones, and there are no others.", applied)
}
