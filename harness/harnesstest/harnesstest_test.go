package harnesstest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/fixtures"
	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// harrowLake writes the demo world and returns the folder of its scenarios.
func harrowLake(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "scenarios", "harrow-lake")
}

func TestRehearseFailsWithTheReportWhenAPersonMustLook(t *testing.T) {
	scenario := filepath.Join(harrowLake(t), "i1-sis-lms-enrollment", "sis-9.32.yaml")
	failures := watch(t, func(t testing.TB) { harnesstest.Rehearse(t, scenario) })
	if len(failures) != 1 {
		t.Fatalf("%d failures, want 1: %v", len(failures), failures)
	}
	for _, want := range []string{"breaking", "Atrium SIS 9.32", "F01", "rehearse run", scenario} {
		if !strings.Contains(failures[0], want) {
			t.Errorf("the failure lacks %q:\n%s", want, failures[0])
		}
	}
}

func TestRehearseStartsTheInstalledProgram(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "github.com/rehearse-dev/rehearse/cmd/rehearse")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", bin)
	outcome := harnesstest.Rehearse(t, filepath.Join(harrowLake(t), "i2-crm-sis-applicant", "baseline.yaml"))
	if outcome.Report.Verdict != harness.Same || outcome.Candidate.Manifest().Counts.Recorded != 120 {
		t.Errorf("verdict %s after %+v", outcome.Report.Verdict, outcome.Candidate.Manifest().Counts)
	}
}

func TestWhatCannotBeSetUpEndsTheTestWithAHint(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	lake, unsealed := harrowLake(t), filepath.Join(t.TempDir(), "unsealed")
	if err := fixtures.Save(unsealed, harness.NewMemory(harness.Manifest{}, student("1", "BIOL-BS"))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		why  string
		test func(t testing.TB)
		want string
	}{
		{"no workspace around the scenario", func(t testing.TB) { harnesstest.Rehearse(t, "nowhere/s.yaml") }, "nowhere"},
		{"no such scenario", func(t testing.TB) { harnesstest.Rehearse(t, filepath.Join(lake, "nothing.yaml")) }, "nothing.yaml"},
		{"the running binary is a test and must not be started again", func(t testing.TB) {
			harnesstest.Rehearse(t, filepath.Join(lake, "i2-crm-sis-applicant", "baseline.yaml"))
		}, "go install"},
		{"no such recording", func(t testing.TB) { harnesstest.Open(t, "nowhere") }, "nowhere"},
		{"personal data may be in it", func(t testing.TB) { harnesstest.Open(t, unsealed) }, "scrub"},
		{"a part that is empty proves nothing", func(t testing.TB) {
			harnesstest.Only(t, harnesstest.Open(t, applicants), func(x harness.Exchange) bool { return x.Session == "A-1" })
		}, "no such exchange"},
		{"a mock of what cannot be matched", func(t testing.TB) {
			harnesstest.Mock(t, harnesstest.Open(t, applicants), mock.Options{Ignore: []harness.Path{harnesstest.Place("response.body")}})
		}, "response.body"},
		{"not a URL", func(t testing.TB) { harnesstest.Record(t, "sis", &httptap.Tap{}) }, "http://"},
		{"a rule without a reason", func(t testing.TB) {
			harnesstest.Same(t, harness.NewMemory(harness.Manifest{}), harness.NewMemory(harness.Manifest{}), harness.Rule{At: harnesstest.Place("**"), Compare: "ignore"})
		}, "no reason"},
	} {
		t.Run(test.why, func(t *testing.T) {
			ended := true
			failures := watch(t, func(t testing.TB) {
				test.test(t)
				ended = false
			})
			if !ended || len(failures) != 1 || !strings.Contains(failures[0], test.want) {
				t.Errorf("ended %v, failures %q, want one with %q", ended, failures, test.want)
			}
		})
	}
}

func TestCallThatWasNeverRecordedFailsTheTest(t *testing.T) {
	for _, way := range []struct {
		name string
		get  func(m *harnesstest.Mocked) (*http.Response, error)
	}{
		{"over loopback", func(m *harnesstest.Mocked) (*http.Response, error) {
			return http.Get(m.URL + "/api/v2/applications/A-1")
		}},
		{"by client", func(m *harnesstest.Mocked) (*http.Response, error) {
			return m.Client().Get("http://crm.hlu.example/api/v2/applications/A-1")
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			failures := watch(t, func(tb testing.TB) {
				resp, err := way.get(harnesstest.Mock(tb, harnesstest.Open(t, applicants), mock.Options{Systems: []string{"crm"}}))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			})
			if len(failures) != 1 || !strings.Contains(failures[0], "/api/v2/applications/A-1") {
				t.Errorf("failures %q, want one that names the call", failures)
			}
		})
	}
}

