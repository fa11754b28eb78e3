package infer

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxTrain  = 400  // pairs that rules compete on
	maxFirst  = 48   // pairs of the first, coarse round
	maxFinal  = 32   // rules that reach the second round
	maxSeeds  = 12   // pairs that parameters are solved from
	maxBits   = 4.0  // a rival among dates or numbers within this many bits is worth a mention
	textTie   = 1.5  // the same among texts, of which there are more that fit
	minProof  = 12   // bits that the distinct pairs must give beyond those of the rule
	missBits  = 4.0  // of pointing at an exception
	enough    = 0.98 // share from which on no second step is looked for
	wordy     = 14.0 // bits of a single step beyond which two simple ones may be the better story
	maxRivals = 3
)

// candidate is a rule that competes.
type candidate struct {
	family, kind, text string
	params             map[string]string
	table              []Entry
	bits               float64
	least              float64 // share of the changed pairs that it must explain; 0 means that of the options, and that it may lack a condition
	free               bool    // has a table of its own: must beat the shuffles
	plain              bool    // needs no proof beyond its support: nothing else is there to be said
	lossy              bool
	theme              string // rivals of the same theme differ in no way that matters to a reader
	probes             []probe
	apply              transform

	cost float64
}

// probe is an old value on which rivals may differ.
type probe struct {
	input string
	words string // what is special about it
}

// search is one call of Infer.
type search struct {
	options Options
	pairs   []Pair
	changed []*Pair
	train   []*Pair // sample of the changed pairs, evenly over old values, and some unchanged
	raw     float64 // bits of the training sample without any rule
}

func newSearch(pairs []Pair, o Options) *search {
	s := &search{options: o, pairs: pairs}
	var unchanged []*Pair
	for i := range pairs {
		if same(pairs[i].Was, pairs[i].Is) {
			unchanged = append(unchanged, &pairs[i])
		} else {
			s.changed = append(s.changed, &pairs[i])
		}
	}
	s.train = stratify(s.changed, maxTrain)
	s.train = append(s.train, spread(unchanged, maxTrain/4)...)
	for _, p := range s.train {
		s.raw += rawBits(p)
	}
	return s
}

// stratify takes at most n pairs, one of each old value in turn.
func stratify(pairs []*Pair, n int) []*Pair {
	if len(pairs) <= n {
		return slices.Clone(pairs)
	}
	turn := map[string]int{}
	rounds := [][]*Pair{}
	for _, p := range pairs {
		k := string(p.Was.Kind) + ":" + p.Was.Text
		if turn[k] == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[turn[k]] = append(rounds[turn[k]], p)
		turn[k]++
	}
	var out []*Pair
	for _, round := range rounds {
		out = append(out, spread(round, n-len(out))...)
		if len(out) >= n {
			break
		}
	}
	return out
}

// spread takes at most n of the list at even distances.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, 0, max(n, 0))
	for i := range n {
		out = append(out, list[i*len(list)/n])
	}
	return out
}

// rawBits is the length of the new value when no rule gives it.
func rawBits(p *Pair) float64 {
	if same(p.Was, p.Is) {
		return 1
	}
	return textBits(p.Is.Text)
}

// textBits is the length of a text that is written out.
func textBits(s string) float64 { return 4 + 5*float64(min(utf8.RuneCountInString(s), 60)) }

// run finds the best candidate that passes the guards.
func (s *search) run() (Rule, bool) {
	ranked := s.rank(s.propose(s.train, false))
	if len(ranked) == 0 || ranked[0].bits > wordy || s.shareOf(ranked[0]) < enough {
		ranked = s.rank(append(ranked, s.compose()...))
	}
	for _, c := range ranked[:min(len(ranked), 8)] {
		if r, ok := s.confirm(c); ok {
			r.Ambiguous = s.rivals(c, ranked)
			return r, true
		}
	}
	return Rule{}, false
}

