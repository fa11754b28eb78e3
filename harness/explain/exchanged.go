package explain

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// Bounds of values that were exchanged for others of their form.
const (
	minDrawnAnew   = 2 // different values
	minEachOldCode = 2 // how often each stands there, on average: what comes once says nothing of where it comes again
	minTextOfCode  = 3 // characters
)

// detectExchanged claims fields in which every value became another one of the same form, and each the same wherever it
// stands: identifiers that were drawn anew. The places of a field are judged together, because each can hold a single value.
func detectExchanged(s *state) {
	groups := s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isPlace(d) && inBody(d) })
	s.loadSets(s.before, groups)
	if s.err != nil {
		return
	}
	for _, places := range s.byField(groups, valueTypes) {
		if e, ok := s.exchangeOf(places); ok {
			s.claimExchanged(e, places)
		}
	}
}

// exchange is the old values of a field and what each became, with how often it did.
type exchange struct {
	became map[string]string
	places int
}

// exchangeOf reads the places of a field as an exchange. It is none when a value stayed anywhere, became two others, lost
// its form, or when two of them became the same; words without digits are names of things and no identifiers.
func (s *state) exchangeOf(places []group) (exchange, bool) {
	e := exchange{became: map[string]string{}}
	from := map[string]string{}
	for _, g := range places {
		if s.before.set(g.slot, s.at(g.list[0]).Pattern).total != len(g.list) {
			return e, false
		}
		for _, i := range g.list {
			was, is := s.at(i).Was.Text, s.at(i).Is.Text
			now, known := e.became[was]
			old, taken := from[is]
			if known && now != is || taken && old != was || len(was) < minTextOfCode || formOf(was) != formOf(is) {
				return e, false
			}
			e.became[was], from[is] = is, was
			e.places++
		}
	}
	numbered := 0
	for was := range e.became {
		if strings.ContainsFunc(was, unicode.IsDigit) {
			numbered++
		}
	}
	return e, len(e.became) >= minDrawnAnew && 2*numbered >= len(e.became) && e.places >= minEachOldCode*len(e.became)
}

// formOf is a text with its letters and digits made alike.
func formOf(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return '0'
		case unicode.IsUpper(r):
			return 'A'
		case unicode.IsLetter(r):
			return 'a'
		}
		return r
	}, text)
}

func (s *state) claimExchanged(e exchange, places []group) {
	if places = s.takePlaces(places); len(places) == 0 {
		return
	}
	first := places[0].list
	d := s.at(first[0])
	f := s.sized(first)
	f.Sentence = fmt.Sprintf("%q in %s from %s holds other values of the same form, such as %s → %s (%s).",
		fieldName(d), d.Operation, s.side(answerer(d)), textOf(d.Was), textOf(d.Is), s.share(first))
	f.Effects = s.alsoIn(places[1:])
	f.Proof = fmt.Sprintf("Not proven, as no rule is known: %s became another one each, the same in all %s, and none stayed.",
		count(len(e.became), "different value"), count(e.places, "place"))
	f.NextStep = transformations["F35"].next
	list := indexesOf(places)
	f.Hit = s.hits(list)
	s.claimWithEffects(f, list)
}
