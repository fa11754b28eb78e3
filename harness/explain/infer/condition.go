package infer

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

const (
	minPrecision = 0.99 // share of the records that meet the condition and changed
	minCoverage  = 0.95 // share of the changed records that meet the condition
	maxChance    = 0.01 // probability that chance gives a condition as good, over all that were tried
	maxValues    = 64   // of one member; a member with more is an identifier or a measure, not a case
	maxPartial   = 12   // literals that are tried in pairs
)

// comparison is a comparison of a member with a value.
type comparison struct {
	member, value string
	not           bool
}

func (c comparison) holds(record []harness.Field) bool {
	text, ok := harness.Value{Fields: record}.Field(c.member)
	return ok && (text == c.value) != c.not
}

func (c comparison) String() string {
	value := c.value
	if value == "" || strings.TrimSpace(value) != value {
		value = strconv.Quote(value)
	}
	if c.not {
		return c.member + " is not " + value
	}
	return c.member + " = " + value
}

// tally is how often a condition holds on both sides.
type tally struct{ changed, unchanged int }

// Condition learns when a change happens from the records that it happened to and the eligible ones that it did not:
// the shortest predicate of one or two comparisons that holds for at least 95 % of the changed records, is right in
// at least 99 % of the records that it holds for, and is beyond chance by Fisher's exact test, corrected for the number of
// predicates tried. text reads "campus = MAIN", or "campus = MAIN and level = UG".
func Condition(changed, unchanged [][]harness.Field) (text string, holds func([]harness.Field) bool, ok bool) {
	if len(changed) == 0 || len(unchanged) == 0 {
		return "", nil, false
	}
	list := comparisons(changed, unchanged)
	tallies := make([]tally, len(list))
	var partial []int
	best := -1
	for i, c := range list {
		tallies[i] = count([]comparison{c}, changed, unchanged)
		if !tallies[i].covers(len(changed)) {
			continue
		}
		if tallies[i].isPrecise() && tallies[i].isBeyondChance(len(changed), len(unchanged), len(list)) && (best < 0 || tallies[i].betters(tallies[best])) {
			best = i
		}
		if tallies[i].unchanged < len(unchanged) {
			partial = append(partial, i)
		}
	}
	if best >= 0 {
		return list[best].String(), list[best].holds, true
	}
	return both(list, tallies, partial, changed, unchanged)
}

// both tries the comparisons that cover the changed records in pairs.
func both(list []comparison, tallies []tally, partial []int, changed, unchanged [][]harness.Field) (string, func([]harness.Field) bool, bool) {
	slices.SortStableFunc(partial, func(a, b int) int { return cmp.Compare(tallies[a].unchanged, tallies[b].unchanged) })
	partial = partial[:min(len(partial), maxPartial)]
	var best []comparison
	var bestTally tally
	for i, a := range partial {
		for _, b := range partial[i+1:] {
			if list[a].member == list[b].member {
				continue
			}
			pair := []comparison{list[min(a, b)], list[max(a, b)]}
			t := count(pair, changed, unchanged)
			if t.covers(len(changed)) && t.isPrecise() && t.isBeyondChance(len(changed), len(unchanged), len(list)*len(list)/2) && (best == nil || t.betters(bestTally)) {
				best, bestTally = pair, t
			}
		}
	}
	if best == nil {
		return "", nil, false
	}
	return best[0].String() + " and " + best[1].String(), func(r []harness.Field) bool { return best[0].holds(r) && best[1].holds(r) }, true
}

// comparisons is every member with every value that a changed record has, and the negation of every value that only
// unchanged ones have; positive ones first, in order of the members.
func comparisons(changed, unchanged [][]harness.Field) []comparison {
	values := map[string]map[string]bool{} // member → value → seen in a changed record
	var order []string
	note := func(records [][]harness.Field, isChanged bool) {
		for _, r := range records {
			for _, f := range r {
				if values[f.Name] == nil {
					values[f.Name] = map[string]bool{}
					order = append(order, f.Name)
				}
				if len(values[f.Name]) <= maxValues {
					values[f.Name][f.Value] = values[f.Name][f.Value] || isChanged
				}
			}
		}
	}
	note(changed, true)
	note(unchanged, false)
	var positive, negative []comparison
	for _, member := range order {
		if len(values[member]) > maxValues || len(values[member]) < 2 {
			continue
		}
		for _, v := range slices.Sorted(maps.Keys(values[member])) {
			if values[member][v] {
				positive = append(positive, comparison{member, v, false})
			} else {
				negative = append(negative, comparison{member, v, true})
			}
		}
	}
	return append(positive, negative...)
}

func count(all []comparison, changed, unchanged [][]harness.Field) tally {
	n := func(records [][]harness.Field) int {
		sum := 0
		for _, r := range records {
			if !slices.ContainsFunc(all, func(c comparison) bool { return !c.holds(r) }) {
				sum++
			}
		}
		return sum
	}
	return tally{n(changed), n(unchanged)}
}

func (t tally) covers(changed int) bool { return share(t.changed, changed) >= minCoverage }

func (t tally) isPrecise() bool { return share(t.changed, t.changed+t.unchanged) >= minPrecision }

// betters prefers fewer errors; on a tie the one that was tried first stays.
func (t tally) betters(u tally) bool { return t.unchanged-t.changed < u.unchanged-u.changed }

// isBeyondChance is Fisher's exact test, one-sided, with Bonferroni's correction for the number of tries.
func (t tally) isBeyondChance(changed, unchanged, tries int) bool {
	hit := t.changed + t.unchanged
	total := changed + unchanged
	sum := 0.0
	for k := t.changed; k <= min(hit, changed); k++ {
		if hit-k <= unchanged {
			sum += math.Exp(logChoose(changed, k) + logChoose(unchanged, hit-k) - logChoose(total, hit))
		}
	}
	return sum*float64(tries) < maxChance
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
