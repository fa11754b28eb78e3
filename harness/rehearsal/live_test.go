package rehearsal

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
)

const livePolicy = `policy: live
rules:
  - at: request.segment[0]
    keep: true
    reason: word of the interface
  - at: request.segment[1]
    class: id
  - field: id
    class: id
  - field: [first, last]
    class: person-name
  - field: state
    keep: true
    reason: code
`

// What a live system answers with its own data is compared and kept as stand-ins; what it gives back of the recording
// is the same as in the recording.
func TestLiveAnswersAreScrubbedLikeTheRecording(t *testing.T) {
	dir := t.TempDir()
	key, err := scrub.CreateKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := scrub.ParsePolicy("live.yaml", []byte(livePolicy))
	if err != nil {
		t.Fatal(err)
	}
	const original = `{"id":"%s","first":"Maria","last":"Nunez","state":"%s"}`
	get := func(id, state string) harness.Exchange {
		return harness.Exchange{
			Session: "s-" + id, Channel: harness.ChannelHTTP, From: "crm", To: "sis", At: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC),
			Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/people/" + id}}},
			Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Type", Value: "application/json"}}, Media: "application/json",
				Body: harness.BytesBody(fmt.Appendf(nil, original, id, state))},
		}
	}
	s := scrub.New(policy, key)
	var recorded []harness.Exchange
	for _, x := range []harness.Exchange{get("604821", "open"), get("604822", "open")} {
		clean, err := s.Exchange(x)
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, clean)
	}
	if err := fixtures.Save(filepath.Join(dir, "people"), harness.NewMemory(harness.Manifest{Origin: "test", Scrub: s.Seal()}, recorded...)); err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{ // the first has the data of the recording, the second data of its own and another state
		recorded[0].Request.Head.Get(":path"): bodyOf(t, recorded[0].Response),
		recorded[1].Request.Head.Get(":path"): fmt.Sprintf(original, "604822", "closed"),
	}
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answers[r.URL.Path]) //nolint:errcheck // the client sees it
	}))
	defer hub.Close()
	plan := Plan{
		Scenario: harness.Scenario{Name: "Live", File: filepath.Join(dir, "live.yaml"), Root: dir, Recording: "people",
			Target: harness.TargetSpec{System: "sis", URL: &harness.URLSpec{Base: hub.URL}},
			Rules:  []harness.Rule{{At: mustPath(t, "response.head.**"), Compare: "ignore", Reason: "another server"}}},
		ID: "live", Tool: "test", Scratch: t.TempDir(), Now: time.Now, Policy: policy,
	}
	if _, err := Run(t.Context(), plan); harness.ClassOf(err) != harness.ClassRefused || !strings.Contains(err.Error(), "there is no key") {
		t.Fatalf("without a key: %v", err)
	}
	plan.Key = key
	outcome, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	for x, err := range outcome.Candidate.Exchanges() {
		if err != nil {
			t.Fatal(err)
		}
		kept.WriteString(bodyOf(t, x.Response))
	}
	want := bodyOf(t, recorded[0].Response) + strings.Replace(bodyOf(t, recorded[1].Response), "open", "closed", 1)
	if kept.String() != want || !outcome.Candidate.Manifest().Sealed() {
		t.Errorf("kept %s, want %s", kept.String(), want)
	}
	for _, f := range outcome.Report.Findings {
		if text := f.Sentence; strings.Contains(text, "Nunez") || strings.Contains(text, "604822") {
			t.Errorf("a finding shows raw data: %s", text)
		}
	}
	if n := len(outcome.Report.Findings); n != 1 {
		t.Errorf("%d findings, want the state only: %+v", n, outcome.Report.Findings)
	}
}

func bodyOf(t *testing.T, m harness.Message) string {
	t.Helper()
	b, err := m.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustPath(t *testing.T, text string) harness.Path {
	t.Helper()
	p, err := harness.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
