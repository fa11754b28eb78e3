package explain

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// clocks is the layouts of times of day that are read, most frequent first.
var clocks = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "01/02/2006 15:04:05", "01/02/2006 15:04",
	"01/02/2006 03:04 PM", "20060102150405", "200601021504",
}

// switching is zones whose days of switching differ, by the part of the world that has them.
var switching = []struct{ zone, words string }{
	{"America/Chicago", "the United States"}, {"Europe/Berlin", "Europe"}, {"Australia/Sydney", "Australia"}, {"Pacific/Auckland", "New Zealand"},
}

// detectOneSided claims times that moved by one hour on one side of a switch of clocks and stayed on the other: one of
// two systems does not know the switch.
func detectOneSided(s *state) {
	groups := s.uncrowded(s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d)
	}))
	s.loadSets(s.before, groups)
	if s.err != nil {
		return
	}
	for _, g := range groups {
		for _, part := range splitBy(g, func(i int) string { return fmt.Sprint(hoursBetween(s.at(i).Was.Text, s.at(i).Is.Text)) }) {
			if d := s.at(part.list[0]); hoursBetween(d.Was.Text, d.Is.Text) != 0 {
				s.claimOneSided(part, g)
			}
		}
	}
}

// clockOf reads a time of day.
func clockOf(text string) (at time.Time, layout string, ok bool) {
	const shortest, longest = 12, 35
	if len(text) < shortest || len(text) > longest {
		return at, "", false
	}
	for _, layout := range clocks {
		if t, err := time.Parse(layout, text); err == nil {
			return t, layout, true
		}
	}
	return at, "", false
}

// hoursBetween is 1 or -1 when the second time, in the same layout, is an hour away from the first, and 0 otherwise.
func hoursBetween(was, is string) int {
	a, layoutA, okA := clockOf(was)
	b, layoutB, okB := clockOf(is)
	if !okA || !okB || layoutA != layoutB {
		return 0
	}
	switch b.Sub(a) {
	case time.Hour:
		return 1
	case -time.Hour:
		return -1
	}
	return 0
}

// claimOneSided claims the times when those that moved lie on one side of the switches of a zone, and those that stayed
// on the other.
func (s *state) claimOneSided(g, all group) {
	d := s.at(g.list[0])
	moved, stayed := s.movedAndStayed(g, all)
	if len(moved) < 2 || len(stayed) == 0 {
		return
	}
	for _, z := range switching {
		zone, err := time.LoadLocation(z.zone)
		if err != nil {
			continue // a machine without the table of zones
		}
		summer, ok := sideOf(moved, stayed, zone)
		if !ok {
			continue
		}
		list := s.take(g.list)
		season, direction := "outside of daylight saving time", "back"
		if summer {
			season = "in daylight saving time"
		}
		if hoursBetween(d.Was.Text, d.Is.Text) > 0 {
			direction = "ahead"
		}
		f := s.sized(list)
		f.Hit = s.hits(list)
		f.Sentence = fmt.Sprintf("%q in %s from %s moved one hour %s in %s: only times %s of %s; the others did not move.",
			fieldName(d), d.Operation, s.side(answerer(d)), direction, s.share(list), season, z.words)
		f.Proof = fmt.Sprintf("%s moved and %s did not, each on its side of the switch of clocks.", count(len(moved), "different time"), count(len(stayed), "different time"))
		f.NextStep = "Convert with a table of time zones on both sides: one of them takes the same offset for the whole year."
		s.claimWithEffects(f, list)
		return
	}
}

// movedAndStayed is the different times of the group that moved, and those at its place that did not change at all.
func (s *state) movedAndStayed(g, changed group) (moved, stayed []time.Time) {
	seen := map[string]bool{}
	for _, i := range g.list {
		text := s.at(i).Was.Text
		if t, _, ok := clockOf(text); ok && !seen[text] {
			seen[text] = true
			moved = append(moved, t)
		}
	}
	touched := map[string]int{}
	for _, i := range changed.list {
		touched[s.at(i).Was.Text]++
	}
	all := s.before.set(g.slot, s.at(g.list[0]).Pattern)
	for _, text := range all.sorted(maxUnchanged) {
		if t, _, ok := clockOf(text); ok && all.counts[text] > touched[text] {
			stayed = append(stayed, t)
		}
	}
	return moved, stayed
}

// sideOf reports whether all that moved lies on one side of the switches of a zone and all that stayed on the other, and
// whether the side that moved is summer.
func sideOf(moved, stayed []time.Time, zone *time.Location) (summer, ok bool) {
	isSummer := func(t time.Time) bool {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, zone).IsDST()
	}
	summer = isSummer(moved[0])
	for _, t := range moved {
		if isSummer(t) != summer {
			return false, false
		}
	}
	for _, t := range stayed {
		if isSummer(t) == summer {
			return false, false
		}
	}
	return summer, true
}
