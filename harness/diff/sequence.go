package diff

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Budgets of sequence alignment. Within them the alignment has the fewest edits there are; beyond them it is anchored
// on the elements that occur once on both sides.
const (
	maxEdits = 2000 // removals and additions of one stretch
	maxGap   = 300  // elements on each side of a gap that are compared all with all
)

// alignBySequence aligns two lists by equal elements in order, then pairs what is left in each gap by likeness. It
// reports false when the budget did not allow the shortest script (E. W. Myers, An O(ND) difference algorithm, 1986).
// Elements are equal when their sums are. Ties are broken alike in both directions: the lesser list is always laid under the other.
func alignBySequence(was, is []payload.Node, sum func(payload.Node) payload.Sum) (al alignment, exact bool) {
	if lesser(is, was) {
		al, exact = alignOver(is, was, sum)
		return al.turned(), exact
	}
	return alignOver(was, is, sum)
}

// lesser orders lists by length, then by source.
func lesser(a, b []payload.Node) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	for i := range a {
		if c := bytes.Compare(a[i].Raw(), b[i].Raw()); c != 0 {
			return c < 0
		}
	}
	return false
}

// turned swaps the sides.
func (al alignment) turned() alignment {
	for i, p := range al.pairs {
		al.pairs[i] = indexPair{p.is, p.was}
	}
	slices.SortFunc(al.pairs, func(x, y indexPair) int { return cmp.Compare(x.was, y.was) })
	al.removed, al.added = al.added, al.removed
	return al
}

func alignOver(was, is []payload.Node, sum func(payload.Node) payload.Sum) (al alignment, exact bool) {
	s := sequencer{a: sums(sum, was), b: sums(sum, is), exact: true}
	s.align(0, len(was), 0, len(is))
	slices.SortFunc(s.equal, func(x, y indexPair) int { return cmp.Compare(x.was, y.was) })
	at := indexPair{}
	for _, p := range append(s.equal, indexPair{len(was), len(is)}) {
		al.gap(was, is, at, p)
		if p.was < len(was) {
			al.pairs = append(al.pairs, p)
		}
		at = indexPair{p.was + 1, p.is + 1}
	}
	return al, s.exact
}

func sums(sum func(payload.Node) payload.Sum, list []payload.Node) []payload.Sum {
	out := make([]payload.Sum, len(list))
	for i, n := range list {
		out[i] = sum(n)
	}
	return out
}

type sequencer struct {
	a, b  []payload.Sum
	equal []indexPair
	exact bool
}

// align finds equal elements in a[a0:a1] and b[b0:b1].
func (s *sequencer) align(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && s.a[a0] == s.b[b0] {
		s.equal = append(s.equal, indexPair{a0, b0})
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && s.a[a1-1] == s.b[b1-1] {
		a1, b1 = a1-1, b1-1
		s.equal = append(s.equal, indexPair{a1, b1})
	}
	if a0 == a1 || b0 == b1 || s.shortest(a0, a1, b0, b1) {
		return
	}
	s.exact = false
	s.anchor(a0, a1, b0, b1)
}

// shortest finds the shortest edit script, unless it has more than maxEdits edits.
func (s *sequencer) shortest(a0, a1, b0, b1 int) bool {
	n, m := a1-a0, b1-b0
	limit := min(n+m, maxEdits)
	v := make([]int, 2*limit+2) // v[k+limit] is how far a path on diagonal k has come in a
	var trace [][]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, slices.Clone(v[limit-d:limit+d+1]))
		for k := -d; k <= d; k += 2 {
			x := s.furthest(v, limit, d, k)
			y := x - k
			for x < n && y < m && s.a[a0+x] == s.b[b0+y] {
				x, y = x+1, y+1
			}
			v[k+limit] = x
			if x >= n && y >= m {
				s.backtrack(trace, a0, b0, n, m, d)
				return true
			}
		}
	}
	return false
}

// furthest is where a path on diagonal k begins its d-th edit: below the longer one of its neighbours.
func (s *sequencer) furthest(v []int, limit, d, k int) int {
	switch {
	case d == 0:
		return 0
	case k == -d || k != d && v[k-1+limit] < v[k+1+limit]:
		return v[k+1+limit]
	default:
		return v[k-1+limit] + 1
	}
}

// backtrack collects the equal elements of the script that shortest found. trace[d] holds v before the d-th round,
// diagonals -d to d.
func (s *sequencer) backtrack(trace [][]int, a0, b0, x, y, d int) {
	for ; d > 0; d-- {
		v := trace[d]
		at := func(k int) int { return v[k+d] }
		k := x - y
		var from int
		if k == -d || k != d && at(k-1) < at(k+1) {
			from = k + 1
		} else {
			from = k - 1
		}
		fromX := at(from)
		fromY := fromX - from
		startX := fromX
		if from == k-1 {
			startX++
		}
		for x > startX {
			x, y = x-1, y-1
			s.equal = append(s.equal, indexPair{a0 + x, b0 + y})
		}
		x, y = fromX, fromY
	}
	for x > 0 {
		x, y = x-1, y-1
		s.equal = append(s.equal, indexPair{a0 + x, b0 + y})
	}
}

