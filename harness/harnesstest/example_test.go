package harnesstest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// applicants is a recording of Harrow Lake: what the integration runner asked CRM and SIS.
const applicants = "../../fixtures/harrow-lake/crm-sis-applicant"

// The runner of Harrow Lake is tested without CRM and SIS: both answer from the recording, and the SIS must be asked
// what it was asked when the recording was made.
func Example() {
	t := new(example) // in a test: func TestApplicant(t *testing.T)
	defer t.end()
	recorded := harnesstest.Only(t, harnesstest.Open(t, applicants), func(x harness.Exchange) bool { return x.Session == "A-20481" })

	crm := harnesstest.Mock(t, recorded, mock.Options{Systems: []string{"crm"}})
	sis := harnesstest.Mock(t, recorded, mock.Options{Systems: []string{"sis"}})
	seen := harnesstest.Record(t, sis.URL, &httptap.Tap{From: "hubline", To: "sis"})

	submit("A-20481", fakes.Options{CRM: crm.URL, SIS: seen.URL}) // the code under test

	asked := harnesstest.Only(t, recorded, func(x harness.Exchange) bool { return x.To == "sis" })
	harnesstest.Same(t, asked, seen.Recording())
	fmt.Println("answers left:", len(crm.Unused())+len(sis.Unused()))
	// Output: answers left: 0
}

// submit tells the runner that an application has come in.
func submit(application string, o fakes.Options) {
	runner, err := fakes.Handler("hubline", o)
	if err != nil {
		panic(err)
	}
	hook := fmt.Appendf(nil, `{"event":"application.submitted","id":%q,"at":"2026-10-05T13:59:58Z"}`, application)
	r := httptest.NewRequest(http.MethodPost, "/hooks/application", bytes.NewReader(hook))
	r.Header.Set(world.SignatureHeader, world.Signature(world.HookSecret, hook))
	answer := httptest.NewRecorder()
	runner.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		panic(answer.Body.String())
	}
}

// A scenario as a test: the recorded files go through the mapping, and nothing may differ.
func ExampleRehearse() {
	t := new(example) // in a test: func TestEnrolments(t *testing.T)
	defer t.end()
	world := filepath.Join(t.TempDir(), "harrow-lake")
	if err := harrowlake.Extract(world, data.FS()); err != nil {
		panic(err)
	}

	outcome := harnesstest.Rehearse(t, filepath.Join(world, "scenarios/harrow-lake/i1-sis-lms-enrollment/baseline.yaml"))

	fmt.Println(outcome.Report.Verdict, outcome.Report.After.Exchanges)
	// Output: same 6
}

// The code under test talks to a recorded system. A call that was never recorded fails the test.
func ExampleMock() {
	t := new(example)
	defer t.end()

	crm := harnesstest.Mock(t, harnesstest.Open(t, applicants), mock.Options{Systems: []string{"crm"}})

	resp, err := http.Get(crm.URL + "/api/v2/applications/A-20481") // the code under test
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get("Content-Type"))
	// Output: 200 OK application/json
}

// Without a network: the client answers calls to every host from the recording.
func ExampleMocked_Client() {
	t := new(example)
	defer t.end()

	client := harnesstest.Mock(t, harnesstest.Open(t, applicants), mock.Options{Systems: []string{"crm"}}).Client()

	resp, err := client.Get("https://crm.hlu.example/api/v2/applications/A-20481")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// A tap sees what two releases of a service answer; a rule with a reason takes the noise away.
func ExampleSame() {
	t := new(example)
	defer t.end()
	release := func(answer string) harness.Recording {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, answer)
		}))
		defer service.Close()
		tapped := harnesstest.Record(t, service.URL, &httptap.Tap{From: "hubline", To: "sis"})
		resp, err := http.Get(tapped.URL + "/students/H00000117")
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		return tapped.Recording()
	}

	before := release(`{"id":"00892","plan":"BIOL-BS","at":"2026-10-05T09:00:00Z"}`)
	after := release(`{"id":892,"plan":"BIOL-BS","at":"2026-10-05T09:00:03Z"}`)
	harnesstest.Same(t, before, after, harness.Rule{
		At: harnesstest.Place("response.body.at"), Compare: "instant", Tolerance: "5s", Reason: "clock of the server",
	})
	// Output:
	// the recordings differ (1):
	//   000001 GET /students/{}
	//       response.body.id: type: "00892" → number "892"
}

// Exchanges are compared by go-cmp.
func ExampleExact() {
	made := harness.Message{Media: "text/csv", Body: harness.BytesBody([]byte("CRN\r\n00892\r\n"))}
	kept := made
	kept.Body = harness.BytesBody([]byte("CRN\n00892\n"))

	fmt.Println(cmp.Equal(made, made, harnesstest.Exact()))
	fmt.Println(strings.Contains(cmp.Diff(made, kept, harnesstest.Exact()), `\r`))
	// Output:
	// true
	// true
}
