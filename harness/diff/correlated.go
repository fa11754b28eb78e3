package diff

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// checkCorrelated takes a changed value away for the time being; when all pairs are known, those that do not map one to
// one come back as differences.
func checkCorrelated(r harness.Rule) (takesAway, error) {
	if r.Within != "" && r.Within != "run" && r.Within != "session" {
		return nil, fmt.Errorf("rule at %s: within %q is not run or session", r.At, r.Within)
	}
	shape, err := regexp.Compile("^(?:" + r.Pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("rule at %s: pattern %q: %w", r.At, r.Pattern, err)
	}
	return func(d harness.Difference) bool {
		fits := r.Pattern == "" || shape.MatchString(d.Was.Text) && shape.MatchString(d.Is.Text)
		return fits && d.Class == harness.Changed && d.Was.Kind == d.Is.Kind
	}, nil
}

// sighting is a difference that a correlated rule took away, and the number of its pair of exchanges.
type sighting struct {
	harness.Difference
	pair int
}

// fixed is a value that a correlated rule covers and that is the same on both sides.
type fixed struct{ scope, text string }

// scope is what the values of the rule keep to their pairs in.
func (r *compiledRule) scope(session string) string {
	if r.Within == "session" {
		return session
	}
	return ""
}

// correlates reports whether values at or below the place are to keep to their pairs.
func (s *ruleSet) correlates(operation string, at harness.Path) bool {
	return s.pairing && slices.ContainsFunc(s.rules, func(r *compiledRule) bool {
		return r.fixed != nil && harness.MatchOperation(r.Operation, operation) && r.mayLieBelow(at)
	})
}

// unchanged tells correlated rules about values that are the same on both sides.
func (c *comparer) unchanged(at harness.Path, n payload.Node) {
	if !c.rules.correlates(c.place.Operation, at) {
		return
	}
	for below, leaf := range n.Leaves() {
		c.stays(slices.Concat(at, below), leaf.Text())
	}
}

// unchangedBody tells correlated rules about a body that is the same on both sides.
func (c *comparer) unchangedBody(half string, m harness.Message) error {
	at := harness.PathOf(harness.Name(half), harness.Name("body"))
	if m.Body.Size() == 0 || !c.rules.correlates(c.place.Operation, at) {
		return nil
	}
	if m.Body.Size() > wholeMost {
		c.notes.add(unseenNote(c.place.Operation, at))
		return nil
	}
	doc, err := payload.Of(m)
	if err == nil {
		c.unchanged(at, doc.Root())
	}
	return err
}

func unseenNote(operation string, at harness.Path) string {
	return fmt.Sprintf("%s %s: too large to look at the values that stay the same; correlated rules know the changed ones only", operation, at.Pattern())
}

// stays tells correlated rules about one value that is the same on both sides.
func (c *comparer) stays(at harness.Path, text string) {
	for _, r := range c.rules.rules {
		if r.fixed != nil && r.covers(c.place.Operation, at) {
			r.fixed[fixed{r.scope(c.place.Session), text}] = true
		}
	}
}

// mapping is one old value that became one new value, and where.
type mapping struct {
	scope, was, is string
	places         int
	seen           []sighting
}

// contradictions returns what a correlated rule took away and should not have: values that did not keep to their pairs.
// Of mappings that contradict each other the one with the most places counts as the right one, then the first.
func (r *compiledRule) contradictions() []sighting {
	became, came := map[fixed]string{}, map[fixed]string{}
	var wrong []sighting
	for _, m := range r.mappings() {
		old, now := fixed{m.scope, m.was}, fixed{m.scope, m.is}
		note := ""
		switch to, known := became[old]; {
		case r.fixed[old]:
			note = fmt.Sprintf("%q stays the same elsewhere", m.was)
		case r.fixed[now]:
			note = fmt.Sprintf("%q is another value that stays the same elsewhere", m.is)
		case known:
			note = fmt.Sprintf("%q becomes %q elsewhere", m.was, to)
		default:
			if from, known := came[now]; known {
				note = fmt.Sprintf("%q is what %q becomes elsewhere", m.is, from)
			}
		}
		if note == "" {
			became[old], came[now] = m.is, m.was
			continue
		}
		for _, s := range m.seen {
			s.Rule, s.Note = &r.Rule, note
			wrong = append(wrong, s)
			r.count -= s.Count
		}
	}
	return wrong
}

// mappings are the pairs of values that were seen, the most frequent first.
func (r *compiledRule) mappings() []*mapping {
	type key struct{ scope, was, is string }
	index := map[key]*mapping{}
	var list []*mapping
	for _, s := range r.pairs {
		k := key{r.scope(s.Session), s.Was.Text, s.Is.Text}
		if index[k] == nil {
			index[k] = &mapping{scope: k.scope, was: k.was, is: k.is}
			list = append(list, index[k])
		}
		index[k].places += s.Count
		index[k].seen = append(index[k].seen, s)
	}
	slices.SortStableFunc(list, func(a, b *mapping) int { return cmp.Compare(b.places, a.places) })
	return list
}

// contradict puts the differences of correlated rules that come back behind the others of their pair of exchanges;
// ends is how many differences there were at the end of each pair.
func (c *comparer) contradict(ends []int) {
	var wrong []sighting
	for _, r := range c.rules.rules {
		wrong = append(wrong, r.contradictions()...)
	}
	if len(wrong) == 0 {
		return
	}
	slices.SortStableFunc(wrong, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.pair, b.pair), cmp.Compare(a.Path.String(), b.Path.String()))
	})
	merged := make([]harness.Difference, 0, len(c.out.Differences)+len(wrong))
	from := 0
	for pair, end := range ends {
		merged = append(merged, c.out.Differences[from:end]...)
		from = end
		for len(wrong) > 0 && wrong[0].pair == pair {
			merged = append(merged, wrong[0].Difference)
			wrong = wrong[1:]
		}
	}
	c.out.Differences = merged
}
