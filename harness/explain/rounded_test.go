package explain

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestRoundingIsOneRule checks that zeros behind the point belong to the rounding which takes away other decimals beside
// them, in texts and in numbers, and are told as lost zeros where nothing else is lost.
func TestRoundingIsOneRule(t *testing.T) {
	hours := []string{"3.00", "2.50", "4.00", "1.50", "3.00", "4.00", "0.75", "3.00", "1.25", "2.00", "3.75", "4.00"}
	whole := []string{"3", "3", "4", "2", "3", "4", "1", "3", "1", "2", "4", "4"}
	texts := func(list []string) []harness.Exchange {
		return xs(in(rewritten(func(i int) string { return list[i] })))
	}
	numbers := func(list []string) []harness.Exchange {
		var bodies []string
		for _, h := range list {
			bodies = append(bodies, fmt.Sprintf(`{"hours":%s}`, h))
		}
		return askMany(bodies...)
	}
	zeros := []string{"3.00", "2.00", "4.00", "1.50"}
	for _, c := range []struct {
		name          string
		before, after []harness.Exchange
		want          []string
	}{
		{"texts", texts(hours), texts(whole), []string{"F19 breaking 12/12 rows ×12"}},
		{"numbers", numbers(hours), numbers(whole), []string{"F19 breaking 5/12 calls ×12"}},
		{"zeros only", numbers(zeros), numbers([]string{"3", "2", "4", "1.5"}), []string{"F19 benign 4/4 calls ×4"}},
	} {
		findings, comparison := explained(t, c.before, c.after, nil, nil)
		claimedOnce(t, comparison, findings)
		if got := briefs(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v\n%s", c.name, got, c.want, words(findings))
		}
	}
}
