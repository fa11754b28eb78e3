package diff

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Budgets of one sequence alignment. Within them the common sequence is the longest there is; beyond them it is anchored
// on the elements that occur once on both sides.
const (
	maxEdits = 8000     // removals and additions of one stretch, on the way to its middle
	maxSteps = 40 << 20 // elements looked at, over all stretches
)

// sequencer finds the longest common sequence of two lists in linear space (E. W. Myers, An O(ND) difference algorithm
// and its variations, 1986). Lists of elements that occur once need no search: there the longest rising run is the answer.
type sequencer struct {
	a, b  []int32     // elements as numbers, equal ones alike; only those that are on both sides
	at    [2][]int    // where they stand in the lists
	equal []indexPair // by place in a and b until commonSequence is done
	steps int         // what is left of maxSteps
	exact bool
}

// commonSequence pairs equal elements that stand in the same order on both sides, and says whether there is no longer
// such sequence.
func commonSequence(was, is []payload.Sum) (equal []indexPair, exact bool) {
	head := 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		equal = append(equal, indexPair{head, head})
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
		equal = append(equal, indexPair{len(was) - tail, len(is) - tail})
	}
	s := sequencer{steps: maxSteps, exact: true}
	s.number(was, is, head, tail)
	s.align(0, len(s.a), 0, len(s.b))
	for _, p := range s.equal {
		equal = append(equal, indexPair{s.at[0][p.was], s.at[1][p.is]})
	}
	slices.SortFunc(equal, indexPair.byWas)
	return equal, s.exact
}

// number gives each element between head and tail the number of its first occurrence, and leaves out those without an
// equal on the other side: they cannot be part of a common sequence, and without them the search is short.
func (s *sequencer) number(was, is []payload.Sum, head, tail int) {
	ids := make(map[payload.Sum]int32, len(is)-head-tail)
	for _, sum := range is[head : len(is)-tail] {
		if _, known := ids[sum]; !known {
			ids[sum] = int32(len(ids))
		}
	}
	seen := make([]bool, len(ids))
	for i := head; i < len(was)-tail; i++ {
		if id, ok := ids[was[i]]; ok {
			seen[id] = true
			s.a, s.at[0] = append(s.a, id), append(s.at[0], i)
		}
	}
	for i := head; i < len(is)-tail; i++ {
		if id := ids[is[i]]; seen[id] {
			s.b, s.at[1] = append(s.b, id), append(s.at[1], i)
		}
	}
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
	switch {
	case a0 == a1 || b0 == b1:
		return
	case s.steps < 0:
		s.exact = false
		s.anchor(a0, a1, b0, b1, nil)
		return
	}
	once, all := s.unique(a0, a1, b0, b1)
	if all {
		s.equal = append(s.equal, longestOrdered(once)...)
		return
	}
	if x, y, ok := s.middle(a0, a1, b0, b1); ok {
		s.align(a0, x, b0, y)
		s.align(x, a1, y, b1)
		return
	}
	s.exact = false
	s.anchor(a0, a1, b0, b1, longestOrdered(once))
}

// frontier is how far paths have come on each diagonal, from one end of a stretch.
type frontier struct {
	v   []int
	mid int // index of diagonal 0
}

func newFrontier(limit int) frontier { return frontier{make([]int, 2*limit+3), limit + 1} }

// begin is where the d-th edit on diagonal k begins: after the longer of the neighbours.
func (f frontier) begin(d, k int) int {
	switch {
	case d == 0:
		return 0
	case k == -d || k != d && f.v[f.mid+k-1] < f.v[f.mid+k+1]:
		return f.v[f.mid+k+1]
	default:
		return f.v[f.mid+k-1] + 1
	}
}

// middle returns a place on a shortest script through the stretch, about half way, unless a budget is used up. Paths
// from both ends meet there; diagonals outside of the stretch are left out.
func (s *sequencer) middle(a0, a1, b0, b1 int) (x, y int, ok bool) {
	n, m := a1-a0, b1-b0
	limit := min((n+m+1)/2, maxEdits/2)
	fore, back := newFrontier(limit), newFrontier(limit)
	ahead := func(x, y int) bool { return s.a[a0+x] == s.b[b0+y] }
	behind := func(x, y int) bool { return s.a[a1-1-x] == s.b[b1-1-y] }
	delta := n - m
	for d := 0; d <= limit && s.steps >= 0; d++ {
		least, most := -(d - 2*max(0, d-m)), d-2*max(0, d-n)
		for k := least; k <= most; k += 2 {
			x := s.slide(fore, d, k, n, m, ahead)
			if o := delta - k; delta&1 != 0 && o >= 1-d && o <= d-1 && x+back.v[back.mid+o] >= n {
				return a0 + x, b0 + x - k, true
			}
		}
		for k := least; k <= most; k += 2 {
			x := s.slide(back, d, k, n, m, behind)
			if o := delta - k; delta&1 == 0 && o >= -d && o <= d && x+fore.v[fore.mid+o] >= n {
				return a1 - x, b1 - (x - k), true
			}
		}
	}
	return 0, 0, false
}

// slide makes the d-th edit on diagonal k and goes on while elements are equal.
func (s *sequencer) slide(f frontier, d, k, n, m int, equal func(x, y int) bool) int {
	x := f.begin(d, k)
	from := x
	for y := x - k; x < n && y < m && equal(x, y); y++ {
		x++
	}
	s.steps -= x - from + 1
	f.v[f.mid+k] = x
	return x
}

// anchor aligns on the given elements and goes on between them. Without any it pairs the n-th occurrence of an element
// with the n-th, as far as they are in order.
func (s *sequencer) anchor(a0, a1, b0, b1 int, anchors []indexPair) {
	if len(anchors) == 0 {
		s.equal = append(s.equal, longestOrdered(s.occurrences(a0, a1, b0, b1))...)
		return
	}
	at := indexPair{a0, b0}
	for _, p := range append(anchors, indexPair{a1, b1}) {
		s.align(at.was, p.was, at.is, p.is)
		at = indexPair{p.was + 1, p.is + 1}
	}
	s.equal = append(s.equal, anchors...)
}

// unique returns the elements that occur once on both sides, in the order of a, and whether all common ones do.
func (s *sequencer) unique(a0, a1, b0, b1 int) (once []indexPair, all bool) {
	type count struct{ na, nb, ib int }
	counts := make(map[int32]count, b1-b0)
	for i := b0; i < b1; i++ {
		c := counts[s.b[i]]
		c.nb, c.ib = c.nb+1, i
		counts[s.b[i]] = c
	}
	for i := a0; i < a1; i++ {
		c := counts[s.a[i]]
		c.na++
		counts[s.a[i]] = c
	}
	all = true
	for i := a0; i < a1; i++ {
		switch c := counts[s.a[i]]; {
		case c.nb == 0:
		case c.na == 1 && c.nb == 1:
			once = append(once, indexPair{i, c.ib})
		default:
			all = false
		}
	}
	s.steps -= a1 - a0 + b1 - b0
	return once, all
}

// occurrences pairs the n-th occurrence of each element with the n-th on the other side, in the order of a.
func (s *sequencer) occurrences(a0, a1, b0, b1 int) []indexPair {
	waiting := make(map[int32][]int, b1-b0)
	for i := b0; i < b1; i++ {
		waiting[s.b[i]] = append(waiting[s.b[i]], i)
	}
	var pairs []indexPair
	for i := a0; i < a1; i++ {
		if list := waiting[s.a[i]]; len(list) > 0 {
			pairs = append(pairs, indexPair{i, list[0]})
			waiting[s.a[i]] = list[1:]
		}
	}
	return pairs
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
