package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/harness/invariant"
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
	var unseen []string
	if k.Breaches, unseen, err = invariant.Breaches(before, after, slices.Concat(k.Scenario.Invariants, k.Integration.Invariants), k.Now); err != nil {
		return nil, nil, err
	}
	k.Comparison.Notes = slices.Concat(k.Comparison.Notes, expired(strictness, k), idle(k.Scenario.Invariants, unseen), brokenBefore(k.Breaches))
	findings, err := explain.Findings(k)
	return k.Comparison, findings, err
}

// brokenBefore names the invariants that the baseline breaks as well: they say nothing about the change. Rules from
// outside are left out, for these must be followed whatever was before.
func brokenBefore(breaches []harness.Breach) []string {
	var notes []string
	for _, b := range breaches {
		if b.Before && b.After && b.Invariant.Kind != explain.RuleFromOutside {
			notes = append(notes, fmt.Sprintf("invariant %s does not hold in %s before and after (%s); it says nothing about this change", b.Invariant.Name, b.Operation, b.Says))
		}
	}
	return notes
}

// idle names the scenario's own invariants of which there was no message; those of the integration may be about other
// scenarios.
func idle(own []harness.Invariant, unseen []string) []string {
	var notes []string
	for _, in := range own {
		if slices.Contains(unseen, in.Name) {
			notes = append(notes, fmt.Sprintf("invariant %s: no message is of operation %s, so nothing was looked at", in.Name, strings.Join(in.Operations, " or ")))
		}
	}
	return notes
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
