package explain

import (
	"fmt"
	"math/big"
	"path"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Defaults of the guard against mass changes.
const (
	massShare = "5%"
	massFloor = 20
)

// stateNames is the columns that hold the state of a record where no guard names one.
var stateNames = []string{"status", "state", "active", "enabled"}

// massKind is one way in which many records can change at once.
type massKind struct {
	fits func(s *state, d *harness.Difference) bool
	verb string // continues "40 of 46 rows …"
	next string // %s is the system that sends
}

// massKinds is the table.
var massKinds = []massKind{
	{func(_ *state, d *harness.Difference) bool { return isRecord(d) && d.Class == harness.Removed }, "are gone from",
		"Do not import it: a receiver that mirrors deletes these records. Ask %s whether the extract was whole."},
	{func(_ *state, d *harness.Difference) bool { return isRecord(d) && d.Class == harness.Added }, "are new in",
		"Do not import it before %s has said where so many records come from at once."},
	{(*state).isFlip, "have another state in", "Do not import it before %s has said why so many records changed their state at once."},
}

// detectMass claims changes of so many incoming records at once that a person must let them pass. It goes before what
// explains single values: a wrong extract is one cause. Records that all had one state are left to those who know what
// the state means, and records that others took the place of to those who know how.
func detectMass(s *state) {
	type side struct {
		message message
		class   harness.ChangeClass
	}
	records := map[side]int{}
	for _, i := range s.unclaimed(isRecord) {
		records[side{messageOfDifference(s.at(i)), s.at(i).Class}]++
	}
	opposite := map[harness.ChangeClass]harness.ChangeClass{harness.Removed: harness.Added, harness.Added: harness.Removed}
	s.massOf(func(d *harness.Difference) bool { return !s.downstream(d) }, func(list []int) bool {
		d := s.at(list[0])
		return isRecord(d) && (2*records[side{messageOfDifference(d), opposite[d.Class]}] >= len(list) || s.isOfOneState(list))
	})
}

// detectMassLeft claims the same where no cause explains it, in what the target hands on as well.
func detectMassLeft(s *state) {
	s.massOf(func(*harness.Difference) bool { return true }, func([]int) bool { return false })
}

func (s *state) massOf(side func(*harness.Difference) bool, pass func([]int) bool) {
	broken := map[message]bool{}
	for _, p := range s.brokenPromises() {
		broken[p.message] = true
	}
	for _, kind := range massKinds {
		for _, g := range s.groups(func(d *harness.Difference) bool { return side(d) && kind.fits(s, d) }) {
			for _, list := range s.bySession(g.list) {
				if broken[messageOfDifference(s.at(list[0]))] || pass(list) {
					continue // the message itself says that it is not whole, or a better cause may be known
				}
				if m, over := s.mass(list); over && s.open[list[0]] {
					s.claimMass(kind, m)
				}
			}
		}
	}
}

// isOfOneState reports whether records that went or came all have the same state.
func (s *state) isOfOneState(list []int) bool {
	var one string
	for n, i := range list {
		text, found := "", false
		for _, f := range slices.Concat(s.at(i).Was.Fields, s.at(i).Is.Fields) {
			if s.isStateColumn(s.at(i), f.Name) {
				text, found = f.Value, true
			}
		}
		if !found || n > 0 && text != one {
			return false
		}
		one = text
	}
	return true
}

// isStateColumn reports whether the column holds the state of a record.
func (s *state) isStateColumn(d *harness.Difference, name string) bool {
	if g := s.massGuard(d); g.State != "" {
		return g.State == name
	}
	return slices.Contains(stateNames, strings.ToLower(name))
}

// isFlip reports whether a record changed to a state that others had before.
func (s *state) isFlip(d *harness.Difference) bool {
	if d.Class != harness.Changed || !isField(d) || !inBody(d) || d.Record == "" {
		return false
	}
	if !s.isStateColumn(d, d.Pattern.Leaf()) {
		return false
	}
	s.note(s.before.load(slotOf(d), []harness.Path{d.Pattern}))
	if s.err != nil {
		return false
	}
	return s.before.set(slotOf(d), d.Pattern).counts[d.Is.Text] > 0
}

// massChange is records of one table that changed at once, with the whole that the share is of.
type massChange struct {
	list  []int
	guard harness.Guard
	of    int
	part  string // "TERM 202640", where the guard counts by a column
}

// mass weighs the records against the guard: all of the table, or the worst of its parts.
func (s *state) mass(list []int) (massChange, bool) {
	d := s.at(list[0])
	all := massChange{list: list, guard: s.massGuard(d)}
	if len(list) <= all.guard.Floor {
		return all, false
	}
	all.of = s.tableWas(d)
	if all.guard.By == "" || !isRecord(d) {
		return all, all.over()
	}
	worst, found := massChange{}, false
	at := d.Pattern.Child(harness.Name(all.guard.By))
	s.note(s.before.load(slotOf(d), []harness.Path{at}))
	if s.err != nil {
		return all, false
	}
	parts := map[string][]int{}
	for _, i := range list {
		value, _ := s.at(i).Was.Field(all.guard.By)
		if s.at(i).Class == harness.Added {
			value, _ = s.at(i).Is.Field(all.guard.By)
		}
		parts[value] = append(parts[value], i)
	}
	for _, value := range sortedKeys(parts) {
		m := massChange{list: parts[value], guard: all.guard, of: s.before.set(slotOf(d), at).counts[value], part: all.guard.By + " " + value}
		if m.over() && (!found || len(m.list) > len(worst.list)) {
			worst, found = m, true
		}
	}
	return worst, found
}

func sortedKeys(m map[string][]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// over reports whether more records changed than the floor, and a greater share than the guard allows.
func (m massChange) over() bool {
	n := len(m.list)
	share, ok := harness.ParseDecimal(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m.guard.Mass), "%")))
	if !ok || n <= m.guard.Floor || m.of == 0 {
		return false
	}
	return big.NewRat(int64(100*n), int64(m.of)).Cmp(share) > 0
}

