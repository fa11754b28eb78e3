package harnesstest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// Rehearse runs the scenario of the file, which is relative to the folder of the test and lies in a workspace. The test
// fails with the report when the verdict is review, breaking or inconclusive. Variables of the scenario come from the
// environment: t.Setenv hands over what only the test knows, such as the URL of a server that it started.
//
// A scenario that starts "rehearse" itself gets the program of that name in PATH, because the running binary is the
// test.
func Rehearse(t testing.TB, file string) *rehearsal.Outcome {
	t.Helper()
	_, outcome := rehearse(t, file, nil)
	if v := outcome.Report.Verdict; v.NeedsPerson() || v == harness.NoConclusion {
		t.Errorf("the verdict of %s is %s:\n%s", file, v, text(outcome.Report, file))
	}
	return outcome
}

// rehearse runs the scenario of the file as the functions edit it.
func rehearse(t testing.TB, file string, edit []func(*harness.Scenario)) (harness.Scenario, *rehearsal.Outcome) {
	t.Helper()
	workspace, scenario := openScenario(t, file)
	for _, change := range edit {
		change(&scenario)
	}
	if err := nameProgram(&scenario); err != nil {
		fatal(t, err)
	}
	outcome, err := rehearsal.Run(t.Context(), rehearsal.Plan{
		Scenario: scenario, Catalogue: workspace.Catalogue(), ID: t.Name(), Tool: "rehearse in go test", Scratch: t.TempDir(), Now: time.Now,
		Progress: func(what string) { t.Logf("%s: %s", scenario.Name, what) },
	})
	if err != nil {
		fatal(t, err)
	}
	return scenario, outcome
}

// openScenario reads the scenario of the file and the workspace around it.
func openScenario(t testing.TB, file string) (*scenarios.Workspace, harness.Scenario) {
	t.Helper()
	workspace, err := scenarios.OpenWorkspace(filepath.Dir(file))
	if err != nil {
		fatal(t, err)
	}
	rehearsal.CheckWith(workspace)
	scenario, err := workspace.Scenario(file)
	if err != nil {
		fatal(t, err)
	}
	return workspace, scenario
}

// text is the report as the terminal shows it.
func text(r *harness.Report, file string) string {
	var b strings.Builder
	err := report.Write(&b, "text", r, report.Options{
		Page: "rehearse run " + file, Accept: "rehearse accept --finding N --reason \"…\", after rehearse run",
	})
	if err != nil {
		return err.Error()
	}
	return b.String()
}

// nameProgram replaces the name rehearse by the program of that name in PATH.
func nameProgram(s *harness.Scenario) error {
	for _, run := range programs(s) {
		if len(run) == 0 || run[0] != "rehearse" {
			continue
		}
		program, err := exec.LookPath("rehearse")
		if err == nil {
			program, err = filepath.Abs(program)
		}
		if err != nil {
			return harness.CannotRun(fmt.Errorf("rehearse %q: %w", s.Name, err),
				"the scenario starts the program rehearse: install it with go install github.com/rehearse-dev/rehearse/cmd/rehearse, and put it into PATH")
		}
		run[0] = program
	}
	return nil
}

// programs are the command lines of a scenario.
func programs(s *harness.Scenario) [][]string {
	var all [][]string
	if p := s.Target.Process; p != nil {
		all = append(all, p.Run)
	}
	if c := s.Target.Command; c != nil {
		all = append(all, c.Run)
	}
	if f := s.Target.Files; f != nil {
		all = append(all, f.Run)
	}
	for _, u := range s.Upstreams {
		if u.Process != nil {
			all = append(all, u.Process.Run)
		}
	}
	return all
}

// fatal ends the test with the error and its hint.
func fatal(t testing.TB, err error) {
	t.Helper()
	if hint := harness.HintOf(err); hint != "" {
		err = errors.Join(err, errors.New("hint: "+hint))
	}
	t.Fatal(err)
}
