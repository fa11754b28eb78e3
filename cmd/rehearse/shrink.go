package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/shrink"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// shrinkFlags are the flags of shrink.
type shrinkFlags struct {
	out   string
	most  int
	quiet bool
}

func (a *app) shrinkVerb() verb {
	var f shrinkFlags
	return verb{
		use: "shrink SCENARIO", short: "reduce a recorded failure to the smallest one",
		exits: []int{exitCannotRun, exitRefused, exitInconclusive},
		long: "Shrink feeds smaller and smaller parts of the scenario's recording to its target, as long as the same call\n" +
			"fails in the same way, and writes the smallest part with a scenario of its own: a test that anybody can run\n" +
			"and a case that a vendor can read. Nothing is made up: what was scrubbed stays scrubbed.",
		example: "rehearse shrink scenarios/harrow-lake/i2-crm-sis-applicant/inc-2231.yaml --out scenarios/inc-2231",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.out, "out", "", "new `folder` within the workspace for the smallest scenario and its recording")
			set.IntVar(&f.most, "max-runs", 1000, "`number` of times that the target is fed at most; 0: no bound")
			set.BoolVar(&f.quiet, "quiet", false, "do not tell what is being done")
		},
		run: func(ctx context.Context, args []string) error { return a.shrink(ctx, args[0], f) },
	}
}

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
	result, err := shrink.Smallest(ctx, shrink.Case{
		Recording: baseline, System: scenario.Target.System, Mocks: scenario.Mocks, Replay: stage.replay, MaxReplays: f.most,
		Progress: func(what string) {
			if !f.quiet {
				a.tellProgress(scenario.Name, what)
			}
		},
	})
	if err != nil {
		return err
	}
	if err := keepSmallest(ws, scenario, out, result); err != nil {
		return err
	}
	return a.tellSmallest(baseline, result, f)
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
	case s.Target.URL != nil || len(s.Upstreams) > 0:
		return harness.Usage(fmt.Errorf("shrink %s: live systems answer in it, and what they answer is not scrubbed", s.File),
			"run the target as a process and let mocks answer for the others")
	}
	return nil
}

// shrinkStage replays parts of a recording in a scratch folder of the workspace.
type shrinkStage struct {
	app      *app
	ws       *scenarios.Workspace
	scenario harness.Scenario
	seal     harness.ScrubSeal
	dir      string // below the workspace, absolute
	n        int
}

func newShrinkStage(ws *scenarios.Workspace, s harness.Scenario, baseline *fixtures.Recording, a *app) (*shrinkStage, error) {
	hidden := filepath.Join(ws.Root(), ".rehearse")
	if err := os.MkdirAll(hidden, 0o755); err != nil {
		return nil, fmt.Errorf("shrink: %w", err)
	}
	dir, err := os.MkdirTemp(hidden, "shrink-")
	if err != nil {
		return nil, fmt.Errorf("shrink: %w", err)
	}
	return &shrinkStage{app: a, ws: ws, scenario: s, seal: baseline.Manifest().Scrub, dir: dir}, nil
}

func (s *shrinkStage) remove() { os.RemoveAll(s.dir) } //nolint:errcheck // a scratch folder that stays does no harm

// replay feeds the exchanges as the scenario would and returns what crossed.
func (s *shrinkStage) replay(ctx context.Context, list []harness.Exchange) (harness.Recording, error) {
	s.n++
	dir := filepath.Join(s.dir, fmt.Sprint(s.n))
	defer os.RemoveAll(dir) //nolint:errcheck // see remove
	scratch := filepath.Join(dir, "scratch")
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return nil, fmt.Errorf("shrink: %w", err)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(x harness.Exchange) bool { return x.Fault != nil }) // a baseline is whole
	part := filepath.Join(dir, "recording")
	if err := fixtures.Save(part, harness.NewMemory(harness.Manifest{Origin: "shrink", Scrub: s.seal}, list...)); err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(s.ws.Root(), part)
	if err != nil {
		return nil, err
	}
	plan := rehearsal.Plan{Scenario: s.scenario, Catalogue: s.ws.Catalogue(), ID: "shrink", Tool: s.app.tool(), Scratch: scratch, Now: s.app.now}
	plan.Scenario.Recording = rel
	outcome, err := rehearsal.Run(ctx, plan)
	if err != nil {
		return nil, err
	}
	return detached(outcome.Candidate)
}

// detached is the recording with its bodies in memory: those that were fed lie in a folder that goes.
func detached(rec harness.Recording) (harness.Recording, error) {
	list, err := harness.Collect(rec)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, m := range []*harness.Message{&list[i].Request, &list[i].Response} {
			b, err := m.Body.Bytes()
			if err != nil {
				return nil, fmt.Errorf("shrink: read body of exchange %s: %w", list[i].ID, err)
			}
			m.Body = harness.BytesBody(b)
		}
	}
	return harness.NewMemory(rec.Manifest(), list...), nil
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
	return writeWhole(filepath.Join(dir, "scenario.yaml"), plainText(text))
}

// oneLine makes a text safe for a comment.
func oneLine(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }

// tellSmallest says what was found.
func (a *app) tellSmallest(baseline harness.Recording, result *shrink.Result, f shrinkFlags) error {
	was, wasBytes, err := sizeOf(baseline)
	if err != nil {
		return err
	}
	is, isBytes, err := sizeOf(harness.NewMemory(harness.Manifest{}, result.Exchanges...))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Still fails: %s\nExchanges %d → %d, bytes of bodies %d → %d, after %s.\n",
		oneLine(result.Failure.String()), was, is, wasBytes, isBytes, harness.Count(result.Replays, "run"))
	if result.Bounded {
		fmt.Fprintf(a.out, "The search ended at --max-runs %d; a smaller part may exist.\n", f.most)
	}
	fmt.Fprintf(a.out, "Run it again:  rehearse run %s --expect-failure\n", filepath.ToSlash(filepath.Join(f.out, "scenario.yaml")))
	return nil
}

// sizeOf counts exchanges and the bytes of their bodies.
func sizeOf(rec harness.Recording) (exchanges int, bytes int64, err error) {
	for x, err := range rec.Exchanges() {
		if err != nil {
			return 0, 0, err
		}
		exchanges++
		bytes += x.Request.Body.Size() + x.Response.Body.Size()
	}
	return exchanges, bytes, nil
}