// massGuard is the guard of the table, completed by the defaults.
func (s *state) massGuard(d *harness.Difference) harness.Guard {
	var guard harness.Guard
	for _, g := range s.Integration.Guards {
		if ok, err := path.Match(g.Operation, d.Operation); ok && err == nil && (g.System == "" || g.System == receiver(d)) {
			guard = g
			break
		}
	}
	if guard.Mass == "" {
		guard.Mass = massShare
	}
	if guard.Floor == 0 {
		guard.Floor = massFloor
	}
	return guard
}

// tableWas is how many records the table had in the baseline, in the session of the difference.
func (s *state) tableWas(d *harness.Difference) int {
	at := tableOf(d.Pattern)
	for _, r := range s.Comparison.Records {
		if r.Session == d.Session && r.Operation == d.Operation && r.From == d.From && r.To == d.To && at.Match(r.Path) {
			return r.Was
		}
	}
	return s.population(d)
}

// emptied follows a table that is empty now to those that the target therefore hands on empty.
func (s *state) emptied(d *harness.Difference) consequence {
	var c consequence
	if s.downstream(d) || s.tableIs(d) != 0 {
		return c
	}
	for _, g := range s.groups(func(o *harness.Difference) bool {
		return o.Session == d.Session && s.downstream(o) && (isRecord(o) && o.Class == harness.Removed && s.tableIs(o) == 0 || isFormFact(o, "columns without rows"))
	}) {
		list := s.take(g.list)
		if len(list) == 0 {
			continue
		}
		c.list = append(c.list, list...)
		if o := s.at(list[0]); isRecord(o) {
			c.harm = true
			c.effects = append(c.effects, s.lossSentence(list))
			c.targets = append(c.targets, s.place(o.To, o))
		}
	}
	return c
}

// tableIs is how many records the table has now, -1 when that is not known.
func (s *state) tableIs(d *harness.Difference) int {
	if at := tableOf(d.Pattern); at != nil {
		for _, r := range s.Comparison.Records {
			if r.Session == d.Session && r.Operation == d.Operation && r.From == d.From && r.To == d.To && at.Match(r.Path) {
				return r.Is
			}
		}
	}
	return -1
}

func (s *state) claimMass(kind massKind, m massChange) {
	own := s.take(m.list)
	d := s.at(own[0])
	f := s.sized(own)
	f.Of, f.Hit = m.of, s.hits(own)
	where := d.Operation
	if m.part != "" {
		where += ", " + m.part + ","
	}
	f.Sentence = fmt.Sprintf("%d of %s %s %s of %s (%s), over the guard against mass changes of %s and %s.",
		len(own), count(m.of, unitOf(d)), kind.verb, where, s.side(answerer(d)), percent(len(own), m.of), m.guard.Mass, count(m.guard.Floor, unitOf(d)))
	if v := s.volume(own); v != "" && isRecord(d) {
		f.Effects = append(f.Effects, "The whole table"+v+".")
	}
	f.NextStep = fmt.Sprintf(kind.next, s.side(answerer(d)))
	own = append(own, s.take(s.unclaimed(func(o *harness.Difference) bool {
		return o.Exchange == d.Exchange && o.Path[0].Name == d.Path[0].Name && isFormFact(o, "columns without rows")
	}))...)
	c := s.lostWith(own, func(*harness.Difference) bool { return true })
	c.join(s.emptied(d))
	c.join(s.consequences(own))
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}
