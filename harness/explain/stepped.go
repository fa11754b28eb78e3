package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// days is the layouts of days that are read.
var days = []string{time.DateOnly, "01/02/2006", "1/2/2006", "02.01.2006", "20060102"}

// Bounds of steps that zones of time make.
const (
	quarter  = 15 * time.Minute // every offset of a zone is a multiple of it
	farthest = 14 * time.Hour   // between a zone and UTC
	oneDay   = 24 * time.Hour
)

// step is by how much a day or a time moved in the writing that it had; the zero step when it did not move so, or by what
// no change of zones explains.
type step struct {
	by    time.Duration
	clock bool // a time, not a day
}

func stepOf(d *harness.Difference) step {
	if by := between(d, days); by == oneDay || by == -oneDay {
		return step{by, false}
	}
	if by := between(d, clocks); by%quarter == 0 && by.Abs() <= farthest || by.Abs() == oneDay {
		return step{by, by != 0}
	}
	return step{}
}

// between is how far the two values are apart in the first layout that reads both.
func between(d *harness.Difference, layouts []string) time.Duration {
	for _, layout := range layouts {
		was, err := time.Parse(layout, d.Was.Text)
		if err != nil || !isLikelyYear(was) {
			continue
		}
		if is, err := time.Parse(layout, d.Is.Text); err == nil && isLikelyYear(is) {
			return is.Sub(was)
		}
	}
	return 0
}

// isLikelyYear keeps numbers of eight digits out that happen to read as a day.
func isLikelyYear(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2100 }

// detectStepped claims days and times that all moved by one step where each place has too few values to learn a rule from:
// one change of the zone shows in many fields. Fields of one system and one step are one finding.
func detectStepped(s *state) {
	type move struct {
		from string
		step step
	}
	var found []int
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isPlace(d) && inBody(d) }) {
		moved := slices.DeleteFunc(slices.Clone(g.list), func(i int) bool { return stepOf(s.at(i)) == step{} })
		if 2*len(moved) > len(g.list) { // among many other changes a step is chance
			found = append(found, moved...)
		}
	}
	for _, list := range partition(found, func(i int) move { return move{answerer(s.at(i)), stepOf(s.at(i))} }) {
		if list = s.take(list); len(list) > 0 { // an earlier one may have brought some along
			s.claimStepped(stepOf(s.at(list[0])), list)
		}
	}
}

func (s *state) claimStepped(by step, list []int) {
	places := s.grouped(list)
	first := places[0].list
	d := s.at(first[0])
	f := s.sized(first)
	f.Hit, f.NextStep = s.hits(list), transformations["F06"].next
	f.Sentence = fmt.Sprintf("%q in %s from %s is %s, such as %s → %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), by, textOf(d.Was), textOf(d.Is), s.share(first))
	f.Effects = s.alsoIn(places[1:])
	old := map[string]bool{}
	for _, i := range list {
		old[s.at(i).Was.Text] = true
	}
	f.Proof = fmt.Sprintf("Not proven: all of them moved by the same step, and there %s only %s to judge it by.", isOrAre(len(old)), count(len(old), "different value"))
	if len(old) >= minOldValues {
		f.Proof = fmt.Sprintf("Not proven: %s moved by the same step, and others of their places did not move.", count(len(old), "different value"))
	}
	s.claimWithEffects(f, list)
}

// String says where the values moved to.
func (st step) String() string {
	direction := "later"
	if st.by < 0 {
		direction = "earlier"
	}
	hours, minutes := int(st.by.Abs()/time.Hour), int(st.by.Abs()%time.Hour/time.Minute)
	switch {
	case st.by.Abs() == oneDay:
		return "one day " + direction
	case minutes == 0:
		return count(hours, "hour") + " " + direction
	case hours == 0:
		return count(minutes, "minute") + " " + direction
	}
	return fmt.Sprintf("%s and %s %s", count(hours, "hour"), count(minutes, "minute"), direction)
}
