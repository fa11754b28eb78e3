package explain

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// isSettled reports whether the rule holds the values of its own place.
func (l law) isSettled() bool {
	return slices.ContainsFunc(settled, func(family string) bool { return strings.Contains(l.rule.Family, family) })
}

// pooled learns from the values of all places of one field together what none of them shows alone: a prefix before one code
// in each of ten messages, identifiers that are exchanged wherever they occur. The law of the field takes the place of tables
// that were learned of one place each, where it explains as much.
func (s *state) pooled(found []*study, groups []group) []*study {
	byGroup := map[int][]*study{} // by number of the group
	for _, st := range found {
		n := s.group[st.list[0]]
		byGroup[n] = append(byGroup[n], st)
	}
	replaced := map[*study]bool{}
	for _, places := range s.byField(groups, valueTypes) {
		var open []group
		tables := map[int]*study{}
		for _, g := range places {
			n := s.group[g.list[0]]
			if g.list = leftOf(g.list, byGroup[n], tables, n); len(g.list) > 0 {
				open = append(open, g)
			}
		}
		if len(open) < 2 {
			continue
		}
		for _, st := range s.ofField(open) {
			old := tables[s.group[st.list[0]]]
			if old != nil && len(old.explained) > len(st.explained) {
				continue
			}
			replaced[old] = true
			found = append(found, st)
		}
	}
	return slices.DeleteFunc(found, func(st *study) bool { return replaced[st] })
}

// valueTypes is equal for changes from one type to another.
func valueTypes(d *harness.Difference) string {
	return d.Path[0].Name + string(d.Was.Kind) + string(d.Is.Kind)
}

// leftOf is what the studies of a place do not explain, or explain by a table of its own, which is noted.
func leftOf(list []int, studies []*study, tables map[int]*study, n int) []int {
	done := map[int]bool{}
	for _, st := range studies {
		if st.law.isSettled() && st.law.when.Always() {
			tables[n] = st
			continue
		}
		for _, i := range st.explained {
			done[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return done[i] })
}

// ofField learns one law of all the places and proves it at each; those that it explains nothing of are left out. A table
// of codes is no law of several places, and one of identifiers none where a place follows a rule of writing: either gives
// every new value, whatever the causes are.
func (s *state) ofField(places []group) []*study {
	var sum *study
	for _, g := range places {
		st := newStudy(s, g)
		s.observe(g.slot, []*study{st})
		if sum == nil {
			sum = st
			continue
		}
		sum.changed.kept = append(sum.changed.kept, st.changed.kept...)
		sum.still.kept = append(sum.still.kept, st.still.kept...)
	}
	l, ok := sum.learned()
	if _, known := transformations[l.rule.Kind]; !ok || !known || l.rule.Family == "table" || l.isSettled() && s.someIsWritten(places) {
		return nil
	}
	return s.applied(places, func(*study) (law, bool) { return l, true })
}

// someIsWritten reports whether one of the places follows a rule of writing.
func (s *state) someIsWritten(places []group) bool {
	s.loadSets(s.before, places)
	return s.err != nil || slices.ContainsFunc(places, func(g group) bool {
		_, ok := s.writingOf(g)
		return ok
	})
}
