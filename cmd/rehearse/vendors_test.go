package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
	"github.com/rehearse-dev/rehearse/recorders"
)

// vendorSets are recordings that others made of two vendors, whose URLs hold ids of answers.
var vendorSets = []struct {
	folder, format string
	links          float64 // share of the links of ids that scrubbing must keep
}{{"linodego", "govcr", 1}, {"easypost-node-har", "har", 1}}

// TestScrubbedRecordingsOfVendorsAreReplayed scrubs them under the policies that are suggested, and sends every request as it was
// recorded to a mock of what came out: it gets the answer to this request, with stand-ins. What an answer gives and a later
// URL holds is the same value again.
func TestScrubbedRecordingsOfVendorsAreReplayed(t *testing.T) {
	for _, set := range vendorSets {
		t.Run(set.folder, func(t *testing.T) {
			was := importedTraffic(t, set.folder, set.format)
			policy := suggestedPolicy(t, was)
			now := scrubbedAll(t, policy, was)
			live := scrub.New(policy, worldKey(t))
			for _, x := range now {
				if err := live.Settled(x); err != nil {
					t.Fatal(err)
				}
			}
			m, err := mock.New(harness.NewMemory(harness.Manifest{}, now...), mock.Options{Scrub: live.Exchange})
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: m.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			wrong := 0
			for i, x := range was {
				if why := answeredAs(t, client, x, now[i]); why != "" {
					if wrong++; wrong <= 5 {
						t.Errorf("%s: %s", x.ID, why)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d requests got another answer; counts %+v", wrong, len(was), m.Counts())
			}
			before, after := idLinks(t, was), idLinks(t, now)
			if kept := float64(after) / float64(before); before == 0 || kept < set.links {
				t.Errorf("%d links of ids became %d", before, after)
			}
			t.Logf("%d requests, %d links of ids, %d after", len(was), before, after)
		})
	}
}

func importedTraffic(t *testing.T, folder, format string) []harness.Exchange {
	t.Helper()
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	im, err := recorders.ImporterFor(format, "")
	if err != nil {
		t.Fatal(err)
	}
	rec := harness.NewMemory(harness.Manifest{})
	if err := im.Open(filepath.Join(root, "traffic", folder), "", "").Record(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	list, err := harness.Collect(rec)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d exchanges: %v", len(list), err)
	}
	return list
}

func suggestedPolicy(t *testing.T, sample []harness.Exchange) *scrub.Policy {
	t.Helper()
	v := scrub.NewSurvey()
	for _, x := range sample {
		if err := v.Put(x); err != nil {
			t.Fatal(err)
		}
	}
	s, err := v.Suggest("vendor")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := scrub.ParsePolicy("vendor.yaml", s.Text)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func scrubbedAll(t *testing.T, policy *scrub.Policy, list []harness.Exchange) (clean []harness.Exchange) {
	t.Helper()
	s := scrub.New(policy, worldKey(t))
	for _, x := range list {
		if err := s.Learn(x); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range list {
		x, err := s.Exchange(x)
		if err != nil {
			t.Fatal(err)
		}
		clean = append(clean, x)
	}
	return clean
}

// answeredAs sends the request of an exchange as it was recorded, in the session of the scrubbed one, and says how the answer
// differs from the scrubbed one.
func answeredAs(t *testing.T, c *http.Client, was, now harness.Exchange) string {
	t.Helper()
	sent := bytesOf(t, was.Request.Body)
	head := was.Request.Head
	r, err := http.NewRequest(head.Get(harness.FieldMethod), "https://"+cmp.Or(head.Get("Host"), was.To)+head.Get(harness.FieldPath), bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range head {
		if !f.IsPseudo() && !strings.EqualFold(f.Name, "Host") && !strings.EqualFold(f.Name, "Content-Length") {
			r.Header.Add(f.Name, f.Value)
		}
	}
	r.Header.Set("Accept-Encoding", cmp.Or(r.Header.Get("Accept-Encoding"), "identity"))
	r.Header.Set(mock.SessionField, now.Session)
	resp, err := c.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if want := bytesOf(t, now.Response.Body); resp.StatusCode != now.Status() || !bytes.Equal(got, want) {
		return fmt.Sprintf("status %d and %d bytes, want status %d and %d bytes", resp.StatusCode, len(got), now.Status(), len(want))
	}
	return ""
}

// idOfAnswer is a place in an answer that holds an id.
var idOfAnswer = regexp.MustCompile(`\.id$`)

// idLinks counts the segments of URLs that hold the id of an answer.
func idLinks(t *testing.T, list []harness.Exchange) (n int) {
	t.Helper()
	plan, err := correlate.Mine(list, correlate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range plan.Links {
		if idOfAnswer.MatchString(l.From.Path.String()) && strings.HasPrefix(l.To.Path.String(), "request.segment") {
			n++
		}
	}
	return n
}
