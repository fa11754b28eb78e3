package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/target/container"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// The two releases of a real service between which its users must move: the second has no API v1 any more.
const (
	releaseBefore = "v0.20.0"
	releaseAfter  = "v0.28.1"
)

// alertmanager makes an image FROM scratch of a release, by the Go command, and returns its name.
func alertmanager(t *testing.T, release string) string {
	t.Helper()
	dir := t.TempDir()
	install := exec.Command("go", "install", "-trimpath", "-ldflags=-s -w", "github.com/prometheus/alertmanager/cmd/alertmanager@"+release)
	install.Dir, install.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOBIN="+dir)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install alertmanager %s: %v\n%s", release, err, out)
	}
	for name, text := range map[string]string{
		"Dockerfile":       "FROM scratch\nCOPY alertmanager /alertmanager\nCOPY alertmanager.yml /alertmanager.yml\nEXPOSE 9093\nVOLUME /data\nLABEL org.opencontainers.image.version=" + release + "\nENTRYPOINT [\"/alertmanager\", \"--config.file=/alertmanager.yml\", \"--storage.path=/data\", \"--cluster.listen-address=\"]\n",
		"alertmanager.yml": "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("rehearse-test:alertmanager-%s-%d", release, os.Getpid())
	images.Build(t, name, dir)
	t.Cleanup(func() {
		if err := images.Remove(name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// operator is a client of the service.
type operator struct {
	t    *testing.T
	base string
}

// ask sends a request, which must be answered well, and returns the answer.
func (o operator) ask(method, path, body string) string {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.base+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		o.t.Fatalf("%s %s: %s %v %s", method, path, resp.Status, err, b)
	}
	return string(b)
}

// made is the id of a silence in the answer to its creation.
var made = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// silence is what both versions of the API take.
const silence = `{"matchers":[{"name":"alertname","value":"%s","isRegex":false}],"startsAt":"2026-10-05T14:00:00Z","endsAt":"2036-10-05T14:00:00Z","createdBy":"dana","comment":"window of the %s release"}`

// work is a session of an operator over both versions of the API: silences are made,
// looked at, listed and expired, alerts posted and listed.
func (o operator) work() {
	const alerts = `[{"labels":{"alertname":"GradesLate","system":"lms"},"annotations":{"summary":"no grades since 06:00"},"startsAt":"2026-10-05T14:00:00Z","endsAt":"2036-10-05T14:00:00Z"}]`
	o.ask("GET", "/api/v2/status", "")
	id := made.FindString(o.ask("POST", "/api/v2/silences", fmt.Sprintf(silence, "FeedLate", "LMS")))
	o.ask("GET", "/api/v2/silence/"+id, "")
	o.ask("GET", "/api/v2/silences", "")
	o.ask("POST", "/api/v2/alerts", alerts)
	o.ask("GET", "/api/v2/alerts", "")
	o.ask("DELETE", "/api/v2/silence/"+id, "")
	o.ask("GET", "/api/v2/silence/"+id, "")

	o.ask("GET", "/api/v1/status", "")
	id = made.FindString(o.ask("POST", "/api/v1/silences", fmt.Sprintf(silence, "FeedEmpty", "SIS")))
	o.ask("GET", "/api/v1/silence/"+id, "")
	o.ask("GET", "/api/v1/silences?filter="+url.QueryEscape(`{alertname="FeedEmpty"}`), "")
	o.ask("POST", "/api/v1/alerts", alerts)
	o.ask("GET", "/api/v1/alerts", "")
	o.ask("DELETE", "/api/v1/silence/"+id, "")
}

// removed are the operations of the session that the later release has no more.
var removed = []string{"GET /api/v1/status", "POST /api/v1/silences", "GET /api/v1/silences", "POST /api/v1/alerts", "GET /api/v1/alerts"}

// recordedSession records the session through a tap in front of the image.
func recordedSession(t *testing.T, image string) harness.Recording {
	t.Helper()
	n, err := container.Open(t.Context(), container.Options{Run: "record", Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close() //nolint:errcheck // the tests of the package look at that
	s, err := n.Start(t.Context(), container.Order{Spec: harness.ContainerSpec{Name: "alertmanager", Image: image, Pull: "never", Ready: &harness.ReadySpec{Path: "/-/ready"}}})
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	tap := &httptap.Tap{Upstream: &url.URL{Scheme: "http", Host: s.Address}, From: "hubline", To: "alertmanager", Session: func(*http.Request) string { return "release-window" }}
	addr, err := tap.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	recording := harness.NewMemory(harness.Manifest{Origin: "httptap"})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, recording) }()
	operator{t, "http://" + addr.String()}.work()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return recording
}

// upgradeWorkspace is a workspace with a scenario, which the README shows.
func upgradeWorkspace(t *testing.T, image string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rehearse.yaml":             "version: 1\ncatalog: catalog\nscenarios: scenarios\nfixtures: fixtures\n",
		"catalog/systems.yaml":      "- {system: hubline, title: HubLine}\n- {system: alertmanager, title: Alertmanager}\n",
		"catalog/people.yaml":       "- {person: dana, name: Dana Whitfield}\n",
		"catalog/integrations.yaml": "- {integration: alerts, title: Alerts, owner: dana, systems: [hubline, alertmanager]}\n",
		"catalog/calendar.yaml":     "{}\n",
		"scenarios/upgrade.yaml":    strings.ReplaceAll(upgradeScenario, "IMAGE", image),
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const upgradeScenario = `scenario: Alertmanager
integration: alerts
recording: fixtures/alertmanager
egress: {personal-data: none}
target:
  system: alertmanager
  container: {image: "IMAGE", pull: never, ready: {path: /-/ready}}
rules:
  - {at: "response.body.**.updatedAt", compare: ignore, reason: moment of the call}
  - {at: "response.body.**.startsAt", compare: ignore, reason: a silence of the past starts at the moment of the call}
  - {at: "response.body.**.endsAt", compare: ignore, reason: a silence ends at the moment at which it is expired}
  - {at: "response.body.**.uptime", compare: ignore, reason: moment of the start}
`

func rehearseUpgrade(t *testing.T, recording harness.Recording, image string) *harness.Report {
	t.Helper()
	dir := upgradeWorkspace(t, image)
	publish(t, filepath.Join(dir, "fixtures", "alertmanager"), recording, "policy.yaml")
	ws, scenario, err := openScenario(filepath.Join(dir, "scenarios", "upgrade.yaml"))
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	outcome, err := rehearsal.Run(t.Context(), rehearsal.Plan{
		Scenario: scenario, Catalogue: ws.Catalogue(), ID: "upgrade", Tool: "rehearse test", Scratch: t.TempDir(), Now: worldClock,
	})
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	return outcome.Report
}

func TestUpgradeOfARealServiceInContainers(t *testing.T) {
	before, after := alertmanager(t, releaseBefore), alertmanager(t, releaseAfter)
	recording := recordedSession(t, before)
	for _, f := range rehearseUpgrade(t, recording, before).Findings {
		if f.Verdict != harness.Same {
			t.Errorf("the release of the recording against itself: %s %s: %s", f.Kind, f.Verdict, f.Sentence)
		}
	}
	report := rehearseUpgrade(t, recording, after)
	root := slices.IndexFunc(report.Findings, func(f harness.Finding) bool { return strings.Contains(f.Sentence, "has no /api/v1 any more") })
	if root < 0 {
		t.Fatal("the removal of API v1 is not found")
	}
	f := report.Findings[root]
	if f.Verdict != harness.Breaking || !strings.Contains(f.Sentence, "answered 410") || !strings.Contains(f.Sentence, "v1 API was deprecated") {
		t.Errorf("the removal is told as %s: %s", f.Verdict, f.Sentence)
	}
	for _, operation := range removed {
		if !slices.Contains(f.Operations, operation) {
			t.Errorf("the removal of %s is not part of it: %v", operation, f.Operations)
		}
	}
	if !slices.ContainsFunc(f.Effects, func(e string) bool { return strings.HasPrefix(e, "2 requests could not be sent") }) { // they need the id of a silence that was not made
		t.Errorf("the consequences are not attached to it: %q", f.Effects)
	}
	for _, f := range report.Findings {
		if strings.Contains(f.Sentence, " fails: ") || strings.Contains(f.Sentence, "could not be sent") {
			t.Errorf("this does not fail: %s", f.Sentence)
		}
		t.Logf("%s %s %d: %s", f.Kind, f.Verdict, f.Count, f.Sentence)
	}
	if !strings.Contains(report.Target, "version "+releaseAfter+")") {
		t.Errorf("the report does not say which release was tested: %s", report.Target)
	}
}
