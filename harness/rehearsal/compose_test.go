package rehearsal

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target/container/images"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// The service web ends at once when it starts before the health of its database was asked for.
const composeOfTwo = `services:
  web:
    build: image
    command: ["after", "http://database:8080/checked"]
    ports: ["80:8080"]
    volumes: ["./rules.csv:/etc/hub/rules.csv:ro"]
    depends_on:
      db: {condition: service_healthy}
    networks: [back]
  db:
    build: {context: image, dockerfile: Dockerfile}
    healthcheck:
      test: [CMD, /program, check, "http://127.0.0.1:8080/health"]
      interval: 2s
    networks: {back: {aliases: [database]}}
networks: {back: }
`

const composeScenario = `scenario: Stack
integration: example
recording: stack/recorded
target:
  system: hub
  container:
    compose: stack/compose.yaml
    service: web
    hosts: {api.receiver.example: receiver}
mocks: [receiver]
rules:
  - {at: request.head.**, compare: ignore, reason: another client}
  - {at: response.head.**, compare: ignore, reason: another server}
`

// The services of a Compose file run as a container and its companions: the database is healthy before the service starts,
// both reach each other, the vendor's host name leads to the mock, and the file that is bound is there.
func TestServicesOfAComposeFileAreRehearsed(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("../../scenarios/starter")); err != nil {
		t.Fatal(err)
	}
	stack := filepath.Join(root, "stack")
	images.Context(t, stack, images.Server, "EXPOSE 8080")
	for name, text := range map[string]string{"stack/compose.yaml": composeOfTwo, "stack/rules.csv": "RE,active", "stack.yaml": composeScenario} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const plain = "text/plain; charset=utf-8"
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	call := func(from, to, path, body string) harness.Exchange {
		at = at.Add(time.Second)
		return harness.Exchange{
			Session: "s", Channel: harness.ChannelHTTP, From: from, To: to, At: at, Took: time.Millisecond,
			Request:  harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: path}}},
			Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Type", Value: plain}}, Media: plain, Body: harness.BytesBody([]byte(body))},
		}
	}
	fetch := func(at string) string { return "/fetch?url=" + url.QueryEscape(at) }
	xs := []harness.Exchange{
		call("source", "hub", fetch("http://db:8080/rows"), `{"method":"GET","target":"/rows"}`),
		call("hub", "receiver", "/courses", "MATH 101"),
		call("source", "hub", fetch("http://api.receiver.example/courses"), "MATH 101"),
		call("source", "hub", "/file?name=/etc/hub/rules.csv", "-rw-r--r-- 0 RE,active"),
	}
	m := harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "none of it is of people"}}
	if err := fixtures.Save(filepath.Join(stack, "recorded"), harness.NewMemory(m, xs...)); err != nil {
		t.Fatal(err)
	}
	w, err := scenarios.OpenWorkspace(root)
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := w.Scenario(filepath.Join(root, "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := Run(t.Context(), Plan{Scenario: scenario, Catalogue: w.Catalogue(), ID: "stack", Tool: "test", Scratch: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, harness.HintOf(err))
	}
	if n := len(outcome.Report.Findings); n != 0 {
		t.Errorf("%d findings: %s", n, sentences(outcome.Report))
	}
	if got := outcome.Report.Target; !strings.HasPrefix(got, "container of service web in stack/compose.yaml: built from stack/image (") {
		t.Errorf("target %q", got)
	}
	called := 0
	for x, err := range outcome.Candidate.Exchanges() {
		if err != nil {
			t.Fatal(err)
		}
		if x.To == "receiver" && x.Request.Head.Get(":path") == "/courses" {
			called++
		}
	}
	if called != 1 {
		t.Errorf("the mock was called %d times", called)
	}
}
