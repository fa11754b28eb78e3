package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

func TestElementsWithoutKeyAreAligned(t *testing.T) {
	for _, tc := range []struct {
		name, was, is, why string
		want               []string
	}{
		{"inserted beside a changed one", `[{"line":"tuition","sum":4100,"term":"F26"},{"line":"housing","sum":900,"term":"F26"}]`,
			`[{"line":"parking","sum":60,"term":"S27"},{"line":"tuition","sum":4200,"term":"F26"},{"line":"housing","sum":900,"term":"F26"}]`, "a gap is paired by likeness, never by place",
			[]string{"changed response.body[0].sum 4100 → 4200", `added response.body[0] ∅ → {"line":"parking","sum":60,"term":"S27"}`}},
		{"moved", `[{"t":"a","u":1},{"t":"b","u":1},{"t":"c","u":1}]`, `[{"t":"c","u":1},{"t":"a","u":1},{"t":"b","u":1}]`, "an equal record elsewhere has moved, once",
			[]string{"moved response.body[*] 3 records in order → 1 of them in another place"}},
		{"moved and changed", `[{"t":"a","u":1,"v":1},{"t":"b","u":2,"v":2},{"t":"c","u":3,"v":3}]`, `[{"t":"c","u":3,"v":4},{"t":"a","u":1,"v":1},{"t":"b","u":2,"v":2}]`, "alike enough to be the same, in another gap",
			[]string{"changed response.body[2].v 3 → 4", "moved response.body[*] 3 records in order → 1 of them in another place"}},
		{"crossed within a gap", `[{"t":"a","u":1,"v":1},{"t":"b","u":2,"v":2}]`, `[{"t":"b","u":2,"v":3},{"t":"a","u":1,"v":3}]`, "both changed and changed places: order is not lost",
			[]string{"changed response.body[0].v 1 → 3", "changed response.body[1].v 2 → 3", "moved response.body[*] 2 records in order → 1 of them in another place"}},
		{"values in another order", `["red","blue","green"]`, `["green","red","blue"]`, "only the order varies",
			[]string{"moved response.body[*] 3 values in order → 1 of them in another place"}},
		{"a repeated value lost", `["a","a","b"]`, `["b","a"]`, "repeated ones are counted", []string{"removed response.body[1] a → ∅", "moved response.body[*] 2 values in order → 1 of them in another place"}},
		{"too little in common", `[{"a":1,"b":2,"c":3},{"z":1}]`, `[{"a":1,"b":9,"c":9},{"z":1}]`, "one of three members is no likeness",
			[]string{`removed response.body[0] {"a":1,"b":2,"c":3} → ∅`, `added response.body[0] ∅ → {"a":1,"b":9,"c":9}`}},
		{"one on each side", `[{"a":1,"b":2}]`, `[{"a":8,"b":9}]`, "it can be nothing else", []string{"changed response.body[0].a 1 → 8", "changed response.body[0].b 2 → 9"}},
		{"other spelling", `["Jos\u00e9","x"]`, `["José","x","y"]`, "equal texts whatever their escapes", []string{"added response.body[2] ∅ → y"}},
		{"best pairs as a whole", `[{"a":1,"b":1,"c":1,"d":1},{"a":1,"b":1,"c":1,"d":2}]`, `[{"a":1,"b":1,"c":1,"d":2,"e":1},{"a":1,"b":1,"c":9,"d":1}]`, "each finds the one that it was",
			[]string{"changed response.body[0].c 1 → 9", "added response.body[1].e ∅ → 1", "moved response.body[*] 2 records in order → 1 of them in another place"}},
		{"repeated keys", `[{"id":"a","n":1},{"id":"a","n":2},{"id":"b","n":1}]`, `[{"id":"a","n":2},{"id":"b","n":1}]`, "the equal one stays, whatever its place among those of the key",
			[]string{`removed response.body[0] {"id":"a","n":1} → ∅`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, lines(compare(t, answer("application/json", tc.was), answer("application/json", tc.is)))); d != "" {
				t.Errorf("%s: -want +got\n%s", tc.why, d)
			}
		})
	}
}

