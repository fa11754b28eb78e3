package main

import (
	"context"
	"maps"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// diffFlags are the flags of diff.
type diffFlags struct {
	output, out, rules string
	verbose, mask      bool
	expect             []string
	plain              plainFlags
}

func (a *app) diffVerb() verb {
	var f diffFlags
	return verb{
		use: "diff BEFORE AFTER", short: "compare two recordings, files or folders and explain the differences",
		exits: []int{exitNeedsPerson, exitRefused, exitInconclusive},
		long: "Diff compares two sealed recordings, two files, or two folders of files. Files of folders are paired by name, a\n" +
			"date or a number in it aside. Their format follows from name and content; --layout describes fixed width.\n" +
			"With --rules, the rules and expected changes of a scenario hold; with --expect, those of an expect file.\n\n" +
			"Plain files are yours: their values are shown as they are, unless --policy puts stand-ins in their place or\n" +
			"--mask hides them. Within a workspace the report is kept in " + runsFolder + ", so that accept can take\n" +
			"its findings; that of files without stand-ins can be read by you only.",
		example: "rehearse diff registrations-old.csv registrations-new.csv",
		flags: func(set *pflag.FlagSet) {
			addReportFlags(set, &f.output, &f.out, &f.verbose, &f.mask)
			set.StringVar(&f.rules, "rules", "", "`scenario` whose rules, expected changes and owners hold")
			set.StringArrayVar(&f.expect, "expect", nil, "expect `file` whose changes are expected; can be repeated")
			f.plain.add(set)
		},
		run: func(ctx context.Context, args []string) error { return a.diff(ctx, args[0], args[1], f) },
	}
}

func (a *app) diff(ctx context.Context, before, after string, f diffFlags) error {
	if err := checkKind(f.output); err != nil {
		return err
	}
	r, err := a.compare(ctx, before, after, f)
	if err != nil {
		return err
	}
	options := report.Options{Verbose: f.verbose, Mask: f.mask}
	if ws, err := scenarios.OpenWorkspace("."); err == nil {
		dir, err := keepReports(ws.Root(), r)
		if err != nil {
			return err
		}
		options.Page, options.Accept = dir+"/report.html", acceptLine
	} else {
		r.Run = "" // nothing holds the run, so that its name would lead nowhere
	}
	if err := a.show(r, f.output, f.out, options); err != nil {
		return err
	}
	return verdictError(r.Verdict, harness.Review)
}

// compare makes the report of what lies at two paths.
func (a *app) compare(ctx context.Context, before, after string, f diffFlags) (*harness.Report, error) {
	a.collect(garbageOfComparisons)
	started := a.now()
	k, err := caseOf(f, started)
	if err != nil {
		return nil, err
	}
	sides, err := a.openSides(ctx, before, after, f.plain)
	if err != nil {
		return nil, err
	}
	k.Catalogue = withRoles(k.Catalogue)
	c, findings, err := rehearsal.Compare(sides[0].recording, sides[1].recording, k)
	if err != nil {
		return nil, err
	}
	integration := k.Catalogue.Integrations[k.Scenario.Integration]
	name := k.Scenario.Name
	if name == "" {
		name = before + " → " + after
	}
	r := &harness.Report{
		Run: runID(started, "diff"), Scenario: name, File: sides[1].file, Integration: k.Scenario.Integration, Title: integration.Title,
		Owner: k.Catalogue.PersonName(integration.Owner), Steward: k.Catalogue.PersonName(integration.Steward), Tool: a.tool(),
		Started: started.UTC(), Took: a.now().Sub(started), Clock: started.UTC(), Target: sides[1].what, Vouched: sides[0].own && sides[1].own,
		Before: sides[0].Side, After: sides[1].Side, Findings: findings,
		Records: c.Records, Suppressed: c.Suppressed, Unused: c.Unused, Expired: c.Expired, Notes: noteKeys(sides, c.Notes),
	}
	if c.Exchanges[0]+c.Exchanges[1] == 0 {
		r.Verdict, r.Reason = harness.NoConclusion, "Both recordings are empty: there is nothing to compare."
	}
	r.Judge()
	return r, nil
}

// caseOf is what the flags say about how differences are judged.
func caseOf(f diffFlags, now time.Time) (explain.Case, error) {
	k := explain.Case{Now: now}
	if f.rules != "" {
		ws, s, err := openScenario(f.rules)
		if err != nil {
			return k, err
		}
		k.Scenario, k.Catalogue = s, ws.Catalogue()
	}
	for _, file := range f.expect {
		list, err := scenarios.Expectations(file, explain.CheckCause)
		if err != nil {
			return k, err
		}
		k.Scenario.Expect = append(k.Scenario.Expect, list...)
	}
	return k, nil
}

// The systems that plain files go from and to when nobody names them.
const (
	roleSender   = "sender"
	roleReceiver = "receiver"
)

// withRoles is the catalogue with words for the systems that nobody named.
func withRoles(c harness.Catalogue) harness.Catalogue {
	systems := map[string]harness.System{}
	for _, role := range []string{roleSender, roleReceiver} {
		systems[role] = harness.System{Name: role, Title: "the " + role}
	}
	maps.Copy(systems, c.Systems)
	c.Systems = systems
	return c
}

// localFile is the file that findings point at, with slashes; empty when it does not lie below this folder.
func localFile(file string) string {
	if !filepath.IsLocal(file) {
		return ""
	}
	return filepath.ToSlash(file)
}
