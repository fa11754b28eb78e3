package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// leafGroup is one field that is gone, or that came, with its values by record. A field of an object that is gone or came
// as a whole counts as well.
type leafGroup struct {
	slot    slot
	half    string
	pattern harness.Path
	values  map[string]string // by exchange and the keys of the records on the way
	diffs   []int
}

// restructuring is fields that are gone and fields that carry their values now: one of each when a field moved, more when
// it was taken apart or put together.
type restructuring struct {
	gone, came []*leafGroup
	separator  string
}

// separators are what stands between the parts of a field that was taken apart or put together.
var separators = []string{" ", ", ", "-", "_", "/", "|", ".", ":", ""}

// detectMovedFields claims fields that stand in another object now, or that were taken apart or put together, with the
// same values in every record. Few different values are evidence only where the field kept its name.
func detectMovedFields(s *state) {
	gone := s.leafGroups(harness.Removed)
	if len(gone) == 0 {
		return
	}
	came := s.leafGroups(harness.Added)
	if len(gone) > maxSiblings || len(came) > maxSiblings {
		return
	}
	var found []restructuring
	used := map[*leafGroup]bool{}
	match := func(r restructuring) {
		for _, g := range slices.Concat(r.gone, r.came) {
			used[g] = true
		}
		found = append(found, r)
	}
	for _, g := range gone {
		for _, c := range came {
			if !used[g] && !used[c] && g.isAlso(c) {
				match(restructuring{gone: []*leafGroup{g}, came: []*leafGroup{c}})
			}
		}
	}
	for _, way := range []struct {
		wholes, parts []*leafGroup
		split         bool
	}{{gone, came, true}, {came, gone, false}} {
		for _, whole := range way.wholes {
			a, b, separator, ok := whole.partsIn(way.parts, used)
			switch {
			case !ok || used[whole]:
			case way.split:
				match(restructuring{[]*leafGroup{whole}, []*leafGroup{a, b}, separator})
			default:
				match(restructuring{[]*leafGroup{a, b}, []*leafGroup{whole}, separator})
			}
		}
	}
	for _, r := range s.complete(found) {
		s.claimMoved(r)
	}
}

// leafGroups gathers the fields that are gone, or that came.
func (s *state) leafGroups(class harness.ChangeClass) []*leafGroup {
	var order []*leafGroup
	at := map[place]*leafGroup{}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Class == class && isField(d) && inBody(d) }) {
		d := s.at(i)
		for n, v := range s.valuesOf(d) {
			for _, leaf := range leavesOf(v) {
				pattern := append(d.Pattern[:len(d.Pattern):len(d.Pattern)], leaf.path...)
				k := place{slotOf(d), pattern.String()}
				if at[k] == nil {
					at[k] = &leafGroup{slot: k.slot, half: d.Path[0].Name, pattern: pattern, values: map[string]string{}}
					order = append(order, at[k])
				}
				at[k].values[fmt.Sprintf("%s\x00%s\x00%d", d.Exchange, keysAlong(d.Path), n)] = leaf.text
				if last := len(at[k].diffs) - 1; last < 0 || at[k].diffs[last] != i {
					at[k].diffs = append(at[k].diffs, i)
				}
			}
		}
	}
	return order
}

// valuesOf is the values that are gone, or that came: one, or those of all records when the difference stands for a column.
func (s *state) valuesOf(d *harness.Difference) []harness.Value {
	x, v := s.before.byID[d.Exchange], d.Was
	if d.Class == harness.Added {
		x, v = s.now(d), d.Is
	}
	if d.Count == 1 {
		return []harness.Value{v}
	}
	var list []harness.Value
	r := s.read(x)
	s.note(r.nodes(d.Pattern, func(n payload.Node) { list = append(list, harness.Value{Kind: n.Kind(), Text: n.Text()}) }))
	return list
}

type leaf struct {
	path harness.Path
	text string
}

// bare is the text of a leaf that is no text: null, true and false are not the words.
func bare(word string) string { return "\x00" + word }

// leavesOf is the value itself, or the scalar members of an object. An object with containers in it has none: part of it
// would be left.
func leavesOf(v harness.Value) []leaf {
	switch v.Kind {
	case harness.KindString, harness.KindNumber:
		return []leaf{{nil, v.Text}}
	case harness.KindBool:
		return []leaf{{nil, bare(v.Text)}}
	case harness.KindNull:
		return []leaf{{nil, bare("")}}
	}
	members := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader([]byte(v.Text)))
	decoder.UseNumber()
	if v.Kind != harness.KindObject || decoder.Decode(&members) != nil {
		return nil
	}
	var list []leaf
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch member := members[name].(type) {
		case string:
			list = append(list, leaf{harness.PathOf(harness.Name(name)), member})
		case json.Number:
			list = append(list, leaf{harness.PathOf(harness.Name(name)), member.String()})
		case bool:
			list = append(list, leaf{harness.PathOf(harness.Name(name)), bare(strconv.FormatBool(member))})
		case nil:
			list = append(list, leaf{harness.PathOf(harness.Name(name)), bare("")})
		default:
			return nil
		}
	}
	return list
}

