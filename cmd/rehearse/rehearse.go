package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// runFlags are the flags of run.
type runFlags struct {
	output, out, mode, failOn, candidate string
	allow, also, confirmed               []string
	policy, key, vault                   string
	pace                                 string
	concurrency                          int
	maxGap                               time.Duration
	mask, dryRun                         bool
	uncorrelated                         bool
	verbose, quiet, expectFailure        bool
	silent                               bool // the report is kept and not shown
}

func (a *app) runVerb() verb {
	var f runFlags
	return verb{
		use: "run SCENARIO...", short: "rehearse scenarios: the gate for CI",
		exits: []int{exitNeedsPerson, exitCannotRun, exitRefused, exitInconclusive},
		long: "Run feeds the scenario's recording to its target, records what crosses, compares it with the recording and\n" +
			"explains the differences. SCENARIO is a file, or a folder whose scenarios are all run. Reports and the new\n" +
			"recording are kept in " + runsFolder + ".\n\nIn the names of files {run} stands for the name of the run.\n\nNothing beside loopback is reached unless the scenario or --allow names it.",
		example: "rehearse run scenarios/harrow-lake/i1-sis-lms-enrollment/sis-9.32.yaml --output junit --out report.xml",
		flags: func(set *pflag.FlagSet) {
			addReportFlags(set, &f.output, &f.out, &f.verbose, &f.mask)
			set.StringArrayVar(&f.also, "also", nil, "`kind=file`: write a report of this kind, too; can be repeated")
			set.StringVar(&f.mode, "mode", "gate", "`gate`: a verdict can fail the run; report: only errors do")
			set.StringVar(&f.failOn, "fail-on", "review", "`weight` from which the gate fails: benign, review or breaking")
			set.StringVar(&f.candidate, "candidate", "", "`folder` of exchanges that take the place of recorded ones, instead of the scenario's")
			set.BoolVar(&f.expectFailure, "expect-failure", false, "succeed when the failure in the recording happens again, and say only that; --verbose shows the report")
			set.BoolVar(&f.dryRun, "dry-run", false, "say what would be fed, carried over, started and reached, and what would be refused, without doing any of it")
			set.BoolVar(&f.quiet, "quiet", false, "do not tell what is being done")
			set.StringVar(&f.policy, "policy", "", "scrub policy `file` of the recordings: what live systems answer is scrubbed like them; the built-in policy unless told otherwise")
			set.StringVar(&f.key, "key", "", keyUsage)
			set.StringVar(&f.vault, "vault", "", "`file` that remembers the stand-ins of the recordings, if they were made with one")
			set.StringVar(&f.pace, "pace", "", "`pace` of the requests: as-fast-as-possible, original, a factor such as 2x, a rate such as 50/s; instead of the scenario's")
			set.DurationVar(&f.maxGap, "max-gap", 0, "cut longer pauses of the recording to this `duration`; for the paces original and 2x; instead of the scenario's")
			aboveZero(set, "max-gap", &f.maxGap)
			set.BoolVar(&f.uncorrelated, "no-correlate", false, "send requests as they were recorded: carry no ids and tokens over from live answers")
			set.IntVar(&f.concurrency, "concurrency", 0, "`number` of requests at the same time, of different sessions; instead of the scenario's")
			atLeast(set, "concurrency", &f.concurrency, 1)
			set.StringSliceVar(&f.allow, "allow", nil, "`host`, or host:port, that may be reached beside those of the scenario")
			set.StringArrayVar(&f.confirmed, "confirm-origin", nil, "`host` where the recording was made, or of production, that you mean to reach in this run; never in CI")
		},
		run: func(ctx context.Context, args []string) error { return a.rehearse(ctx, args, f) },
	}
}

func addReportFlags(set *pflag.FlagSet, output, out *string, verbose, mask *bool) {
	var kinds []string
	for _, k := range report.Kinds {
		kinds = append(kinds, k.Name)
	}
	set.StringVar(output, "output", "text", "`kind` of report: "+strings.Join(kinds, ", "))
	set.StringVar(out, "out", "", "write the report to this `file` instead of standard output")
	set.BoolVar(mask, "mask", false, "hide the values of the recordings: letters become x, digits 9; for readers who may not see stand-ins")
	set.BoolVar(verbose, "verbose", false, "show the differences behind each finding and what programs said")
}

