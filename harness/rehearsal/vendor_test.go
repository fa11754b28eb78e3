package rehearsal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes/vendor"
)

// staff are the users of the vendor's system.
var staff = []string{"ada", "ben", "cleo", "dana", "eli"}

// recordVendor records users at work at the same time, and returns the number of exchanges in the recording.
func recordVendor(t testing.TB, root string, staff ...string) (exchanges int) {
	t.Helper()
	origin := httptest.NewServer(vendor.New(1, 2*time.Millisecond))
	defer origin.Close()
	upstream, err := url.Parse(origin.URL)
	if err != nil {
		t.Fatal(err)
	}
	tap := &httptap.Tap{Upstream: upstream, From: "crm", To: "vendor", Session: httptap.SessionByHeader("X-Client")}
	addr, err := tap.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	recording := harness.NewMemory(harness.Manifest{Origin: "httptap", Scrub: harness.ScrubSeal{Policy: "none of it is of people"}})
	done := make(chan error, 1)
	go func() { done <- tap.Record(ctx, recording) }()
	var users sync.WaitGroup
	for _, user := range staff {
		users.Go(func() {
			c := &vendor.Client{Base: "http://" + addr.String(), User: user, Session: user, HTTP: &http.Client{Transport: &http.Transport{}}}
			if err := c.Work(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	users.Wait()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := fixtures.Save(filepath.Join(root, "vendor"), recording); err != nil {
		t.Fatal(err)
	}
	return recording.Manifest().Counts.Recorded
}

// rehearseVendor replays the recording against an instance.
func rehearseVendor(t testing.TB, root string, seed uint64, r harness.Replay, raw bool) *Outcome {
	t.Helper()
	instance := httptest.NewServer(vendor.New(seed, 3*time.Millisecond))
	defer instance.Close()
	outcome, err := Run(t.Context(), Plan{
		Scenario: harness.Scenario{
			Name: "Vendor", File: filepath.Join(root, "vendor.yaml"), Root: root, Recording: "vendor", Replay: r,
			Target: harness.TargetSpec{System: "vendor", URL: &harness.URLSpec{Base: instance.URL}},
		},
		ID: "vendor", Tool: "test", Scratch: t.TempDir(), Now: time.Now, Uncorrelated: raw,
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

const fresh = 20 // instances

// Every id, token, cookie, cursor and ticket of the vendor is another one in each instance, and its answers take their time:
// what was recorded with one is the same with twenty others, without a word of configuration.
func TestASessionIsReplayedAgainstFreshInstances(t *testing.T) {
	root := t.TempDir()
	recorded := recordVendor(t, root, staff...)
	if recorded < 200 {
		t.Fatalf("%d exchanges were recorded, want 200 at least", recorded)
	}
	for run := range fresh {
		r := harness.Replay{}
		if run%2 == 1 {
			r.Concurrency = 5
		}
		outcome := rehearseVendor(t, root, uint64(100+run), r, false)
		report := outcome.Report
		if report.Verdict != harness.Same || len(report.Findings) > 0 || report.Before.Exchanges == 0 || report.Before.Exchanges != report.After.Exchanges {
			t.Errorf("run %d: %s, %d of %d exchanges, %s", run, report.Verdict, report.After.Exchanges, report.Before.Exchanges, sentences(report))
		}
		if run == 0 {
			t.Logf("%d exchanges; %s", recorded, strings.Join(report.Notes, "\n"))
		}
	}
}

func sentences(r *harness.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s %s (%s)", f.Kind, f.Sentence, f.Operations)
		for i, d := range f.Differences {
			if i < 5 {
				fmt.Fprintf(&b, "\n   %s %s %s: %s -> %s", d.Operation, d.Path, d.Class, d.Was.Text, d.Is.Text)
			}
		}
	}
	return b.String()
}

// Teeth: without what is carried over, nothing behind the login is the same.
func TestWithoutCorrelationTheSameSessionFails(t *testing.T) {
	root := t.TempDir()
	recordVendor(t, root, staff...)
	report := rehearseVendor(t, root, 100, harness.Replay{Polling: harness.Polling{Off: true}}, true).Report
	if report.Verdict == harness.Same || len(report.Findings) == 0 {
		t.Errorf("verdict %s with %d findings", report.Verdict, len(report.Findings))
	}
}

// altered is an instance whose answers are changed on their way.
func altered(t *testing.T, was, is string) string {
	t.Helper()
	inner := vendor.New(7, 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		for name, values := range rec.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(rec.Code)
		fmt.Fprint(w, strings.ReplaceAll(rec.Body.String(), was, is))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What a release breaks that much depends on is told once, with what it is, and not once for each consequence.
func TestBrokenLinksAreTold(t *testing.T) {
	root := t.TempDir()
	recordVendor(t, root, staff...)
	tests := []struct {
		why, was, is string
		want         []string // words of findings
		most         int      // findings
	}{
		{"a token that is called otherwise", `"access_token"`, `"accessToken"`, []string{"could not be sent, because an answer before did not give what they need", "accessToken"}, 4},
		{"a job that is never done", `"state":"done"`, `"state":"finished"`, []string{"does not come to its end any more: GET /jobs/", "still without response.body.state = done"}, 5},
	}
	for _, test := range tests {
		outcome, err := Run(t.Context(), Plan{
			Scenario: harness.Scenario{
				Name: "Vendor", File: filepath.Join(root, "vendor.yaml"), Root: root, Recording: "vendor",
				Replay: harness.Replay{Polling: harness.Polling{Attempts: 6}},
				Target: harness.TargetSpec{System: "vendor", URL: &harness.URLSpec{Base: altered(t, test.was, test.is)}},
			},
			ID: "vendor", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
		})
		if err != nil {
			t.Fatalf("%s: %v", test.why, err)
		}
		told := sentences(outcome.Report)
		for _, words := range test.want {
			if !strings.Contains(told, words) {
				t.Errorf("%s: nothing says %q: %s", test.why, words, told)
			}
		}
		if n := len(outcome.Report.Findings); n > test.most || outcome.Report.Verdict != harness.Breaking {
			t.Errorf("%s: %s, %d findings:%s", test.why, outcome.Report.Verdict, n, told)
		}
	}
}
