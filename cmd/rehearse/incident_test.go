package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// worldIn extracts the demo world and makes it the current folder.
func worldIn(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
}

// runsAs runs the program within the test and returns its exit code and both outputs.
func runsAs(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{out: &stdout, err: &stderr, now: time.Now, getenv: os.Getenv, version: "test"}
	code = a.main(t.Context(), args)
	return code, stdout.String(), stderr.String()
}

// TestAConnectionThatBrokeInProductionBreaksAgain goes the whole way with a failure that is no answer: the recording is
// incomplete because the SIS closed the connection, which is what is to happen again.
func TestAConnectionThatBrokeInProductionBreaksAgain(t *testing.T) {
	worldIn(t)
	rec, err := fixtures.Open("fixtures/harrow-lake/crm-sis-applicant")
	if err != nil {
		t.Fatal(err)
	}
	list, err := harness.Collect(rec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		switch x := &list[i]; {
		case x.Session != "A-20490":
		case x.Operation() == "POST /api/admission-applications":
			x.Response, x.Fault = harness.Message{}, &harness.Fault{Kind: harness.FaultReset, Detail: "connection reset by peer"}
		case x.Operation() == "POST /hooks/application":
			x.Response = harness.Message{Head: x.Response.Head.With(":status", "502"), Body: harness.BytesBody([]byte("bad gateway\n"))}
		}
	}
	if err := fixtures.Save("fixtures/production", harness.NewMemory(harness.Manifest{Origin: "test", Scrub: rec.Manifest().Scrub}, list...)); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		args []string
		want string
	}{
		{[]string{"capture", "fixtures/production", "--match", "externalId=A-20490", "--out", "fixtures/reset", "--scenario", "scenarios/reset.yaml", "--target", "hubline",
			"--extends", "scenarios/harrow-lake/i2-crm-sis-applicant/baseline-mocked.yaml"}, "taken: 5 of 120 exchanges"},
		{[]string{"run", "scenarios/reset.yaml", "--expect-failure", "--quiet"}, "reproduced: POST /api/admission-applications fails: reset"},
		{[]string{"shrink", "scenarios/reset.yaml", "--out", "scenarios/reset-small", "--quiet"}, "Still fails: POST /api/admission-applications fails: reset"},
		{[]string{"run", "scenarios/reset-small/scenario.yaml", "--expect-failure", "--quiet"}, "reproduced: "},
	}
	for _, step := range steps {
		code, out, said := runsAs(t, step.args...)
		if code != 0 || !strings.Contains(out, step.want) {
			t.Fatalf("%v: exit code %d, want %q\n%s%s", step.args, code, step.want, out, said)
		}
	}
	page, err := os.ReadFile("scenarios/reset-small/" + rootCauseFile)
	if want := "**fails** hubline → sis: POST /api/admission-applications | reset: "; err != nil || !strings.Contains(string(page), want) {
		t.Errorf("the page lacks %q: %v\n%s", want, err, page)
	}
	if code, _, said := runsAs(t, "run", "scenarios/reset.yaml", "--quiet"); code != 5 || !strings.Contains(said, "is incomplete") {
		t.Errorf("an incomplete recording is a baseline: exit code %d, %s", code, said)
	}
}

// TestThousandsShrinkByTheCommand bounds the command, with a server that is started for each run.
func TestThousandsShrinkByTheCommand(t *testing.T) {
	worldIn(t)
	rec, err := fixtures.Open("fixtures/harrow-lake/incidents/inc-2231")
	if err != nil {
		t.Fatal(err)
	}
	incident, err := harness.Collect(rec)
	if err != nil {
		t.Fatal(err)
	}
	healthy, err := fixtures.Open("fixtures/harrow-lake/crm-sis-applicant")
	if err != nil {
		t.Fatal(err)
	}
	well, err := harness.Collect(healthy)
	if err != nil {
		t.Fatal(err)
	}
	const size, before = 10_000, 7_000
	large := harness.NewMemory(harness.Manifest{Origin: "test", Scrub: rec.Manifest().Scrub})
	put := func(x harness.Exchange, round int) {
		x.ID, x.Session = "", fmt.Sprint(x.Session, "-", round)
		large.Put(x) //nolint:errcheck // memory keeps everything
	}
	for n := 0; n < size; n++ {
		if n == before {
			for _, x := range incident {
				put(x, n)
			}
		}
		put(well[n%len(well)], n/len(well))
	}
	if err := fixtures.Save("fixtures/large", large); err != nil {
		t.Fatal(err)
	}
	scenario := "scenario: large\nextends: scenarios/harrow-lake/i2-crm-sis-applicant/inc-2231.yaml\nrecording: fixtures/large\n"
	if err := os.WriteFile("scenarios/large.yaml", []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	code, out, said := runsAs(t, "shrink", "scenarios/large.yaml", "--out", "scenarios/small", "--workers", "2")
	t.Logf("%s\n%s%s", time.Since(began).Round(time.Millisecond), out, said)
	if want := regexp.MustCompile(`Exchanges 10004 → 1, fields \d+ → 8, `); code != 0 || !want.MatchString(out) {
		t.Errorf("exit code %d, want %s", code, want)
	}
	if _, err := os.Stat(filepath.Join("scenarios", "small", rootCauseFile)); err != nil {
		t.Error(err)
	}
}
