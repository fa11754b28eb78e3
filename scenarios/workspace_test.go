package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestScenarioHoldsWhatTheFilesSay(t *testing.T) {
	w := openWorld(t, "testdata/world")
	got, err := w.Scenario("testdata/world/scenarios/nightly/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	path := func(s string) harness.Path {
		p, err := harness.ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	day := harness.Date{Time: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	want := harness.Scenario{
		Name: "Nightly after the upgrade", Integration: "sis-lms-nightly", Recording: "fixtures/nightly", Candidate: "candidate",
		Target: harness.TargetSpec{System: "hubline", JQ: []harness.MappingSpec{{
			From: "registrations.csv", Program: "mapping/map.jq", Crosswalks: map[string]string{"status": "mapping/status.csv"},
			Output: "enrolments.csv", Columns: []string{"course_id", "user_id"}, To: "lms",
		}}},
		Upstreams: map[string]harness.Upstream{"lms": {Process: &harness.ProcessSpec{
			Run: []string{"rehearse", "mock", "--listen={listen}"}, Env: map[string]string{"PRICE": "$5", "COUNT": "007"},
			Wait: harness.Duration(5 * time.Second),
		}}},
		Mocks: []string{"sis"},
		Rules: []harness.Rule{{At: path("response.body.**.updated_at"), Compare: "instant", Tolerance: "5s", Reason: "server clock", Until: day}},
		Expect: []harness.Expectation{
			{Change: "D04", At: path("request.body[*].total"), Class: "form", From: text("9.30"), To: text(""), Count: 3,
				Reason: "the vendor drops trailing zeros"},
			{Change: "D12", At: path("request.body[*].role"), From: text("student"), To: text("observer"),
				Reason: "auditors become observers", Ticket: "PR-418", Until: day},
		},
		ExpectFiles: []string{"scenarios/nightly/expect.yaml"},
		Egress:      harness.Egress{Allow: []string{"lms-test.harrow-lake.example:443"}},
		Clock:       time.Date(2026, 10, 5, 7, 15, 0, 0, time.UTC),
		Change:      "Atrium SIS 9.32",
		File:        "scenarios/nightly/scenario.yaml",
		Root:        w.Root(),
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); d != "" {
		t.Error(d)
	}
}

func TestScenarioNameIsLookedForInTheWorkspaceToo(t *testing.T) {
	w := openWorld(t, "testdata/world")
	s, err := w.Scenario("scenarios/nightly/scenario.yaml")
	if err != nil || s.File != "scenarios/nightly/scenario.yaml" {
		t.Errorf("%q, %v", s.File, err)
	}
}

func TestFormsOfTheSameTextReadTheSame(t *testing.T) {
	for _, tt := range []struct{ why, src string }{
		{"editors on Windows add a byte order mark", "\ufeff" + good},
		{"Git on Windows changes line ends", strings.ReplaceAll(good, "\n", "\r\n")},
		{"a document marker says nothing", "---\n" + good + "...\n"},
		{"comments say nothing", "# c\n" + strings.ReplaceAll(good, "\n", " # c\n")},
		{"JSON is YAML", `{"scenario": "Nightly", "integration": "sis-lms-nightly", "recording": "fixtures/nightly",` +
			`"target": {"system": "hubline", "url": {"base": "http://127.0.0.1:8080"}}}`},
		{"a list whose entries are commented out is empty", good + "rules:\n#  - at: x\n"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w := worldWith(t, map[string]string{"a.yaml": good, "b.yaml": tt.src})
			a, err := w.Scenario("a.yaml")
			if err != nil {
				t.Fatal(err)
			}
			b, err := w.Scenario("b.yaml")
			if err != nil {
				t.Fatal(err)
			}
			a.File, b.File = "", ""
			if d := cmp.Diff(a, b); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestScenariosAreListedInOrder(t *testing.T) {
	w := openWorld(t, "testdata/world")
	files, err := w.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, w.shown(file))
	}
	// The broken file is listed, so that whoever runs all scenarios hears of it; expect files, hidden folders and
	// other workspaces are not.
	want := []string{"scenarios/broken.yml", "scenarios/nightly/scenario.yaml"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestWorkspaceIsFoundFromBelow(t *testing.T) {
	root, err := filepath.Abs("testdata/world")
	if err != nil {
		t.Fatal(err)
	}
	w, err := OpenWorkspace("testdata/world/scenarios/nightly")
	if err != nil || w.Root() != root {
		t.Fatalf("%v, %v", w, err)
	}
	if w.FixturesDir() != filepath.Join(root, "fixtures") || w.ScenariosDir() != filepath.Join(root, "scenarios") {
		t.Errorf("folders %s, %s", w.FixturesDir(), w.ScenariosDir())
	}
	if owner := w.Catalogue().PersonName(w.Catalogue().Integrations["sis-lms-nightly"].Owner); owner != "Dana Ortiz" {
		t.Errorf("owner %q", owner)
	}
	if version := w.Catalogue().Systems["sis"].Version; version != "9.30" {
		t.Errorf("version %q lost its zero", version)
	}
}

func TestWorkspaceErrorsNameTheirPlace(t *testing.T) {
	for _, tt := range []struct{ why, file, content, want string }{
		{"the version says how to read the rest", "rehearse.yaml", "catalog: x\n", `rehearse.yaml:1:1: missing key "version" in workspace file`},
		{"a newer file is not guessed at", "rehearse.yaml", "version: 2\n", "rehearse.yaml:1:10: version 2 is not known; this program reads version 1"},
		{"folders lie below", "rehearse.yaml", "version: 1\nfixtures: ../all\n", `rehearse.yaml:2:11: fixtures: "../all" leaves the workspace`},
		{"typos are suggested", "rehearse.yaml", "version: 1\ncatalogue: x\n", `rehearse.yaml:2:1: unknown key "catalogue" in workspace file; did you mean "catalog"?`},
		{"an integration has an owner", "catalog/integrations.yaml", "- integration: x\n  title: X\n  systems: [sis]\n",
			`catalog/integrations.yaml:1:3: missing key "owner" in integrations[0]: every integration has an assigned owner`},
		{"an owner is somebody", "catalog/integrations.yaml", "- {integration: x, title: X, systems: [sis], owner: dane, backup: leom, steward: x}\n",
			"catalog/integrations.yaml:1:53: integrations[0].owner: no person \"dane\" in the catalogue; did you mean \"dana\"?\n" +
				"catalog/integrations.yaml:1:67: integrations[0].backup: no person \"leom\" in the catalogue; did you mean \"leon\"?\n" +
				"catalog/integrations.yaml:1:82: integrations[0].steward: no person \"x\" in the catalogue"},
		{"systems exist", "catalog/integrations.yaml", "- integration: x\n  title: X\n  owner: dana\n  systems: [sis, lsm]\n  receives: {a: crn}\n  guards: [{system: hub, operation: a, lost: lots}]\n",
			"catalog/integrations.yaml:4:18: integrations[0].systems[1]: no system \"lsm\" in the catalogue; did you mean \"lms\"?\n" +
				"catalog/integrations.yaml:5:17: integrations[0].receives.a: no system \"crn\" in the catalogue; did you mean \"crm\"?\n" +
				"catalog/integrations.yaml:6:21: integrations[0].guards[0].system: no system \"hub\" in the catalogue\n" +
				"catalog/integrations.yaml:6:46: \"lots\" is not a share such as 5%"},
		{"tables are read in two ways", "catalog/integrations.yaml", "- {integration: x, title: X, systems: [sis], owner: dana, reads: names}\n",
			`integrations[0].reads: "names" is not known; did you mean "name"?`},
		{"a name is declared once", "catalog/systems.yaml", "- {system: sis, title: A}\n- {system: sis, title: B}\n",
			`catalog/systems.yaml:2:12: system "sis" comes twice; first in line 1`},
		{"production is true or false", "catalog/systems.yaml", "- {system: sis, title: A, production: yes}\n",
			`catalog/systems.yaml:1:39: systems[0].production: "yes" is not true or false`},
		{"a schedule can be read", "catalog/integrations.yaml", "- integration: x\n  title: X\n  owner: dana\n  systems: [sis]\n  runs:\n    - {cron: 15 2 * *, zone: America/Chicago}\n    - {cron: 15 2 * * *, zone: Chicago}\n",
			"catalog/integrations.yaml:6:14: integrations[0].runs[0].cron: \"15 2 * *\" has 4 fields, want 5: minute, hour, day of month, month, day of week\n" +
				"catalog/integrations.yaml:7:32: integrations[0].runs[1].zone: \"Chicago\" is not a time zone such as America/Chicago"},
		{"a schedule says its zone", "catalog/integrations.yaml", "- integration: x\n  title: X\n  owner: dana\n  systems: [sis]\n  runs: [{cron: 15 2 * * *}]\n",
			`missing key "zone" in integrations[0].runs[0]: a time of day means nothing without its zone`},
		{"what the calendar names exists", "catalog/calendar.yaml", "zone: Mars\nfreezes: [{freeze: finals, from: 2026-12-18, to: 2026-12-07, integrations: [x]}]\ndeadlines: [{deadline: D, kind: party, on: 2026-11-30, system: hub, integration: y, owner: dane}]\n",
			"catalog/calendar.yaml:1:7: zone: \"Mars\" is not a time zone such as America/Chicago\n" +
				"catalog/calendar.yaml:2:50: freezes[0] ends on 2026-12-07, before it begins on 2026-12-18\n" +
				"catalog/calendar.yaml:2:77: freezes[0].integrations[0]: no integration \"x\" in the catalogue\n" +
				"catalog/calendar.yaml:3:33: deadlines[0].kind: \"party\" is not known"},
		{"the catalogue holds lists", "catalog/people.yaml", "dana: {name: Dana}\n", "catalog/people.yaml:1:1: people is a mapping, want a list"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			dir := worldWith(t, nil).Root()
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := OpenWorkspace(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			checkProblem(t, err)
		})
	}
}

func TestEnvironmentHasPrecedenceOverTheFile(t *testing.T) {
	t.Setenv("REHEARSE_FIXTURES", "candidate")
	w, err := OpenWorkspace("testdata/world")
	if err != nil || filepath.Base(w.FixturesDir()) != "candidate" || filepath.Base(w.ScenariosDir()) != "scenarios" {
		t.Errorf("%v, %v", w, err)
	}
	t.Setenv("REHEARSE_CATALOG", "/etc")
	_, err = OpenWorkspace("testdata/world")
	if want := `rehearse.yaml: variable REHEARSE_CATALOG: "/etc" leaves the workspace`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFolderWithoutWorkspaceSaysHowToStartOne(t *testing.T) {
	_, err := OpenWorkspace(t.TempDir())
	if err == nil || !strings.Contains(harness.HintOf(err), "rehearse init") {
		t.Errorf("%v, hint %q", err, harness.HintOf(err))
	}
}

func TestOtherNamesOfTheWorkspaceFile(t *testing.T) {
	for _, name := range FileNames {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("version: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenWorkspace(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInterpolate(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "x", "EMPTY": "", "_1": "y", "NEST": "${A}"}[name]
		return value, ok
	}
	for _, tt := range []struct{ why, text, want string }{
		{"no variable", "plain", "plain"},
		{"in the middle", "a${A}b", "axb"},
		{"twice", "${A}${_1}", "xy"},
		{"a dollar sign", "$$5", "$5"},
		{"an escaped variable", "$${A}", "${A}"},
		{"a dollar sign before a variable", "$$${A}", "$x"},
		{"a lone dollar sign stands for itself", "US$ 5 $A $", "US$ 5 $A $"},
		{"set to nothing is set", "[${EMPTY}]", "[]"},
		{"a default for the empty text", "${EMPTY:-z}", "z"},
		{"a default for an unset variable", "${NONE:-z}", "z"},
		{"an empty default", "[${NONE:-}]", "[]"},
		{"a default with colons", "${NONE:-http://127.0.0.1:1}", "http://127.0.0.1:1"},
		{"the default is not used", "${A:-z}", "x"},
		{"the message is not used", "${A:?why}", "x"},
		{"values are not expanded again", "${NEST}", "${A}"},
	} {
		if got, err := interpolate(tt.text, lookup); err != nil || got != tt.want {
			t.Errorf("%s: %q is %q, %v; want %q", tt.why, tt.text, got, err, tt.want)
		}
	}
}
