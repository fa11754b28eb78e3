package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// couldBringOn leaves out what other systems do, where no cause in what the target was told or says can have brought it
// on. A cause reaches another system only through what the target says: a call that is made word for word as before,
// after nothing but calls that are, is answered otherwise for a reason of its own.
func (s *state) couldBringOn(list []int) []int {
	since := map[string]int{} // session → where its first altered call stands
	return slices.DeleteFunc(list, func(i int) bool {
		d := s.at(i)
		if s.downstream(d) {
			return false
		}
		if _, known := since[d.Session]; !known {
			since[d.Session] = s.firstAltered(d.Session)
		}
		return s.before.standings[d.Exchange] < since[d.Session]
	})
}

// firstAltered is where in its session the first call stands in which the target says something else than before; the
// number of calls when there is none. A call that was not made before has no place: it counts from the beginning.
func (s *state) firstAltered(session string) int {
	if len(s.facts.extra[session]) > 0 {
		return 0
	}
	for n, id := range s.before.bySession[session] {
		if slices.ContainsFunc(s.facts.within[id], func(i int) bool {
			d := s.at(i)
			return s.downstream(d) && (!isAnswer(d) || d.Class == harness.MissingCall)
		}) {
			return n
		}
	}
	return len(s.before.bySession[session])
}
