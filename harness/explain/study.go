package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// Bounds of what a rule is learned from; it is proved on everything.
const (
	maxLearned   = 4000 // values of each sort that are kept for one place
	maxCondition = 1000 // of each side that a condition is learned from
	maxLayers    = 3    // causes that may lie over one another at one place
	fewValues    = 20   // so few values on one side may be why no condition is beyond chance
)

// study is one place whose values changed: what is known of them, and the law that was learned.
type study struct {
	group
	pattern harness.Path
	mine    map[int]bool
	changed sampler // occurrences with open differences of the group
	still   sampler // occurrences that did not change
	law     law
	found   bool
	evidence
}

// sampler keeps at most maxLearned values at even distances.
type sampler struct {
	kept   []sampled
	seen   int
	stride int
}

// sampled is an occurrence with its record read.
type sampled struct {
	occurrence
	fields []harness.Field
}

func (p *sampler) add(o occurrence) {
	if p.stride == 0 {
		p.stride = 1
	}
	if p.seen++; (p.seen-1)%p.stride != 0 {
		return
	}
	fields := o.record()
	o.record = func() []harness.Field { return fields }
	p.kept = append(p.kept, sampled{o, fields})
	if len(p.kept) < 2*maxLearned {
		return
	}
	half := p.kept[:0]
	for i := 0; i < len(p.kept); i += 2 {
		half = append(half, p.kept[i])
	}
	p.kept, p.stride = slices.Clip(half), 2*p.stride
}

func newStudy(s *state, g group) *study {
	st := &study{group: g, pattern: s.at(g.list[0]).Pattern, mine: map[int]bool{}}
	for _, i := range g.list {
		st.mine[i] = true
	}
	return st
}

// learn finds laws for the groups and proves each on all values of its place.
func (s *state) learn(groups []group) []*study {
	return s.proved(groups, func(k slot, list []*study) {
		s.observe(k, list)
		for _, st := range list {
			st.law, st.found = st.learned()
			st.changed, st.still = sampler{}, sampler{}
		}
	})
}

// applied proves laws that were found in another way, on all values of their places. Places that they explain nothing
// of are left out.
func (s *state) applied(groups []group, find func(*study) (law, bool)) []*study {
	all := s.proved(groups, func(_ slot, list []*study) {
		for _, st := range list {
			st.law, st.found = find(st)
		}
	})
	return slices.DeleteFunc(all, func(st *study) bool { return len(st.explained) == 0 })
}

// proved applies to all values of their places what find gave the studies of each slot; those of a slot share a pass.
func (s *state) proved(groups []group, find func(slot, []*study)) []*study {
	var order []slot
	bySlot := map[slot][]*study{}
	for _, g := range groups {
		if bySlot[g.slot] == nil {
			order = append(order, g.slot)
		}
		bySlot[g.slot] = append(bySlot[g.slot], newStudy(s, g))
	}
	var all []*study
	for _, k := range order {
		find(k, bySlot[k])
		s.try(k, slices.DeleteFunc(slices.Clone(bySlot[k]), func(st *study) bool { return !st.found }))
		all = append(all, bySlot[k]...)
	}
	return all
}

func patternsOf(list []*study) []harness.Path {
	patterns := make([]harness.Path, len(list))
	for i, st := range list {
		patterns[i] = st.pattern
	}
	return patterns
}

// observe reads the values of the places of a slot.
func (s *state) observe(k slot, list []*study) {
	s.note(s.eachOccurrence(k, patternsOf(list), func(n int, o occurrence) {
		switch st := list[n]; {
		case o.diff < 0:
			st.still.add(o)
		case st.mine[o.diff]:
			st.changed.add(o)
		}
	}))
}

// learned infers the rule of a place, and the condition where it holds for some records only. A rule without a condition
// that would help is kept with its exceptions when it explains most.
func (st *study) learned() (law, bool) {
	if !st.suffices() {
		return law{}, false
	}
	changed, still := pairsOf(st.changed.kept), pairsOf(st.still.kept)
	whole, ok := infer.Infer(slices.Concat(changed, still), infer.Options{})
	few := false
	if ok {
		l, clean := st.conditioned(whole)
		if clean {
			return l, true
		}
		few = l.few
	}
	if len(still) > 0 {
		if partial, found := infer.Infer(changed, infer.Options{}); found {
			if l, clean := st.conditioned(partial); clean && !l.when.Always() {
				return l, true
			}
		}
	}
	return law{rule: whole, few: few}, ok
}

// suffices reports whether there is enough to learn from: the same change of one value is a constant. Of another type
// there may be few values, such as true and false.
func (st *study) suffices() bool {
	old := map[string]bool{}
	retyped := 0
	for _, o := range st.changed.kept {
		old[o.was.Text] = true
		if o.was.Kind != o.is.Kind {
			retyped++
		}
	}
	return len(old) >= minOldValues || retyped >= minOldValues && retyped == len(st.changed.kept)
}

// conditioned adds the condition that parts the values that follow the rule from those that should and do not. clean
// says that none are left that do not.
func (st *study) conditioned(rule infer.Rule) (l law, clean bool) {
	l = law{rule: rule}
	var follow, other [][]harness.Field
	for _, o := range st.changed.kept {
		if rule.Explains(l.pair(o.occurrence)) {
			follow = append(follow, o.features())
		} else if l.alters(o.occurrence) {
			other = append(other, o.features())
		}
	}
	for _, o := range st.still.kept {
		if l.alters(o.occurrence) {
			other = append(other, o.features())
		}
	}
	if len(other) == 0 {
		return l, true
	}
	when, ok := infer.When(spread(follow, maxCondition), spread(other, maxCondition))
	if !ok {
		l.few = min(len(follow), len(other)) < fewValues
		return l, false
	}
	return law{rule: rule, when: when}, true
}

// spread takes at most n of the list at even distances.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, n)
	for i := range n {
		out[i] = list[i*len(list)/n]
	}
	return out
}

func pairsOf(list []sampled) []infer.Pair {
	pairs := make([]infer.Pair, len(list))
	for i, o := range list {
		pairs[i] = infer.Pair{Was: o.was, Is: o.is, Record: o.fields}
	}
	return pairs
}
