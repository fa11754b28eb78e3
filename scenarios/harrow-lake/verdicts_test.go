package harrowlake

import (
	"cmp"
	"io/fs"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestOracleHoldsEveryPlantedDifferenceAndScenario(t *testing.T) {
	runs, err := Verdicts()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]harness.Verdict{}
	rehearsed := map[string]bool{}
	for _, run := range runs {
		file, ok := strings.CutPrefix(run.Scenario, scenariosDir+"/")
		if _, err := fs.Stat(FS(), file); !ok || err != nil {
			t.Errorf("scenario %s: %v", run.Scenario, err)
		}
		rehearsed[file] = true
		worst := harness.Same
		for _, p := range run.Findings {
			found[p.ID] = harness.Worst(cmp.Or(found[p.ID], harness.Same), p.Verdict)
			worst = harness.Worst(worst, p.Verdict)
			if len(p.Contains) == 0 || p.Owner == "" || p.Steward == "" {
				t.Errorf("%s in %s says too little: %+v", p.ID, run.Scenario, p)
			}
		}
		if worst.NeedsPerson() != (run.Exit == 1) {
			t.Errorf("%s: worst verdict %s and exit code %d do not agree", run.Scenario, worst, run.Exit)
		}
	}
	outlooks, err := Outlooks()
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range outlooks {
		for _, p := range look.Findings {
			found[p.ID] = p.Verdict
		}
	}
	for id, want := range map[string]harness.Verdict{
		"D01": harness.Breaking, "D02": harness.Benign, "D03": harness.Breaking, "D04": harness.Benign, "D05": harness.Breaking,
		"D07": harness.Breaking, "D08": harness.Breaking, "D09": harness.Breaking, "D10": harness.Breaking, "D11": harness.Breaking,
		"D12": harness.Review, "D13": harness.Benign, "D14": harness.Review, "D15": harness.Benign, "D19": harness.Review, "D18": harness.Review,
	} {
		if found[id] != want {
			t.Errorf("worst verdict of %s is %q, want %q", id, found[id], want)
		}
	}
	files, err := scenarioFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !rehearsed[file] {
			t.Errorf("the oracle says nothing about %s", file)
		}
	}
}

func TestOracleIsReadStrictly(t *testing.T) {
	tests := []struct{ why, text, want string }{
		{"a misspelt key would check nothing", "runs:\n- scenario: a\n  integration: b\n  exitt: 1\n", "exitt"},
		{"an empty oracle accepts everything", "", "no runs"},
		{"a run needs its scenario", "runs:\n- integration: b\n", "lacks scenario"},
		{"a verdict must be one of the words", "runs:\n- scenario: a\n  integration: b\n  findings:\n  - id: D01\n    verdict: bad\n", `unknown verdict "bad"`},
		{"the same for outlooks", "runs:\n- scenario: a\n  integration: b\noutlooks:\n- from: 2026-10-05\n  days: 1\n  findings:\n  - id: D19\n    verdict: bad\n", `from 2026-10-05: D19 has the unknown verdict "bad"`},
		{"a finding is referred to by id", "runs:\n- scenario: a\n  integration: b\n  findings:\n  - verdict: same\n", "has no id"},
	}
	for _, tt := range tests {
		if _, err := parseVerdicts([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.why, err, tt.want)
		}
	}
}
