package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// extending is a workspace in which preview.yaml and mocked.yaml build on base.yaml.
func extending(t *testing.T, files map[string]string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	world := map[string]string{
		"rehearse.yaml":             "version: 1\n",
		"catalog/people.yaml":       "- person: priya\n  name: Priya Raman\n",
		"catalog/systems.yaml":      "- {system: hubline, title: HubLine}\n- {system: crm, title: Prospekt CRM}\n- {system: sis, title: Atrium SIS}\n",
		"catalog/integrations.yaml": "- integration: crm-sis\n  title: Applicants\n  owner: priya\n  systems: [crm, hubline, sis]\n",
		"fixtures/week/.keep":       "",
		"scenarios/base.yaml": `scenario: as recorded
integration: crm-sis
recording: fixtures/week
target: {system: hubline, url: {base: "http://127.0.0.1:8080"}}
upstreams: {crm: {url: {base: "http://127.0.0.1:8081"}}}
mocks: [sis]
rules: [{at: response.body.at, compare: instant, reason: clock of the server}]
`,
	}
	for name, text := range files {
		world[name] = text
	}
	for name, text := range world {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestScenarioBuildsOnAnother(t *testing.T) {
	w := extending(t, map[string]string{"scenarios/preview.yaml": `scenario: preview
extends: scenarios/base.yaml
change: CRM 2026.3
mocks: [crm]
rules: [{at: response.body.id, compare: ignore, reason: drawn by the server}]
`})
	s, err := w.Scenario("scenarios/preview.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "preview" || s.Change != "CRM 2026.3" || s.Integration != "crm-sis" || s.Recording != "fixtures/week" || s.Target.URL == nil {
		t.Errorf("keys are not taken over: %+v", s)
	}
	if d := cmp.Diff([]string{"crm", "sis"}, s.Mocks); d != "" || len(s.Upstreams) != 0 {
		t.Errorf("a system that is mocked now is still live: %v, %v", s.Upstreams, d)
	}
	if len(s.Rules) != 2 || s.Rules[0].Compare != "ignore" {
		t.Errorf("rules are not added before those of the base: %+v", s.Rules)
	}
}

func TestWhatAScenarioExtendsIsCheckedToo(t *testing.T) {
	for _, tc := range []struct{ name, why, extends, base, want string }{
		{"itself", "a circle never ends", "scenarios/top.yaml", "", `scenarios/top.yaml:2:10: extends: "scenarios/top.yaml" leads back to itself`},
		{"each other", "nor does a longer one", "scenarios/low.yaml", "scenario: low\nextends: scenarios/top.yaml\n", `scenarios/low.yaml:2:10: extends: "scenarios/top.yaml" leads back to itself`},
		{"missing", "the file is named where it is asked for", "scenarios/none.yaml", "", `scenarios/top.yaml:2:10: extends: no "scenarios/none.yaml" in the workspace`},
		{"outside", "nothing outside of the workspace is read", "../low.yaml", "", `scenarios/top.yaml:2:10: extends: "../low.yaml" leaves the workspace`},
		{"faulty", "problems are reported in the file that has them", "scenarios/low.yaml", "scenario: low\nrecroding: x\n", `scenarios/low.yaml:2:1: unknown key "recroding"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{"scenarios/top.yaml": "scenario: top\nextends: " + tc.extends + "\n"}
			if tc.base != "" {
				files["scenarios/low.yaml"] = tc.base
			}
			_, err := extending(t, files).Scenario("scenarios/top.yaml")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v\nwant %s", tc.why, err, tc.want)
			}
		})
	}
}
