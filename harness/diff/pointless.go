package diff

import (
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// pointless returns the rules of the scenario whose place occurs nowhere: nothing was there for them to decide.
// A body that cannot be read holds no place.
func (s *ruleSet) pointless(all []harness.Exchange) []harness.Rule {
	var list []harness.Rule
	for _, r := range s.rules {
		if !r.BuiltIn && !r.used && r.count == 0 && !r.occurs(all) {
			list = append(list, r.Rule)
		}
	}
	return list
}

func (r *compiledRule) occurs(all []harness.Exchange) bool {
	for i := range all {
		x := &all[i]
		if harness.MatchOperation(r.Operation, x.Operation()) && (r.within("request", x.Request) || r.within("response", x.Response)) {
			return true
		}
	}
	return false
}

// within reports whether the message has a place that the rule covers.
func (r *compiledRule) within(half string, m harness.Message) bool {
	at := harness.PathOf(harness.Name(half), harness.Name("head"))
	for _, f := range m.Head {
		if r.At.Match(at.Child(harness.Name(f.Name))) {
			return true
		}
	}
	body := harness.PathOf(harness.Name(half), harness.Name("body"))
	if m.Body.Size() == 0 || !r.mayLieBelow(body) {
		return false
	}
	if r.At.Match(body) {
		return true
	}
	doc, err := payload.Of(m)
	if err != nil {
		return false
	}
	return r.inside(body, doc.Root())
}

// mayLieBelow spares reading bodies for rules about heads.
func (r *compiledRule) mayLieBelow(at harness.Path) bool {
	for i, step := range r.At {
		if step.Kind == harness.StepDeep || i == len(at) {
			return true
		}
		if !r.At[:i+1].Match(at[:i+1]) {
			return false
		}
	}
	return len(r.At) >= len(at)
}

// inside walks containers too, because a rule may speak of an array or object.
func (r *compiledRule) inside(at harness.Path, n payload.Node) bool {
	if r.At.Match(at) {
		return true
	}
	i := 0
	for c := range n.Children() {
		step := harness.Index(i)
		if n.Kind() == harness.KindObject {
			step = harness.Name(c.Name())
		}
		if r.inside(at.Child(step), c) {
			return true
		}
		i++
	}
	return false
}
