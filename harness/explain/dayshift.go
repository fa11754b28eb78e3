package explain

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectDayShift finds days that came as a day and come as midnight of a zone now, where the reader makes another day of
// them: midnight UTC is the evening before in America. Days that come as an instant and stay the same days everywhere
// are a matter of format and left to others.
func detectDayShift(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && !s.downstream(d)
	}) {
		if all(s, g.list, isMidnight) {
			s.claimDayShift(g.list)
		}
	}
}

// isMidnight reports whether a day became midnight of that day, in whatever zone.
func isMidnight(d *harness.Difference) bool {
	if !isDay(d.Was.Text) {
		return false
	}
	at, err := time.Parse(time.RFC3339, d.Is.Text)
	return err == nil && at.Format("2006-01-02 15:04:05.999999999") == d.Was.Text+" 00:00:00"
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

func all(s *state, list []int, fits func(*harness.Difference) bool) bool {
	return !slices.ContainsFunc(list, func(i int) bool { return !fits(s.at(i)) })
}

// shiftOf is by how many days a day moved, 0 when it is none or not the next one.
func shiftOf(d *harness.Difference) int {
	was, err := time.Parse(time.DateOnly, d.Was.Text)
	is, err2 := time.Parse(time.DateOnly, d.Is.Text)
	if days := int(is.Sub(was).Hours() / 24); err == nil && err2 == nil && (days == 1 || days == -1) {
		return days
	}
	return 0
}

// movedDays is how the days that moved are said, by the direction: to where, and why in a zone that is known and in one
// that is not.
var movedDays = map[int]struct{ to, known, unknown string }{
	-1: {"one day earlier", "midnight %s is the evening before in %s", "midnight %s is the evening before in zones west of it, such as America/Chicago"},
	+1: {"one day later", "midnight %s is the next day in %s", "midnight %s is the next day in zones east of it, such as Pacific/Auckland"},
}

// whyMoved says how midnight became another day. The zone is the one that the integration runs in, when that explains it.
func (s *state) whyMoved(instant string, shift int) string {
	words := movedDays[shift]
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return words.to
	}
	want := at.AddDate(0, 0, shift).Format(time.DateOnly)
	for _, run := range s.Integration.Runs {
		zone, err := time.LoadLocation(run.Zone)
		if err == nil && run.Zone != "" && at.In(zone).Format(time.DateOnly) == want {
			return words.to + ": " + fmt.Sprintf(words.known, zoneOf(instant), run.Zone)
		}
	}
	return words.to + ": " + fmt.Sprintf(words.unknown, zoneOf(instant))
}

func (s *state) claimDayShift(cause []int) {
	roots, texts := s.sessions(cause), map[string]bool{}
	for _, i := range cause {
		texts[s.at(i).Was.Text] = true
	}
	shift := 0
	moved := s.unclaimed(func(d *harness.Difference) bool {
		days := shiftOf(d)
		if days == 0 || !inBody(d) || !texts[d.Was.Text] || !slices.Contains(roots, d.Session) || shift != 0 && days != shift {
			return false
		}
		shift = days
		return true
	})
	if len(moved) == 0 {
		return
	}
	d, said := s.at(cause[0]), s.share(cause)
	groups := s.grouped(moved)
	told := slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return isAnswer(s.at(g.list[0])) })
	if len(told) > 0 { // answers only repeat what the receiver was told
		groups = told
	}
	f := s.sized(groups[0].list)
	f.Verdict, f.Hit, f.Source = harness.Breaking, s.hits(s.withTexts(cause, moved)), s.place(answerer(d), d)
	f.Sentence = fmt.Sprintf("%s in %s from %s was a day and is midnight %s now, such as %s (%s).",
		strconv.Quote(d.Pattern.Leaf()), d.Operation, s.side(answerer(d)), zoneOf(d.Is.Text), d.Is.Text, said)
	for _, g := range groups {
		o := s.at(g.list[0])
		f.Target = append(f.Target, s.place(receiver(o), o))
		f.Effects = append(f.Effects, fmt.Sprintf("%s in %s to %s is %s (%s).", strconv.Quote(o.Pattern.Leaf()), o.Operation,
			s.side(receiver(o)), s.whyMoved(d.Is.Text, shift), s.share(g.list)))
	}
	f.NextStep = "Take the day as it is written, without reckoning it in a zone, or ask for days without a time again."
	f.Proof = s.proofOfDays(cause, f.Count)
	own := s.take(append(slices.Clone(cause), moved...))
	s.claimWithEffects(f, own)
}

// withTexts is the places of the cause whose old text is one of those that moved.
func (s *state) withTexts(cause, moved []int) []int {
	texts := map[string]bool{}
	for _, i := range moved {
		texts[s.at(i).Was.Text] = true
	}
	return slices.DeleteFunc(slices.Clone(cause), func(i int) bool { return !texts[s.at(i).Was.Text] })
}

// zoneOf names the zone of an instant.
func zoneOf(instant string) string {
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil || at.Format("-07:00") == "+00:00" {
		return "UTC"
	}
	return at.Format("-07:00")
}

// proofOfDays says that each day that moved is one of those that came as an instant.
func (s *state) proofOfDays(cause []int, moved int) string {
	return fmt.Sprintf("Each of the %s that moved is one of the days that came as an instant (%s), and all moved by one day in the same direction.",
		count(moved, "day"), s.share(cause))
}
