package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// consequence is what follows from a cause in the same sessions: fields that lost the value, calls that fail now,
// calls that are not made any more.
type consequence struct {
	list    []int
	effects []string
	targets []string
	proof   string
}

// consequences follows the differences of a cause through their sessions. Claimed are only differences of sessions in
// which the cause lies; the proof says whether sessions without the cause are free of them.
func (s *state) consequences(cause []int) consequence {
	var c consequence
	roots := s.sessions(cause)
	inRoots := func(keep func(*harness.Difference) bool) []int {
		return s.unclaimed(func(d *harness.Difference) bool { return d.Session != "" && roots[d.Session] && keep(d) })
	}
	c.take(s.lostValues(cause, inRoots))
	failing := s.failingCalls(roots)
	if len(failing) > 0 {
		c.take(s.failedAnswers(failing, inRoots))
		c.take(s.missingCalls(inRoots))
	}
	if len(failing) == 0 && len(c.list) == 0 {
		return c
	}
	c.list = slices.Compact(slices.Sorted(slices.Values(c.list)))
	if strangers := s.failuresOutside(roots); strangers == 0 && len(failing) > 0 {
		c.proof = fmt.Sprintf("Every failing call lies in one of the %d sessions with this cause, and no session without it fails.", len(roots))
	}
	return c
}

func (c *consequence) take(other consequence) {
	c.list = append(c.list, other.list...)
	c.effects = append(c.effects, other.effects...)
	c.targets = append(c.targets, other.targets...)
}

// lostValues finds fields of other operations that held the lost value and lost it too.
func (s *state) lostValues(cause []int, among func(func(*harness.Difference) bool) []int) consequence {
	lost := map[string]map[string]bool{}
	own := slotOf(s.at(cause[0]))
	for _, i := range cause {
		d := s.at(i)
		if lost[d.Session] == nil {
			lost[d.Session] = map[string]bool{}
		}
		lost[d.Session][d.Was.Text] = true
	}
	list := among(func(d *harness.Difference) bool {
		return slotOf(d) != own && isField(d) && d.Path[1].Name == "body" && d.Was.Text != "" && lost[d.Session][d.Was.Text] && d.Is.Text != d.Was.Text
	})
	var c consequence
	for _, g := range s.grouped(list) {
		d := s.at(g.list[0])
		c.list = append(c.list, g.list...)
		c.targets = append(c.targets, s.place(d.To, d))
		c.effects = append(c.effects, fmt.Sprintf("The target field %s in %s to %s is now %s (%d of %d).",
			fieldOf(*d), d.Operation, s.side(d.To), s.valuesNow(g.list), s.places(g.list), s.population(d)))
	}
	return c
}

// grouped sorts the given differences into groups.
func (s *state) grouped(list []int) []group {
	set := map[*harness.Difference]bool{}
	for _, i := range list {
		set[s.at(i)] = true
	}
	return s.groups(func(d *harness.Difference) bool { return set[d] })
}

func (s *state) valuesNow(list []int) string {
	return listSome(s.distinct(list, func(d *harness.Difference) string { return textOf(d.Is) }).sorted(maxSamples), maxSamples)
}

// failingCalls is the exchanges, by ID, whose answer turned from success to an error.
func (s *state) failingCalls(sessions map[string]bool) map[string]bool {
	failing := map[string]bool{}
	for i := range s.open {
		if d := s.at(i); turnedBad(d) && sessions[d.Session] {
			failing[d.Exchange] = true
		}
	}
	return failing
}

func turnedBad(d *harness.Difference) bool {
	return d.Path.String() == "response.head."+harness.FieldStatus && d.Was.Text < "400" && d.Is.Text >= "400" && len(d.Is.Text) == 3
}

// failuresOutside counts failing or missing calls in sessions without the cause.
func (s *state) failuresOutside(sessions map[string]bool) int {
	n := 0
	for i := range s.open {
		if d := s.at(i); !sessions[d.Session] && (turnedBad(d) || d.Class == harness.MissingCall) {
			n++
		}
	}
	return n
}

// failedAnswers claims the answers of failing calls, with all that differs in them.
func (s *state) failedAnswers(failing map[string]bool, among func(func(*harness.Difference) bool) []int) consequence {
	list := among(func(d *harness.Difference) bool {
		return failing[d.Exchange] && len(d.Path) > 0 && d.Path[0].Name == "response"
	})
	c := consequence{list: list}
	for _, g := range s.grouped(list) {
		d := s.at(g.list[0])
		if turnedBad(d) {
			c.effects = append(c.effects, fmt.Sprintf("%s answers %s instead of %s to %s (%d of %d)%s.",
				s.side(d.To), s.valuesNow(g.list), d.Was.Text, d.Operation, s.places(g.list), s.population(d), s.complaint(d.Exchange, list)))
		}
	}
	return c
}

// complaint quotes what the error answer of an exchange says.
func (s *state) complaint(exchange string, list []int) string {
	for _, i := range list {
		d := s.at(i)
		name := strings.ToLower(d.Path.Leaf())
		if d.Exchange == exchange && d.Class == harness.Added && d.Is.Kind == harness.KindString &&
			(strings.Contains(name, "error") || strings.Contains(name, "message") || strings.Contains(name, "detail") || strings.Contains(name, "reason")) {
			return fmt.Sprintf(": %q", d.Is.Text)
		}
	}
	return ""
}

// missingCalls claims calls that are not made any more.
func (s *state) missingCalls(among func(func(*harness.Difference) bool) []int) consequence {
	list := among(func(d *harness.Difference) bool { return d.Class == harness.MissingCall })
	c := consequence{list: list}
	for _, g := range s.grouped(list) {
		d := s.at(g.list[0])
		c.effects = append(c.effects, fmt.Sprintf("%s to %s is not called any more (%d of %d missing).", d.Operation, s.side(d.To), len(g.list), s.population(d)))
	}
	if len(list) > 0 {
		n := s.Comparison.Exchanges
		c.effects = append(c.effects, fmt.Sprintf("Exchanges %d → %d.", n[0], n[1]))
	}
	return c
}