// propose asks every family.
func (s *search) propose(train []*Pair, inner bool) []*candidate {
	p := newProfile(train, s.options)
	p.inner, p.all = inner, s.changed
	for i := range Families {
		p.family = &Families[i]
		p.family.propose(p)
	}
	return p.found
}

// rank scores on the training sample in two rounds and sorts by cost.
func (s *search) rank(list []*candidate) []*candidate {
	if len(list) > maxFinal {
		s.score(list, spread(s.train, maxFirst))
		list = list[:maxFinal]
	}
	s.score(list, s.train)
	for i, c := range list {
		if c.cost >= s.raw {
			return list[:i]
		}
	}
	return list
}

func (s *search) score(list []*candidate, sample []*Pair) {
	for _, c := range list {
		c.cost = c.bits
		for _, p := range sample {
			if !explains(c.apply, p) {
				c.cost += rawBits(p) + missBits
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.bits, b.bits), cmp.Compare(len(a.text), len(b.text)), strings.Compare(a.text, b.text))
	})
}

func (s *search) shareOf(c *candidate) float64 {
	hit, of := 0, 0
	for _, p := range s.train {
		if same(p.Was, p.Is) {
			continue
		}
		of++
		if explains(c.apply, p) {
			hit++
		}
	}
	return share(hit, of)
}

// confirm judges a candidate on all pairs.
func (s *search) confirm(c *candidate) (Rule, bool) {
	r := Rule{
		Family: c.family, Kind: c.kind, Text: c.text, Params: maps.Clone(c.params), Table: c.table, Lossy: c.lossy,
		Bits: math.Round(c.bits*10) / 10, apply: c.apply,
	}
	type sides struct{ was, is string }
	distinct := map[sides]bool{}
	proof, altered := -c.bits, 0
	for i := range s.pairs {
		p := &s.pairs[i]
		switch changed := !same(p.Was, p.Is); {
		case !explains(c.apply, p):
			r.Exceptions++
			if !changed {
				altered++
			}
		case changed:
			r.Support++
			if k := (sides{p.Was.Text, p.Is.Text}); proof < minProof && !distinct[k] {
				distinct[k] = true
				proof += textBits(p.Is.Text)
			}
		}
	}
	switch {
	case r.Support < s.options.MinPairs, share(r.Support, len(s.changed)) < max(c.least, s.options.MinShare):
		return r, false
	case c.least > 0 && share(r.Support, r.Support+altered) < minPure:
		// A rule about few values that would change many that stayed says no more than chance does. Of other rules the
		// caller can learn the condition.
		return r, false
	}
	if c.free {
		return r, s.beatsShuffles(c)
	}
	return r, c.plain || proof >= minProof
}

// typed is the families whose values are more than texts; only rivals of their sort are worth a mention.
var typed = map[string]bool{"date": true, "number": true, "term": true, "boolean": true}

// isTyped holds for a composition when it does for one of its steps.
func isTyped(family string) bool {
	first, second, _ := strings.Cut(family, " then ")
	return typed[first] || typed[second]
}

// rivals are the rules that fit as well as the best one and differ from it on some input.
func (s *search) rivals(best *candidate, ranked []*candidate) []string {
	var out []string
	seen := map[string]bool{best.text: true}
	within, probes := textTie, best.probes
	if isTyped(best.family) {
		within = maxBits
	}
	for _, c := range ranked {
		if c.cost > best.cost+within || len(out) == maxRivals || best.family == "type" {
			break
		}
		if !isTyped(best.family) {
			probes = slices.Concat(best.probes, c.probes)
		}
		if c == best || isTyped(best.family) && !isTyped(c.family) || seen[c.text] || c.free != best.free || c.theme != "" && c.theme == best.theme {
			continue
		}
		for _, pr := range probes {
			v := s.like(pr.input)
			a, okA := best.apply(v, nil)
			b, okB := c.apply(v, nil)
			if okA != okB || okA && !same(a, b) {
				seen[c.text] = true
				out = append(out, c.text+" fits as well; "+pr.words+" would tell")
				break
			}
		}
	}
	return out
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
