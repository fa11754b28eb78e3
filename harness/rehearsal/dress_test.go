package rehearsal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// instance is a test instance of today: its tokens are its own and end after two requests, and it knows the days around
// today only.
type instance struct {
	today time.Time

	mu    sync.Mutex
	given int
	left  int
}

func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header()["Date"] = nil
	if r.URL.Path == "/token" {
		i.given, i.left = i.given+1, 2
		fmt.Fprintf(w, `{"access_token":"live-%d","token_type":"Bearer","expires_in":3600}`, i.given)
		return
	}
	day, err := time.Parse(time.DateOnly, r.URL.Query().Get("day"))
	switch {
	case r.Header.Get("Authorization") != fmt.Sprintf("Bearer live-%d", i.given) || i.left == 0:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_token"}`)
	case err != nil || day.Sub(i.today).Abs() > 40*24*time.Hour:
		i.left--
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"no such day"}`)
	default:
		i.left--
		fmt.Fprintf(w, `{"day":"%s","due":"%s","born":"1999-04-01"}`, day.Format(time.DateOnly), day.AddDate(0, 0, 14).Format(time.DateOnly))
	}
}

// An old recording with tokens of its day is fed to a system that lives today and has tokens of its own.
func TestAnOldRecordingIsFedToASystemOfToday(t *testing.T) {
	root := t.TempDir()
	recorded := time.Date(2024, 2, 27, 8, 0, 0, 0, time.UTC)
	var list []harness.Exchange
	for n := range 7 {
		day := recorded.AddDate(0, 0, n)
		list = append(list, harness.Exchange{
			Session: "s", Channel: harness.ChannelHTTP, From: "hubline", To: "sis", At: recorded.Add(time.Duration(n) * time.Second),
			Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/loans?day=" + day.Format(time.DateOnly)}, {Name: "Authorization", Value: "Bearer old"}}},
			Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Type", Value: "application/json"}}, Media: "application/json",
				Body: harness.BytesBody(fmt.Appendf(nil, `{"day":"%s","due":"%s","born":"1999-04-01"}`, day.Format(time.DateOnly), day.AddDate(0, 0, 14).Format(time.DateOnly)))},
		})
	}
	if err := fixtures.Save(root+"/loans", harness.NewMemory(harness.Manifest{Origin: "test", Scrub: harness.ScrubSeal{Policy: "sha256:p", Key: "k"}}, list...)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLIENT_SECRET", "sesame")
	today := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
	access := []harness.Access{{Recipe: "oauth2-client-credentials", TokenURL: "/token", ID: "hubline", Secret: "env:CLIENT_SECRET"}}
	dates := &harness.Shift{To: harness.ShiftToday}
	tests := []struct {
		why     string
		access  []harness.Access
		shift   *harness.Shift
		verdict bool // same
	}{
		{"credentials and dates of today", access, dates, true},
		{"no credentials", nil, dates, false},
		{"no dates", access, nil, false},
	}
	for _, test := range tests {
		server := httptest.NewServer(&instance{today: today})
		outcome, err := Run(t.Context(), Plan{
			Scenario: harness.Scenario{
				Name: "Loans", Recording: "loans", Root: root, Target: harness.TargetSpec{System: "sis", URL: &harness.URLSpec{Base: server.URL}},
				Access: test.access, Replay: harness.Replay{Shift: test.shift},
			},
			ID: "run", Tool: "test", Scratch: t.TempDir(), Now: func() time.Time { return today },
		})
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		r := outcome.Report
		if same := r.Verdict == harness.Same; same != test.verdict {
			t.Errorf("%s: verdict %s (%s), notes %q", test.why, r.Verdict, r.Reason, r.Notes)
		}
		if !test.verdict {
			continue
		}
		if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "got anew for 3 requests") }) ||
			!slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "moved by 951 days") }) {
			t.Errorf("notes %q, want the renewals and the days", r.Notes)
		}
		for x := range outcome.Candidate.Exchanges() {
			if x.Request.Head.Get("Authorization") != "Bearer old" {
				t.Errorf("what crossed is kept with %s", x.Request.Head.Get("Authorization"))
			}
		}
	}
}
