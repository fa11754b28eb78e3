package explain

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectZeros claims values that differ in leading zeros only, in every operation at once: one mapping mistake damages
// an identifier wherever it goes.
func detectZeros(s *state) error {
	all := s.unclaimed(func(d *harness.Difference) bool { return lostZeros(d.Was, d.Is) && isField(d) })
	if len(all) == 0 {
		return nil
	}
	var effects, targets, counts []string
	for _, g := range s.grouped(all) {
		d := s.at(g.list[0])
		n := s.places(g.list)
		counts = append(counts, count(n, unitOf(d))+" of "+d.Operation)
		effects = append(effects, fmt.Sprintf("%s to %s: %s in %d of %s, such as %s → %s.",
			d.Operation, s.side(d.To), fieldOf(*d), n, count(s.population(d), unitOf(d)), textOf(d.Was), textOf(d.Is)))
		targets = append(targets, s.place(d.To, d))
	}
	first := s.at(all[0])
	s.claim(harness.Finding{
		Verdict: harness.Breaking, Count: s.places(all), Unit: plural(unitOf(first)), Hit: s.hits(all), Effects: effects, Target: targets,
		Sentence: fmt.Sprintf("Leading zeros are lost: %s.", list(counts)),
		Proof:    "Each old value becomes the new one when its leading zeros are taken away; nothing else differs in these fields.",
		NextStep: "Keep the identifier as text in the mapping: no conversion to a number, no spreadsheet in between.",
	}, all)
	return nil
}

var (
	leadingZeros = regexp.MustCompile(`(^|[^0-9.])0+([0-9])`)
	scientific   = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$`)
	longDigits   = regexp.MustCompile(`^[0-9]{11,}$`)
)

// lostZeros reports whether is can be was after a conversion to a number: without leading zeros, or in scientific
// notation.
func lostZeros(was, is harness.Value) bool {
	if was.Kind != harness.KindString || is.Kind != harness.KindString && is.Kind != harness.KindNumber || was.Text == is.Text {
		return false
	}
	if leadingZeros.MatchString(was.Text) && leadingZeros.ReplaceAllString(was.Text, "$1$2") == is.Text {
		return true
	}
	return longDigits.MatchString(was.Text) && scientific.MatchString(is.Text) && strings.HasPrefix(was.Text, is.Text[:1])
}
