package explain

import (
	"fmt"
	"math/big"
	"regexp"

	"github.com/rehearse-dev/rehearse/harness"
)

// minLines is the fewest lines whose sum is no coincidence.
const minLines = 3

var plainNumber = regexp.MustCompile(`^-?\d{1,30}(\.\d{1,12})?$`)

// numberOf reads a plain number exactly.
func numberOf(text string) (*big.Rat, bool) {
	if !plainNumber.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// totals claims numbers that were the sum of the lines that changed, and still are: they follow from the lines. The sum
// must hold before and after, over at least minLines lines.
func (s *state) totals(lines []int) consequence {
	type message struct{ exchange, half string }
	type lineSite struct {
		message
		pattern string
	}
	moved := map[lineSite]*big.Rat{}
	first := map[lineSite]*harness.Difference{}
	for _, i := range lines {
		d := s.at(i)
		was, okWas := numberOf(d.Was.Text)
		is, okIs := numberOf(d.Is.Text)
		if !okWas || !okIs || !hasElement(d.Path) || !inBody(d) {
			continue
		}
		k := lineSite{message{d.Exchange, d.Path[0].Name}, d.Pattern.String()}
		if moved[k] == nil {
			moved[k], first[k] = new(big.Rat), d
		}
		moved[k].Add(moved[k], is.Sub(is, was))
	}
	if len(moved) == 0 {
		return consequence{}
	}
	byMessage := map[message][]lineSite{}
	for k := range moved {
		byMessage[k.message] = append(byMessage[k.message], k)
	}
	var found []int
	from := map[int]*harness.Difference{}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Class == harness.Changed && inBody(d) && isField(d) }) {
		d := s.at(i)
		was, okWas := numberOf(d.Was.Text)
		is, okIs := numberOf(d.Is.Text)
		if !okWas || !okIs {
			continue
		}
		for _, k := range byMessage[message{d.Exchange, d.Path[0].Name}] {
			if k.pattern == d.Pattern.String() || new(big.Rat).Sub(is, was).Cmp(moved[k]) != 0 {
				continue
			}
			if sum, n := s.sumOf(first[k]); n >= minLines && sum.Cmp(was) == 0 {
				found, from[i] = append(found, i), first[k]
				break
			}
		}
	}
	var c consequence
	for _, g := range s.grouped(s.take(found)) {
		d, line := s.at(g.list[0]), from[g.list[0]]
		c.list = append(c.list, g.list...)
		c.targets = append(c.targets, s.place(receiver(d), d))
		c.effects = append(c.effects, fmt.Sprintf("%q follows in %s: it is the sum of %q, before and now.", fieldName(d), s.share(g.list), fieldName(line)))
	}
	return c
}

// sumOf adds up the old values at the place of the line in its message, and counts them; no lines when one is no number.
func (s *state) sumOf(line *harness.Difference) (sum *big.Rat, n int) {
	sum = new(big.Rat)
	numbers := true
	r := s.read(s.before.byID[line.Exchange])
	s.note(r.texts(line.Pattern, func(text string) {
		v, ok := numberOf(text)
		if !ok {
			numbers = false
			return
		}
		n++
		sum.Add(sum, v)
	}))
	if !numbers {
		return sum, 0
	}
	return sum, n
}
