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
		{Name: ":at", Value: fmt.Sprintf("2026-10-05T09:%02d:%02dZ", i/60, i%60)},
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
		{"from a moment on", ":at from 2026-10-05T09:02:30Z", func(r []harness.Field) bool { return field(r, ":at") >= "2026-10-05T09:02:30Z" }},
		{"until a moment", ":at before 2026-10-05T09:02:30Z", func(r []harness.Field) bool { return field(r, ":at") < "2026-10-05T09:02:30Z" }},
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
			got, ok := When(changed, unchanged)
			if got.String() != c.want || ok != (c.want != "") {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			again, err := ParseCondition(got.String())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if ok && (got.Holds(s) != c.when(s) || again.Holds(s) != c.when(s)) {
					t.Errorf("%v: holds is %v, read back %v", s, got.Holds(s), again.Holds(s))
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
		if _, ok := When(changed, unchanged); ok {
			claimed++
		}
	}
	if claimed > 0 {
		t.Errorf("%d claims in 200 tries on records that changed at random", claimed)
	}
}

func TestNoConditionWithoutBothSides(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	if text, ok := When([][]harness.Field{student(r, 1)}, nil); ok {
		t.Errorf("got %q from changed records alone", text)
	}
}

func TestConditionsReadBack(t *testing.T) {
	for _, c := range []Condition{
		{}, {[]comparison{{"campus", "=", "MAIN"}}}, {[]comparison{{"campus", "is not", "North and South"}, {"a = b", "=", ""}}}, {[]comparison{{"", "=", " x "}}},
		{[]comparison{{"q", "=", `say "a"`}, {":at", "from", "2026-10-05T09:02:30Z"}, {"l", "=", "a\nb"}}}, {[]comparison{{"is", "is not", "from"}, {"and", "=", "and"}}},
		{[]comparison{{"b", "=", "\xe9"}}}, {[]comparison{{"Home Campus", "=", "Main Street = 5"}}},
	} {
		got, err := ParseCondition(c.String())
		if err != nil || got.String() != c.String() || len(got.all) != len(c.all) {
			t.Errorf("%q became %q: %v", c, got, err)
		}
		for i := range got.all {
			if got.all[i] != c.all[i] {
				t.Errorf("%q: %+v became %+v", c, c.all[i], got.all[i])
			}
		}
	}
	for _, bad := range []string{"campus", "campus =", "= MAIN", "campus = MAIN and", "campus = MAIN and level", `"campus = MAIN`, `campus like MAIN`, ` and `} {
		if c, err := ParseCondition(bad); err == nil {
			t.Errorf("%q is %+v", bad, c)
		}
	}
}
