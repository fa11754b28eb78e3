package rehearsal

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/explain"
)

// Compare compares two recordings by the rules of the case and explains how they differ. The case comes without its
// comparison and its integration, which follow from the recordings and from its scenario.
func Compare(before, after harness.Recording, k explain.Case) (*harness.Comparison, []harness.Finding, error) {
	k.Integration = k.Catalogue.Integrations[k.Scenario.Integration]
	strictness := k.Scenario.Severity.Over(k.Integration.Severity)
	var err error
	k.Comparison, err = diff.Recordings(before, after, diff.Options{
		Rules: k.Scenario.Rules, Now: k.Now, Exact: strictness.Profile == harness.ProfileBytes,
	})
	if err != nil {
		return nil, nil, err
	}
	k.Comparison.Notes = append(k.Comparison.Notes, expired(strictness, k)...)
	findings, err := explain.Findings(k)
	return k.Comparison, findings, err
}

// expired names the overrides whose day has passed: what they made milder counts again.
func expired(s harness.Severity, k explain.Case) []string {
	var notes []string
	for _, o := range s.Overrides {
		if o.Until.Before(k.Now) {
			notes = append(notes, fmt.Sprintf("the severity override at %s of %s expired on %s and is not applied; renew it or take it out (it said %s: %s)",
				o.At, k.Catalogue.PersonName(o.Owner), o.Until, o.Verdict, o.Reason))
		}
	}
	return notes
}
