package infer

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxText is the longest value, in bytes, that rules about texts look at. Longer ones are documents, not values.
const maxText = 16 << 10

// profile is what families look at: a sample of pairs, and what their types do.
type profile struct {
	options Options
	train   []*Pair
	changed []*Pair // of train
	all     []*Pair // every changed pair; the sample when inner
	seeds   []*Pair // scalar on both sides, both texts filled, distinct
	kinds   map[harness.ValueKind]harness.ValueKind
	was, is []string // texts of the seeds
	inner   bool     // the old side is the outcome of another step

	family *Family
	found  []*candidate
	keys   map[string]bool
}

func newProfile(train []*Pair, o Options) *profile {
	p := &profile{options: o, train: train, keys: map[string]bool{}}
	type sides struct{ was, is string }
	seen := map[sides]bool{}
	var scalars []*Pair
	for _, t := range train {
		if same(t.Was, t.Is) {
			continue
		}
		p.changed = append(p.changed, t)
		k := sides{t.Was.Text, t.Is.Text}
		if isScalar(t.Was) && isScalar(t.Is) && t.Was.Text != "" && len(t.Was.Text)+len(t.Is.Text) <= maxText && !seen[k] {
			seen[k] = true
			scalars = append(scalars, t)
		}
	}
	p.seeds = pickSeeds(scalars)
	for _, s := range p.seeds {
		p.was = append(p.was, s.Was.Text)
		p.is = append(p.is, s.Is.Text)
	}
	p.kinds = kindsOf(p.changed)
	return p
}

// pickSeeds takes the longest and the shortest old values, where rules differ most, and others at even distances.
func pickSeeds(scalars []*Pair) []*Pair {
	if len(scalars) <= maxSeeds {
		return scalars
	}
	byLength := slices.Clone(scalars)
	slices.SortStableFunc(byLength, func(a, b *Pair) int { return len(a.Was.Text) - len(b.Was.Text) })
	n := len(byLength)
	out := []*Pair{byLength[n-1], byLength[0], byLength[n-2]}
	for _, p := range spread(scalars, maxSeeds) {
		if len(out) < maxSeeds && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// kindsOf is what became of each type, by majority.
func kindsOf(pairs []*Pair) map[harness.ValueKind]harness.ValueKind {
	type move struct{ was, is harness.ValueKind }
	counts := map[move]int{}
	for _, p := range pairs {
		if isScalar(p.Was) && isScalar(p.Is) {
			counts[move{p.Was.Kind, p.Is.Kind}]++
		}
	}
	out := map[harness.ValueKind]harness.ValueKind{}
	best := map[harness.ValueKind]int{}
	for _, m := range slices.SortedFunc(maps.Keys(counts), func(a, b move) int {
		return strings.Compare(string(a.was+a.is), string(b.was+b.is))
	}) {
		if counts[m] > best[m.was] {
			best[m.was], out[m.was] = counts[m], m.is
		}
	}
	return out
}

// retyped says in words and bits what the types do; empty when they stay.
func (p *profile) retyped() (words string, bits float64) {
	var moves []string
	for _, was := range slices.Sorted(maps.Keys(p.kinds)) {
		if is := p.kinds[was]; is != was {
			moves = append(moves, kindWords[was]+" became "+kindWords[is])
		}
	}
	return strings.Join(moves, " and "), 2 * float64(len(moves))
}

var kindWords = map[harness.ValueKind]string{
	harness.KindBool: "true/false value", harness.KindNumber: "number", harness.KindString: "text", harness.KindBytes: "binary data",
	harness.KindNull: "null", harness.KindAbsent: "missing", harness.KindArray: "list", harness.KindObject: "object",
}

// step is a function on texts. ok is false where it does not apply.
type step func(string) (string, bool)

// lift makes a transform of a step: the type follows what the types of the pairs did; null and missing stay.
func (p *profile) lift(f step) transform { return lifted(p.kinds, f) }

// lifted makes a transform of a step, given what became of each type.
func lifted(kinds map[harness.ValueKind]harness.ValueKind, f step) transform {
	return func(v harness.Value, _ []harness.Field) (harness.Value, bool) {
		if !isScalar(v) || len(v.Text) > maxText {
			return harness.Value{}, false
		}
		text, ok := f(v.Text)
		if !ok {
			return harness.Value{}, false
		}
		kind, known := kinds[v.Kind]
		if !known {
			kind = v.Kind
		}
		return harness.Value{Kind: kind, Text: text}, true
	}
}

// fits reports whether a step explains at least two seeds, or all when there are fewer.
func (p *profile) fits(f step) bool {
	hit := 0
	for i, was := range p.was {
		if got, ok := f(was); ok && got == p.is[i] {
			if hit++; hit == 2 {
				return true
			}
		}
	}
	return hit > 0 && hit == len(p.was)
}

// fresh reports whether a parameter set of the family has not been tried yet.
func (p *profile) fresh(key string) bool {
	key = p.family.Name + "\x00" + key
	if p.keys[key] {
		return false
	}
	p.keys[key] = true
	return true
}

// offer proposes a rule on texts when it explains two seeds.
func (p *profile) offer(f step, c candidate) {
	if !p.fits(f) {
		return
	}
	c.apply, c.params = p.lift(f), p.withTypes(c.params)
	if words, bits := p.retyped(); words != "" {
		c.text += "; " + words
		c.bits += bits
	}
	p.add(c)
}

// add proposes a rule as it is.
func (p *profile) add(c candidate) {
	c.family = p.family.Name
	if c.kind == "" {
		c.kind = p.family.Kind
	}
	p.found = append(p.found, &c)
}

// like is a value with the text, of the type that most old values have.
func (s *search) like(text string) harness.Value {
	kind := harness.KindString
	if len(s.changed) > 0 && isScalar(s.changed[0].Was) {
		kind = s.changed[0].Was.Kind
	}
	return harness.Value{Kind: kind, Text: text}
}

func log2(n int) float64 { return math.Log2(float64(max(n, 1))) }
