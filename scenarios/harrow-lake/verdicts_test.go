package harrowlake

import (
	"cmp"
	"io/fs"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestOracleHoldsTheDifferencesOfTheFirstPart(t *testing.T) {
	runs, err := Verdicts()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]harness.Verdict{}
	exits := map[string]int{}
	for _, run := range runs {
		file, ok := strings.CutPrefix(run.Scenario, scenariosDir+"/")
		if _, err := fs.Stat(FS(), file); !ok || err != nil {
			t.Errorf("scenario %s: %v", run.Scenario, err)
		}
		exits[file[strings.LastIndex(file, "/")+1:]+" "+run.Integration] = run.Exit
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
	wantFound := map[string]harness.Verdict{
		"D01": harness.Breaking, "D02": harness.Benign, "D03": harness.Breaking, "D04": harness.Benign, "D05": harness.Breaking,
		"D07": harness.Breaking, "D08": harness.Breaking, "D11": harness.Breaking, "D12": harness.Review,
	}
	if diff := gocmp.Diff(wantFound, found); diff != "" {
		t.Errorf("worst verdicts (-want +got):\n%s", diff)
	}
	wantExits := map[string]int{
		"baseline.yaml sis-lms-enrollment": 0, "sis-9.32.yaml sis-lms-enrollment": 1,
		"pr-418.yaml sis-lms-enrollment": 1, "pr-418-fixed.yaml sis-lms-enrollment": 0,
		"pr-418-undeclared.yaml sis-lms-enrollment": 1, "baseline.yaml crm-sis-applicant": 0,
		"baseline-mocked.yaml crm-sis-applicant": 0, "crm-2026.3.yaml crm-sis-applicant": 1, "poll.yaml crm-sis-applicant": 0, "baseline.yaml sis-fin-gl": 0, "sis-9.32.yaml sis-fin-gl": 1, "poll-crm-2026.3.yaml crm-sis-applicant": 1,
	}
	if diff := gocmp.Diff(wantExits, exits); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
}

func TestOracleIsReadStrictly(t *testing.T) {
	tests := []struct{ why, text, want string }{
		{"a misspelt key would check nothing", "runs:\n- scenario: a\n  integration: b\n  exitt: 1\n", "exitt"},
		{"an empty oracle accepts everything", "", "no runs"},
		{"a run needs its scenario", "runs:\n- integration: b\n", "lacks scenario"},
		{"a verdict must be one of the words", "runs:\n- scenario: a\n  integration: b\n  findings:\n  - id: D01\n    verdict: bad\n", `unknown verdict "bad"`},
		{"a finding is referred to by id", "runs:\n- scenario: a\n  integration: b\n  findings:\n  - verdict: same\n", "has no id"},
	}
	for _, tt := range tests {
		if _, err := parseVerdicts([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.why, err, tt.want)
		}
	}
}