// anchor aligns on the elements that occur once on both sides and keep their order, and goes on between them.
func (s *sequencer) anchor(a0, a1, b0, b1 int) {
	anchors := s.unique(a0, a1, b0, b1)
	if len(anchors) == 0 {
		return
	}
	s.equal = append(s.equal, anchors...)
	at := indexPair{a0, b0}
	for _, p := range append(anchors, indexPair{a1, b1}) {
		s.between(at, p)
		at = indexPair{p.was + 1, p.is + 1}
	}
}

// between aligns what touches the anchors: equal heads and tails of the stretch.
func (s *sequencer) between(from, to indexPair) {
	for from.was < to.was && from.is < to.is && s.a[from.was] == s.b[from.is] {
		s.equal = append(s.equal, from)
		from = indexPair{from.was + 1, from.is + 1}
	}
	for from.was < to.was && from.is < to.is && s.a[to.was-1] == s.b[to.is-1] {
		to = indexPair{to.was - 1, to.is - 1}
		s.equal = append(s.equal, to)
	}
}

// unique returns the longest ordered run of elements that occur once on both sides.
func (s *sequencer) unique(a0, a1, b0, b1 int) []indexPair {
	type count struct{ na, nb, ib int }
	counts := map[payload.Sum]count{}
	for i := a0; i < a1; i++ {
		c := counts[s.a[i]]
		c.na++
		counts[s.a[i]] = c
	}
	for i := b0; i < b1; i++ {
		c := counts[s.b[i]]
		c.nb, c.ib = c.nb+1, i
		counts[s.b[i]] = c
	}
	var once []indexPair
	for i := a0; i < a1; i++ {
		if c := counts[s.a[i]]; c.na == 1 && c.nb == 1 {
			once = append(once, indexPair{i, c.ib})
		}
	}
	return longestOrdered(once)
}

// longestOrdered keeps the longest run of pairs whose second places rise (patience sorting).
func longestOrdered(pairs []indexPair) []indexPair {
	var tails []int
	before := make([]int, len(pairs))
	for i, p := range pairs {
		n, _ := slices.BinarySearchFunc(tails, p.is, func(t, is int) int { return cmp.Compare(pairs[t].is, is) })
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	run := make([]indexPair, len(tails))
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, before[i] {
		run[n] = pairs[i]
	}
	return run
}

// gap pairs the elements between two equal ones by likeness; without likeness they are removed and added.
func (al *alignment) gap(was, is []payload.Node, from, to indexPair) {
	taken := map[int]bool{}
	for i := from.was; i < to.was; i++ {
		j := from.is + i - from.was
		if to.was-from.was <= maxGap && to.is-from.is <= maxGap {
			j = mostAlike(was[i], is, from.is, to.is, taken)
		}
		if j < 0 || j >= to.is || likeness(was[i], is[j]) < minLikeness {
			al.removed = append(al.removed, i)
			continue
		}
		taken[j] = true
		al.pairs = append(al.pairs, indexPair{i, j})
	}
	for j := from.is; j < to.is; j++ {
		if !taken[j] {
			al.added = append(al.added, j)
		}
	}
}

// minLikeness is the share of equal members from which two records count as one that changed.
const minLikeness = 0.5

func mostAlike(n payload.Node, is []payload.Node, from, to int, taken map[int]bool) int {
	best, most := -1, minLikeness
	for j := from; j < to; j++ {
		if taken[j] {
			continue
		}
		if l := likeness(n, is[j]); l > most || best < 0 && l >= most {
			best, most = j, l
		}
	}
	return best
}

// likeness is the share of members that two objects have in common by name and source. Scalars are just alike enough to
// take each other's place, and so are two arrays.
func likeness(a, b payload.Node) float64 {
	switch {
	case a.IsScalar() && b.IsScalar():
		return minLikeness
	case a.Kind() != b.Kind():
		return 0
	case a.Kind() != harness.KindObject:
		return minLikeness
	}
	have := make(map[string]payload.Node, b.Len())
	for m := range b.Children() {
		have[m.Name()] = m
	}
	same := 0
	for m := range a.Children() {
		if other, ok := have[m.Name()]; ok && other.Kind() == m.Kind() && string(other.Raw()) == string(m.Raw()) {
			same++
		}
	}
	if most := max(a.Len(), b.Len()); most > 0 {
		return float64(same) / float64(most)
	}
	return 1
}
