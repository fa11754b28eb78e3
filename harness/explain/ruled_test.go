package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestARulePastItsDayNeedsAPerson checks that an expired rule is a finding of its own, and that it hides no cause.
func TestARulePastItsDayNeedsAPerson(t *testing.T) {
	answer := func(jitter int) []harness.Exchange {
		var list []harness.Exchange
		for i := range 5 {
			list = append(list, ask(fmt.Sprintf("s%d", i), fmt.Sprintf(`{"touched":"2026-10-05T09:%02d:%02dZ"}`, i+jitter*i*i, i+7*jitter*(5-i))))
		}
		return list
	}
	rule := harness.Rule{At: at("response.body.touched"), Compare: "instant", Reason: "clock of the server", Ticket: "OPS-7", Until: day("2026-10-01")}
	findings, _ := explained(t, answer(0), answer(1), []harness.Rule{rule}, nil)
	all := words(findings)
	if got := strings.Join(briefs(findings), ", "); !strings.HasPrefix(got, "F44 review") || len(findings) != 2 {
		t.Fatalf("found %s\n%s", got, all)
	}
	for _, part := range []string{"(instant: clock of the server) expired on 2026-10-01", "5 differences that it would have taken away"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q is not said:\n%s", part, all)
		}
	}
	if findings, _ = explained(t, answer(1), answer(1), []harness.Rule{rule}, nil); len(findings) != 1 || !strings.Contains(words(findings), "may not be needed any more") {
		t.Errorf("an expired rule that nothing needs is not told:\n%s", words(findings))
	}
}

func TestValuesThatBreakTheirPairsAreOneFinding(t *testing.T) {
	answer := func(id func(i int) string) []harness.Exchange {
		var list []harness.Exchange
		for i := range 6 {
			list = append(list, ask(fmt.Sprintf("s%d", i), fmt.Sprintf(`{"owner":%q,"backup":%q}`, id(i%3), id((i+1)%3))))
		}
		return list
	}
	rule := harness.Rule{At: at("response.body.*"), Compare: "correlated", Reason: "ids of the test instance"}
	before := answer(func(i int) string { return fmt.Sprintf("A%d", i) })
	after := answer(func(i int) string { return fmt.Sprintf("Z%d", 7*i) })
	if findings, _ := explained(t, before, after, []harness.Rule{rule}, nil); len(findings) > 0 {
		t.Fatalf("values that keep to their pairs are found:\n%s", words(findings))
	}
	after[4].Response.Body = harness.BytesBody([]byte(`{"owner":"Z99","backup":"Z14"}`))
	findings, c := explained(t, before, after, []harness.Rule{rule}, nil)
	claimedOnce(t, c, findings)
	if got := strings.Join(briefs(findings), ", "); got != "F35 breaking 1/6 calls ×1" {
		t.Fatalf("found %s\n%s", got, words(findings))
	}
	if all := words(findings); !strings.Contains(all, `A1 became Z99, but "A1" becomes "Z7" elsewhere`) {
		t.Errorf("the contradiction is not told:\n%s", all)
	}
}
