package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestFieldsThatStandElsewhere(t *testing.T) {
	many := func(form func(i int) string) []harness.Exchange {
		var list []harness.Exchange
		for i := range 8 {
			list = append(list, ask(fmt.Sprintf("s%d", i), form(i)))
		}
		return list
	}
	first := func(i int) string { return []string{"Nora", "Tom", "Ida", "Ravi"}[i%4] }
	flat := func(i int) string {
		return fmt.Sprintf(`{"id":"A-%d","student":{"name":"%s","term":"2026%d"}}`, i, surnameOf(i), 40+i%4)
	}
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
		want          []string
		says          string
	}{
		{"moved into an object that was there", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","term":"T%d","plan":{"code":"P"}}`, i, i) }),
			many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","plan":{"code":"P","term":"T%d"}}`, i, i) }), []string{"F02 review 8/8 calls ×16"}, `"term" moved to "plan.term"`},
		{"moved into an object that came", many(flat), many(func(i int) string {
			return fmt.Sprintf(`{"id":"A-%d","student":{"name":"%s"},"entry":{"term":"2026%d"}}`, i, surnameOf(i), 40+i%4)
		}), []string{"F02 review 8/8 calls ×16"}, `"student.term" moved to "entry.term"`},
		{"two members of one object moved", many(flat), many(func(i int) string {
			return fmt.Sprintf(`{"id":"A-%d","entry":{"name":"%s","term":"2026%d"}}`, i, surnameOf(i), 40+i%4)
		}), []string{"F02 review 8/8 calls ×16"}, ""},
		{"moved with a new member beside it", many(flat), many(func(i int) string {
			return fmt.Sprintf(`{"id":"A-%d","student":{"name":"%s"},"entry":{"term":"2026%d","kind":"x"}}`, i, surnameOf(i), 40+i%4)
		}), []string{"F03 review 8/8 calls ×8", "F13 benign 8/8 calls ×8"}, ""},
		{"one value became another one on the way", many(flat), many(func(i int) string {
			return fmt.Sprintf(`{"id":"A-%d","student":{"name":"%s"},"entry":{"term":"2026%d"}}`, i, surnameOf(i), 40+max(i, 1)%4)
		}), []string{"F03 review 8/8 calls ×8", "F13 benign 8/8 calls ×8"}, ""},
		{"taken apart", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","name":"%s %s"}`, i, first(i), surnameOf(i)) }),
			many(func(i int) string {
				return fmt.Sprintf(`{"id":"A-%d","given":"%s","family":"%s"}`, i, first(i), surnameOf(i))
			}), []string{"F02 review 8/8 calls ×24"}, `"name" was taken apart into "given" and "family"`},
		{"put together", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","term":"2026%d","crn":"0%d"}`, i, 40+i%4, 100+i) }),
			many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","section":"2026%d-0%d"}`, i, 40+i%4, 100+i) }), []string{"F02 review 8/8 calls ×24"}, `"term" and "crn" were put together as "section"`},
		{"a constant moved under its name", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","code":"P"}`, i) }),
			many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","details":{"code":"P"}}`, i) }), []string{"F02 review 8/8 calls ×16"}, `"code" moved to "details.code"`},
		{"null moved as well", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","code":%s}`, i, []string{"null", `"P"`}[i%2]) }),
			many(func(i int) string {
				return fmt.Sprintf(`{"id":"A-%d","details":{"code":%s}}`, i, []string{"null", `"P"`}[i%2])
			}), []string{"F02 review 8/8 calls ×16"}, `"code" moved to "details.code"`},
		{"a constant that is gone and one that came", many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","a":{"x":"0"},"b":{"k":1}}`, i) }),
			many(func(i int) string { return fmt.Sprintf(`{"id":"A-%d","a":{},"b":{"k":1,"y":"0"}}`, i) }), []string{"F03 review 8/8 calls ×8", "F13 benign 8/8 calls ×8"}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, comparison := explained(t, c.before, c.after, nil, nil)
			claimedOnce(t, comparison, findings)
			if got := briefs(findings); !slices.Equal(got, c.want) || c.says != "" && !strings.Contains(findings[0].Sentence, c.says) {
				t.Errorf("got %q, want %q\n%s", got, c.want, words(findings))
			}
		})
	}
}
