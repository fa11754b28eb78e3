package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// half is one message of one exchange.
type half struct{ exchange, name string }

// detectMalformed claims bodies that cannot be read as their format any more, with everything else that differs in
// them: after the place where reading ends, no comparison means anything.
func detectMalformed(s *state) {
	broken := s.unclaimed(func(d *harness.Difference) bool {
		return len(d.Path) == 3 && d.Path[1].Name == "form" && d.Path[2].Name == "malformed" && !d.Is.IsAbsent()
	})
	if len(broken) == 0 {
		return
	}
	inHalf := map[half][]int{}
	for i, open := range s.open {
		d := s.at(i)
		if open && len(d.Path) > 1 && d.Path[1].Name != "head" {
			k := half{d.Exchange, d.Path[0].Name}
			inHalf[k] = append(inHalf[k], i)
		}
	}
	for _, g := range s.grouped(broken) {
		var list []int
		for _, i := range g.list {
			list = append(list, inHalf[half{s.at(i).Exchange, s.at(i).Path[0].Name}]...)
		}
		s.claimMalformed(g, s.take(list))
	}
}

func (s *state) claimMalformed(g group, list []int) {
	d := s.at(g.list[0])
	f := s.sized(g.list)
	s.level(&f, g.list, nil)
	f.Hit = s.hits(g.list)
	f.Sentence = fmt.Sprintf("The body of %s from %s cannot be read any more (%s): %s.",
		d.Operation, s.side(answerer(d)), s.share(g.list), d.Is.Text)
	f.NextStep = fmt.Sprintf("Ask %s for a whole, well-formed body; nothing after that place was compared.", s.side(answerer(d)))
	s.claimWithEffects(f, list)
}
