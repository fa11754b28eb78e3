package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/harness/whatif"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// whatIfFlags are the flags of what-if.
type whatIfFlags struct {
	output, out      string
	records          int
	all, quiet, mask bool
	verbose          bool
}

func (a *app) whatIfVerb() verb {
	v := verb{
		use: "what-if", short: "say who is hit by something that has not happened yet",
		long: "What-if makes a variant of what was recorded, rehearses it with every scenario that holds the field, and names the\n" +
			"integrations that reject it, fall back to a default, or break, with their owners, the file to edit and what is lost.\n" +
			"No scenario is edited.\n\nWhat may happen:\n" + kindList(),
		example: "rehearse what-if value registrations.RSTS=RH",
	}
	for _, k := range whatif.Kinds {
		v.below = append(v.below, a.whatIfKind(k))
	}
	return v
}

func kindList() string {
	var b strings.Builder
	for _, k := range whatif.Kinds {
		fmt.Fprintf(&b, "  %-9s  %s\n", k.Name, k.Summary)
	}
	return b.String()
}

func (a *app) whatIfKind(k whatif.Kind) verb {
	var f whatIfFlags
	return verb{
		use: k.Name + " " + strings.ReplaceAll(strings.ReplaceAll(k.Takes, "[", ""), "]", "") + " [SCENARIO...]", short: k.Summary,
		exits: []int{exitNeedsPerson, exitCannotRun, exitRefused, exitInconclusive},
		long: "The argument is " + k.Takes + ". A field is named from the outside to the inside: registrations.RSTS is a column of\n" +
			"registrations.csv, applicant.residency a member, Worker.Type an element; a name is that of a file or a word of an\n" +
			"address. Without SCENARIO all scenarios of the workspace that rehearse no change are asked.\n\n" +
			"Exit code 0: nobody is hit; 1: somebody must look.",
		example: "rehearse what-if " + k.Name + " " + k.Example,
		flags: func(set *pflag.FlagSet) {
			addReportFlags(set, &f.output, &f.out, &f.verbose, &f.mask)
			set.IntVar(&f.records, "records", 3, "`number` of records that are varied in a scenario")
			set.BoolVar(&f.all, "all", false, "ask the scenarios that rehearse a change, too, with what they feed")
			set.BoolVar(&f.quiet, "quiet", false, "do not tell what is being done")
		},
		run: func(ctx context.Context, args []string) error { return a.whatIf(ctx, k, args[0], args[1:], f) },
	}
}

func (a *app) whatIf(ctx context.Context, k whatif.Kind, argument string, files []string, f whatIfFlags) error {
	if err := checkKind(f.output); err != nil {
		return err
	}
	v, err := whatif.Parse(k, argument)
	if err != nil {
		return err
	}
	if v.Most = f.records; v.Most < 1 {
		return harness.Usage(fmt.Errorf("what-if: --records %d varies nothing", f.records), "name at least one")
	}
	ws, asked, err := a.askedScenarios(files, f.all)
	if err != nil {
		return err
	}
	answer := whatif.Answer{Question: v.String(), Tool: a.tool(), Catalogue: ws.Catalogue()}
	names := map[string]bool{}
	for _, s := range asked {
		o, err := a.whatIfOne(ctx, ws, v, s, f, names)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmtScenario(len(asked), s.File, err)
		}
		o.Scenario, o.File, o.Integration = s.Name, relativeTo(ws.Root(), s.File), s.Integration
		answer.Outcomes = append(answer.Outcomes, o)
	}
	if answer.Nowhere() {
		return harness.Usage(fmt.Errorf("what-if: no scenario holds %s", v.Field), whatif.Closest(v.Field, names))
	}
	if err := a.showAnswer(answer, f); err != nil {
		return err
	}
	if answer.NeedsPerson() {
		return judged{harness.Review}
	}
	return nil
}

// askedScenarios reads the scenarios that are named, else those of the workspace. Those that rehearse a change, and those
// that live systems answer in, are asked only when they are named, the former also with --all.
func (a *app) askedScenarios(files []string, all bool) (*scenarios.Workspace, []harness.Scenario, error) {
	named := len(files) > 0
	dir := "."
	if named {
		dir = filepath.Dir(files[0])
	}
	ws, err := scenarios.OpenWorkspace(dir)
	if err != nil {
		return nil, nil, err
	}
	if named {
		files, err = a.scenarioFiles(files)
	} else {
		files, err = ws.Scenarios()
	}
	if err != nil {
		return nil, nil, err
	}
	var asked []harness.Scenario
	for _, file := range files {
		_, s, err := openScenario(file)
		if err != nil {
			return nil, nil, err
		}
		changes := s.Change != "" || s.Candidate != ""
		live := s.Target.URL != nil || slices.ContainsFunc(upstreamsOf(s), func(u harness.Upstream) bool { return u.URL != nil })
		if named || !live && (all || !changes) {
			asked = append(asked, s)
		}
	}
	if len(asked) == 0 {
		return nil, nil, harness.Usage(fmt.Errorf("what-if: no scenario below %s can be asked", ws.Root()), "name one")
	}
	return ws, asked, nil
}

