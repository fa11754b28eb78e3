package infer

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Pair is one place before and after.
type Pair struct {
	Was, Is harness.Value
	Record  []harness.Field // scalar members of the record that the old value lies in; may be nil
}

// Options bound what is claimed. The zero value is what a report should use.
type Options struct {
	MinPairs int      // fewest changed pairs that a claim may rest on; 0 means 3
	MinShare float64  // least share of the changed pairs that a rule must explain; 0 means 0.5
	Zones    []string // IANA time zones to try before the built-in ones
	Seed     uint64   // of the permutation test
}

func (o Options) withDefaults() Options {
	if o.MinPairs <= 0 {
		o.MinPairs = 3
	}
	if o.MinShare <= 0 {
		o.MinShare = 0.5
	}
	return o
}

// Entry is one line of a code table.
type Entry struct {
	Was, Is harness.Value
	Count   int // pairs that it explains
}

// Rule says how old values became new ones.
type Rule struct {
	Family     string            // row of Families; a composition joins two with " then "
	Kind       string            // F01 to F44 that the rule suggests
	Text       string            // the rule in plain words, without a full stop
	Params     map[string]string // what was solved, for machines
	Table      []Entry           // of a code table: its lines, in order of the old value
	Support    int               // changed pairs that the rule explains
	Exceptions int               // pairs that it does not explain, unchanged ones that it would change included
	Ambiguous  []string          // other rules that fit as well, each with an input that would tell
	Lossy      bool              // two old values can become the same new one
	Bits       float64           // description length of the rule

	apply transform
}

// transform turns an old value into a new one. ok is false where it says nothing about the value.
type transform func(was harness.Value, record []harness.Field) (is harness.Value, ok bool)

// Apply returns what the rule makes of the value. ok is false where the rule says nothing about it: the value stays as
// it is.
func (r Rule) Apply(was harness.Value, record []harness.Field) (is harness.Value, ok bool) {
	if r.apply == nil {
		return harness.Value{}, false
	}
	return r.apply(was, record)
}

// NeedsRecord reports whether the rule looks at other members of the record.
func (r Rule) NeedsRecord() bool { return strings.Contains(r.Family, "concat") }

// Explains reports whether the rule turns the pair's old value into its new one, or leaves alone what did not change.
func (r Rule) Explains(p Pair) bool { return explains(r.apply, &p) }

func explains(f transform, p *Pair) bool {
	if f == nil {
		return same(p.Was, p.Is)
	}
	got, ok := f(p.Was, p.Record)
	if !ok {
		return same(p.Was, p.Is)
	}
	return same(got, p.Is)
}

// Infer returns the simplest rule that explains the changed pairs; ok is false when no rule does beyond coincidence.
// Pairs that did not change count against rules that would change them. Where only some records changed, infer from
// the changed ones and learn the rest with [Condition].
func Infer(pairs []Pair, o Options) (rule Rule, ok bool) {
	s := newSearch(pairs, o.withDefaults())
	if len(s.changed) < s.options.MinPairs {
		return Rule{}, false
	}
	return s.run()
}

// Layers infers a rule, then another one for the changed pairs that are left over, at most three times. rest is the
// indexes of the pairs that no rule explains.
func Layers(pairs []Pair, o Options) (rules []Rule, rest []int) {
	rest = make([]int, len(pairs))
	for i := range pairs {
		rest[i] = i
	}
	for range 3 {
		left := make([]Pair, len(rest))
		for i, at := range rest {
			left[i] = pairs[at]
		}
		rule, ok := Infer(left, o)
		if !ok {
			break
		}
		rules = append(rules, rule)
		var unexplained []int
		for i, at := range rest {
			if !rule.Explains(left[i]) {
				unexplained = append(unexplained, at)
			}
		}
		rest = unexplained
	}
	changed := rest[:0]
	for _, i := range rest {
		if !same(pairs[i].Was, pairs[i].Is) {
			changed = append(changed, i)
		}
	}
	return rules, changed
}

// same compares kind and text; members of containers are part of the text.
func same(a, b harness.Value) bool {
	if a.IsAbsent() || b.IsAbsent() {
		return a.IsAbsent() && b.IsAbsent()
	}
	return a.Kind == b.Kind && a.Text == b.Text
}

// isScalar reports whether the value has a text of its own.
func isScalar(v harness.Value) bool {
	switch v.Kind {
	case harness.KindBool, harness.KindNumber, harness.KindString, harness.KindBytes:
		return true
	}
	return false
}
