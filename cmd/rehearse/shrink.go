package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/incident"
	"github.com/rehearse-dev/rehearse/harness/shrink"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// shrinkFlags are the flags of shrink.
type shrinkFlags struct {
	out, bundle    string
	most, workers  int
	restart, quiet bool
}

func (a *app) shrinkVerb() verb {
	var f shrinkFlags
	return verb{
		use: "shrink SCENARIO", short: "reduce a recorded failure to the smallest one",
		exits: []int{exitCannotRun, exitRefused, exitInconclusive},
		long: "Shrink feeds smaller and smaller parts of the scenario's recording to its target, as long as the same call\n" +
			"fails in the same way: the same operation, the same status, the same error but for what comes from the request\n" +
			"or varies from run to run. Candidates that fail in another way are counted and not followed. The smallest part\n" +
			"becomes a scenario of its own, with " + rootCauseFile + ", the page of the root cause filled in as far as it is known, and\n" +
			"with --bundle an archive for the vendor. Nothing is made up: what was scrubbed stays scrubbed.\n\n" +
			"A search that was interrupted or killed goes on where it was when it is started again.",
		example: "rehearse shrink scenarios/harrow-lake/i2-crm-sis-applicant/inc-2231.yaml --out scenarios/inc-2231",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.out, "out", "", "new `folder` within the workspace for the smallest scenario and its recording")
			set.StringVar(&f.bundle, "bundle", "", "new ZIP `file` for the vendor: calls and answers, times, versions, how to reproduce, and no names of yours")
			set.IntVar(&f.most, "max-runs", 5000, "`number` of times that the target is fed at most; 0: no bound")
			atLeast(set, "max-runs", &f.most, 0)
			set.IntVar(&f.workers, "workers", min(runtime.NumCPU(), mostWorkers), "`number` of targets that are fed at the same time, each in a folder of its own")
			atLeast(set, "workers", &f.workers, 1)
			set.BoolVar(&f.restart, "restart", false, "forget what an earlier search of this scenario found out")
			set.BoolVar(&f.quiet, "quiet", false, "do not tell what is being done")
		},
		run: func(ctx context.Context, args []string) error { return a.shrink(ctx, args[0], f) },
	}
}

// mostWorkers is how many targets are started together unless told otherwise.
const mostWorkers = 4

func (a *app) shrink(ctx context.Context, file string, f shrinkFlags) error {
	ws, scenario, err := openScenario(file)
	if err != nil {
		return err
	}
	out, err := shrinkInto(ws.Root(), f.out)
	if err != nil {
		return err
	}
	if err := checkShrinkable(scenario); err != nil {
		return err
	}
	if _, err := os.Lstat(f.bundle); f.bundle != "" && err == nil {
		return harness.Usage(fmt.Errorf("shrink: --bundle %s exists already", f.bundle), "name a new file")
	}
	baseline, err := fixtures.Open(filepath.Join(ws.Root(), scenario.Recording))
	if err != nil {
		return err
	}
	if err := baseline.RequireSealed(); err != nil {
		return err
	}
	stage, err := newShrinkStage(ws, scenario, baseline, a)
	if err != nil {
		return err
	}
	defer stage.remove()
	result, err := a.smallest(ctx, stage, baseline, f)
	if err != nil {
		return err
	}
	report, err := a.incidentOf(ws, scenario, baseline, out, result)
	if err != nil {
		return err
	}
	if err := keepSmallest(ws, scenario, out, result); err != nil {
		return err
	}
	if err := keepIncident(ws.Root(), out, f.bundle, report); err != nil {
		return err
	}
	return a.tellSmallest(report, result, f)
}

// smallest searches, with the journal of earlier searches of the same case. The journal goes when there is a result.
func (a *app) smallest(ctx context.Context, stage *shrinkStage, baseline *fixtures.Recording, f shrinkFlags) (*shrink.Result, error) {
	name, digest, err := stage.journal(baseline)
	if err != nil {
		return nil, err
	}
	if f.restart {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("shrink: %w", err)
		}
	}
	journal, err := shrink.OpenJournal(name, digest)
	if err != nil {
		return nil, err
	}
	if n := journal.Len(); n > 0 && !f.quiet {
		a.tellProgress(stage.scenario.Name, fmt.Sprintf("going on: the outcome of %s is known from an earlier search", harness.Count(n, "candidate")))
	}
	result, err := shrink.Smallest(ctx, shrink.Case{
		Recording: baseline, System: stage.scenario.Target.System, Mocks: stage.scenario.Mocks, Replay: stage.replay, Workers: f.workers,
		MaxReplays: f.most, Outcomes: journal, Links: linksOf,
		Progress: func(p shrink.Progress) {
			if line := stage.progress(p); line != "" && !f.quiet {
				a.tellProgress(stage.scenario.Name, line)
			}
		},
	})
	err = errors.Join(err, journal.Close())
	if err == nil && !result.Bounded {
		err = os.Remove(name)
	}
	return result, err
}

