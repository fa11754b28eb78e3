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
	var shaped []noise
	for _, g := range s.groups(func(d *harness.Difference) bool { return d.Class == harness.Changed && isField(d) }) {
		lists := map[*shape][]int{}
		for _, i := range g.list {
			d := s.at(i)
			if was := shapeOf(d.Was.Text); was != nil && was == shapeOf(d.Is.Text) {
				lists[was] = append(lists[was], i)
			}
		}
		for i := range shapes {
			if list := lists[&shapes[i]]; len(list) > 0 {
				shaped = append(shaped, noise{&shapes[i], group{g.slot, list}})
			}
		}
	}
	for _, same := range partition(shaped, func(n noise) noiseKey { return noiseKey{s.keyOfField(n.place), n.shape.name} }) {
		if differ, of := s.extent(same); 2*differ >= of {
			s.claimNoise(same)
		}
	}
}

// noise is values of one shape in one place.
type noise struct {
	shape *shape
	place group
}

// noiseKey is what noise of one origin has in common; the shapes of time stamps differ in their writing only.
type noiseKey struct {
	field fieldKey
	shape string
}

// extent is how many places of all differ.
func (s *state) extent(all []noise) (differ, of int) {
	for _, n := range all {
		differ += s.places(n.place.list)
		of += s.population(s.at(n.place.list[0]))
	}
	return differ, of
}

func (s *state) claimNoise(all []noise) {
	v, list := all[0].shape, all[0].place.list
	d := s.at(list[0])
	f := s.sized(list)
	f.Sentence = fmt.Sprintf("%q in %s from %s looks like noise: %s that differ in %s, and no rule covers them.",
		fieldName(d), d.Operation, s.side(answerer(d)), v.name, s.share(list))
	at := fmt.Sprintf("{at: %s, operation: %s, ", strconv.Quote(d.Pattern.String()), strconv.Quote(d.Operation))
	var others []group
	for _, n := range all[1:] {
		others = append(others, n.place)
	}
	if len(others) > 0 {
		at = fmt.Sprintf("{at: %s, ", strconv.Quote(anywhere(d.Pattern).String()))
		f.Effects = s.alsoIn(others)
		list = append(list, indexesOf(others)...)
	}
	f.NextStep = fmt.Sprintf("If it is noise, add a rule to the scenario: %scompare: %s, reason: …}", at, v.compare)
	s.claim(f, list)
}

// anywhere is the pattern of the field at any depth of the same half.
func anywhere(p harness.Path) harness.Path {
	return harness.PathOf(p[0], p[1], harness.Step{Kind: harness.StepDeep}, harness.Name(p.Leaf()))
}
