package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// half is one message of one exchange.
type half struct{ exchange, name string }

// enveloped is the formats whose first record says what the file is, and how to read it.
var enveloped = []string{"x12", "edifact", "hl7v2", "bai2"}

// detectMalformed claims bodies that cannot be read as their format any more, with everything else that differs in
// them: after the place where reading ends, no comparison means anything. A file that no reader knows by its first record
// any more is read as text; nothing of it can be compared.
func detectMalformed(s *state) {
	broken := s.groups(func(d *harness.Difference) bool { return isFormFact(d, "malformed") && !d.Is.IsAbsent() })
	unknown := s.groups(func(d *harness.Difference) bool {
		return isFormFact(d, "format") && slices.Contains(enveloped, d.Was.Text) && d.Is.Text == "text"
	})
	if len(broken)+len(unknown) == 0 {
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
	within := func(list []int) (all []int) {
		for _, i := range list {
			all = append(all, inHalf[half{s.at(i).Exchange, s.at(i).Path[0].Name}]...)
		}
		return s.take(all)
	}
	for _, g := range broken {
		s.claimMalformed(g, within(g.list))
	}
	type origin struct{ from, format string }
	for _, places := range partition(unknown, func(g group) origin { return origin{answerer(s.at(g.list[0])), s.at(g.list[0]).Was.Text} }) {
		s.claimUnknown(places, within(indexesOf(places)))
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

// claimUnknown claims files of one format that no reader takes for it any more.
func (s *state) claimUnknown(places []group, list []int) {
	first := places[0].list
	d := s.at(first[0])
	f := s.sized(first)
	s.level(&f, first, nil)
	f.Hit = s.hits(indexesOf(places))
	f.Sentence = fmt.Sprintf("%s from %s is not known as %s any more (%s): its first record does not read as one.",
		d.Operation, s.side(answerer(d)), d.Was.Text, s.share(first))
	for _, g := range places[1:] {
		f.Effects = append(f.Effects, fmt.Sprintf("The same in %s (%s).", s.at(g.list[0]).Operation, s.share(g.list)))
	}
	f.NextStep = fmt.Sprintf("Look at the first record for values that are missing or of another form, and ask %s for a file that follows the format; nothing in it was compared.", s.side(answerer(d)))
	s.claimWithEffects(f, list)
}
