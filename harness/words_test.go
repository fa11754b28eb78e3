package harness_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestCountsAgreeWithTheirNouns(t *testing.T) {
	for _, c := range []struct {
		n    int
		noun string
		want string
	}{
		{0, "row", "0 rows"}, {1, "row", "1 row"}, {2, "row", "2 rows"}, {2, "entry", "2 entries"}, {3, "day", "3 days"}, {2, "person", "2 people"},
		{2, "address", "2 addresses"}, {1, "recorded answer", "1 recorded answer"}, {5, "recorded answer", "5 recorded answers"}, {-1, "day", "-1 days"},
	} {
		if got := harness.Count(c.n, c.noun); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