// thresholds are the values of --fail-on.
var thresholds = map[string]harness.Verdict{"benign": harness.Benign, "review": harness.Review, "breaking": harness.Breaking}

func (a *app) rehearse(ctx context.Context, files []string, f runFlags) error {
	threshold, ok := thresholds[f.failOn]
	if !ok {
		return harness.Usage(fmt.Errorf("run: --fail-on %q is not known", f.failOn), "write benign, review or breaking")
	}
	if f.mode != "gate" && f.mode != "report" {
		return harness.Usage(fmt.Errorf("run: --mode %q is not known", f.mode), "write gate or report")
	}
	if err := checkKind(f.output); err != nil {
		return err
	}
	also, err := alsoWritten(f.also)
	if err != nil {
		return err
	}
	if err := a.checkConfirmed(f.confirmed); err != nil {
		return err
	}
	list, err := a.scenarioFiles(files)
	if err != nil {
		return err
	}
	if err := oneFileEach(len(list), append(also, written{flag: "--out", file: f.out})); err != nil {
		return err
	}
	// What is asked then is one thing; that nothing differs says little about a failure.
	f.silent = f.expectFailure && f.output == "text" && f.out == "" && !f.verbose
	var worst error
	if f.dryRun {
		return a.previewAll(list, f)
	}
	for _, file := range list {
		outcome, err := a.rehearseOne(ctx, file, f, also)
		if ctx.Err() != nil {
			return ctx.Err() // whatever went wrong, it went wrong because of the interrupt
		}
		if err != nil {
			explainError(a.err, fmtScenario(len(list), file, err))
			worst = weightier(worst, reported{err})
			continue
		}
		worst = weightier(worst, a.decide(file, outcome, f, threshold))
	}
	return worst
}

// checkConfirmed refuses a confirmation that no person can have typed.
func (a *app) checkConfirmed(hosts []string) error {
	if ci := a.getenv("CI"); len(hosts) > 0 && ci != "" && ci != "false" && ci != "0" {
		return harness.Refused(fmt.Errorf("run: --confirm-origin %s on a CI server: nobody is there to mean it", strings.Join(hosts, ", ")),
			"rehearse against a test instance, and write its host under test-hosts in the catalogue")
	}
	return nil
}

// previewAll shows what the runs would do.
func (a *app) previewAll(files []string, f runFlags) error {
	var worst error
	for _, file := range files {
		ws, scenario, err := openScenario(file)
		if err == nil {
			scenario.Replay, err = f.replay(scenario.Replay)
		}
		if err == nil {
			scenario.Candidate = cmp.Or(f.candidate, scenario.Candidate)
			err = a.preview(rehearsal.Plan{Scenario: scenario, Catalogue: ws.Catalogue(), Allow: f.allow, Confirmed: f.confirmed, Uncorrelated: f.uncorrelated}, f.output)
		}
		if err != nil {
			explainError(a.err, fmtScenario(len(files), file, err))
			worst = weightier(worst, reported{err})
		}
	}
	return worst
}

// decide is the error that a run ends with after its report was shown, nil when it is a success.
func (a *app) decide(file string, outcome *rehearsal.Outcome, f runFlags, threshold harness.Verdict) error {
	switch {
	case f.expectFailure:
		w := a.err
		if f.silent {
			w = a.out
		}
		return failedAgain(w, file, outcome)
	case f.mode == "gate":
		return verdictError(outcome.Report.Verdict, threshold)
	}
	return nil
}

// reported is an error that was printed already.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

