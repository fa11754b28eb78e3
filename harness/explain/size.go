package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// population is how many records or calls the difference is one of, in the baseline; 0 when that has no meaning.
func (s *state) population(d *harness.Difference) int {
	if d.Class == harness.ExtraCall || d.Class == harness.Added && (isRecord(d) || isElement(d)) {
		return 0
	}
	at := tableOf(d.Pattern)
	if at == nil {
		return len(s.before.bySlot[slotOf(d)])
	}
	key := place{slotOf(d), at.String()}
	n, known := s.sizes[key]
	if !known {
		n = s.tableSize(d, at)
		s.sizes[key] = n
	}
	return n
}

// tableSize counts the elements of a table in all exchanges of the baseline. The comparison knows it where
// volumes matter, but not for the lists within the records.
func (s *state) tableSize(d *harness.Difference, at harness.Path) int {
	n := 0
	if harness.KindOfChannel(d.Channel).Volumes && !hasElement(at) {
		for _, r := range s.Comparison.Records {
			if r.Operation == d.Operation && r.From == d.From && r.To == d.To && at.Match(r.Path) {
				n += r.Was
			}
		}
	}
	if n == 0 {
		var err error
		n, err = s.before.elements(slotOf(d), at)
		s.note(err)
	}
	return n
}

// tableOf is the innermost array that the path or pattern lies in, nil when it lies in no body or none.
func tableOf(p harness.Path) harness.Path {
	for i := len(p) - 1; i > 1; i-- {
		if p[i].Kind != harness.StepName {
			return p[:i]
		}
	}
	return nil
}

// whole is the population that the differences are a part of, 0 when they are more than that: places of several fields
// are no part of one.
func (s *state) whole(list []int) int {
	of := s.population(s.at(list[0]))
	if of < s.places(list) {
		return 0
	}
	return of
}

// share writes how many places of how many: "7 of 240 rows", or "7 rows" when the whole is unknown.
func (s *state) share(list []int) string {
	n, of, unit := s.places(list), s.whole(list), unitOf(s.at(list[0]))
	if of == 0 {
		return count(n, unit)
	}
	return fmt.Sprintf("%d of %s", n, count(of, unit))
}

// sized begins the finding of a group: how many, of how many, and what they are. It has no verdict yet; a detector that
// sees evidence gives one, otherwise the table of severity does.
func (s *state) sized(list []int) harness.Finding {
	d := s.at(list[0])
	return harness.Finding{Count: s.places(list), Of: s.whole(list), Unit: plural(unitOf(d)), Source: s.place(answerer(d), d)}
}
