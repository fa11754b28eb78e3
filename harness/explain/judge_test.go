package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// phoneGone is three applicants without the phone that they had.
func phoneGone(t *testing.T, setup func(*Case)) harness.Finding {
	t.Helper()
	number := func(i int) string { return fmt.Sprintf(`{"number":"A-%d"}`, i) }
	findings, _ := explained(t, applicants(member("phone", always(`"555-0100"`)), number, "201"), applicants(number, number, "201"), nil, setup)
	if len(findings) != 1 {
		t.Fatalf("%d findings, want one:\n%s", len(findings), words(findings))
	}
	return findings[0]
}

func override(o harness.SeverityOverride) func(*Case) {
	o.Reason, o.Owner = "the phone is not used any more.", "leon"
	return func(c *Case) { c.Integration.Severity.Overrides = []harness.SeverityOverride{o} }
}

func TestDecisionsGoBeforeTheTable(t *testing.T) {
	later, past := day("2026-12-31"), day("2026-10-04")
	for _, tt := range []struct {
		why   string
		setup func(*Case)
		want  harness.Verdict
		says  string
	}{
		{"nobody is seen to read the field", nil, harness.Review, "S48"},
		{"the mapping reads it", func(c *Case) { c.Reads = harness.Reads{Known: true, Names: map[string]bool{"phone": true}} }, harness.Breaking, "S01"},
		{"the mapping does not read it, and nobody is tolerant", func(c *Case) { c.Reads.Known = true }, harness.Review, "S48"},
		{"the mapping does not read it", func(c *Case) { c.Reads.Known, c.Integration.Severity.Profile = true, harness.ProfileTolerant }, harness.Benign, "S48"},
		{"the mapping cannot be looked into", func(c *Case) { c.Integration.Severity.Profile = harness.ProfileTolerant }, harness.Review, "S48"},
		{"the scenario's profile goes first", func(c *Case) {
			c.Reads.Known, c.Integration.Severity.Profile, c.Scenario.Severity.Profile = true, harness.ProfileTolerant, harness.ProfileTyped
		}, harness.Review, "S48"},
		{"decided for the place", override(harness.SeverityOverride{At: at("response.body.phone"), Verdict: harness.Benign, Until: later}), harness.Benign,
			"benign instead of review by decision of Leon Achebe until 2026-12-31: the phone is not used any more."},
		{"decided for all of the body", override(harness.SeverityOverride{At: at("response.body"), Verdict: harness.Breaking, Until: later}), harness.Breaking, "breaking instead of review"},
		{"its day has passed", override(harness.SeverityOverride{At: at("response.body.phone"), Verdict: harness.Benign, Until: past}), harness.Review, "S48"},
		{"decided for another place", override(harness.SeverityOverride{At: at("response.body.email"), Verdict: harness.Benign, Until: later}), harness.Review, "S48"},
		{"decided for another kind", override(harness.SeverityOverride{At: at("response.body.phone"), Kind: "F01", Verdict: harness.Benign, Until: later}), harness.Review, "S48"},
		{"decided for another operation", override(harness.SeverityOverride{At: at("response.body.phone"), Operation: "*.csv", Verdict: harness.Benign, Until: later}), harness.Review, "S48"},
	} {
		f := phoneGone(t, tt.setup)
		if f.Verdict != tt.want || !strings.Contains(f.Severity, tt.says) {
			t.Errorf("%s: %s (%s), want %s (%s)", tt.why, f.Verdict, f.Severity, tt.want, tt.says)
		}
	}
}

func TestSeverityIsTheReasonOfTheVerdictOrNothing(t *testing.T) {
	old := xs(in(registrations("")), out(enrollments(active)))
	lost, _ := explained(t, old, xs(in(registrations("RH", 3, 17)), out(enrollments(but("", 3, 17)))), nil, withCrosswalk(true, "RE", "RW", "AU", "WL"))
	if len(lost) != 1 || lost[0].Verdict != harness.Breaking || lost[0].Severity != "" {
		t.Errorf("rows were seen to be lost, which no table says: %s", lost[0].Severity)
	}
	caught, _ := explained(t, old, xs(in(registrations("RH", 3, 17)), out(enrollments(active))), nil, withCrosswalk(true, "RE", "RW", "AU", "WL"))
	if len(caught) != 1 || !strings.HasPrefix(caught[0].Severity, "S39: ") {
		t.Errorf("the table decides: %s", caught[0].Severity)
	}
}

func TestDecisionDoesNotSilenceWhatFollowsElsewhere(t *testing.T) {
	terms := quoted(term)
	setup := override(harness.SeverityOverride{At: at("response.body.start_term"), Verdict: harness.Benign, Until: day("2026-12-31")})
	number := func(i int) string { return fmt.Sprintf(`{"number":"A-%d"}`, i) }
	findings, _ := explained(t, applicants(member("start_term", terms), member("termCode", terms), "201"),
		applicants(number, member("termCode", always("null")), "422"), nil, setup)
	if len(findings) != 1 || findings[0].Verdict != harness.Breaking {
		t.Errorf("the calls that fail were not decided about:\n%s", words(findings))
	}
}