// fmtScenario names the scenario when there are several.
func fmtScenario(n int, file string, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// weightier picks the error that decides about the exit code: what could not run before what differs.
func weightier(a, b error) error {
	if a == nil || b != nil && exitCode(b) > exitCode(a) {
		return b
	}
	return a
}

func checkKind(output string) error {
	var names []string
	for _, k := range report.Kinds {
		if k.Name == output {
			return nil
		}
		names = append(names, k.Name)
	}
	return harness.Usage(fmt.Errorf("--output %q is not a kind of report", output), "kinds are "+strings.Join(names, ", "))
}

// scenarioFiles replaces folders by the scenario files below them.
func (a *app) scenarioFiles(args []string) ([]string, error) {
	var list []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			list = append(list, arg) // the reader explains a missing file
			continue
		}
		ws, err := scenarios.OpenWorkspace(arg)
		if err != nil {
			return nil, err
		}
		files, err := ws.ScenariosBelow(arg)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, harness.Usage(fmt.Errorf("run %s: no scenario below this folder", arg), "name a scenario file")
		}
		list = append(list, files...)
	}
	return list, nil
}

// rehearseOne runs one scenario, keeps the outcome and writes the report.
func (a *app) rehearseOne(ctx context.Context, file string, f runFlags, also []written) (*rehearsal.Outcome, error) {
	ws, scenario, err := openScenario(file)
	if err != nil {
		return nil, err
	}
	if f.candidate != "" {
		scenario.Candidate = f.candidate
	}
	if scenario.Replay, err = f.replay(scenario.Replay); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "rehearse-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a scratch folder that stays does no harm
	policy, key, vault, err := a.scrubbedWith(f.policy, f.key, f.vault)
	if err != nil {
		return nil, err
	}
	outcome, err := rehearsal.Run(ctx, rehearsal.Plan{
		Policy: policy, Key: key, Vault: vault, Incident: f.expectFailure, Uncorrelated: f.uncorrelated,
		Scenario: scenario, Catalogue: ws.Catalogue(), ID: runID(a.now(), file), Tool: a.tool(), Scratch: scratch, Watcher: watcher(), Now: a.now, Allow: f.allow, Confirmed: f.confirmed,
		Progress: func(what string) {
			if !f.quiet {
				a.tellProgress(scenario.Name, what)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	dir, err := keepRun(ws.Root(), outcome)
	if err != nil {
		return nil, err
	}
	options := report.Options{
		Verbose: f.verbose, Mask: f.mask, Page: dir + "/report.html", Accept: acceptLine,
		Folder: folderInRepository(ws.Root()),
	}
	for _, w := range also {
		if err := writeReport(w.of(outcome.Report), w.kind, outcome.Report, options); err != nil {
			return nil, err
		}
	}
	if f.silent {
		return outcome, nil
	}
	return outcome, a.show(outcome.Report, f.output, written{file: f.out}.of(outcome.Report), options)
}

// replay is how to feed the recording: as the scenario says, where no flag says otherwise.
func (f runFlags) replay(r harness.Replay) (harness.Replay, error) {
	if f.pace != "" {
		if err := r.Pace.UnmarshalText([]byte(f.pace)); err != nil {
			return r, harness.Usage(fmt.Errorf("run: --pace: %w", err), "")
		}
	}
	r.Concurrency = cmp.Or(f.concurrency, r.Concurrency)
	r.MaxGap = cmp.Or(harness.Duration(f.maxGap), r.MaxGap)
	if key, why := r.Contradiction(); key != "" {
		return r, harness.Usage(fmt.Errorf("run: %s: %s", key, why), "see replay in the scenario, and the flags --pace, --max-gap and --concurrency")
	}
	return r, nil
}

// openScenario reads a scenario and the workspace that it lies in.
func openScenario(file string) (*scenarios.Workspace, harness.Scenario, error) {
	ws, err := scenarios.OpenWorkspace(filepath.Dir(file))
	if err != nil {
		return nil, harness.Scenario{}, err
	}
	rehearsal.CheckWith(ws)
	scenario, err := ws.Scenario(file)
	return ws, scenario, err
}

// show writes a report to a file or to standard output.
func (a *app) show(r *harness.Report, kind, file string, o report.Options) error {
	if file != "" {
		return writeReport(file, kind, r, o)
	}
	o.Color, o.Width = a.color, a.width
	return report.Write(a.out, kind, r, o)
}
