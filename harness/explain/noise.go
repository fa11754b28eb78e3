package explain

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// volatile is the shapes of values that differ from run to run by nature, with the rule that fits.
var volatile = []struct {
	name    string
	shape   *regexp.Regexp
	compare string
}{
	{"time stamps", regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d`), "instant"},
	{"HTTP dates", regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$`), "instant"},
	{"UUIDs", regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`), "ignore"},
	{"hexadecimal tokens", regexp.MustCompile(`^(W/)?"?[0-9a-fA-F]{12,}"?$`), "ignore"},
}

// detectNoise claims values of a volatile shape that differ in most exchanges, and proposes the rule; it never takes
// them away by itself.
func detectNoise(s *state) error {
	for _, v := range volatile {
		fits := func(d *harness.Difference) bool {
			return d.Class == harness.Changed && isField(d) && v.shape.MatchString(d.Was.Text) && v.shape.MatchString(d.Is.Text)
		}
		for _, g := range s.groups(fits) {
			d := s.at(g.list[0])
			n, of := s.places(g.list), s.population(d)
			if n*2 < of {
				continue
			}
			s.claim(harness.Finding{
				Verdict: harness.Review, Count: n, Of: of, Unit: plural(unitOf(d)),
				Sentence: fmt.Sprintf("%q in %s from %s looks like noise: %s that differ in %d of %s, and no rule covers them.",
					fieldOf(*d), d.Operation, s.side(answerer(d)), v.name, n, count(of, unitOf(d))),
				Source:   s.place(answerer(d), d),
				NextStep: fmt.Sprintf("If it is noise, add a rule to the scenario: at: %s, compare: %s, reason: …", d.Pattern, v.compare),
			}, slices.Clone(g.list))
		}
	}
	return nil
}
