package harnesstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
)

// Bounds of what a failed test shows.
const (
	maxShown = 40  // differences
	maxText  = 160 // characters of a value
)

// Same fails the test when the recordings differ beside what the rules take away, and lists the differences. A
// comparison that proves nothing fails too: of recordings without exchanges, of one that lost some, under a rule that
// matches nothing or whose last day is over.
func Same(t testing.TB, before, after harness.Recording, rules ...harness.Rule) {
	t.Helper()
	for _, r := range rules {
		if err := diff.CheckRule(r); err != nil {
			fatal(t, err)
		}
	}
	c, err := diff.Recordings(before, after, diff.Options{Rules: rules, Now: time.Now()})
	if err != nil {
		fatal(t, err)
	}
	for _, doubt := range doubts(c) {
		t.Errorf("the comparison proves nothing: %s", doubt)
	}
	if n := len(c.Differences); n > 0 {
		t.Errorf("the recordings differ (%d):\n%s", n, list(c.Differences))
	}
}

// doubts are the reasons why a comparison without differences would not be a success.
func doubts(c *harness.Comparison) []string {
	var all []string
	if c.Exchanges[0]+c.Exchanges[1] == 0 {
		all = append(all, "both recordings are empty")
	}
	for i, rec := range []harness.Recording{c.Before, c.After} {
		if counts := rec.Manifest().Counts; !counts.Complete() {
			all = append(all, fmt.Sprintf("the recording %s lost something: %d exchanges broke off, %d were dropped",
				[]string{"before", "after"}[i], counts.Incomplete, counts.Dropped))
		}
	}
	for _, r := range c.Unused {
		all = append(all, fmt.Sprintf("the rule at %s matches nothing", r.At))
	}
	for _, r := range c.Expired {
		all = append(all, fmt.Sprintf("the rule at %s held until %s", r.At, r.Until))
	}
	return all
}

func list(differences []harness.Difference) string {
	var b strings.Builder
	for i, d := range differences {
		if i == maxShown {
			fmt.Fprintf(&b, "  and %d more\n", len(differences)-i)
			break
		}
		fmt.Fprintf(&b, "  %s %s\n      %s: %s", d.Exchange, d.Operation, d.Path, d.Class)
		if d.Class != harness.MissingCall && d.Class != harness.ExtraCall {
			fmt.Fprintf(&b, ": %s → %s", show(d.Was), show(d.Is))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// show quotes a value, because it comes from what was recorded.
func show(v harness.Value) string {
	if v.IsAbsent() {
		return "nothing"
	}
	text := []rune(v.Text)
	if len(text) > maxText {
		text = append(text[:maxText], '…')
	}
	if v.Kind == harness.KindString {
		return fmt.Sprintf("%q", string(text))
	}
	return fmt.Sprintf("%s %q", v.Kind, string(text))
}

// Place reads a path or a pattern, as a rule has it, and panics when it is not one.
func Place(path string) harness.Path {
	p, err := harness.ParsePath(path)
	if err != nil {
		panic(err)
	}
	return p
}

// Exact lets go-cmp compare exchanges and what they are made of: bodies by their bytes, wherever they are kept, and
// paths by their text. A body that cannot be read is a panic, as go-cmp has no errors.
func Exact() cmp.Option {
	return cmp.Options{
		cmp.Transformer("Bytes", func(b harness.Body) string {
			bytes, err := b.Bytes()
			if err != nil {
				panic(err) // two bodies that cannot be read are not the same
			}
			return string(bytes)
		}),
		cmp.Transformer("Text", func(p harness.Path) string { return p.String() }),
	}
}

// Ruled lets go-cmp take exchanges for equal when nothing differs between them beside what the rules take away, such as
// those of a scenario: see [RulesOf]. A rule that cannot be understood is a panic, as go-cmp has no errors.
func Ruled(rules ...harness.Rule) cmp.Option {
	for _, r := range rules {
		if err := diff.CheckRule(r); err != nil {
			panic(err)
		}
	}
	now := time.Now() // one moment for all comparisons, or a rule could end between two
	return cmp.Comparer(func(a, b harness.Exchange) bool {
		one := func(x harness.Exchange) harness.Recording { return harness.NewMemory(harness.Manifest{}, x) }
		c, err := diff.Recordings(one(a), one(b), diff.Options{Rules: rules, Now: now})
		if err != nil {
			panic(err) // two exchanges that cannot be read are not the same
		}
		return len(c.Differences) == 0
	})
}

// RulesOf is the rules of a scenario, those of its files included.
func RulesOf(t testing.TB, file string) []harness.Rule {
	t.Helper()
	_, scenario := openScenario(t, file)
	return scenario.Rules
}
