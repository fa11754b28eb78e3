package diff

import (
	"fmt"
	"math/big"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// RuleKind is one row of the table of comparisons that a rule can ask for.
type RuleKind struct {
	Name    string
	Summary string
	// check reads the rule's parameters and returns what decides about one difference; nil for kinds that guide the
	// alignment of arrays instead.
	check func(harness.Rule) (takesAway, error)
	// below reports whether the rule covers everything below its place, too.
	below bool
	// absence reports whether the rule also decides about values that are missing on one side.
	absence bool
}

// takesAway reports whether a difference is noise.
type takesAway func(d harness.Difference) bool

// Rules is the table of comparisons.
var Rules = []RuleKind{
	{"ignore", "takes away every difference at the place and below it", checkIgnore, true, true},
	{"instant", "same form of time stamp, within the tolerance (a duration; none: any distance)", checkInstant, false, false},
	{"number", "decimal within the tolerance: absolute such as 0.01, or relative such as 1%", checkNumber, false, false},
	{"pattern", "both texts match the regular expression pattern as a whole: the value may vary, its form may not", checkPattern, false, false},
	{"one-of", "the new text is one of values", checkOneOf, false, false},
	{"case", "letter case is free", texts(strings.EqualFold), false, false},
	{"trim", "blanks at both ends are free, also hard ones", texts(equalTrimmed), false, false},
	{"normalize", "composed and decomposed letters are the same (Unicode NFC)", texts(equalNormalized), false, false},
	{"empty-is-missing", "missing, null and the empty text are the same", checkEmpty, false, true},
	{"form", "other spellings of the same value are free: 3.50 and 3.5, quoting, line ends", checkForm, true, true},
	{"keyed", "elements of the array are aligned by the members that key names", checkKeyed, false, false},
	{"set", "elements of the array are compared without order, repeated ones counted", checkNone, false, false},
}

// BuiltIn is the rules that hold everywhere: fields that follow from others or belong to the connection.
func BuiltIn() []harness.Rule {
	rules := make([]harness.Rule, 0, len(builtIn))
	for _, b := range builtIn {
		at, err := harness.ParsePath(b.at)
		if err != nil {
			panic(err) // a constant of this file
		}
		rules = append(rules, harness.Rule{At: at, Compare: "ignore", Reason: b.reason, BuiltIn: true})
	}
	return rules
}

var builtIn = []struct{ at, reason string }{
	{"request.head.Host", "address of the stage, not of the message"},
	{"*.head.Content-Length", "follows from the body"},
	{"*.head.Transfer-Encoding", "belongs to the connection"},
	{"*.head.Connection", "belongs to the connection"},
	{"*.head.Keep-Alive", "belongs to the connection"},
	{"*.head.:proto", "version of one hop, not of the message"},
	{"response.head.Date", "moment of the answer, set by every server"},
	{"request.head.:mtime", "moment of writing, not content"},
}

// CheckRule reports what is wrong with a rule: its comparison, its parameters, its reason.
func CheckRule(r harness.Rule) error {
	kind, err := kindOf(r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.Reason) == "" {
		return fmt.Errorf("rule at %s has no reason", r.At)
	}
	if _, err := path.Match(r.Operation, ""); err != nil {
		return fmt.Errorf("rule at %s: operation %q: %w", r.At, r.Operation, err)
	}
	_, err = kind.check(r)
	return err
}

func kindOf(r harness.Rule) (RuleKind, error) {
	names := make([]string, 0, len(Rules))
	for _, k := range Rules {
		if k.Name == r.Compare {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return RuleKind{}, fmt.Errorf("rule at %s: compare %q is not one of %s", r.At, r.Compare, strings.Join(names, ", "))
}

func checkIgnore(harness.Rule) (takesAway, error) {
	return func(harness.Difference) bool { return true }, nil
}

func checkNone(harness.Rule) (takesAway, error) { return nil, nil }

func checkKeyed(r harness.Rule) (takesAway, error) {
	if len(r.Key) == 0 {
		return nil, fmt.Errorf("rule at %s: keyed needs key, the members that identify an element", r.At)
	}
	return nil, nil
}

func checkInstant(r harness.Rule) (takesAway, error) {
	tolerance := time.Duration(1<<63 - 1)
	if r.Tolerance != "" {
		var err error
		if tolerance, err = time.ParseDuration(r.Tolerance); err != nil || tolerance < 0 {
			return nil, fmt.Errorf("rule at %s: tolerance %q is not a duration such as 5s", r.At, r.Tolerance)
		}
	}
	return func(d harness.Difference) bool {
		a, layoutA, okA := parseInstant(d.Was.Text)
		b, layoutB, okB := parseInstant(d.Is.Text)
		return okA && okB && d.Was.Kind == d.Is.Kind && layoutA == layoutB && a.Sub(b).Abs() <= tolerance
	}, nil
}

// layouts of instants, most specific first. The fraction of a second may have any number of digits.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly, time.RFC1123, time.RFC1123Z,
	"01/02/2006 15:04:05", "01/02/2006", "20060102150405", "20060102",
}

// parseInstant reads a text as an instant and says in which layout.
func parseInstant(text string) (at time.Time, layout string, ok bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, layout, true
		}
	}
	return time.Time{}, "", false
}

