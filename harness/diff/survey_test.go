package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// answers is a recording of one session that asks for the same again and again; body i is the i-th answer.
func answers(bodies ...string) *harness.Memory {
	var calls []harness.Exchange
	for _, b := range bodies {
		calls = append(calls, call("s1", "GET", "/students", "application/json", b))
	}
	return harness.NewMemory(harness.Manifest{}, calls...)
}

// TestTheSamePlaceHasTheSameKeyInAllExchanges gives answers that each alone would suggest another key.
func TestTheSamePlaceHasTheSameKeyInAllExchanges(t *testing.T) {
	was := answers(
		`[{"code":"A","crn":1,"n":1},{"code":"B","crn":2,"n":1}]`,                            // code is unique here, and ranks first
		`[{"code":"A","crn":3,"n":1},{"code":"A","crn":4,"n":1},{"code":"A","crn":5,"n":1}]`, // but not here
		`[{"code":"C","crn":6,"n":1}]`)
	is := answers(
		`[{"code":"A","crn":1,"n":2},{"code":"B","crn":2,"n":1}]`,
		`[{"code":"A","crn":4,"n":1},{"code":"A","crn":3,"n":3},{"code":"A","crn":5,"n":1}]`,
		`[{"code":"C","crn":6,"n":2},{"code":"C","crn":7,"n":1}]`)
	c := compare(t, was, is)
	want := []string{"changed response.body[crn=1].n 1 → 2", "changed response.body[crn=3].n 1 → 3",
		"moved response.body[*] 3 records in order → 1 of them in another place", "changed response.body[crn=6].n 1 → 2",
		`added response.body[crn=7] ∅ → {"code":"C","crn":7,"n":1}`}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	note := []string{"GET /students response.body: records aligned by crn (inferred: unique on both sides, over 3 lists; pin with {at: response.body, compare: keyed, key: [crn], reason: …})"}
	if d := cmp.Diff(note, c.Notes); d != "" {
		t.Errorf("the key is not said once, with the rule that pins it: %s", d)
	}
}

func TestListsWithinRecordsHaveOneKey(t *testing.T) {
	record := func(id, rows string) string { return fmt.Sprintf(`{"id":%q,"rows":[%s]}`, id, rows) }
	was := answer("application/json", "["+record("a", `{"code":"x","seq":1,"v":1}`)+","+record("b", `{"code":"x","seq":1,"v":1},{"code":"x","seq":2,"v":1}`)+","+record("c", "")+"]")
	is := answer("application/json", "["+record("a", `{"code":"x","seq":1,"v":2}`)+","+record("b", `{"code":"x","seq":2,"v":1},{"code":"x","seq":1,"v":2}`)+","+record("c", `{"code":"y","seq":1,"v":1}`)+"]")
	c := compare(t, was, is)
	want := []string{"changed response.body[id=a].rows[code=x,seq=1].v 1 → 2", "changed response.body[id=b].rows[code=x,seq=1].v 1 → 2",
		"moved response.body[id=b].rows[*] 2 records in order → 1 of them in another place", `added response.body[id=c].rows[code=y,seq=1] ∅ → {"code":"y","seq":1,"v":1}`}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, `pin with {at: "response.body[*].rows", compare: keyed, key: [code, seq], reason: …}`) {
		t.Errorf("notes do not tell how to pin the key: %q", c.Notes)
	}
}

// TestMembersThatAreUniqueWithoutTheNameOfAKey pairs by a member that is unique beyond chance, and does not lose the
// records whose value changed.
func TestMembersThatAreUniqueWithoutTheNameOfAKey(t *testing.T) {
	row := func(i, who int) string { return fmt.Sprintf(`{"who":"P%03d","a":%d,"b":"x","c":"y"}`, who, i) }
	was := joined(60, func(i int) string { return row(0, i) })
	is := joined(60, func(i int) string {
		if i == 30 {
			return row(0, 999)
		}
		return row(i, i) // nearly every record changed, so that no record equals its old self
	})
	c := compare(t, answer("application/json", was), answer("application/json", is))
	if facts(c) != 59 || !strings.Contains(strings.Join(lines(c), "\n"), "changed response.body[who=P030].who P030 → P999") {
		t.Errorf("%d differences: %v", facts(c), lines(c))
	}
}

func TestKeysAreNoChance(t *testing.T) {
	for _, tc := range []struct{ name, member, why string }{
		{"amount", `"due":%d.25`, "a fraction is no identifier"},
		{"instant", `"at":"2026-10-05T09:%02d:00Z"`, "a moment is no identifier"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := joined(50, func(i int) string { return fmt.Sprintf(`{"kind":"fee",`+tc.member+`}`, i) })
			is := strings.Replace(list, `"kind":"fee"`, `"kind":"tax"`, 1)
			c := compare(t, answer("application/json", list), answer("application/json", is))
			if d := cmp.Diff([]string{"changed response.body[0].kind fee → tax"}, lines(c)); d != "" {
				t.Errorf("%s: %s", tc.why, d)
			}
		})
	}
}