// TestRepeatedKeysPairByLikeness declares a key that is not unique: equal ones pair first, then those that are alike.
func TestRepeatedKeysPairByLikeness(t *testing.T) {
	was := `[{"id":"a","n":1,"t":"x"},{"id":"a","n":2,"t":"y"},{"id":"b","n":1,"t":"z"}]`
	is := `[{"id":"a","n":9,"t":"y"},{"id":"b","n":1,"t":"z"},{"id":"a","n":1,"t":"x"}]`
	rule := harness.Rule{At: harness.PathOf(harness.Name("response"), harness.Name("body")), Compare: "keyed", Key: []string{"id"}, Reason: "one line for each"}
	c := compare(t, answer("application/json", was), answer("application/json", is), rule)
	want := []string{"changed response.body[1].n 2 → 9", "moved response.body[*] 3 records in order → 1 of them in another place"}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, "2 records under a key that stands more than once") {
		t.Errorf("notes do not tell of repeated keys: %q", notes)
	}
}

func mustRule(t *testing.T, at, compare string) harness.Rule {
	t.Helper()
	p, err := harness.ParsePath(at)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Rule{At: p, Compare: compare, Reason: "test"}
}

// TestNoiseIsMaskedInEveryAlignment plants one change among records that all carry noise, for each way of aligning.
func TestNoiseIsMaskedInEveryAlignment(t *testing.T) {
	noise := func(i int, salt string) string {
		return fmt.Sprintf(`"stamp":"%s-%d","trace":{"id":"%s%d","hops":[%d,"%s"]}`, salt, i, salt, i*7, i, salt)
	}
	row := func(i, n int, salt string) string {
		return fmt.Sprintf(`{"line":"L%d","of":%d,"n":%d,%s}`, i/2, i%2, n, noise(i, salt))
	}
	list := func(salt string, changed int, order []int) string {
		var rows []string
		for _, i := range order {
			n := i
			if i == changed {
				n = -1
			}
			rows = append(rows, row(i, n, salt))
		}
		return "[" + strings.Join(rows, ",") + "]"
	}
	straight := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	mixed := []int{9, 3, 1, 0, 2, 7, 5, 8, 6, 4}
	for _, tc := range []struct {
		name  string
		order []int
		guide []harness.Rule
		want  []string
	}{
		{"sequence", straight, nil, []string{"changed response.body[6].n 6 → -1"}},
		{"sequence in another order", mixed, nil, []string{"changed response.body[6].n 6 → -1", "moved response.body[*] 10 records in order → 6 of them in another place ×6"}},
		{"set", mixed, []harness.Rule{mustRule(t, "response.body", "set")}, []string{"changed response.body[6].n 6 → -1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := append(tc.guide, mustRule(t, "response.body[*].stamp", "ignore"), mustRule(t, "response.body[*].trace", "ignore"))
			c := compare(t, answer("application/json", list("a", -1, straight)), answer("application/json", list("b", 6, tc.order)), rules...)
			if d := cmp.Diff(tc.want, lines(c)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestKeysAreNotInferredFromNoise(t *testing.T) {
	was := `[{"id":"r1","code":"A","n":1},{"id":"r2","code":"B","n":2},{"id":"r3","code":"C","n":3}]`
	is := `[{"id":"r2","code":"A","n":1},{"id":"r3","code":"B","n":2},{"id":"r1","code":"C","n":4}]`
	ignore := mustRule(t, "response.body[*].id", "ignore")
	c := compare(t, answer("application/json", was), answer("application/json", is), ignore)
	if d := cmp.Diff([]string{"changed response.body[code=C].n 3 → 4"}, lines(c)); d != "" {
		t.Error(d)
	}
}

// TestLargeRemnantsFindTheirPartners changes one member of each of many records without a key and mixes them: likely
// partners are found without comparing all with all.
func TestLargeRemnantsFindTheirPartners(t *testing.T) {
	const n = 3000
	row := func(i, v int) string {
		return fmt.Sprintf(`{"first":"F%d","last":"L%d","street":"%d Lake Road","city":"Harrow","v":%d}`, i%50, i, i%700, v)
	}
	order := rand.New(rand.NewPCG(3, 3)).Perm(n)
	was := joined(n, func(i int) string { return row(i, 0) })
	is := joined(n, func(i int) string { return row(order[i], 1) })
	c := compare(t, answer("application/json", was), answer("application/json", is), harness.Rule{At: mustRule(t, "response.body[*].last", "").At, Compare: "pattern", Pattern: "L[0-9]+", Reason: "drawn anew"})
	classes := map[harness.ChangeClass]int{}
	for _, d := range c.Differences {
		classes[d.Class] += d.Count
	}
	if classes[harness.Added]+classes[harness.Removed] > 0 || classes[harness.Changed] != n {
		t.Errorf("%v for %d records that changed in one member", classes, n)
	}
}

// TestAssignmentIsTheBestThereIs compares with a search through all assignments.
func TestAssignmentIsTheBestThereIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, m := 1+r.IntN(5), 1+r.IntN(6)
		var list []likely
		score := map[indexPair]float64{}
		for i := range n {
			for j := range m {
				if s := 0.5 + r.Float64()/2; r.IntN(3) > 0 {
					list = append(list, likely{indexPair{i, j}, s})
					score[indexPair{i, j}] = s
				}
			}
		}
		got, taken := 0.0, map[int]bool{}
		pairs := assignment(list, n, m)
		slices.SortFunc(pairs, indexPair.byWas)
		for i, p := range pairs {
			if taken[p.is] || i > 0 && pairs[i-1].was == p.was || score[p] == 0 {
				t.Fatalf("no assignment: %v of %v", pairs, list)
			}
			taken[p.is] = true
			got += score[p]
		}
		if want := bestSum(score, n, m, 0, map[int]bool{}); got < want-1e-5 {
			t.Fatalf("%v has the sum %v, there is one of %v", pairs, got, want)
		}
	}
}

func bestSum(score map[indexPair]float64, n, m, i int, taken map[int]bool) float64 {
	if i == n {
		return 0
	}
	best := bestSum(score, n, m, i+1, taken)
	for j := range m {
		if s := score[indexPair{i, j}]; s > 0 && !taken[j] {
			taken[j] = true
			best = max(best, s+bestSum(score, n, m, i+1, taken))
			taken[j] = false
		}
	}
	return best
}

func TestLikeness(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want float64
		why  string
	}{
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, 1, "member order is free"},
		{`{"a":1,"b":2}`, `{"a":1,"b":3}`, 0.5, "one of two members"},
		{`{"a":1}`, `{"a":1,"b":1,"c":1,"d":1}`, 0.25, "of the larger one's members"},
		{`{"a":1,"b":[1,2,3,4]}`, `{"a":1,"b":[1,2,3,5]}`, 0.875, "a list shares the weight of its member"},
		{`{"a":1}`, `{"b":1}`, 0, "names count"},
		{`{"a":1}`, `{"a":"1"}`, 0, "types count"},
		{`{"a":1}`, `[1]`, 0, "kinds count"},
		{`"due on the 5th"`, `"due on the 6th"`, 0.75, "three of four words"},
		{`{"a":[]}`, `{"a":{}}`, 0, "an empty list is no empty object"},
	} {
		profiles := func(s string) profile {
			doc, err := payload.ParseJSON([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			return profiler{}.profiles([]payload.Node{doc.Root()})[0]
		}
		a, b := profiles(tc.a), profiles(tc.b)
		if there, back := likeness(a, b), likeness(b, a); there != back || there < tc.want-1e-9 || there > tc.want+1e-9 {
			t.Errorf("%s and %s: %v and %v, want %v: %s", tc.a, tc.b, there, back, tc.want, tc.why)
		}
	}
}
