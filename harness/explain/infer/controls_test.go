package infer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

func word(r *rand.Rand, least, most int) string {
	var b strings.Builder
	for range least + r.IntN(most-least+1) {
		b.WriteByte("abcdefghijklmnopqrstuvwxyz"[r.IntN(26)])
	}
	return b.String()
}

func day(r *rand.Rand) string {
	return fmt.Sprintf("20%02d-%02d-%02d", 20+r.IntN(10), 1+r.IntN(12), 1+r.IntN(28))
}

// controls are changes without a rule: whatever is claimed is wrong.
var controls = []struct {
	why   string
	pair  func(*rand.Rand) (was, is string)
	least int // fewest pairs for which the control means something
	allow int // claims in 50 tries that the theory of chance leaves
}{
	{"two unrelated pairs of codes", func(r *rand.Rand) (string, string) { return pick(r, "A", "B"), pick(r, "C", "D") }, 0, 0},
	{"unrelated codes of five values", func(r *rand.Rand) (string, string) {
		return pick(r, "FT", "PT", "HT", "QT", "NT"), pick(r, "a1", "b2", "c3", "d4", "e5")
	}, 0, 0},
	{"the same five codes, dealt anew", func(r *rand.Rand) (string, string) {
		return pick(r, "FT", "PT", "HT", "QT", "NT"), pick(r, "FT", "PT", "HT", "QT", "NT")
	}, 0, 0},
	{"unrelated flags", func(r *rand.Rand) (string, string) { return pick(r, "Y", "N"), pick(r, "true", "false") }, 0, 0},
	{"flags dealt anew", func(r *rand.Rand) (string, string) { return pick(r, "Y", "N"), pick(r, "N", "Y") }, 0, 0},
	{"a constant in nine of ten", func(r *rand.Rand) (string, string) {
		if r.IntN(10) > 0 {
			return pick(r, "A", "B", "C"), "active"
		}
		return pick(r, "A", "B", "C"), word(r, 4, 8)
	}, 40, 1},
	{"random words", func(r *rand.Rand) (string, string) { return word(r, 3, 10), word(r, 3, 10) }, 0, 0},
	{"random numbers", func(r *rand.Rand) (string, string) { return fmt.Sprint(r.IntN(100000)), fmt.Sprint(r.IntN(100000)) }, 0, 0},
	{"random small numbers", func(r *rand.Rand) (string, string) { return fmt.Sprint(r.IntN(10)), fmt.Sprint(r.IntN(10)) }, 0, 0},
	{"random amounts", func(r *rand.Rand) (string, string) {
		return fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(100)), fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(100))
	}, 0, 0},
	{"random dates", func(r *rand.Rand) (string, string) { return day(r), day(r) }, 0, 0},
	{"dates within one month", func(r *rand.Rand) (string, string) {
		return fmt.Sprintf("2026-08-%02d", 1+r.IntN(28)), fmt.Sprintf("2026-08-%02d", 1+r.IntN(28))
	}, 0, 0},
	{"random identifiers", func(r *rand.Rand) (string, string) {
		return fmt.Sprintf("H%08d", r.IntN(1e8)), fmt.Sprintf("H%08d", r.IntN(1e8))
	}, 0, 0},
	{"words to unrelated codes", func(r *rand.Rand) (string, string) { return word(r, 3, 8), pick(r, "A", "B", "C") }, 0, 0},
}

func TestClaimsNothingWithoutARule(t *testing.T) {
	for _, c := range controls {
		for _, n := range []int{12, 50} {
			if n < c.least {
				continue
			}
			t.Run(fmt.Sprint(c.why, ", ", n, " pairs"), func(t *testing.T) {
				claimed := 0
				for try := range 50 {
					r := rand.New(rand.NewPCG(uint64(try), 7))
					var pairs []Pair
					for range n {
						was, is := c.pair(r)
						pairs = append(pairs, Pair{Was: str(was), Is: str(is), Record: []harness.Field{
							{Name: "campus", Value: pick(r, "MAIN", "NORTH")}, {Name: "name", Value: word(r, 4, 8)}, {Name: "flag", Value: pick(r, "A", "C", "Y", "true")},
						}})
					}
					if rule, ok := Infer(pairs, Options{Seed: uint64(try)}); ok {
						claimed++
						t.Logf("claimed %s %q, %d explained, %d exceptions", rule.Family, rule.Text, rule.Support, rule.Exceptions)
					}
				}
				if claimed > c.allow {
					t.Errorf("%d claims in 50 tries", claimed)
				}
			})
		}
	}
}
