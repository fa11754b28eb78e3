package rehearsal

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// TestRequestsThatAreSentAgainAreTold feeds a server that hangs up on the second request of each connection.
func TestRequestsThatAreSentAgainAreTold(t *testing.T) {
	var seen sync.Map // addresses of clients
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "ok") //nolint:errcheck // the client sees it
	}))
	defer hub.Close()
	x := harness.Exchange{
		Channel: harness.ChannelHTTP, From: "crm", To: "sis", At: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC),
		Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/status"}}},
		Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Type", Value: "text/plain; charset=utf-8"}}, Media: "text/plain",
			Body: harness.BytesBody([]byte("ok"))},
	}
	dir := t.TempDir()
	if err := fixtures.Save(filepath.Join(dir, "calls"), harness.NewMemory(harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "sha256:invented", Key: "none"}}, x, x, x)); err != nil {
		t.Fatal(err)
	}
	outcome, err := Run(t.Context(), Plan{
		Scenario: harness.Scenario{Name: "Again", File: filepath.Join(dir, "again.yaml"), Root: dir, Recording: "calls",
			Target: harness.TargetSpec{System: "sis", URL: &harness.URLSpec{Base: hub.URL}}},
		ID: "again", Tool: "test", Scratch: t.TempDir(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	told := slices.ContainsFunc(outcome.Report.Notes, func(note string) bool { return strings.HasPrefix(note, "2 requests were sent again, ") })
	if len(outcome.Report.Findings) > 0 || !told {
		t.Errorf("findings %v, notes %q", outcome.Report.Findings, outcome.Report.Notes)
	}
}
