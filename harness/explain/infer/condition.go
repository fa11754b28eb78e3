package infer

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

const (
	minPrecision = 0.99  // share of the records that meet the condition and changed
	minCoverage  = 0.95  // share of the changed records that meet the condition
	maxChance    = 0.001 // probability that chance gives a condition as good, over all that were tried
	maxValues    = 64    // of one member; a member with more is an identifier or a measure, not a case
	maxPartial   = 12    // literals that are tried in pairs
)

// Moment is the member that holds when an exchange began, RFC 3339 in UTC to the second. It is compared by order, too: a
// change can begin or end at a moment.
const Moment = ":at"

// comparison is a comparison of a member with a value.
type comparison struct {
	member, sign, value string
}

// signs is the ways to compare, as they are written.
var signs = []struct {
	text  string
	holds func(is, value string) bool
}{
	{"=", func(is, value string) bool { return is == value }},
	{"is not", func(is, value string) bool { return is != value }},
	{"from", func(is, value string) bool { return is >= value }},
	{"before", func(is, value string) bool { return is < value }},
}

func (c comparison) holds(record []harness.Field) bool {
	text, ok := harness.Value{Fields: record}.Field(c.member)
	if !ok {
		return false
	}
	for i := range signs {
		if signs[i].text == c.sign {
			return signs[i].holds(text, c.value)
		}
	}
	return false
}

func (c comparison) String() string { return asWord(c.member) + " " + c.sign + " " + asWord(c.value) }

// asWord writes a member or value so that it is read back: in quotes when it could be taken for something else.
func asWord(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\"\\") || s != strings.ToValidUTF8(s, "") || strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	for _, inner := range []string{" and ", " = ", " is not ", " from ", " before "} {
		if strings.Contains(" "+s+" ", inner) {
			return strconv.Quote(s)
		}
	}
	return s
}

// Condition is when a change happens: comparisons that all hold. The zero Condition holds always.
type Condition struct{ all []comparison }

// Always reports whether the condition holds for every record.
func (c Condition) Always() bool { return len(c.all) == 0 }

// Holds reports whether the record meets the condition.
func (c Condition) Holds(record []harness.Field) bool {
	return !slices.ContainsFunc(c.all, func(one comparison) bool { return !one.holds(record) })
}

// String writes the condition as [ParseCondition] reads it: campus = MAIN and level is not UG.
func (c Condition) String() string {
	parts := make([]string, len(c.all))
	for i, one := range c.all {
		parts[i] = one.String()
	}
	return strings.Join(parts, " and ")
}

// Words writes the condition for people; name says how to call a member.
func (c Condition) Words(name func(member string) string) string {
	parts := make([]string, len(c.all))
	for i, one := range c.all {
		sign := one.sign
		if called := name(one.member); sign == "=" && called != one.member {
			parts[i] = called + " is " + asWord(one.value)
		} else {
			parts[i] = called + " " + sign + " " + asWord(one.value)
		}
	}
	return strings.Join(parts, " and ")
}

// ParseCondition reads a condition; the empty text holds always.
func ParseCondition(text string) (Condition, error) {
	var c Condition
	for rest := text; rest != ""; {
		var one comparison
		var ok bool
		if one, rest, ok = cutComparison(rest); !ok {
			return Condition{}, fmt.Errorf("condition %q: want a comparison such as campus = MAIN, joined by and", text)
		}
		c.all = append(c.all, one)
	}
	return c, nil
}

// cutComparison takes the first comparison off.
func cutComparison(text string) (one comparison, rest string, ok bool) {
	at := -1
	var ends []string
	for _, s := range signs {
		ends = append(ends, " "+s.text+" ")
	}
	if one.member, rest, ok = cutWord(text, ends); !ok {
		return one, "", false
	}
	for i, end := range ends {
		if strings.HasPrefix(rest, end) {
			at = i
		}
	}
	if at < 0 {
		return one, "", false
	}
	one.sign = signs[at].text
	if one.value, rest, ok = cutWord(rest[len(ends[at]):], []string{" and "}); !ok {
		return one, "", false
	}
	rest, joined := strings.CutPrefix(rest, " and ")
	return one, rest, (rest == "") != joined
}

// cutWord takes a word off, in quotes or up to the first of the ends.
func cutWord(text string, ends []string) (word, rest string, ok bool) {
	if quoted, err := strconv.QuotedPrefix(text); err == nil && quoted[0] == '"' {
		word, err = strconv.Unquote(quoted)
		return word, text[len(quoted):], err == nil
	}
	stop := len(text)
	for _, end := range ends {
		if i := strings.Index(text, end); i >= 0 {
			stop = min(stop, i)
		}
	}
	return text[:stop], text[stop:], asWord(text[:stop]) == text[:stop]
}

// tally is how often a condition holds on both sides.
type tally struct{ changed, unchanged int }

// When learns when a change happens from the records that it happened to and the eligible ones that it did not:
// the shortest predicate of one or two comparisons that holds for at least 95 % of the changed records, is right in
// at least 99 % of the records that it holds for, and is beyond chance by Fisher's exact test, corrected for the number of
// predicates tried.
func When(changed, unchanged [][]harness.Field) (Condition, bool) {
	if len(changed) == 0 || len(unchanged) == 0 {
		return Condition{}, false
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
		return Condition{list[best : best+1]}, true
	}
	return both(list, tallies, partial, changed, unchanged)
}

// both tries the comparisons that cover the changed records in pairs.
func both(list []comparison, tallies []tally, partial []int, changed, unchanged [][]harness.Field) (Condition, bool) {
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
	return Condition{best}, best != nil
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
				positive = append(positive, comparison{member, "=", v})
			} else {
				negative = append(negative, comparison{member, "is not", v})
			}
		}
	}
	return slices.Concat(positive, negative, moments(changed, unchanged))
}

// moments is the two comparisons of [Moment] that no changed record contradicts: from the first of them, and before the
// first unchanged one behind the last of them.
func moments(changed, unchanged [][]harness.Field) []comparison {
	first, last, next := "", "", ""
	for _, r := range changed {
		if at, ok := (harness.Value{Fields: r}).Field(Moment); ok {
			if first == "" || at < first {
				first = at
			}
			last = max(last, at)
		}
	}
	if first == "" {
		return nil
	}
	for _, r := range unchanged {
		if at, ok := (harness.Value{Fields: r}).Field(Moment); ok && at > last && (next == "" || at < next) {
			next = at
		}
	}
	list := []comparison{{Moment, "from", first}}
	if next != "" {
		list = append(list, comparison{Moment, "before", next})
	}
	return list
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
