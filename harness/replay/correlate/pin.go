package correlate

import "github.com/rehearse-dev/rehearse/harness"

// isPinned reports whether the scenario makes links from the leaf.
func (m *miner) isPinned(l *leaf, i int) bool {
	for _, p := range m.options.Pin {
		if harness.MatchOperation(p.From.Operation, m.operations[i]) && covers(p.From.At, l.at()) {
			return true
		}
	}
	return false
}

// ruled reports whether one of the rules of the scenario covers the pair.
func (m *miner) ruled(rules []harness.Pinned, mk *maker, i int, l *leaf) bool {
	for _, r := range rules {
		if harness.MatchOperation(r.From.Operation, m.operations[mk.exchange]) && covers(r.From.At, mk.at) &&
			harness.MatchOperation(r.To.Operation, m.operations[i]) && covers(r.To.At, l.at()) {
			return true
		}
	}
	return false
}

// covers reports whether a pattern, empty for all places, covers the place or one around it.
func covers(pattern, at harness.Path) bool {
	if len(pattern) == 0 {
		return true
	}
	for n := len(at); n > 0; n-- {
		if pattern.Match(at[:n]) {
			return true
		}
	}
	return false
}
