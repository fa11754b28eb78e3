package rehearsal

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes/vendor"
)

// TestMain is also the target of the tests: with VENDOR_SEED an instance of the vendor's system, without it a service that
// asks another system for every request that it answers, and that hands on the field of HANDS_ON.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "as-ledger" {
		fmt.Fprintln(os.Stderr, ledger())
		os.Exit(3)
	}
	listen := os.Getenv("REHEARSE_LISTEN")
	if listen == "" {
		os.Exit(m.Run())
	}
	var service http.Handler = http.HandlerFunc(asking)
	if seed, err := strconv.ParseUint(os.Getenv("VENDOR_SEED"), 10, 64); err == nil {
		service = vendor.New(seed, 0)
	}
	err := http.ListenAndServe(listen, service) //nolint:gosec // on loopback, for a test
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// asking answers with what the other system says.
func asking(w http.ResponseWriter, r *http.Request) {
	ask, _ := http.NewRequestWithContext(r.Context(), "POST", os.Getenv("REHEARSE_URL_LMS")+"/seats", nil)
	if field := os.Getenv("HANDS_ON"); field != "" {
		ask.Header.Set(field, r.Header.Get(field))
	}
	answer, err := http.DefaultTransport.RoundTrip(ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", "application/json")
	io.Copy(w, answer.Body) //nolint:errcheck // the client sees it
}

// seats is a recording of sessions that all ask the same and are answered each in its own way, behind a mock.
func seats(t *testing.T, root string, sessions, each int) {
	t.Helper()
	var xs []harness.Exchange
	message := func(body string, head ...harness.Field) harness.Message {
		m := harness.Message{Head: head, Body: harness.BytesBody([]byte(body))}
		if body != "" {
			m.Head, m.Media = append(m.Head, harness.Field{Name: "Content-Type", Value: "application/json"}), "application/json"
		}
		return m
	}
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for i := range each {
		for s := range sessions {
			at = at.Add(time.Second)
			call := func(from, to, method, path string) harness.Exchange {
				return harness.Exchange{Session: fmt.Sprintf("applicant-%d", s), Channel: harness.ChannelHTTP, From: from, To: to, At: at, Took: 10 * time.Millisecond,
					Request:  message("", harness.Field{Name: ":method", Value: method}, harness.Field{Name: ":path", Value: path}),
					Response: message(fmt.Sprintf(`{"applicant":%d,"seat":%d}`, s, i), harness.Field{Name: ":status", Value: "200"})}
			}
			xs = append(xs, call("hubline", "lms", "POST", "/seats"), call("crm", "hubline", "GET", "/applicants/next"))
		}
	}
	m := harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "none of it is of people"}}
	if err := fixtures.Save(filepath.Join(root, "seats"), harness.NewMemory(m, xs...)); err != nil {
		t.Fatal(err)
	}
}

func TestCallsOfSessionsThatAreFedAtTheSameTime(t *testing.T) {
	root := t.TempDir()
	seats(t, root, 8, 5)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		why    string
		replay harness.Replay
		env    map[string]string
		note   string // that the report holds
	}{
		{"one after the other", harness.Replay{}, nil, ""},
		{"told apart by the trace that the target hands on", harness.Replay{Concurrency: 8, SessionHeader: "traceparent"}, map[string]string{"HANDS_ON": "traceparent"}, ""},
		{"told apart by another field", harness.Replay{Concurrency: 8, SessionHeader: "X-Correlation-ID"}, map[string]string{"HANDS_ON": "X-Correlation-ID"}, ""},
		{"nothing tells them apart: one after the other, and the report says so", harness.Replay{Concurrency: 8}, nil, "sessions were fed one after the other, not 8 at the same time"},
	}
	for _, test := range tests {
		outcome, err := Run(t.Context(), Plan{
			Scenario: harness.Scenario{
				Name: "Seats", File: filepath.Join(root, "seats.yaml"), Root: root, Recording: "seats", Mocks: []string{"lms"}, Replay: test.replay,
				Target: harness.TargetSpec{System: "hubline", Process: &harness.ProcessSpec{Run: []string{self}, Env: test.env}},
				Rules:  []harness.Rule{{At: mustPath(t, "request.head.**"), Compare: "ignore", Reason: "another client"}},
			},
			ID: "seats", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
		})
		if err != nil {
			t.Fatalf("%s: %v", test.why, err)
		}
		notes := strings.Join(outcome.Report.Notes, "\n")
		if outcome.Report.Verdict != harness.Same || outcome.Report.After.Exchanges != 80 || !strings.Contains(notes, test.note) || strings.Contains(notes, "no answer") {
			t.Errorf("%s: %s %s\n%s", test.why, outcome.Report.Verdict, sentences(outcome.Report), notes)
		}
	}
}

// Calls that do not tell their session are nobody's: they are counted, and never given to the session that happens to be
// under way.
func TestCallsWithoutAMarkAreNotGuessed(t *testing.T) {
	root := t.TempDir()
	seats(t, root, 4, 2)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := Run(t.Context(), Plan{
		Scenario: harness.Scenario{
			Name: "Seats", File: filepath.Join(root, "seats.yaml"), Root: root, Recording: "seats", Mocks: []string{"lms"},
			Replay: harness.Replay{Concurrency: 4, SessionHeader: "traceparent"}, // which this target does not hand on
			Target: harness.TargetSpec{System: "hubline", Process: &harness.ProcessSpec{Run: []string{self}}},
		},
		ID: "seats", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(outcome.Report.Notes, "\n"); !strings.Contains(notes, "8 calls of the target had no traceparent") || outcome.Report.Verdict == harness.Same {
		t.Errorf("%s\n%s", outcome.Report.Verdict, notes)
	}
}
