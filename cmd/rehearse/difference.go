package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
)

func (a *app) diffVerb() verb {
	var output, out, rules string
	var verbose, mask bool
	return verb{
		use: "diff BEFORE AFTER", short: "compare two recordings and explain the differences",
		exits:   []int{exitNeedsPerson, exitRefused, exitInconclusive},
		long:    "Diff compares two sealed recordings. With --rules, the rules and expected changes of a scenario hold.",
		example: "rehearse diff fixtures/crm-sis .rehearse/runs/20261005T140000.000-preview/recording",
		flags: func(set *pflag.FlagSet) {
			addReportFlags(set, &output, &out, &verbose, &mask)
			set.StringVar(&rules, "rules", "", "`scenario` whose rules, expected changes and owners hold")
		},
		run: func(_ context.Context, args []string) error {
			if err := checkKind(output); err != nil {
				return err
			}
			r, err := a.compare(args[0], args[1], rules)
			if err != nil {
				return err
			}
			if err := a.show(r, output, out, report.Options{Verbose: verbose, Mask: mask}); err != nil {
				return err
			}
			return verdictError(r.Verdict, harness.Review)
		},
	}
}

// compare makes the report of two recordings on disk.
func (a *app) compare(before, after, rules string) (*harness.Report, error) {
	defer a.thrifty()()
	started := a.now()
	var scenario harness.Scenario
	var catalogue harness.Catalogue
	if rules != "" {
		ws, s, err := openScenario(rules)
		if err != nil {
			return nil, err
		}
		scenario, catalogue = s, ws.Catalogue()
	}
	sides := make([]*fixtures.Recording, 2)
	for i, dir := range []string{before, after} {
		rec, err := fixtures.Open(dir)
		if err != nil {
			return nil, err
		}
		if err := rec.RequireSealed(); err != nil {
			return nil, err
		}
		sides[i] = rec
	}
	integration := catalogue.Integrations[scenario.Integration]
	c, findings, err := rehearsal.Compare(sides[0], sides[1], explain.Case{Scenario: scenario, Catalogue: catalogue, Now: started})
	if err != nil {
		return nil, err
	}
	r := &harness.Report{
		Run: runID(started, "diff"), Scenario: before + " → " + after, File: manifestFile(after), Integration: scenario.Integration, Title: integration.Title,
		Owner: catalogue.PersonName(integration.Owner), Steward: catalogue.PersonName(integration.Steward), Tool: a.tool(),
		Started: started.UTC(), Took: a.now().Sub(started), Clock: started.UTC(), Target: "two recordings",
		Before: sideOf(before, sides[0]), After: sideOf(after, sides[1]), Findings: findings,
		Records: c.Records, Suppressed: c.Suppressed, Unused: c.Unused, Expired: c.Expired, Notes: c.Notes,
	}
	if c.Exchanges[0]+c.Exchanges[1] == 0 {
		r.Verdict, r.Reason = harness.NoConclusion, "Both recordings are empty: there is nothing to compare."
	}
	r.Judge()
	return r, nil
}

// manifestFile names the manifest of a recording below this folder, at which findings point: a comparison without a run
// has no scenario file.
func manifestFile(dir string) string {
	if !filepath.IsLocal(dir) {
		return ""
	}
	return filepath.ToSlash(filepath.Join(dir, "recording.yaml"))
}

func sideOf(name string, rec *fixtures.Recording) harness.Side {
	return harness.Side{Name: name, Digest: rec.Digest(), Exchanges: rec.Len(), Manifest: rec.Manifest()}
}