func TestRecordTakesTheSessionFromTheField(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	tapped := harnesstest.Record(t, server.URL, &httptap.Tap{From: "crm", To: "sis"})
	r, err := http.NewRequest(http.MethodGet, tapped.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(mock.SessionField, "A-20481")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body) //nolint:errcheck // the recording counts
	resp.Body.Close()
	xs := collect(t, tapped.Recording())
	if len(xs) != 1 || xs[0].Session != "A-20481" || xs[0].Status() != http.StatusNotFound {
		t.Errorf("recorded %+v", xs)
	}
	if len(collect(t, tapped.Recording())) != 1 {
		t.Error("a second call returned something else")
	}
}

// student is a recorded answer.
func student(id, plan string) harness.Exchange {
	return harness.Exchange{
		Channel: harness.ChannelHTTP, From: "hubline", To: "sis", At: time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC),
		Request: harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/students/" + id}}},
		Response: harness.Message{
			Head: harness.Head{{Name: ":status", Value: "200"}}, Media: "application/json",
			Body: harness.BytesBody(fmt.Appendf(nil, `{"plan":%q}`, plan)),
		},
	}
}

func TestSame(t *testing.T) {
	recorded := func(xs ...harness.Exchange) *harness.Memory { return harness.NewMemory(harness.Manifest{}, xs...) }
	lossy := recorded(student("1", "BIOL-BS"))
	lossy.Drop("queue full")
	var many []harness.Exchange
	for i := range 60 {
		many = append(many, student(fmt.Sprint(1000+i), "BIOL-BS"))
	}
	ignore := harness.Rule{At: harnesstest.Place("response.body.plan"), Compare: "ignore", Reason: "changes each term"}
	expired, elsewhere := ignore, ignore
	expired.Until = harness.Date{Time: time.Date(2020, 1, 31, 0, 0, 0, 0, time.UTC)}
	elsewhere.At = harnesstest.Place("response.body.nothing")
	for _, test := range []struct {
		why           string
		before, after harness.Recording
		rules         []harness.Rule
		want          []string // one for each failure; empty: none
	}{
		{"equal recordings are the same", recorded(student("1", "BIOL-BS")), recorded(student("1", "BIOL-BS")), nil, nil},
		{"a value changed", recorded(student("1", "BIOL-BS")), recorded(student("1", "CHEM-BS")), nil, []string{`response.body.plan: changed: "BIOL-BS" → "CHEM-BS"`}},
		{"a rule takes it away", recorded(student("1", "BIOL-BS")), recorded(student("1", "CHEM-BS")), []harness.Rule{ignore}, nil},
		{"a call is missing", recorded(student("1", "BIOL-BS"), student("2", "BIOL-BS")), recorded(student("1", "BIOL-BS")), nil, []string{"missing-call"}},
		{"values are quoted for the terminal", recorded(student("1", "a")), recorded(student("1", "\x1b[2J")), nil, []string{`\x1b[2J`}},
		{"a long value is cut", recorded(student("1", "a")), recorded(student("1", strings.Repeat("ü", 5000))), nil, []string{"ü…\""}},
		{"a long list is cut", recorded(many...), recorded(many[:1]...), nil, []string{"and 19 more"}},
		{"nothing was compared", recorded(), recorded(), nil, []string{"empty"}},
		{"what was lost could differ", recorded(student("1", "BIOL-BS")), lossy, nil, []string{"1 were dropped"}},
		{"the rule decides nothing", recorded(student("1", "a")), recorded(student("1", "a")), []harness.Rule{elsewhere}, []string{"matches nothing"}},
		{"the rule's time is over", recorded(student("1", "a")), recorded(student("1", "a")), []harness.Rule{expired}, []string{"2020-01-31"}},
	} {
		t.Run(test.why, func(t *testing.T) {
			failures := watch(t, func(t testing.TB) { harnesstest.Same(t, test.before, test.after, test.rules...) })
			if len(failures) != len(test.want) {
				t.Fatalf("failures %q, want %q", failures, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(failures[i], want) {
					t.Errorf("failure %q lacks %q", failures[i], want)
				}
			}
		})
	}
}

func TestExactComparesBytesWhereverTheyAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	made := harness.NewMemory(harness.Manifest{}, student("1", "BIOL-BS"))
	if err := fixtures.Save(dir, made); err != nil {
		t.Fatal(err)
	}
	kept, err := fixtures.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(collect(t, made), collect(t, kept), harnesstest.Exact()); diff != "" {
		t.Error(diff)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "bodies"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	if err := os.Remove(filepath.Join(dir, "bodies", entries[0].Name())); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a body that cannot be read was compared")
		}
	}()
	cmp.Equal(collect(t, made), collect(t, kept), harnesstest.Exact())
}
