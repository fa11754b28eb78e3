package harnesstest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// accepted is why what differs now is right: the golden files of a rehearsal are its declared changes.
var accepted = flag.String("rehearse.accept", "", "declare what differs as expected changes, with this `reason`")

// Run rehearses a scenario, or each scenario below a folder, as subtests: one for a scenario when there are several, and
// in it one for each finding that needs a person, named after its kind. Paths are relative to the folder of the test. Edit
// changes a scenario before it runs, such as its target to a function in Go:
//
//	harnesstest.Run(t, "scenarios", func(s *harness.Scenario) {
//		s.Target = harness.TargetSpec{System: "hubline", Func: mapping.Enrolment}
//	})
//
// With the flag -rehearse.accept REASON, what differs is appended to the first file of expect-files of the scenario
// instead of failing the test, to be reviewed like code.
func Run(t *testing.T, path string, edit ...func(*harness.Scenario)) {
	t.Helper()
	files, err := scenarioFiles(path)
	if err != nil {
		fatal(t, err)
	}
	if len(files) == 1 {
		runOne(t, files[0], edit)
		return
	}
	for _, file := range files {
		name, err := filepath.Rel(path, file)
		if err != nil {
			name = file
		}
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), filepath.Ext(name)), func(t *testing.T) { runOne(t, file, edit) })
	}
}

// scenarioFiles is the file, or the scenarios of the workspace below the folder.
func scenarioFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, nil // the reader explains a missing file
	}
	ws, err := scenarios.OpenWorkspace(path)
	if err != nil {
		return nil, err
	}
	below, err := ws.ScenariosBelow(path)
	if err != nil {
		return nil, err
	}
	if len(below) == 0 {
		return nil, harness.Usage(fmt.Errorf("run %s: no scenario below this folder", path), "name a scenario file")
	}
	return below, nil
}

// runOne rehearses one scenario and shows its findings as subtests.
func runOne(t *testing.T, file string, edit []func(*harness.Scenario)) {
	t.Helper()
	scenario, outcome := rehearse(t, file, edit)
	report := outcome.Report
	if report.Verdict == harness.NoConclusion {
		t.Errorf("%s is inconclusive: %s", file, report.Reason)
	}
	var open []harness.Finding
	for _, f := range report.Findings {
		if f.Verdict.NeedsPerson() {
			open = append(open, f)
		}
	}
	if *accepted != "" && len(open) > 0 {
		if err := declare(scenario, open); err != nil {
			fatal(t, err)
		}
		t.Logf("declared in %s: %s", scenario.ExpectFiles[0], harness.Count(len(open), "finding"))
		return
	}
	for i, f := range open {
		t.Run(fmt.Sprintf("%s-%d", f.Kind, i+1), func(t *testing.T) { t.Error(findingText(f)) })
	}
}

// findingText is a finding as a developer reads it.
func findingText(f harness.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(f.Verdict)), f.Sentence)
	if f.NextStep != "" {
		fmt.Fprintf(&b, "next: %s\n", f.NextStep)
	}
	return b.String() + list(f.Differences)
}

// declare appends the findings to the first expect file of the scenario.
func declare(s harness.Scenario, findings []harness.Finding) error {
	if len(s.ExpectFiles) == 0 {
		return harness.Usage(fmt.Errorf("accept into %s: it lists no expect-files", s.File), "add expect-files: [FILE] to the scenario, and make the file with the line expect:")
	}
	var all []harness.Expectation
	for _, f := range findings {
		all = append(all, explain.Declare(f, harness.Expectation{Change: strings.TrimSpace(f.Kind + " " + s.Name), Reason: *accepted})...)
	}
	return scenarios.AcceptInto(filepath.Join(s.Root, s.ExpectFiles[0]), all)
}
