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
	type origin struct{ from, text string } // of what cannot be read: the error, or the format that it had
	for _, places := range partition(broken, func(g group) origin { return origin{answerer(s.at(g.list[0])), s.at(g.list[0]).Is.Text} }) {
		s.claimMalformed(places, within(indexesOf(places)))
	}
	for _, places := range partition(unknown, func(g group) origin { return origin{answerer(s.at(g.list[0])), s.at(g.list[0]).Was.Text} }) {
		s.claimUnknown(places, within(indexesOf(places)))
	}
}

// claimMalformed claims bodies of one system, all of which end to be readable for one reason at one place.
func (s *state) claimMalformed(places []group, list []int) {
	first := places[0].list
	d := s.at(first[0])
	f := s.sized(first)
	s.level(&f, first, nil)
	f.Hit = s.hits(indexesOf(places))
	f.Sentence = fmt.Sprintf("The body of %s from %s cannot be read any more (%s): %s.",
		d.Operation, s.side(answerer(d)), s.share(first), d.Is.Text)
	f.Effects = s.sameIn(places[1:])
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
	f.Effects = s.sameIn(places[1:])
	f.NextStep = fmt.Sprintf("Look at the first record for values that are missing or of another form, and ask %s for a file that follows the format; nothing in it was compared.", s.side(answerer(d)))
	s.claimWithEffects(f, list)
}

// sameIn says of places, each by itself where they are few, that the same holds there.
func (s *state) sameIn(places []group) (effects []string) {
	if len(places) > maxFewCodes {
		return []string{fmt.Sprintf("The same in %s: %s.", count(len(places), "other operation"), listSome(s.operationsOf(indexesOf(places)), maxFewCodes))}
	}
	for _, g := range places {
		effects = append(effects, fmt.Sprintf("The same in %s (%s).", s.at(g.list[0]).Operation, s.share(g.list)))
	}
	return effects
}
