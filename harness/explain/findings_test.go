package explain

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var update = flag.Bool("update", false, "write the golden files")

// acceptance is one example: two recordings, and the findings that they must lead to. What the findings say stands in
// testdata/NAME.txt.
type acceptance struct {
	name, why     string
	before, after []harness.Exchange
	rules         []harness.Rule
	setup         func(*Case)
	want          []string // as brief writes them
}

func TestChangesAreExplained(t *testing.T) {
	for _, group := range [][]acceptance{codeCases(), fieldCases(), valueCases(), restCases(), jointCases(), causeCases(), encodingCases(), pagingCases(), transformedCases(), workerCases(), promiseCases(), outsideCases(), massCases(), cutCases()} {
		for _, tc := range group {
			t.Run(tc.name, func(t *testing.T) {
				findings, c := explained(t, tc.before, tc.after, tc.rules, tc.setup)
				if d := cmp.Diff(tc.want, briefs(findings)); d != "" {
					t.Errorf("%s: -want +got\n%s%s", tc.why, d, words(findings))
				}
				claimedOnce(t, c, findings)
				golden(t, strings.ReplaceAll(tc.name, " ", "-"), words(findings))
				for _, f := range findings {
					if f.Owner != "Dana Ortiz" || f.Steward != "Leon Achebe" || f.NextStep == "" {
						t.Errorf("nobody owns it or nothing is to be done: %+v", f)
					}
				}
				again, _ := explained(t, tc.before, tc.after, tc.rules, tc.setup)
				if d := cmp.Diff(findings, again); d != "" {
					t.Errorf("another explanation the second time:\n%s", d)
				}
				if d := cmp.Diff(findings, explainedFromStreams(t, tc)); d != "" {
					t.Errorf("another explanation when lists are read record by record:\n%s", d)
				}
				if same, _ := explained(t, tc.before, tc.before, tc.rules, nil); len(same) > 0 {
					t.Errorf("a recording differs from itself: %v", briefs(same))
				}
			})
		}
	}
}

// explainedFromStreams explains the example as if its lists were too large to be held.
func explainedFromStreams(t *testing.T, tc acceptance) []harness.Finding {
	defer func(before int64) { mostHeld = before }(mostHeld)
	mostHeld = 0
	findings, _ := explained(t, tc.before, tc.after, tc.rules, tc.setup)
	return findings
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update writes it)\n%s", file, d)
	}
}
