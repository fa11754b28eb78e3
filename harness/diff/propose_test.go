package diff

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// repeated compares the first body with each of the others, as repeated runs of a baseline are.
func repeated(t *testing.T, bodies ...string) []*harness.Comparison {
	t.Helper()
	var list []*harness.Comparison
	for _, b := range bodies[1:] {
		list = append(list, compare(t, answer("application/json", bodies[0]), answer("application/json", b)))
	}
	return list
}

func TestNoiseIsProposedInItsTightestForm(t *testing.T) {
	for _, tc := range []struct {
		name, compare, pattern, why string
		values                      []string
	}{
		{"time stamps", "instant", "", "one layout", []string{"2026-10-05T09:00:00Z", "2026-10-05T09:00:07Z", "2026-10-06T10:00:00Z"}},
		{"days", "pattern", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day is data until somebody says otherwise, but its form is known", []string{"2026-10-05", "2026-10-06"}},
		{"numbered", "pattern", "INV-[0-9]{4}", "letters that never vary belong to the form", []string{"INV-0012", "INV-0977"}},
		{"UUIDs", "pattern", "[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}", "letters and digits in any order",
			[]string{"6f9619ff-8b86-d011-b42d-00c04fc964ff", "16fd2706-8baf-433b-82eb-8c7fada847da", "a3bb189e-8bf9-3888-9912-ace4e6543002"}},
		{"base64 for URLs", "pattern", "[0-9A-Za-z_-]{12}", "marks in any order", []string{"spoxcxn0AUoG", "lzGA_3F8RZUZ", "-fP-DzoO5zlX"}},
		{"base64", "pattern", "[0-9A-Za-z+/]{10}==", "padding is at the end", []string{"c3BveGN4bg==", "bHpH+R8/Wg=="}},
		{"counters of growing length", "pattern", "[0-9]{1,3}", "lengths that were seen", []string{"9", "10", "101"}},
		{"prose", "pattern", "(?s).{5,11}", "no common form but the length", []string{"a b c", "hello, you!"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var bodies []string
			for _, v := range tc.values {
				bodies = append(bodies, fmt.Sprintf(`{"v":%q}`, v))
			}
			proposals, unruly := Propose(repeated(t, bodies...))
			if len(proposals) != 1 || len(unruly) != 0 {
				t.Fatalf("%+v, %+v", proposals, unruly)
			}
			p := proposals[0]
			if p.Rule.Compare != tc.compare || p.Rule.Pattern != tc.pattern {
				t.Errorf("%s: %s %q, want %s %q", tc.why, p.Rule.Compare, p.Rule.Pattern, tc.compare, tc.pattern)
			}
			if err := CheckRule(p.Rule); err != nil {
				t.Errorf("the proposal is no rule: %v", err)
			}
			if p.In != len(tc.values)-1 || p.Runs != len(tc.values)-1 {
				t.Errorf("varied in %d of %d", p.In, p.Runs)
			}
		})
	}
}

// TestNoiseOfHeadsIsProposedOnce has a field of one form in two operations, and one whose form is another in each.
func TestNoiseOfHeadsIsProposedOnce(t *testing.T) {
	changed := func(at, operation, was, is string) harness.Difference {
		path, err := harness.ParsePath(at)
		if err != nil {
			t.Fatal(err)
		}
		return harness.Difference{Operation: operation, Pattern: path, Path: path, Class: harness.Changed, Count: 1,
			Was: harness.Value{Kind: harness.KindString, Text: was}, Is: harness.Value{Kind: harness.KindString, Text: is}}
	}
	proposals, _ := Propose([]*harness.Comparison{{Differences: []harness.Difference{
		changed("response.head.X-Request-Id", "GET /a", "spoxcxn0AUoG", "lzGAq3F8RZUZ"), changed("response.head.X-Request-Id", "GET /b", "-fP-DzoO5zlX", "lzGA_3F8RZUQ"),
		changed("response.head.Age", "GET /a", "17", "18"), changed("response.head.Age", "GET /b", "7 s", "8 s"), changed("response.head[\":status\"]", "GET /a", "200", "201"),
		changed("response.head[\":status\"]", "GET /b", "200", "202"), changed("response.body.id", "GET /a", "1", "2"), changed("response.body.id", "GET /b", "3", "4"),
	}}})
	var got []string
	for _, p := range proposals {
		got = append(got, fmt.Sprintf("%s of %q: %s, %d", p.Rule.At, p.Rule.Operation, p.Rule.Pattern, p.Varied))
	}
	want := []string{`response.body.id of "GET /a": [0-9], 1`, `response.head.:status of "GET /a": [0-9]{3}, 1`, `response.head.Age of "GET /a": [0-9]{2}, 1`,
		`response.head.X-Request-Id of "": [0-9A-Za-z_-]{12}, 2`,
		`response.body.id of "GET /b": [0-9], 1`, `response.head.:status of "GET /b": [0-9]{3}, 1`, `response.head.Age of "GET /b": [0-9] s, 1`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestRegressionInsideNoiseIsFound applies the proposals of quiet runs to a run in which the noisy field itself broke.
func TestRegressionInsideNoiseIsFound(t *testing.T) {
	proposals, _ := Propose(repeated(t, `{"at":"2026-10-05T09:00:00Z","id":"A-0001"}`, `{"at":"2026-10-05T09:00:09Z","id":"A-0317"}`))
	var rules []harness.Rule
	for _, p := range proposals {
		rules = append(rules, p.Rule)
	}
	for _, tc := range []struct {
		is, why string
		want    []string
	}{
		{`{"at":"2026-10-05T11:30:00Z","id":"A-0999"}`, "noise as before", nil},
		{`{"at":"2026-10-05 11:30:00","id":"A-0999"}`, "the format of the time stamp changed", []string{"changed response.body.at 2026-10-05T09:00:00Z → 2026-10-05 11:30:00"}},
		{`{"at":"2026-10-05T11:30:00Z","id":"A-99"}`, "the id became shorter", []string{"changed response.body.id A-0001 → A-99"}},
		{`{"at":1791192600,"id":"A-0999"}`, "the type changed", []string{"type response.body.at 2026-10-05T09:00:00Z → 1791192600"}},
		{`{"id":"A-0999"}`, "the field is gone", []string{"removed response.body.at 2026-10-05T09:00:00Z → ∅"}},
	} {
		c := compare(t, answer("application/json", `{"at":"2026-10-05T09:00:00Z","id":"A-0001"}`), answer("application/json", tc.is), rules...)
		if d := cmp.Diff(tc.want, lines(c)); d != "" {
			t.Errorf("%s: %s", tc.why, d)
		}
	}
}

func TestPresenceThatVariesIsNoNoise(t *testing.T) {
	proposals, unruly := Propose(repeated(t, `{"a":1}`, `{"a":1,"trace":"x"}`, `{"a":"1"}`))
	want := []Unruly{
		{"GET /students", "response.body.a", harness.Retyped, 1},
		{"GET /students", "response.body.trace", harness.Added, 1},
	}
	if d := cmp.Diff(want, unruly); d != "" || len(proposals) > 0 {
		t.Errorf("%v %s", proposals, d)
	}
}
