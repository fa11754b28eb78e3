package harness_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "key", 3},
		{"key", "", 3},
		{"key", "key", 0},
		{"polcy", "policy", 1},
		{"polciy", "policy", 2},
		{"kitten", "sitting", 3},
		{strings.Repeat("a", 65), strings.Repeat("a", 65), 64},
	} {
		if got := harness.EditDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
