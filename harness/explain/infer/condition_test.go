package infer

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// student draws a record.
func student(r *rand.Rand, i int) []harness.Field {
	return []harness.Field{
		{Name: "id", Value: fmt.Sprintf("H%08d", i)}, {Name: "campus", Value: pick(r, "MAIN", "NORTH", "LAKE")},
		{Name: "level", Value: pick(r, "UG", "GR")}, {Name: "term", Value: "202640"}, {Name: "note", Value: pick(r, "", "late")},
	}
}

func field(r []harness.Field, name string) string {
	v, _ := harness.Value{Fields: r}.Field(name)
	return v
}

func TestLearnsWhenAChangeHappens(t *testing.T) {
	for _, c := range []struct {
		why, want string
		when      func([]harness.Field) bool
	}{
		{"one comparison", "campus = MAIN", func(r []harness.Field) bool { return field(r, "campus") == "MAIN" }},
		{"all but one value", "campus is not LAKE", func(r []harness.Field) bool { return field(r, "campus") != "LAKE" }},
		{"an empty member", `note = ""`, func(r []harness.Field) bool { return field(r, "note") == "" }},
		{"two comparisons", "campus = MAIN and level = GR", func(r []harness.Field) bool { return field(r, "campus") == "MAIN" && field(r, "level") == "GR" }},
		{"no condition on what is recorded", "", func(r []harness.Field) bool { return field(r, "id")[8]%3 == 0 }},
	} {
		t.Run(c.why, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			var changed, unchanged, all [][]harness.Field
			for i := range 300 {
				s := student(r, i)
				all = append(all, s)
				if c.when(s) {
					changed = append(changed, s)
				} else {
					unchanged = append(unchanged, s)
				}
			}
			text, holds, ok := Condition(changed, unchanged)
			if text != c.want || ok != (c.want != "") {
				t.Fatalf("got %q, want %q", text, c.want)
			}
			for _, s := range all {
				if ok && holds(s) != c.when(s) {
					t.Errorf("%v: holds is %v", s, holds(s))
				}
			}
		})
	}
}

func TestConditionNeedsMoreThanChance(t *testing.T) {
	claimed := 0
	for try := range 200 {
		r := rand.New(rand.NewPCG(uint64(try), 9))
		var changed, unchanged [][]harness.Field
		for i := range 12 {
			if s := student(r, i); i < 4 {
				changed = append(changed, s)
			} else {
				unchanged = append(unchanged, s)
			}
		}
		if _, _, ok := Condition(changed, unchanged); ok {
			claimed++
		}
	}
	if claimed > 4 {
		t.Errorf("%d claims in 200 tries on records that changed at random", claimed)
	}
}

func TestNoConditionWithoutBothSides(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	if text, _, ok := Condition([][]harness.Field{student(r, 1)}, nil); ok {
		t.Errorf("got %q from changed records alone", text)
	}
}
