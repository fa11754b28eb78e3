package explain

import (
	"math/big"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// withoutRounded leaves out what lost the zeros behind its point in a field whose other numbers lost more than zeros: 3.00
// became 3 there because 2.50 became 3, by one rule.
func (s *state) withoutRounded(list []int) []int {
	rounded := map[fieldKey]bool{}
	for _, i := range s.unclaimed(isRounding) {
		rounded[s.keyOf(i)] = true
	}
	return slices.DeleteFunc(list, func(i int) bool {
		d := s.at(i)
		return rounded[s.keyOf(i)] && lostTrailingZeros(d.Was.Text, d.Is.Text)
	})
}

// isRounding reports whether a number is nearly what it was and has fewer decimals, another value included.
func isRounding(d *harness.Difference) bool {
	was, okWas := numberOf(d.Was.Text)
	is, okIs := numberOf(d.Is.Text)
	if d.Class != harness.Changed || !inBody(d) || !okWas || !okIs || was.Cmp(is) == 0 || decimalsOf(d.Is.Text) >= decimalsOf(d.Was.Text) {
		return false
	}
	unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimalsOf(d.Is.Text))), nil))
	return new(big.Rat).Abs(was.Sub(was, is)).Cmp(unit) < 0
}

// decimalsOf counts the digits behind the point.
func decimalsOf(number string) int {
	_, decimals, _ := strings.Cut(number, ".")
	return len(decimals)
}

// respelledBy finds numbers at the places of the cluster that its law gives as well, without another value: where 2.5 is
// rounded to 3, 3.0 is written as 3.
func (s *state) respelledBy(c *cluster) []int {
	var list []int
	if !c.law.when.Always() {
		return nil
	}
	for _, t := range c.sites {
		for _, same := range s.changesAt()[place{t.slot, t.pattern.String()}] {
			for _, i := range same {
				if d := s.at(i); s.open[i] && d.Class == harness.Reformed && lostTrailingZeros(d.Was.Text, d.Is.Text) {
					if is, ok := c.law.rule.Apply(d.Was, nil); ok && is.Text == d.Is.Text {
						list = append(list, i)
					}
				}
			}
		}
	}
	return list
}
