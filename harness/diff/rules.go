package diff

import (
	"fmt"
	"path"
	"slices"
	"strings"

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
	{"instant", "same form of time stamp, within the tolerance (a duration; none: any distance); zone says where stamps without one are", checkInstant, false, false},
	{"number", "decimal within the tolerance: absolute such as 0.01, or relative such as 1%; with decimals both are rounded first", checkNumber, false, false},
	{"pattern", "both texts match the regular expression pattern as a whole: the value may vary, its form may not", checkPattern, false, false},
	{"correlated", "values drawn anew: the same old one always becomes the same new one, and the reverse, within the run or session; pattern says their form", checkCorrelated, false, false},
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
	{`*.form["member times"]`, "moment of writing, not content"},
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
	if err := checkParameters(r); err != nil {
		return err
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

// compiledRule is a rule with its use so far.
type compiledRule struct {
	harness.Rule
	kind   RuleKind
	holds  takesAway
	count  int
	sample harness.Difference
	used   bool           // for kinds that guide alignment
	pairs  []sighting     // of a correlated rule: what it took away so far
	fixed  map[fixed]bool // of a correlated rule: values that stayed the same
}

// ruleSet is the rules that hold in one comparison.
type ruleSet struct {
	rules   []*compiledRule
	guiding bool            // one of them says how arrays are aligned
	pairing bool            // one of them says that values keep to their pairs, so that the same ones count, too
	expired []*compiledRule // they take nothing away
	pair    int             // number of the pair that is compared
}

func compile(o Options) (*ruleSet, error) {
	set := &ruleSet{}
	for _, r := range slices.Concat(o.Rules, BuiltIn()) {
		if err := CheckRule(r); err != nil {
			return nil, harness.Usage(err, "mend the rule in the scenario")
		}
		kind, _ := kindOf(r)
		holds, _ := kind.check(r)
		rule := &compiledRule{Rule: r, kind: kind, holds: holds}
		if r.Until.Before(o.Now) && !o.Now.IsZero() {
			set.expired = append(set.expired, rule)
			continue
		}
		if r.Compare == "correlated" {
			rule.fixed, set.pairing = map[fixed]bool{}, true
		}
		set.rules = append(set.rules, rule)
		set.guiding = set.guiding || holds == nil
	}
	return set, nil
}

// covers reports whether the rule speaks of the place.
func (r *compiledRule) covers(operation string, at harness.Path) bool {
	if !harness.MatchOperation(r.Operation, operation) {
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

// decides reports whether the rule takes the difference away.
func (r *compiledRule) decides(d harness.Difference) bool {
	if r.holds == nil || !r.covers(d.Operation, d.Path) || !r.kind.absence && (d.Was.IsAbsent() || d.Is.IsAbsent()) {
		return false
	}
	return r.holds(d)
}

// suppress reports whether a rule takes the difference away, and counts it.
func (s *ruleSet) suppress(d harness.Difference) bool {
	for _, r := range s.rules {
		if !r.decides(d) {
			continue
		}
		if r.count == 0 {
			r.sample = d
		}
		r.count += d.Count
		if r.fixed != nil {
			r.pairs = append(r.pairs, sighting{d, s.pair})
		}
		return true
	}
	return false
}

// lapsed names on the difference the rule past its day that would have taken it away.
func (s *ruleSet) lapsed(d *harness.Difference) {
	for _, r := range s.expired {
		if r.decides(*d) {
			d.Rule, d.Note = &r.Rule, fmt.Sprintf("the rule held until %s", r.Until)
			return
		}
	}
}

// noiseBelow returns the rules that take away differences at places below the given one.
func (s *ruleSet) noiseBelow(operation string, at harness.Path) []*compiledRule {
	var list []*compiledRule
	for _, r := range s.rules {
		if r.holds != nil && !r.BuiltIn && harness.MatchOperation(r.Operation, operation) && r.mayLieBelow(at) {
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