func upstreamsOf(s harness.Scenario) (list []harness.Upstream) {
	for _, u := range s.Upstreams {
		list = append(list, u)
	}
	return list
}

func relativeTo(root, file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(root, abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// whatIfOne varies the recording of a scenario and rehearses it, unless the outcome is known without that. Names of fields
// are added to names.
func (a *app) whatIfOne(ctx context.Context, ws *scenarios.Workspace, v whatif.Variation, s harness.Scenario, f whatIfFlags, names map[string]bool) (whatif.Outcome, error) {
	baseline, err := fixtures.Open(filepath.Join(ws.Root(), s.Recording))
	if err != nil {
		return whatif.Outcome{}, err
	}
	recorded, err := harness.Collect(baseline)
	if err != nil {
		return whatif.Outcome{}, err
	}
	whatif.Names(recorded, s.Target.System, names)
	variant, err := v.Apply(recorded, s.Target.System)
	if err != nil {
		return whatif.Outcome{}, err
	}
	crosswalks, err := target.Crosswalks(s.Target, ws.Root())
	if err != nil {
		return whatif.Outcome{}, err
	}
	if o, known := whatif.Foreseen(v, variant, crosswalks); known {
		return o, nil
	}
	if !f.quiet {
		a.tellProgress(s.Name, fmt.Sprintf("rehearsing with %d of %s varied", variant.Records, harness.Count(variant.Of, "place")))
	}
	report, err := a.rehearseVariant(ctx, ws, s, variant, baseline.Manifest())
	if err != nil {
		return whatif.Outcome{}, err
	}
	return whatif.Judge(v, variant, crosswalks, report), nil
}

// rehearseVariant rehearses the scenario with the variant in place of its recording. Systems whose answers are varied are
// mocked, whatever else answers for them in the scenario.
func (a *app) rehearseVariant(ctx context.Context, ws *scenarios.Workspace, s harness.Scenario, variant *whatif.Variant, was harness.Manifest) (*harness.Report, error) {
	upstreams := map[string]harness.Upstream{}
	s.Mocks = slices.Clone(s.Mocks)
	for name, u := range s.Upstreams {
		if !slices.Contains(variant.Answerers, name) {
			upstreams[name] = u
		}
	}
	for _, name := range variant.Answerers {
		if !slices.Contains(s.Mocks, name) {
			s.Mocks = append(s.Mocks, name)
		}
	}
	s.Upstreams = upstreams
	s.Replay.Pace, s.Replay.MaxGap = harness.Pace{}, 0 // as fast as the target answers
	scratch, err := os.MkdirTemp("", "rehearse-what-if-")
	if err != nil {
		return nil, fmt.Errorf("what-if: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a scratch folder that stays does no harm
	outcome, err := rehearsal.Run(ctx, rehearsal.Plan{
		Scenario: s, Catalogue: ws.Catalogue(), ID: runID(a.now(), s.File), Tool: a.tool(), Scratch: scratch, Now: a.now, Faults: variant.Faults,
		Variant: harness.NewMemory(harness.Manifest{Origin: "what-if", Tool: a.tool(), Scrub: was.Scrub, Hosts: was.Hosts}, variant.Exchanges...),
	})
	if err != nil {
		return nil, err
	}
	return outcome.Report, nil
}

// showAnswer writes the answer: text of its own, any other kind as a report.
func (a *app) showAnswer(answer whatif.Answer, f whatIfFlags) error {
	if f.output != "text" || f.mask {
		return a.show(answer.Report(), f.output, f.out, report.Options{Verbose: f.verbose, Mask: f.mask})
	}
	if f.out != "" {
		return writeWhole(f.out, func(w io.Writer) error { return answer.Text(w, 0, printable) })
	}
	return answer.Text(a.out, cmp.Or(a.width, columns), printable)
}

// columns are the width of a text that goes to no terminal.
const columns = 100