func (g *leafGroup) isNear(o *leafGroup) bool {
	return g.slot == o.slot && g.half == o.half && len(g.values) == len(o.values)
}

// isAlso reports whether both can be one field: all values are the same, and they are many different ones, or the name is
// the same, too.
func (g *leafGroup) isAlso(c *leafGroup) bool {
	return g.isNear(c) && (g.pattern.Leaf() == c.pattern.Leaf() || g.differ() >= minOldValues) && maps.Equal(g.values, c.values)
}

// differ counts the different values.
func (g *leafGroup) differ() int {
	set := map[string]bool{}
	for _, text := range g.values {
		set[text] = true
	}
	return len(set)
}

// partsIn finds two fields that make up this one in every record, with one separator.
func (g *leafGroup) partsIn(all []*leafGroup, used map[*leafGroup]bool) (a, b *leafGroup, separator string, ok bool) {
	if used[g] || g.differ() < minOldValues {
		return nil, nil, "", false
	}
	for _, a := range all {
		for _, b := range all {
			if a == b || used[a] || used[b] || !g.isNear(a) || !g.isNear(b) || a.differ() < 2 || b.differ() < 2 {
				continue
			}
			for _, separator := range separators {
				if g.isMadeOf(a, b, separator) {
					return a, b, separator, true
				}
			}
		}
	}
	return nil, nil, "", false
}

func (g *leafGroup) isMadeOf(a, b *leafGroup, separator string) bool {
	for key, text := range g.values {
		x, okX := a.values[key]
		y, okY := b.values[key]
		if !okX || !okY || x == "" || y == "" || x+separator+y != text {
			return false
		}
	}
	return true
}

// complete drops what would leave a part of an object behind: a difference is claimed as a whole.
func (s *state) complete(found []restructuring) []restructuring {
	for {
		matched := map[int]int{}
		for _, r := range found {
			for _, g := range slices.Concat(r.gone, r.came) {
				for _, i := range g.diffs {
					matched[i]++
				}
			}
		}
		kept := slices.DeleteFunc(slices.Clone(found), func(r restructuring) bool {
			return slices.ContainsFunc(slices.Concat(r.gone, r.came), func(g *leafGroup) bool {
				return slices.ContainsFunc(g.diffs, func(i int) bool {
					d := s.at(i)
					return matched[i] < max(len(leavesOf(d.Was)), len(leavesOf(d.Is)))
				})
			})
		})
		if len(kept) == len(found) {
			return kept
		}
		found = kept
	}
}

func (s *state) claimMoved(r restructuring) {
	diffs := func(groups []*leafGroup) (list []int) {
		for _, g := range groups {
			list = append(list, g.diffs...)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	gone, came := diffs(r.gone), diffs(r.came)
	what := fmt.Sprintf("%s moved to %s", r.names(r.gone), r.names(r.came))
	switch {
	case len(r.came) > 1:
		what = fmt.Sprintf("%s was taken apart into %s", r.names(r.gone), r.names(r.came))
	case len(r.gone) > 1:
		what = fmt.Sprintf("%s were put together as %s", r.names(r.gone), r.names(r.came))
	}
	own := s.take(slices.Concat(gone, came))
	if len(own) == 0 { // the object is claimed with another of its fields
		last := &s.findings[len(s.findings)-1]
		last.Effects = append(last.Effects, what+", too.")
		return
	}
	d := s.at(r.gone[0].diffs[0])
	f := s.sized(r.gone[0].diffs)
	f.Hit = s.hits(r.gone[0].diffs)
	f.Sentence = fmt.Sprintf("%s in %s of %s (%s, same values).", what, d.Operation, s.side(answerer(d)), s.share(r.gone[0].diffs))
	f.NextStep = fmt.Sprintf("Read it at its new place in the mapping, or at both places while the two releases run side by side; ask %s whether more fields moved.", s.side(answerer(d)))
	if s.downstream(d) {
		f.Verdict = harness.Breaking // the receiver looks at the old place only
		f.NextStep = fmt.Sprintf("Write it at its old place again in the mapping, or agree on the new one with %s.", s.side(receiver(d)))
	}
	f.Proof = r.proof()
	c := s.consequences(gone)
	if c.harm {
		f.Verdict = harness.Breaking
	}
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}

// proof says that the values are as before when they are put back.
func (r restructuring) proof() string {
	n := len(r.gone[0].values)
	if n < harness.MinProven {
		return fmt.Sprintf("A candidate, not proven: put back, %s as before, which is too few to rule out chance.", valuesAre(n))
	}
	return fmt.Sprintf("Proven: put back, all %d values are as before.", n)
}

// names is the places of the fields below the body.
func (restructuring) names(groups []*leafGroup) string {
	var names []string
	for _, g := range groups {
		names = append(names, fmt.Sprintf("%q", g.pattern[2:].String()))
	}
	return list(names)
}
