package explain

import "slices"

// settled is the families whose rules hold the values of their own place: what they say of another one is chance.
var settled = []string{"table", "mask", "constant"}

// carries reports whether the law may be looked for at places from which it was not learned.
func (c *cluster) carries() bool {
	return c.law.when.Always() && !c.law.isSettled()
}

// isPartial reports whether some values stayed that the law would change.
func (c *cluster) isPartial() bool {
	return slices.ContainsFunc(c.sites, func(st *study) bool { return st.exceptions > 0 })
}

// carry joins places whose values are too few to learn from to the cluster whose law explains every change there and
// would change nothing that stayed: what was learned of many values is known of few. A law that holds for some values of
// a field only is looked for in the same field only, where some may stay as well.
func (s *state) carry(clusters []*cluster, groups []group) {
	joined := map[int]bool{} // by number of the group
	for _, c := range clusters {
		for _, st := range c.sites {
			joined[s.group[st.list[0]]] = true
		}
	}
	for _, c := range clusters {
		if !c.carries() {
			continue
		}
		var fit []group
		for _, g := range groups {
			if !joined[s.group[g.list[0]]] && s.explainsAll(c.law, g) {
				fit = append(fit, g)
			}
		}
		for _, st := range s.applied(fit, func(*study) (law, bool) { return c.law, true }) {
			if (st.exceptions == 0 || c.isPartial() && s.keyOfField(st.group) == s.keyOfField(c.sites[0].group)) && len(st.explained) == len(st.list) {
				c.sites = append(c.sites, st)
				joined[s.group[st.list[0]]] = true
			}
		}
	}
}

// explainsAll reports whether the law gives every new value of the group.
func (s *state) explainsAll(l law, g group) bool {
	return !slices.ContainsFunc(g.list, func(i int) bool {
		is, ok := l.rule.Apply(s.at(i).Was, nil)
		return !ok || !sameText(is, s.at(i).Is)
	})
}
