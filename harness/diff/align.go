package diff

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// alignment says which elements belong together, by index.
type alignment struct {
	pairs          []indexPair // in the order of the baseline
	removed, added []int
	again          [2]map[int]bool // elements of each side whose key occurs before them
}

type indexPair struct{ was, is int }

// repeated is how many elements have a key that occurs before them on their side.
func (al alignment) repeated() int { return len(al.again[0]) + len(al.again[1]) }

func (p indexPair) byWas(q indexPair) int { return cmp.Compare(p.was, q.was) }

// close sorts the pairs and lists what has no partner, given the lengths of both sides.
func (al *alignment) close(was, is int) {
	slices.SortFunc(al.pairs, indexPair.byWas)
	used, taken := al.partnered(was, is)
	al.removed, al.added = without(used), without(taken)
}

// partnered marks the elements that have a partner.
func (al *alignment) partnered(was, is int) (used, taken []bool) {
	used, taken = make([]bool, was), make([]bool, is)
	for _, p := range al.pairs {
		used[p.was], taken[p.is] = true, true
	}
	return used, taken
}

func without(marked []bool) []int {
	var list []int
	for i, m := range marked {
		if !m {
			list = append(list, i)
		}
	}
	return list
}

// turned swaps the sides.
func (al alignment) turned() alignment {
	for i, p := range al.pairs {
		al.pairs[i] = indexPair{p.is, p.was}
	}
	slices.SortFunc(al.pairs, indexPair.byWas)
	al.removed, al.added = al.added, al.removed
	return al
}

// keyless aligns lists of elements that have no key.
type keyless struct {
	sum      func(payload.Node) payload.Sum // elements of equal sums are equal
	profiler profiler
	ordered  bool // the order is content, as with the lines of a text: what moved is removed and added
}

// align pairs equal elements in order, then equal ones in another place, then what is left by likeness: first within
// each gap, then anywhere. It reports false when a budget did not allow the longest common sequence; every pair is a true
// one even so, but more may be reported than necessary. Ties are broken alike in both directions: the lesser list is
// always laid under the other.
func (k keyless) align(was, is []payload.Node) (al alignment, exact bool) {
	if lesser(is, was) {
		al, exact = k.over(is, was)
		return al.turned(), exact
	}
	return k.over(was, is)
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

func (k keyless) over(was, is []payload.Node) (al alignment, exact bool) {
	if len(was) == 1 && len(is) == 1 && was[0].Kind() == is[0].Kind() {
		return alignment{pairs: []indexPair{{}}}, true // there is nothing else that they could be
	}
	a, b := sums(k.sum, was), sums(k.sum, is)
	al.pairs, exact = commonSequence(a, b)
	frame := slices.Clone(al.pairs)
	if !k.ordered {
		al.pairs = append(al.pairs, equalElsewhere(a, b, al)...)
	}
	al.close(len(was), len(is))
	m := remnant{keyless: k, was: was, is: is, assigner: assigner{maxEffort}}
	al.pairs = append(al.pairs, m.gaps(al, frame)...)
	if !k.ordered {
		al.close(len(was), len(is))
		al.pairs = append(al.pairs, m.alike(al.removed, al.added, true)...)
	}
	al.close(len(was), len(is))
	return al, exact
}

func sums(sum func(payload.Node) payload.Sum, list []payload.Node) []payload.Sum {
	out := make([]payload.Sum, len(list))
	for i, n := range list {
		out[i] = sum(n)
	}
	return out
}

// equalElsewhere pairs equal elements that are not in the common sequence, the n-th of one side with the n-th of the other.
func equalElsewhere(a, b []payload.Sum, al alignment) []indexPair {
	used, taken := al.partnered(len(a), len(b))
	waiting := map[payload.Sum][]int{}
	for j, sum := range b {
		if !taken[j] {
			waiting[sum] = append(waiting[sum], j)
		}
	}
	var pairs []indexPair
	for i, sum := range a {
		if list := waiting[sum]; !used[i] && len(list) > 0 {
			pairs = append(pairs, indexPair{i, list[0]})
			waiting[sum] = list[1:]
		}
	}
	return pairs
}

// remnant is what has no equal on the other side; it is paired by likeness.
type remnant struct {
	keyless
	assigner
	was, is []payload.Node
}

// gaps pairs the leftovers between two neighbours of the common sequence.
func (m *remnant) gaps(al alignment, frame []indexPair) []indexPair {
	var pairs []indexPair
	i, j := 0, 0
	for _, end := range append(frame, indexPair{len(m.was), len(m.is)}) {
		fromWas, fromIs := i, j
		for i < len(al.removed) && al.removed[i] < end.was {
			i++
		}
		for j < len(al.added) && al.added[j] < end.is {
			j++
		}
		pairs = append(pairs, m.gap(al.removed[fromWas:i], al.added[fromIs:j])...)
	}
	return pairs
}

// gap pairs by likeness; scalars and lists of a gap that is as wide on both sides take each other's place.
func (m *remnant) gap(removed, added []int) []indexPair {
	pairs := m.alike(removed, added, false)
	if len(removed) != len(added) {
		return pairs
	}
	used, taken := make(map[int]bool, len(pairs)), make(map[int]bool, len(pairs))
	for _, p := range pairs {
		used[p.was], taken[p.is] = true, true
	}
	for n, i := range removed {
		if j := added[n]; !used[i] && !taken[j] && interchangeable(m.was[i], m.is[j]) {
			pairs = append(pairs, indexPair{i, j})
		}
	}
	return pairs
}

func interchangeable(a, b payload.Node) bool {
	return a.IsScalar() && b.IsScalar() || a.Kind() == harness.KindArray && b.Kind() == harness.KindArray
}

// alike pairs the elements at the places by likeness, records only if asked for.
func (m *remnant) alike(removed, added []int, recordsOnly bool) []indexPair {
	a, whereA := m.profiles(m.was, removed, recordsOnly)
	b, whereB := m.profiles(m.is, added, recordsOnly)
	pairs := m.pair(a, b)
	if m.ordered {
		slices.SortFunc(pairs, indexPair.byWas)
		pairs = longestOrdered(pairs)
	}
	for i, p := range pairs {
		pairs[i] = indexPair{whereA[p.was], whereB[p.is]}
	}
	return pairs
}

func (m *remnant) profiles(nodes []payload.Node, places []int, recordsOnly bool) (list []profile, where []int) {
	var chosen []payload.Node
	for _, i := range places {
		if n := nodes[i]; !recordsOnly || !n.IsScalar() {
			chosen, where = append(chosen, n), append(where, i)
		}
	}
	return m.profiler.profiles(chosen), where
}

// movedCount is how many pairs are out of order: all but the longest run of pairs that kept their order.
func movedCount(pairs []indexPair) int { return len(pairs) - len(longestOrdered(pairs)) }