func checkNumber(r harness.Rule) (takesAway, error) {
	text, relative := strings.CutSuffix(r.Tolerance, "%")
	tolerance := new(big.Rat)
	if text != "" {
		var ok bool
		if tolerance, ok = harness.ParseDecimal(text); !ok || tolerance.Sign() < 0 {
			return nil, fmt.Errorf("rule at %s: tolerance %q is not a number such as 0.01 or 1%%", r.At, r.Tolerance)
		}
	}
	if relative {
		tolerance.Quo(tolerance, big.NewRat(100, 1))
	}
	return func(d harness.Difference) bool {
		a, okA := harness.ParseDecimal(d.Was.Text)
		b, okB := harness.ParseDecimal(d.Is.Text)
		if !okA || !okB || d.Was.Kind != d.Is.Kind {
			return false
		}
		allowed := tolerance
		if relative {
			allowed = new(big.Rat).Mul(tolerance, new(big.Rat).Abs(a))
		}
		distance := new(big.Rat).Sub(a, b)
		return distance.Abs(distance).Cmp(allowed) <= 0
	}, nil
}

// compiledRule is a rule with its use so far.
type compiledRule struct {
	harness.Rule
	kind   RuleKind
	holds  takesAway
	count  int
	sample harness.Difference
	used   bool // for kinds that guide alignment
}

// ruleSet is the rules that hold in one comparison.
type ruleSet struct {
	rules   []*compiledRule
	guiding bool // one of them says how arrays are aligned
	expired []harness.Rule
}

func compile(o Options) (*ruleSet, error) {
	set := &ruleSet{}
	for _, r := range slices.Concat(o.Rules, BuiltIn()) {
		if err := CheckRule(r); err != nil {
			return nil, harness.Usage(err, "mend the rule in the scenario")
		}
		if r.Until.Before(o.Now) && !o.Now.IsZero() {
			set.expired = append(set.expired, r)
			continue
		}
		kind, _ := kindOf(r)
		holds, _ := kind.check(r)
		set.rules = append(set.rules, &compiledRule{Rule: r, kind: kind, holds: holds})
		set.guiding = set.guiding || holds == nil
	}
	return set, nil
}

// covers reports whether the rule speaks of the place.
func (r *compiledRule) covers(operation string, at harness.Path) bool {
	if !MatchOperation(r.Operation, operation) {
		return false
	}
	if r.At.Match(at) {
		return true
	}
	if r.kind.below {
		for n := len(at) - 1; n > 0; n-- {
			if r.At.Match(at[:n]) {
				return true
			}
		}
	}
	return false
}

// MatchOperation reports whether a glob covers an operation; the empty glob covers all. A * stops at slashes.
func MatchOperation(glob, operation string) bool {
	if glob == "" || glob == operation {
		return true
	}
	ok, err := path.Match(glob, operation)
	return ok && err == nil
}

// suppress reports whether a rule takes the difference away, and counts it.
func (s *ruleSet) suppress(d harness.Difference) bool {
	for _, r := range s.rules {
		if r.holds == nil || !r.covers(d.Operation, d.Path) {
			continue
		}
		if !r.kind.absence && (d.Was.IsAbsent() || d.Is.IsAbsent()) || !r.holds(d) {
			continue
		}
		if r.count == 0 {
			r.sample = d
		}
		r.count += d.Count
		return true
	}
	return false
}

// noiseBelow returns the rules that take away differences at places below the given one.
func (s *ruleSet) noiseBelow(operation string, at harness.Path) []*compiledRule {
	var list []*compiledRule
	for _, r := range s.rules {
		if r.holds != nil && !r.BuiltIn && MatchOperation(r.Operation, operation) && r.mayLieBelow(at) {
			list = append(list, r)
		}
	}
	return list
}

// noise returns what tells the places at or below the given one whose differences rules may take away; nil when there
// are none.
func (s *ruleSet) noise(operation string, at harness.Path) func(harness.Path) bool {
	noisy := s.noiseBelow(operation, at)
	if len(noisy) == 0 {
		return nil
	}
	return func(p harness.Path) bool {
		return slices.ContainsFunc(noisy, func(r *compiledRule) bool { return r.At.Match(p) })
	}
}

// noiseOfKeys returns what tells the members of the elements of a list, by their path from the element, that rules may
// take away; nil when there are none.
func (s *ruleSet) noiseOfKeys(operation string, list harness.Path) func(harness.Path) bool {
	element := list.Child(harness.Each())
	noise := s.noise(operation, element)
	if noise == nil {
		return nil
	}
	return func(below harness.Path) bool { return noise(slices.Concat(element, below)) }
}

// guide returns the rule that says how the array at the place is aligned, or nil.
func (s *ruleSet) guide(operation string, at harness.Path) *compiledRule {
	for _, r := range s.rules {
		if r.holds == nil && r.covers(operation, at) {
			r.used = true
			return r
		}
	}
	return nil
}

// suppressions is what each rule took away.
func (s *ruleSet) suppressions() []harness.Suppression {
	var list []harness.Suppression
	for _, r := range s.rules {
		if r.count > 0 {
			list = append(list, harness.Suppression{Rule: r.Rule, Count: r.count, Sample: r.sample})
		}
	}
	return list
}

// total is how many differences rules took away so far.
func (s *ruleSet) total() int {
	n := 0
	for _, r := range s.rules {
		n += r.count
	}
	return n
}
