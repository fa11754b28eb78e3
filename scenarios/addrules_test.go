package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func ruleAt(t *testing.T, at string) harness.Rule {
	t.Helper()
	path, err := harness.ParsePath(at)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Rule{At: path, Compare: "pattern", Pattern: `INV-\d{4}`, Reason: "drawn by the server"}
}

func TestRulesAreAddedToAFileThatScenariosName(t *testing.T) {
	w := extending(t, map[string]string{"scenarios/with.yaml": "scenario: with rules\nextends: scenarios/base.yaml\nrule-files: [scenarios/noise.yaml]\n"})
	file := filepath.Join(w.Root(), "scenarios", "noise.yaml")
	keyed := harness.Rule{At: ruleAt(t, "request.body").At, Operation: "lms/*.csv", Compare: "keyed", Key: []string{"user_id", "section_id"}, Reason: "one row for each"}
	for _, r := range []harness.Rule{ruleAt(t, "response.body.number"), keyed} {
		if err := AddRules(file, []harness.Rule{r}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.Scenario("scenarios/with.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rules) != 3 || s.Rules[0].Pattern != `INV-\d{4}` || strings.Join(s.Rules[1].Key, " ") != "user_id section_id" {
		t.Errorf("rules of the file are not there: %+v", s.Rules)
	}
	before, _ := os.ReadFile(file)
	if err := AddRules(file, []harness.Rule{ruleAt(t, "response.body.number")}); err == nil || !strings.Contains(err.Error(), "covers the same already") {
		t.Errorf("a second rule for the same place: %v", err)
	}
	if after, _ := os.ReadFile(file); string(before) != string(after) {
		t.Errorf("a refused rule changed the file:\n%s", after)
	}
}

func TestProblemsOfARuleFileAreReportedInIt(t *testing.T) {
	w := extending(t, map[string]string{
		"scenarios/with.yaml":  "scenario: with rules\nextends: scenarios/base.yaml\nrule-files: [scenarios/noise.yaml]\n",
		"scenarios/noise.yaml": "rules:\n  - at: response.body.number\n    compare: pattern\n",
	})
	_, err := w.Scenario("scenarios/with.yaml")
	if err == nil || !strings.Contains(err.Error(), `scenarios/noise.yaml:2:5: missing key "reason" in rules[0]: every rule says why`) {
		t.Errorf("%v", err)
	}
}
