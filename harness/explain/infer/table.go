package infer

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

const (
	maxEntries  = 512  // of a code table
	minSeen     = 3    // pairs behind each entry of a code table
	minPure     = 0.95 // share of an entry's pairs that agree
	shuffles    = 1000 // of the permutation test
	shownLines  = 12   // of a table in the text of a rule
	maxShuffled = 400
)

// side is a value without its members, as a key.
type side struct {
	kind harness.ValueKind
	text string
}

func sideOf(v harness.Value) side {
	if v.IsAbsent() {
		return side{kind: harness.KindAbsent}
	}
	return side{v.Kind, v.Text}
}

func (s side) value() harness.Value { return harness.Value{Kind: s.kind, Text: s.text} }

// finite is a function with finitely many lines, as learned from pairs.
type finite struct {
	to    map[side]side
	count map[side]int // pairs that agree
	of    map[side]int // pairs seen
}

// learn takes for each old value the new one that most pairs have. ok is false when there are too many old values.
func learn(pairs []*Pair, most int) (finite, bool) {
	votes := map[side]map[side]int{}
	for _, p := range pairs {
		was := sideOf(p.Was)
		if votes[was] == nil {
			if len(votes) == most {
				return finite{}, false
			}
			votes[was] = map[side]int{}
		}
		votes[was][sideOf(p.Is)]++
	}
	f := finite{map[side]side{}, map[side]int{}, map[side]int{}}
	for was, counts := range votes {
		for is, n := range counts {
			f.of[was] += n
			if n > f.count[was] || n == f.count[was] && is.less(f.to[was]) {
				f.count[was], f.to[was] = n, is
			}
		}
	}
	return f, true
}

func (s side) less(t side) bool {
	return cmp.Or(strings.Compare(s.text, t.text), strings.Compare(string(s.kind), string(t.kind))) < 0
}

// prune drops the entries that few pairs are behind, or that they contradict.
func (f finite) prune(seen int) {
	for was, n := range f.count {
		if n < seen || float64(n) < minPure*float64(f.of[was]) {
			delete(f.to, was)
		}
	}
}

func (f finite) run(v harness.Value, _ []harness.Field) (harness.Value, bool) {
	is, ok := f.to[sideOf(v)]
	return is.value(), ok
}

func (f finite) sorted() []side {
	return slices.SortedFunc(maps.Keys(f.to), func(a, b side) int {
		return cmp.Or(strings.Compare(a.text, b.text), strings.Compare(string(a.kind), string(b.kind)))
	})
}

// isOneToOne reports whether no two old values became the same new one.
func (f finite) isOneToOne() bool {
	targets := map[side]bool{}
	for _, is := range f.to {
		targets[is] = true
	}
	return len(targets) == len(f.to)
}

// proposeTable: a finite function from old to new values.
func proposeTable(p *profile) {
	if p.inner {
		return
	}
	f, ok := learn(p.all, 4*maxEntries)
	if !ok {
		return
	}
	old := len(f.to)
	f.prune(min(minSeen, max(p.options.MinPairs, 1)))
	if len(f.to) == 0 || len(f.to) > maxEntries || len(f.to) > 20 && f.isOneToOne() && f.isOfIdentifiers() {
		return
	}
	c := candidate{bits: 8, least: 0.65, apply: f.run, free: true, lossy: !f.isOneToOne(), params: map[string]string{}}
	hit := 0
	for _, was := range f.sorted() {
		is := f.to[was]
		c.bits += textBits(was.text) + textBits(is.text)
		hit += f.count[was]
	}
	c.params["entries"] = fmt.Sprint(len(f.to))
	c.text, c.table = f.words(), f.entries()
	if len(f.to) == 1 {
		// One code became another: shuffling says nothing, near-certainty does.
		c.free, c.plain, c.least = false, true, minPure
		if old > 1 && share(hit, len(p.all)) < minPure {
			return
		}
	}
	p.add(c)
}

// words is the table for people: its first lines, and how many more there are.
func (f finite) words() string {
	var lines []string
	for _, was := range f.sorted() {
		if len(lines) == shownLines {
			break
		}
		lines = append(lines, cell(was.value())+" → "+cell(f.to[was].value()))
	}
	text := "codes changed: " + strings.Join(lines, ", ")
	if more := len(f.to) - len(lines); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if !f.isOneToOne() {
		text += "; several old codes became the same one"
	}
	return text
}

// entries is the lines of the table in order.
func (f finite) entries() []Entry {
	var list []Entry
	for _, was := range f.sorted() {
		list = append(list, Entry{was.value(), f.to[was].value(), f.count[was]})
	}
	return list
}

