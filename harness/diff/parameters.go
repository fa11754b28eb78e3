package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// parameters is the keys of a rule beside those that every rule has, and the comparisons that read them.
var parameters = []struct {
	name  string
	given func(harness.Rule) bool
	by    []string
}{
	{"tolerance", func(r harness.Rule) bool { return r.Tolerance != "" }, []string{"instant", "number"}},
	{"zone", func(r harness.Rule) bool { return r.Zone != "" }, []string{"instant"}},
	{"decimals", func(r harness.Rule) bool { return r.Decimals != nil }, []string{"number"}},
	{"key", func(r harness.Rule) bool { return len(r.Key) > 0 }, []string{"keyed"}},
	{"pattern", func(r harness.Rule) bool { return r.Pattern != "" }, []string{"pattern", "correlated"}},
	{"within", func(r harness.Rule) bool { return r.Within != "" }, []string{"correlated"}},
	{"values", func(r harness.Rule) bool { return len(r.Values) > 0 }, []string{"one-of"}},
}

// checkParameters refuses a parameter that the comparison does not read: who wrote it expects something of it.
func checkParameters(r harness.Rule) error {
	for _, p := range parameters {
		if !p.given(r) || slices.Contains(p.by, r.Compare) {
			continue
		}
		have := "has"
		if len(p.by) > 1 {
			have = "have"
		}
		return fmt.Errorf("rule at %s: %s has no %s: %s %s", r.At, r.Compare, p.name, strings.Join(p.by, " and "), have)
	}
	return nil
}
