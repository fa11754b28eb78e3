package explain

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// detectWriting claims values that a rule of writing turns into the new ones, before anything takes the new writing for
// a new code: letter case, padding, separators, signs, cuts, dates in another layout, spellings of true and false. Such a
// rule shows in a single value, so that fields with one or two values are explained, too.
func detectWriting(s *state) {
	groups := s.uncrowded(s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && inBody(d) }))
	s.loadSets(s.before, groups)
	if s.err != nil {
		return
	}
	found := s.applied(groups, func(st *study) (l law, ok bool) {
		l.rule, ok = s.writingOf(st.group)
		return l, ok
	})
	for _, c := range clustered(found) {
		s.claimWriting(c)
	}
	s.detectCase()
}

// detectCase claims values whose letter case changed by no rule that is known.
func (s *state) detectCase() {
	groups := s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isPlace(d) && inBody(d) && strings.EqualFold(d.Was.Text, d.Is.Text)
	})
	for _, places := range s.byField(groups, func(d *harness.Difference) string { return d.Path[0].Name }) {
		if places = s.takePlaces(places); len(places) == 0 {
			continue
		}
		list := places[0].list
		d := s.at(list[0])
		f := s.sized(list)
		f.Hit, f.NextStep = s.hits(list), transformations["F17"].next
		f.Sentence = fmt.Sprintf("%q in %s from %s changed its letter case, such as %s → %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), textOf(d.Was), textOf(d.Is), s.share(list))
		f.Effects = s.alsoIn(places[1:])
		f.Proof = "The values are the same but for upper and lower case."
		s.kind.Title = transformations["F17"].title
		s.kind.Kind = "F17"
		s.claimWithEffects(f, indexesOf(places))
	}
}

func (s *state) claimWriting(c *cluster) {
	different := map[string]bool{}
	for _, t := range c.sites {
		for _, i := range t.explained {
			different[s.at(i).Was.Text] = true
		}
	}
	s.claimTransformed(c)
	if f := &s.findings[len(s.findings)-1]; len(different) < minOldValues {
		if f.Cause != nil {
			f.Cause.Proof.Proven = false
		}
		f.Proof = fmt.Sprintf("Not proven: the rule gives the new value, and there %s only %s to judge it by.", isOrAre(len(different)), count(len(different), "different value"))
	}
}

// writingOf finds the rule of writing of a group. It is learned from what most places with one old value became, so that
// a few values that are wrong for another reason hide nothing, and claims nothing but what it explains.
func (s *state) writingOf(g group) (infer.Rule, bool) {
	for _, minority := range []bool{false, true} {
		rule, ok := infer.Infer(s.typicalPairs(g, minority), infer.Options{MinPairs: 1})
		if _, known := transformations[rule.Kind]; ok && known && isWriting(rule) {
			return rule, true
		}
	}
	return infer.Rule{}, false
}

// maxUnchanged bounds how many different values that did not change are asked.
const maxUnchanged = 2000

// typicalPairs is what most places with each old value became, and the different values that stayed somewhere. Values that
// stayed in most places are left out of the changed ones, unless minority is set.
func (s *state) typicalPairs(g group, minority bool) (pairs []infer.Pair) {
	first, most := s.at(g.list[0]), s.mostBecame(g)
	all, changed, typical := s.before.set(g.slot, first.Pattern), map[string]int{}, map[string]int{}
	for _, i := range g.list {
		d := s.at(i)
		if changed[d.Was.Text]++; d.Is.Text == most[d.Was.Text] {
			typical[d.Was.Text]++
		}
	}
	for _, i := range g.list {
		d := s.at(i)
		stayed := all.counts[d.Was.Text] - changed[d.Was.Text]
		if d.Is.Text == most[d.Was.Text] && (minority || typical[d.Was.Text] >= stayed) {
			pairs = append(pairs, infer.Pair{Was: d.Was, Is: d.Is})
		}
	}
	for _, text := range all.sorted(maxUnchanged) {
		if all.counts[text] > changed[text] {
			v := harness.Value{Kind: first.Was.Kind, Text: text}
			pairs = append(pairs, infer.Pair{Was: v, Is: v})
		}
	}
	return pairs
}

// mostBecame is what most places with an old value became; of equals the first.
func (s *state) mostBecame(g group) map[string]string {
	type change struct{ was, is string }
	n, most := map[change]int{}, map[string]string{}
	for _, i := range g.list {
		c := change{s.at(i).Was.Text, s.at(i).Is.Text}
		if n[c]++; n[c] > n[change{c.was, most[c.was]}] {
			most[c.was] = c.is
		}
	}
	return most
}

// writings is the families whose rules keep the value and change how it is written, with the parameter that says so.
var writings = map[string]func(infer.Rule) bool{
	"text":     func(r infer.Rule) bool { return r.Kind != "F22" },
	"pad":      anyRule,
	"affix":    func(r infer.Rule) bool { return r.Kind == "F19" && r.Exceptions == 0 },
	"exponent": anyRule,
	"boolean":  func(r infer.Rule) bool { return r.Kind == "F04" && r.Exceptions == 0 },
	"number":   func(r infer.Rule) bool { return isSameNumber(r.Params["operation"]) },
	"date":     func(r infer.Rule) bool { return r.Params["move"] == "same" || isDayShift(r) },
	"truncate": func(r infer.Rule) bool { return r.Exceptions == 0 },
}

func anyRule(infer.Rule) bool { return true }

// isDayShift reports whether the rule moves dates by one day, as a step over midnight in another zone does, in places
// enough. Digits alone may be a counter as well.
func isDayShift(r infer.Rule) bool {
	move := r.Params["move"]
	return (move == "shift 1d" || move == "shift -1d") && r.Support >= minOldValues && r.Exceptions == 0 && !strings.Contains(r.Params["was"], "without separators")
}

// isWriting reports whether every step of the rule is of a family of writing.
func isWriting(r infer.Rule) bool {
	for _, family := range strings.Split(r.Family, " then ") {
		if fits, ok := writings[family]; !ok || !fits(r) {
			return false
		}
	}
	return true
}

// isSameNumber reports whether an operation keeps the digits: the number itself, its sign, or its decimal point.
func isSameNumber(operation string) bool {
	switch operation {
	case "same", "ratio 100", "ratio 0.01", "ratio 1000", "ratio 0.001":
		return true
	}
	return false
}