func buildTable(w *reading) transform {
	f := finite{map[side]side{}, map[side]int{}, map[side]int{}}
	for _, e := range w.table {
		f.to[sideOf(e.Was)] = sideOf(e.Is)
	}
	if len(f.to) == 0 {
		w.fail("no table")
	}
	return f.run
}

// cell is a value in a table.
func cell(v harness.Value) string {
	if isNothing(v) {
		return nameOf(v)
	}
	return v.Text
}

// isOfIdentifiers reports whether the old values look like identifiers: long, with digits, all different in kind.
func (f finite) isOfIdentifiers() bool {
	for was := range f.to {
		if !isIdentifier(was.text) {
			return false
		}
	}
	return true
}

func isIdentifier(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 4 && anyDigit(s) || n >= 8
}

// proposeMask: each identifier became another one, the same wherever it occurs, and no two became one.
func proposeMask(p *profile) {
	if p.inner || len(p.was) == 0 || slices.ContainsFunc(p.was, func(was string) bool { return !isIdentifier(was) }) {
		return
	}
	f, ok := learn(p.all, 1<<20)
	if !ok {
		return
	}
	f.prune(1)
	repeats := 0
	bits := 12.0
	for was, is := range f.to {
		repeats += f.count[was] - 1
		bits += 0.9 * textBits(is.text)
	}
	if len(f.to) < 10 || repeats < 10 || 10*repeats < len(f.to) || !f.isOneToOne() || !f.isOfIdentifiers() {
		return
	}
	// The cost is compared on the sample: the share of the mapping that the sample uses.
	bits *= min(1, float64(len(p.changed))/float64(len(p.all)))
	was, is := f.shapes()
	text := fmt.Sprintf("each of %d identifiers became another one, always the same", len(f.to))
	if was != "" && is != "" {
		text += ": form " + was + " became " + is
	}
	c := candidate{text: text, bits: bits, least: 0.95, free: true, apply: f.run, params: map[string]string{"identifiers": fmt.Sprint(len(f.to)), "was": was, "is": is}}
	if len(f.to) <= maxEntries {
		c.table = f.entries()
	}
	p.add(c)
}

// shapes is the common form of each side, empty when there is none.
func (f finite) shapes() (was, is string) {
	first := true
	for a, b := range f.to {
		x, y := shapeOf(a.text), shapeOf(b.text)
		if first {
			was, is, first = x, y, false
			continue
		}
		if was != x {
			was = ""
		}
		if is != y {
			is = ""
		}
	}
	return was, is
}

// shapeOf writes d for digits and a for letters; the rest stays.
func shapeOf(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return 'd'
		case unicode.IsLetter(r):
			return 'a'
		}
		return r
	}, s)
}

// beatsShuffles is the permutation test: with the new values dealt out at random, the rule, or a table learned anew, must
// not do as well. Few pairs without any exception may be beaten in fewer than 1 of 100 shuffles, other ones in none.
func (s *search) beatsShuffles(c *candidate) bool {
	sample := spread(s.changed, maxShuffled)
	n := numbering{}
	was, is, ruled := make([]int, len(sample)), make([]int, len(sample)), make([]int, len(sample))
	misses := 0
	for i, p := range sample {
		was[i], is[i] = n.of(p.Was), n.of(p.Is)
		ruled[i] = was[i]
		if got, ok := c.apply(p.Was, p.Record); ok {
			ruled[i] = n.of(got)
		}
		if ruled[i] != is[i] {
			misses++
		}
	}
	hits := func() int { return agreement(ruled, is) }
	if c.family == "table" || c.family == "mask" {
		hits = func() int { return majority(was, is, len(n)) }
	}
	observed, allowed := hits(), 0
	if len(sample) < 20 && misses == 0 {
		allowed = shuffles/100 - 1
	}
	random := rand.New(rand.NewPCG(s.options.Seed, 0x72756c65))
	for range shuffles {
		random.Shuffle(len(is), func(i, j int) { is[i], is[j] = is[j], is[i] })
		if hits() >= observed {
			if allowed--; allowed < 0 {
				return false
			}
		}
	}
	return true
}

// numbering gives each value a number, in order of appearance.
type numbering map[side]int

func (n numbering) of(v harness.Value) int {
	k := sideOf(v)
	i, ok := n[k]
	if !ok {
		i = len(n)
		n[k] = i
	}
	return i
}

func agreement(a, b []int) int {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// majority counts the pairs that agree with the most frequent new value of their old one, each old value's first pair
// left out: alone it agrees with anything.
func majority(was, is []int, values int) int {
	votes := make(map[[2]int]int, len(was))
	best := make([]int, values)
	for i, w := range was {
		k := [2]int{w, is[i]}
		votes[k]++
		best[w] = max(best[w], votes[k])
	}
	sum := 0
	for _, b := range best {
		sum += max(b-1, 0)
	}
	return sum
}
