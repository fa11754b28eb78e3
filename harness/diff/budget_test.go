package diff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// budget is the most time of processors that any pair below may take, however busy the machine is; the slowest needs about a second on an idle machine.
const budget = 60 * time.Second

// joined writes n elements as a JSON array.
func joined(n int, element func(i int) string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(i))
	}
	b.WriteByte(']')
	return b.String()
}

func number(offset int) func(int) string {
	return func(i int) string { return fmt.Sprint(i + offset) }
}

func drawn(seed uint64, of int) func(int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(int) string { return fmt.Sprint(r.IntN(of)) }
}

func permuted(n int, element func(int) string) func(int) string {
	order := rand.New(rand.NewPCG(7, 7)).Perm(n)
	return func(i int) string { return element(order[i]) }
}

func record(i int) string { return fmt.Sprintf(`{"line":"L%d","of":%d,"kind":"fee"}`, i, i%7) }

// TestEveryPairEndsWithinTheBudget feeds pairs that make alignments by table or by naive search hang.
func TestEveryPairEndsWithinTheBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("half a million elements take their time")
	}
	const many = 100_000
	nested := func(leaf string, depth int) string {
		return strings.Repeat(`{"a":[`, depth/2) + leaf + strings.Repeat(`]}`, depth/2)
	}
	wide := func(n int, changed int) string {
		var b strings.Builder
		for i := range n {
			v := i
			if i == changed {
				v = -1
			}
			fmt.Fprintf(&b, `,"m%d":%d`, i, v)
		}
		return "{" + b.String()[1:] + "}"
	}
	text := func(n int, word string) string { return strings.Repeat(word+" ", n) + "end" }
	for _, tc := range []struct {
		name, media, was, is, why string
		count                     int // differences, counted by place; -1: not said
		degraded                  bool
	}{
		{"deep", "application/json", nested("1", 990), nested("2", 990), "as deep as a document may be", 1, false},
		{"wide", "application/json", wide(1_000_000, -1), wide(1_000_000, 777_777), "a million members, one changed", 1, false},
		{"equal elements", "application/json", joined(many, func(int) string { return "0" }), joined(many+1, func(int) string { return "0" }), "all alike, one more", 1, false},
		{"equal elements around another", "application/json", joined(many, func(i int) string { return fmt.Sprint(i / (many / 2)) }), joined(many, func(i int) string { return fmt.Sprint(i * 3 / many % 2) }), "long runs of two values", -1, true},
		{"all different", "application/json", joined(many, number(0)), joined(many, number(many)), "nothing in common: each takes the other's place", many, false},
		{"all different records", "application/json", joined(many, record), joined(many, func(i int) string { return record(i + many) }), "too many to compare all with all", -1, false},
		{"permuted", "application/json", joined(many, number(0)), joined(many, permuted(many, number(0))), "moves only, all but the longest rising run", -1, false},
		{"permuted records", "application/json", joined(many, record), joined(many, permuted(many, record)), "keyed by a member that is unique", -1, false},
		{"few values, drawn anew", "application/json", joined(many, drawn(1, 50)), joined(many, drawn(2, 50)), "too many edits for the shortest script", -1, true},
		{"few values, two", "application/json", joined(many, drawn(1, 2)), joined(many, drawn(2, 2)), "no anchor anywhere", -1, true},
		{"repeated lines, drawn anew", "text/plain", strings.ReplaceAll(joined(many, drawn(1, 50)), ",", "\n"), strings.ReplaceAll(joined(many, drawn(2, 50)), ",", "\n"), "as a text", -1, true},
		{"long line", "text/plain", text(1_000_000, "enrolled"), text(1_000_000, "enrolled") + "ed", "one line of nine megabytes", 1, false},
		{"long lines", "text/plain", strings.Repeat(text(2_000, "a")+"\n", 200), strings.Repeat(text(2_000, "b")+"\n", 200), "nothing in common", 200, false},
		{"one line more", "text/plain", strings.Repeat("x\ny\n", many), "y\n" + strings.Repeat("x\ny\n", many), "shifted by one", 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			used := cputime.Used()
			c := compare(t, answer(tc.media, tc.was), answer(tc.media, tc.is))
			took := cputime.Used() - used
			t.Logf("%s: %d facts in %v, notes %q", tc.why, facts(c), took, c.Notes)
			if took > budget {
				t.Errorf("took %v", took)
			}
			if tc.count >= 0 && facts(c) != tc.count {
				t.Errorf("%d facts, want %d: %s", facts(c), tc.count, tc.why)
			}
			if degraded := strings.Contains(strings.Join(c.Notes, " "), "alignment degraded"); degraded != tc.degraded {
				t.Errorf("degraded %v, notes %q", degraded, c.Notes)
			}
		})
	}
}

// facts counts places; a member that came or went in every record counts for each.
func facts(c *harness.Comparison) int {
	n := 0
	for _, d := range c.Differences {
		n += d.Count
	}
	return n
}