// shrinkInto checks the folder for the result and returns it relative to the workspace.
func shrinkInto(root, dir string) (string, error) {
	if dir == "" {
		return "", harness.Usage(errors.New("shrink: no folder is named for the result"), "name one: --out scenarios/NAME")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return "", harness.Usage(fmt.Errorf("shrink into %s: the folder lies outside of the workspace %s", dir, root), "name a folder below the workspace, where the scenario can be run")
	}
	if entries, err := os.ReadDir(abs); err == nil && len(entries) > 0 {
		return "", harness.Usage(fmt.Errorf("shrink into %s: the folder holds %s already", dir, entries[0].Name()), "name a new folder")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", harness.Usage(fmt.Errorf("shrink into %s: %w", dir, err), "name a new folder")
	}
	return rel, nil
}

// checkShrinkable refuses scenarios whose smallest part could not be kept: answers of live systems are not scrubbed.
func checkShrinkable(s harness.Scenario) error {
	switch {
	case s.Candidate != "":
		return harness.Usage(fmt.Errorf("shrink %s: it feeds a candidate, %s", s.File, s.Candidate), "name a scenario whose recording holds the failure")
	case s.Target.Live() || len(s.Upstreams) > 0:
		return harness.Usage(fmt.Errorf("shrink %s: live systems answer in it, and what they answer is not scrubbed", s.File),
			"run the target as a process and let mocks answer for the others")
	}
	return nil
}

// keepSmallest writes what crossed in the smallest run, and a scenario that feeds it again.
func keepSmallest(ws *scenarios.Workspace, s harness.Scenario, out string, result *shrink.Result) error {
	dir := filepath.Join(ws.Root(), out)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return harness.Usage(fmt.Errorf("shrink into %s: %w", out, err), "name a folder that can be written")
	}
	kept := result.Replayed
	if !kept.Manifest().Counts.Complete() { // what the target gave up on is no baseline; what made it give up is
		kept = harness.NewMemory(harness.Manifest{Origin: "shrink", Scrub: kept.Manifest().Scrub}, result.Exchanges...)
	}
	if err := fixtures.Save(filepath.Join(dir, "recording"), kept); err != nil {
		return err
	}
	file, err := filepath.Abs(s.File)
	if err != nil {
		return err
	}
	original, err := filepath.Rel(ws.Root(), file)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# The smallest part of %s in which this still happens: %s\nscenario: %q\nextends: %q\nrecording: %q\n",
		filepath.ToSlash(s.Recording), oneLine(result.Failure.String()), s.Name+", shrunk", filepath.ToSlash(original), filepath.ToSlash(filepath.Join(out, "recording")))
	return writeWhole(filepath.Join(dir, scenarioFile), plainText(text))
}

// oneLine makes a text safe for a comment.
func oneLine(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }

// tellSmallest says what was found.
func (a *app) tellSmallest(in incident.Incident, result *shrink.Result, f shrinkFlags) error {
	is, err := sizeOf(harness.NewMemory(harness.Manifest{}, result.Exchanges...), in.System)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Still fails: %s\nExchanges %d → %d, fields %d → %d, bytes of bodies %d → %d, after %s.\n",
		oneLine(in.Failure), in.Was.Exchanges, is.Exchanges, in.Was.Fields, is.Fields, in.Was.Bytes, is.Bytes, harness.Count(result.Replays, "run"))
	for _, o := range in.Odd {
		fmt.Fprintf(a.out, "Odd (%s): %s %s.\n", o.Kind, oneLine(o.Field), oneLine(o.Sentence))
	}
	const shown = 3
	for i, slip := range result.Slipped {
		if i == shown {
			fmt.Fprintf(a.out, "  … and %s more\n", harness.Count(len(result.Slipped)-shown, "other failure"))
			break
		}
		fmt.Fprintf(a.out, "Not followed, because it is another failure (%s): %s\n", harness.Count(slip.Candidates, "candidate"), oneLine(slip.Failure))
	}
	if result.Bounded {
		fmt.Fprintf(a.out, "The search ended at --max-runs %d; a smaller part may exist. Started again, it goes on.\n", f.most)
	}
	if f.bundle != "" {
		fmt.Fprintf(a.out, "For the vendor: %s\n", f.bundle)
	}
	fmt.Fprintf(a.out, "Root cause:    %s\n", filepath.ToSlash(filepath.Join(f.out, rootCauseFile)))
	fmt.Fprintf(a.out, "Run it again:  rehearse run %s --expect-failure\n", filepath.ToSlash(filepath.Join(f.out, scenarioFile)))
	return nil
}
