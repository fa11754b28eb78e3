package explain

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// shape is a form of values that differ from run to run by nature, with the rule that fits.
type shape struct {
	name    string
	form    *regexp.Regexp
	compare string
}

// shapes is the table, one row for each form that a rule of the kind instant takes as one.
var shapes = []shape{
	{"time stamps", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`), "instant"},
	{"time stamps", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$`), "instant"},
	{"time stamps", regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$`), "instant"},
	{"time stamps", regexp.MustCompile(`^\d\d/\d\d/\d{4} \d\d:\d\d:\d\d$`), "instant"},
	{"HTTP dates", regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$`), "instant"},
	{"UUIDs", regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`), "ignore"},
	{"hexadecimal tokens", regexp.MustCompile(`^[0-9a-fA-F]{12,}$`), "ignore"},
	{"entity tags", regexp.MustCompile(`^(W/)?"[^"]+"$`), "ignore"},
}

var onlyDigits = regexp.MustCompile(`^\d+$`)

// shapeOf returns the shape of a text, or nil. Digits alone are a number, not a token.
func shapeOf(text string) *shape {
	const shortest, longest = 3, 200 // no shape is shorter or longer
	if len(text) < shortest || len(text) > longest || !strings.ContainsAny(text[:1], `0123456789abcdefABCDEFMTWS"`) {
		return nil
	}
	for i := range shapes {
		if shapes[i].form.MatchString(text) && !onlyDigits.MatchString(text) {
			return &shapes[i]
		}
	}
	return nil
}

// detectNoise claims values of a volatile shape that differ in most exchanges, and proposes the rule; it never takes
// them away by itself. Fields of one name from one system are one finding: a message head that every message repeats is
// one question to its owner.
func detectNoise(s *state) {
	var found []noise
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isField(d) }) {
		lists := map[*shape][]int{}
		for _, i := range g.list {
			d := s.at(i)
			if was := shapeOf(d.Was.Text); was != nil && was == shapeOf(d.Is.Text) {
				lists[was] = append(lists[was], i)
			}
		}
		for i := range shapes {
			if list := lists[&shapes[i]]; len(list) > 0 && 2*s.places(list) >= s.population(s.at(list[0])) {
				found = s.joinNoise(found, &shapes[i], group{g.slot, list})
			}
		}
	}
	for _, n := range found {
		s.claimNoise(n)
	}
}

// noise is values of one shape in fields of one name.
type noise struct {
	shape  *shape
	places []group
}

func (s *state) joinNoise(found []noise, v *shape, g group) []noise {
	for i := range found {
		if found[i].shape == v && s.sameField(found[i].places[0], g) {
			found[i].places = append(found[i].places, g)
			return found
		}
	}
	return append(found, noise{v, []group{g}})
}

func (s *state) claimNoise(n noise) {
	list := n.places[0].list
	d := s.at(list[0])
	f := s.sized(list)
	f.Sentence = fmt.Sprintf("%q in %s from %s looks like noise: %s that differ in %s, and no rule covers them.",
		fieldName(d), d.Operation, s.side(answerer(d)), n.shape.name, s.share(list))
	at := fmt.Sprintf("{at: %s, operation: %s, ", strconv.Quote(d.Pattern.String()), strconv.Quote(d.Operation))
	if others := n.places[1:]; len(others) > 0 {
		at = fmt.Sprintf("{at: %s, ", strconv.Quote(anywhere(d.Pattern).String()))
		f.Effects = s.alsoIn(others)
		list = indexesOf(n.places)
	}
	f.NextStep = fmt.Sprintf("If it is noise, add a rule to the scenario: %scompare: %s, reason: …}", at, n.shape.compare)
	s.claim(f, list)
}

// anywhere is the pattern of the field at any depth of the same half.
func anywhere(p harness.Path) harness.Path {
	return harness.PathOf(p[0], p[1], harness.Step{Kind: harness.StepDeep}, harness.Name(p.Leaf()))
}
