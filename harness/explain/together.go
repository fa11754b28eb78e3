package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Bounds of places that are one finding because they changed together.
const (
	minTogether  = 4   // records or calls that they have in common
	togetherness = 0.9 // of those that either has
	maxTogether  = 100 // places of one operation that are compared with one another
)

// hitSet is the records, or the calls, that the differences of one place lie in.
type hitSet map[string]bool

// hitSetOf is the records that the differences lie in; outside of records it is the calls.
func (s *state) hitSetOf(list []int) hitSet {
	set := hitSet{}
	for _, i := range list {
		d := s.at(i)
		set[d.Exchange+"\x00"+d.Record] = true
	}
	return set
}

// overlap is the share of what either set has that both have.
func (h hitSet) overlap(other hitSet) float64 {
	both := 0
	for k := range h {
		if other[k] {
			both++
		}
	}
	return float64(both) / float64(len(h)+len(other)-both)
}

// bundle is places of one sort that changed together, and that nobody has a cause for.
type bundle struct {
	groups []group
	also   []group // further places of the same field
	row    *leftover
	hits   hitSet // of the first place
}

func (b *bundle) list() []int { return append(indexesOf(b.groups), indexesOf(b.also)...) }

// bundled joins fields of one operation that changed in the same records: whatever changed them, they are one thing to
// look at. A few records say nothing. Where nearly all records changed, being in the same ones says nothing either: then
// only fields of one object are joined.
func (s *state) bundled(groups []group) []*bundle {
	var all []*bundle
	open := map[slot][]*bundle{}
	for _, g := range groups {
		d := s.at(g.list[0])
		row := leftoverOf(s, d)
		b := &bundle{groups: []group{g}, row: row, hits: s.hitSetOf(g.list)}
		if joined := s.bundleFor(b, open[g.slot]); joined != nil {
			joined.groups = append(joined.groups, g)
			continue
		}
		all = append(all, b)
		if isField(d) && len(open[g.slot]) < maxTogether {
			open[g.slot] = append(open[g.slot], b)
		}
	}
	return all
}

// leftoverOf is the row of the table that speaks for the difference.
func leftoverOf(s *state, d *harness.Difference) *leftover {
	for i := range leftovers {
		if leftovers[i].fits(s, d) {
			return &leftovers[i]
		}
	}
	return &leftovers[len(leftovers)-1] // fits any
}

func (s *state) bundleFor(b *bundle, open []*bundle) *bundle {
	g := b.groups[0]
	d := s.at(g.list[0])
	if !isField(d) || len(b.hits) < minTogether {
		return nil
	}
	most := 9*s.population(d) <= 10*len(b.hits)
	for _, o := range open {
		first := s.at(o.groups[0].list[0])
		near := s.parentOf(o.groups[0]) == s.parentOf(g)
		if o.row == b.row && isAnswer(first) == isAnswer(d) && (near || !most) && o.hits.overlap(b.hits) >= togetherness {
			return o
		}
	}
	return nil
}

// oneEachField joins fields of one name from one system that changed in the same way: whatever spoils a field shows in
// every message that carries it.
func (s *state) oneEachField(bundles []*bundle) []*bundle {
	last := &leftovers[len(leftovers)-1]
	var fields []group
	owner := map[int]*bundle{} // by number of the group
	for _, b := range bundles {
		if g := b.groups[0]; b.row == last && len(b.groups) == 1 && isNamed(s.at(g.list[0])) {
			fields, owner[s.group[g.list[0]]] = append(fields, g), b
		}
	}
	joined := map[*bundle]bool{}
	for _, places := range s.byField(fields, func(d *harness.Difference) string { return d.Path[0].Name }) {
		b := owner[s.group[places[0].list[0]]]
		b.also = places[1:]
		for _, g := range b.also {
			joined[owner[s.group[g.list[0]]]] = true
		}
	}
	return slices.DeleteFunc(bundles, func(b *bundle) bool { return joined[b] })
}

// isNamed reports whether the difference lies in a body, in a member of some name or in its list.
func isNamed(d *harness.Difference) bool {
	return inBody(d) && slices.ContainsFunc(d.Pattern[2:], func(step harness.Step) bool { return step.Kind == harness.StepName })
}

// sayTogether is the sentence about places that changed together, and the effects that name each.
func (s *state) sayTogether(b *bundle) (sentence string, effects []string) {
	var names []string
	for _, g := range b.groups {
		d := s.at(g.list[0])
		names = append(names, fmt.Sprintf("%q", fieldName(d)))
		effects = append(effects, fmt.Sprintf("%q %s in %s, such as %s → %s.", fieldName(d), verbOf(d), count(s.places(g.list), "place"), short(textOf(d.Was)), short(textOf(d.Is))))
	}
	d := s.at(b.groups[0].list[0])
	return fmt.Sprintf("%s in %s from %s changed together, in the same %s; no cause was found.",
		listSome(names, maxFewCodes), d.Operation, s.side(answerer(d)), count(len(b.hits), unitOf(d))), effects
}
