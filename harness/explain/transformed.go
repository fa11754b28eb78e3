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

// detectTransformed explains changed values by the simplest rule that turns the old ones into the new ones. What one rule
// leaves over at a place is looked at again, so that causes that lie over one another come apart. Places with the same
// rule are one finding: one change of the mapping or of the vendor shows in many fields.
func detectTransformed(s *state) {
	fits := func(d *harness.Difference) bool {
		return (d.Class == harness.Changed || d.Class == harness.Retyped && d.Was.Kind != harness.KindNull) && inBody(d)
	}
	all := s.uncrowded(s.groups(fits))
	groups := all
	var found []*study
	for range maxLayers {
		var left []group
		for _, st := range s.learn(groups) {
			if _, known := transformations[st.law.rule.Kind]; !st.found || !known || len(st.explained) < minOldValues {
				continue
			}
			found = append(found, st)
			for _, i := range st.explained {
				delete(st.mine, i)
			}
			rest := slices.DeleteFunc(slices.Clone(st.list), func(i int) bool { return !st.mine[i] })
			if len(rest) >= minOldValues {
				left = append(left, group{st.slot, rest})
			}
		}
		if groups = left; s.err != nil || len(groups) == 0 {
			break
		}
	}
	if s.err != nil {
		return
	}
	clusters := clustered(s.pooled(found, all))
	s.carry(clusters, all)
	for _, c := range clusters {
		s.claimTransformed(c)
	}
}

// cluster is places that one law explains.
type cluster struct {
	law   law
	sites []*study
}

// clustered joins places by the signature of their law, in order of first appearance. Code tables join when they have
// lines in common and translate no code in two ways.
func clustered(found []*study) []*cluster {
	var all []*cluster
	for _, st := range found {
		joined := slices.ContainsFunc(all, func(c *cluster) bool { return c.takes(st) })
		if !joined {
			all = append(all, &cluster{st.law, []*study{st}})
		}
	}
	return all
}

// takes adds the place when its law is that of the cluster.
func (c *cluster) takes(st *study) bool {
	if c.law.rule.Kind != st.law.rule.Kind || c.law.when.String() != st.law.when.String() || !sameTypes(c.sites[0], st) {
		return false
	}
	if c.law.rule.Family == "table" && st.law.rule.Family == "table" {
		both, ok := infer.Union(c.law.rule, st.law.rule)
		if ok {
			c.law.rule, c.sites = both, append(c.sites, st)
		}
		return ok
	}
	if c.law.rule.Signature() != st.law.rule.Signature() {
		return false
	}
	c.sites = append(c.sites, st)
	return true
}

// sameTypes reports whether both places changed values of the same type to the same type; the words for a changed type
// are the words of the whole finding.
func sameTypes(a, b *study) bool { return a.law.rule.Params["types"] == b.law.rule.Params["types"] }

func (s *state) claimTransformed(c *cluster) {
	first, rule := c.sites[0], c.law.rule
	d := s.at(first.explained[0])
	means := transformations[rule.Kind]
	f := s.sized(first.explained)
	f.Hit, f.NextStep = s.hits(first.explained), means.next
	f.Sentence = fmt.Sprintf("%q in %s from %s: %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), c.law.words(), s.share(first.explained))
	var own []int
	var all []evidence
	for n, t := range c.sites {
		own, all = append(own, t.explained...), append(all, t.evidence)
		if n > 0 {
			s.alsoAt(&f, t.explained)
		}
	}
	f.Effects = append(f.Effects, s.rewriteEffects(d, rule)...)
	f.Proof, f.Cause = s.causeOf(c.law, c.scope(s), all)
	s.kind.Kind, s.kind.Title = rule.Kind, means.title
	own = s.take(append(own, s.respelledBy(c)...))
	follow := s.totals(own)
	follow.join(s.consequences(own))
	follow.addTo(&f)
	s.claim(f, append(own, follow.list...))
}

// rewriteEffects says what a reader of the new values must know beside the rule.
func (s *state) rewriteEffects(d *harness.Difference, rule infer.Rule) []string {
	var effects []string
	if d.Class == harness.Retyped {
		effects = append(effects, typeEffects(d)...)
	}
	if rule.Lossy {
		effects = append(effects, "The old values cannot be told from the new ones: two of them can become the same.")
	}
	for _, other := range rule.Ambiguous {
		effects = append(effects, "Not the only reading: "+other+".")
	}
	if rule.Family == "table" && !s.downstream(d) {
		effects = append(effects, s.untranslated(d, rule)...)
	}
	return effects
}

// untranslated says which of the new codes the crosswalk of the old ones does not know.
func (s *state) untranslated(d *harness.Difference, rule infer.Rule) []string {
	old, unknown := setOf(nil), setOf(nil)
	for _, e := range rule.Table {
		old.add(e.Was.Text)
	}
	walk := s.crosswalkFor(old)
	if walk.Name == "" || walk.Default {
		return nil
	}
	for _, e := range rule.Table {
		if walk.Codes[e.Is.Text] == 0 {
			unknown.add(e.Is.Text)
		}
	}
	if len(unknown.counts) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("No row for %s in crosswalk %s.", listSome(unknown.sorted(len(unknown.counts)), maxFewCodes), walk.File)}
}

// scope is the places of the cluster.
func (c *cluster) scope(s *state) []harness.Scope {
	var scope []harness.Scope
	seen := map[string]bool{}
	for _, t := range c.sites {
		p := harness.Scope{Operation: t.slot.operation, At: t.pattern}
		if key := p.Operation + "\x00" + p.At.String(); !seen[key] {
			seen[key] = true
			scope = append(scope, p)
		}
	}
	return scope
}

// causeOf is the cause that a finding carries, with its proof in words.
func (s *state) causeOf(l law, scope []harness.Scope, all []evidence) (string, *harness.Cause) {
	text, proof := proofText(l, all...)
	written, ok := l.rule.Written()
	if !ok {
		return text, nil
	}
	written.When = l.when.String()
	return text, &harness.Cause{Rule: written, Scope: scope, Proof: proof}
}
