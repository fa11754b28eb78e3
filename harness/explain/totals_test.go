package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// A total that changed because its lines did belongs to their cause; another number does not.
func TestTotalFollowsItsLines(t *testing.T) {
	bill := func(fee, total, other int) []harness.Exchange {
		var lines []string
		for i := range 6 {
			lines = append(lines, fmt.Sprintf(`{"no":"L%d","amount":%d,"seats":%d}`, i, 100+17*i+fee, i))
		}
		return xs(ask("s1", fmt.Sprintf(`{"lines":[%s],"total":%d,"count":%d}`, strings.Join(lines, ","), total, other)))
	}
	const sum = 6*100 + 17*15
	for _, c := range []struct {
		why           string
		before, after []harness.Exchange
		want          []string
	}{
		{"the sum follows", bill(0, sum, 6), bill(250, sum+6*250, 6), []string{"F19 breaking 6/6 records ×7"}},
		{"a sum that does not hold now", bill(0, sum, 6), bill(250, sum+6*250+1, 6), []string{"F19 breaking 6/6 records ×6", "F00 review 1/1 calls ×1"}},
		{"a number that was no sum", bill(0, sum+5, 6), bill(250, sum+6*250+5, 6), []string{"F19 breaking 6/6 records ×6", "F00 review 1/1 calls ×1"}},
		{"another number beside the sum", bill(0, sum, 6), bill(250, sum+6*250, 7), []string{"F19 breaking 6/6 records ×7", "F00 review 1/1 calls ×1"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			findings, comparison := explained(t, c.before, c.after, nil, nil)
			claimedOnce(t, comparison, findings)
			var got []string
			for _, f := range findings {
				got = append(got, brief(f))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q\n%s", got, c.want, words(findings))
			}
			if strings.HasSuffix(c.want[0], "×7") && !strings.Contains(words(findings), `"total" follows in 1 of 1 call: it is the sum of "amount", before and now.`) {
				t.Errorf("the total is not named\n%s", words(findings))
			}
		})
	}
}
