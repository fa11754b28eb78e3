package diff

import (
	"cmp"
	"math"
	"slices"
)

// Budgets of pairing by likeness.
const (
	maxAssign  = 500       // elements on each side that are assigned as a whole; more are paired best first
	maxCompare = 300 * 300 // pairs that are compared all with all; above only those that share a part of their features
	maxEffort  = 100 << 20 // steps of assignments as a whole in one array
)

// likely is a pair of elements, by place in the two lists of profiles, with its likeness.
type likely struct {
	indexPair
	score float64
}

// assigner pairs elements by likeness.
type assigner struct {
	effort int // what is left of maxEffort
}

// pair joins elements of the two lists so that what is joined is as alike as possible, at least minLikeness. Among equals
// those pair that keep their order.
func (s *assigner) pair(a, b []profile) []indexPair {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	var list []likely
	if len(a)*len(b) <= maxCompare || max(len(a), len(b)) <= maxAssign {
		list = allPairs(a, b)
	} else {
		list = candidates(a, b)
	}
	most := max(len(a), len(b))
	if cost := most * most * min(len(a), len(b)); most <= maxAssign && cost <= s.effort && contested(list) {
		s.effort -= cost
		return assignment(list, len(a), len(b))
	}
	return greedy(list, len(a), len(b))
}

func allPairs(a, b []profile) []likely {
	var list []likely
	for i := range a {
		for j := range b {
			if l := likeness(a[i], b[j]); l >= minLikeness {
				list = append(list, likely{indexPair{i, j}, l})
			}
		}
	}
	return list
}

// contested reports whether an element has more than one partner to choose from; otherwise there is nothing to weigh.
func contested(list []likely) bool {
	was, is := map[int]bool{}, map[int]bool{}
	for _, p := range list {
		if was[p.was] || is[p.is] {
			return true
		}
		was[p.was], is[p.is] = true, true
	}
	return false
}

// greedy takes the best pair first.
func greedy(list []likely, n, m int) []indexPair {
	slices.SortFunc(list, likely.better)
	used, taken := make([]bool, n), make([]bool, m)
	var pairs []indexPair
	for _, p := range list {
		if !used[p.was] && !taken[p.is] {
			used[p.was], taken[p.is] = true, true
			pairs = append(pairs, p.indexPair)
		}
	}
	return pairs
}

// better orders by likeness, then by how little the order changes.
func (p likely) better(q likely) int {
	return cmp.Or(cmp.Compare(q.score, p.score), cmp.Compare(p.distance(), q.distance()), p.byWas(q.indexPair), cmp.Compare(p.is, q.is))
}

func (p indexPair) distance() int {
	if p.was > p.is {
		return p.was - p.is
	}
	return p.is - p.was
}

// assignment maximises the sum of likeness (the Hungarian method with potentials, O(n²m): H. W. Kuhn 1955, in the form
// of R. Jonker and A. Volgenant 1987). A trace of the distance enters the cost, so that equals keep their order.
func assignment(list []likely, n, m int) []indexPair {
	turned := n > m
	if turned {
		n, m = m, n
	}
	cost := make([][]float64, n)
	for i := range cost {
		cost[i] = make([]float64, m)
	}
	const trace = 1e-7
	for _, p := range list {
		i, j := p.was, p.is
		if turned {
			i, j = j, i
		}
		cost[i][j] = -p.score + trace*float64(p.distance())
	}
	var pairs []indexPair
	for j, i := range rowsOfColumns(cost, n, m) {
		if i < 0 || cost[i][j] > -minLikeness/2 {
			continue
		}
		if turned {
			pairs = append(pairs, indexPair{j, i})
		} else {
			pairs = append(pairs, indexPair{i, j})
		}
	}
	return pairs
}

// rowsOfColumns returns the row that each column is assigned to at the least cost, or -1. There are at least as many
// columns as rows.
func rowsOfColumns(cost [][]float64, n, m int) []int {
	u, v := make([]float64, n), make([]float64, m+1) // potentials; column m stands for no column
	row := make([]int, m+1)
	for j := range row {
		row[j] = -1
	}
	way := make([]int, m+1)
	for i := range n {
		row[m] = i
		at := m
		least := make([]float64, m)
		for j := range least {
			least[j] = math.Inf(1)
		}
		used := make([]bool, m+1)
		for row[at] >= 0 {
			used[at] = true
			r, delta, next := row[at], math.Inf(1), 0
			for j := range m {
				if used[j] {
					continue
				}
				if c := cost[r][j] - u[r] - v[j]; c < least[j] {
					least[j], way[j] = c, at
				}
				if least[j] < delta {
					delta, next = least[j], j
				}
			}
			for j := range m + 1 {
				if used[j] {
					u[row[j]] += delta
					v[j] -= delta
				} else if j < m {
					least[j] -= delta
				}
			}
			at = next
		}
		for at != m {
			row[at], at = row[way[at]], way[at]
		}
	}
	return row[:m]
}
