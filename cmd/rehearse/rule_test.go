package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// noisyWorkspace is a workspace whose target stamps its output with its process id and draws a number: noise by nature.
func noisyWorkspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rehearse.yaml":             "version: 1\n",
		"catalog/people.yaml":       "- person: dana\n  name: Dana Ortiz\n",
		"catalog/systems.yaml":      "- {system: sis, title: Atrium SIS}\n- {system: hubline, title: HubLine}\n- {system: lms, title: Lantern LMS}\n",
		"catalog/integrations.yaml": "- integration: nightly\n  title: Nightly\n  owner: dana\n  systems: [sis, hubline, lms]\n",
		"stamp.sh":                  "read plan\nprintf '{\"plan\":\"%s\",\"job\":\"job-%06d\"}' \"$plan\" $$\n",
		"scenarios/nightly.yaml": `scenario: nightly
integration: nightly
recording: fixtures/nightly
target:
  system: hubline
  command: {run: [sh, "{root}/stamp.sh"], to: lms, output: lms/job.json}
rule-files: [scenarios/noise.yaml]
`,
		"scenarios/noise.yaml": "rules:\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	crossed := func(from, to, name, media, body string) harness.Exchange {
		return harness.Exchange{Session: "night", Channel: harness.ChannelFile, From: from, To: to, At: worldClock(),
			Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: media, Body: harness.BytesBody([]byte(body))}}
	}
	m := harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: harness.Digest([]byte("p")), Key: "k"}}
	rec := harness.NewMemory(m, crossed("sis", "hubline", "plan.txt", "text/plain", "BIOL-BS\n"), crossed("hubline", "lms", "lms/job.json", "application/json", `{"plan":"BIOL-BS","job":"job-000001"}`))
	if err := fixtures.Save(filepath.Join(dir, "fixtures", "nightly"), rec); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs the program in the folder as a person would.
func command(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	t.Chdir(dir)
	var stdout, stderr bytes.Buffer
	a := &app{out: &stdout, err: &stderr, getenv: os.Getenv, version: "test", now: time.Now}
	code = a.main(t.Context(), args)
	return code, stdout.String(), stderr.String()
}

func TestNoiseIsLearnedAndARegressionInsideItIsStillFound(t *testing.T) {
	dir := noisyWorkspace(t)
	if code, out, errs := command(t, dir, "run", "scenarios/nightly.yaml"); code != exitNeedsPerson || !strings.Contains(out, "job") {
		t.Fatalf("exit %d: the job number must need a person\n%s%s", code, out, errs)
	}
	code, out, errs := command(t, dir, "rule", "learn", "scenarios/nightly.yaml", "--times", "3", "--into", "scenarios/noise.yaml")
	if code != exitSafe || !strings.Contains(out, "pattern (job-[0-9]{6})") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, dir, "run", "scenarios/nightly.yaml"); code != exitSafe || !strings.Contains(out, "varies from run to run") {
		t.Errorf("exit %d: with the rule nothing is left, and the report names the rule\n%s%s", code, out, errs)
	}
	broken := "read plan\nprintf '{\"plan\":\"%s\",\"job\":\"%d\"}' \"$plan\" $$\n"
	if err := os.WriteFile(filepath.Join(dir, "stamp.sh"), []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := command(t, dir, "run", "scenarios/nightly.yaml"); code != exitNeedsPerson {
		t.Errorf("exit %d: the job number lost its form inside the noise\n%s%s", code, out, errs)
	}
}

func TestRuleIsAddedFromAFinding(t *testing.T) {
	dir := noisyWorkspace(t)
	command(t, dir, "run", "scenarios/nightly.yaml")
	code, out, errs := command(t, dir, "rule", "add", "--from-finding", "1", "--into", "scenarios/noise.yaml", "--reason", "number of the process")
	if code != exitSafe || !strings.Contains(out, "pattern at request.body.job") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := command(t, dir, "run", "scenarios/nightly.yaml"); code != exitSafe {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if code, _, errs := command(t, dir, "rule", "add", "--from-finding", "9", "--into", "scenarios/noise.yaml", "--reason", "r"); code != exitUsage || !strings.Contains(errs, "has no finding 9") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}
