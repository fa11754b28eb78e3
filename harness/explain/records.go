package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectRecords claims records that are missing or new in what comes in, together with those that the target therefore
// does not hand on, or hands on as well. The data is another one; the mapping is not to blame.
func detectRecords(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool { return isRecord(d) && !s.downstream(d) }) {
		d := s.at(g.list[0])
		class := d.Class
		list := s.take(g.list)
		f := s.sized(list)
		f.Hit = s.hits(list)
		c := s.lostWith(list, func(o *harness.Difference) bool { return isRecord(o) && o.Class == class })
		if class == harness.Removed {
			f.Sentence = fmt.Sprintf("%s missing from %s of %s%s.", count(f.Count, unitOf(d)), d.Operation, s.side(answerer(d)), s.volume(list))
			f.NextStep = fmt.Sprintf("Ask %s whether these records should be gone.", s.side(answerer(d)))
		} else {
			f.Sentence = fmt.Sprintf("%s new in %s of %s.", count(f.Count, unitOf(d)), d.Operation, s.side(answerer(d)))
			f.NextStep = fmt.Sprintf("Ask %s where these records come from.", s.side(answerer(d)))
			f.Of = 0
		}
		c.addTo(&f)
		s.claim(f, append(list, c.list...))
	}
}
