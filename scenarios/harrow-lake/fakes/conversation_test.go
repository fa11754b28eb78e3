package fakes

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// crossing is one exchange as a recorder would see it.
type crossing struct{ request, response string }

// town is the three doubles on loopback, and what crosses between them.
type town struct {
	hubline string // base URL

	mu   sync.Mutex
	seen []crossing
}

// watch puts a service on loopback and notes each exchange with it.
func (tw *town) watch(t *testing.T, h http.Handler, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(in))
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		tw.mu.Lock()
		tw.seen = append(tw.seen, crossing{
			strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), in)),
			fmt.Sprintf("%d %s", out.Code, out.Body),
		})
		tw.mu.Unlock()
		for name, values := range out.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(out.Code)
		w.Write(out.Body.Bytes()) //nolint:errcheck // a test client
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func newTown(t *testing.T, crmRelease string) *town {
	t.Helper()
	tw := &town{}
	crm, err := Handler("crm", Options{Release: crmRelease})
	crmURL := tw.watch(t, crm, err)
	sis, err := Handler("sis", Options{})
	sisURL := tw.watch(t, sis, err)
	hub, err := Handler("hubline", Options{CRM: crmURL, SIS: sisURL})
	tw.hubline = tw.watch(t, hub, err)
	return tw
}

// feed delivers a webhook and returns the status of the answer.
func (tw *town) feed(t *testing.T, x harness.Exchange) int {
	t.Helper()
	body, err := x.Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	head := x.Request.Head
	req, err := http.NewRequestWithContext(t.Context(), head.Get(harness.FieldMethod), tw.hubline+head.Get(harness.FieldPath), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range head {
		if !f.IsPseudo() {
			req.Header.Set(f.Name, f.Value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Date"); got != "Mon, 05 Oct 2026 14:00:00 GMT" {
		t.Errorf("Date %q is not the frozen clock's", got)
	}
	return resp.StatusCode
}

func TestFirstConversationIsTheSpecifiedOne(t *testing.T) {
	tw := newTown(t, world.CRMBefore)
	if status := tw.feed(t, world.Webhooks()[0]); status != 200 {
		t.Errorf("webhook answered %d", status)
	}
	application := guid("application A-20481")
	want := []crossing{
		{`GET /api/v2/applications/A-20481`,
			`200 {"id":"A-20481","applicant":{"first":"Funmi","last":"Adeyemi","birth_date":"2008-03-11","email":"funmi@mail.example","legal_sex":"F","citizenship":"US"},"start_term":"202710","program":"BIOL-BS","residency":"IS","gpa":3.50,"decision":{"code":"AD","date":"2026-10-02"},"updated_at":"2026-10-05T14:00:00Z"}`},
		{`POST /api/persons/match {"lastName":"Adeyemi","firstName":"Funmi","birthDate":"2008-03-11","email":"funmi@mail.example"}`,
			`200 {"result":"none"}`},
		{`POST /api/admission-applications {"person":{"lastName":"Adeyemi","firstName":"Funmi","birthDate":"2008-03-11","email":"funmi@mail.example","legalSex":"F"},"termCode":"202710","programCode":"BIOL-BS","residencyCode":"R","decisionCode":"A1","externalId":"A-20481"}`,
			`201 {"applicationId":"` + application + `","studentId":"H00000977"}`},
		{`PATCH /api/v2/applications/A-20481 {"sis_id":"H00000977","sis_synced_at":"2026-10-05T14:00:00Z"}`,
			`200 {"id":"A-20481","sis_id":"H00000977","sis_synced_at":"2026-10-05T14:00:00Z","updated_at":"2026-10-05T14:00:00Z"}`},
		{`POST /hooks/application {"event":"application.submitted","id":"A-20481","at":"2026-10-05T13:59:58Z"}`,
			`200 {"status":"synced","id":"A-20481","student_id":"H00000977"}`},
	}
	if diff := cmp.Diff(want, tw.seen, cmp.AllowUnexported(crossing{})); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func TestUpgradeOfTheCRM(t *testing.T) {
	tests := []struct {
		release                     string
		exchanges, status, nullTerm int
		refused, written            int
		why                         string
	}{
		{world.CRMBefore, 120, 200, 0, 0, 24, "five exchanges for each application"},
		{world.CRMAfter, 96, 502, 24, 24, 0, "D07: start_term is called entry_term, the fifth exchange is missing"},
	}
	for _, tt := range tests {
		tw := newTown(t, tt.release)
		for _, x := range world.Webhooks() {
			if status := tw.feed(t, x); status != tt.status {
				t.Errorf("CRM %s, %s: webhook answered %d, want %d", tt.release, x.Session, status, tt.status)
			}
		}
		nullTerm, refused, written := 0, 0, 0
		for _, c := range tw.seen {
			if strings.Contains(c.request, `"termCode":null`) {
				nullTerm++
			}
			if strings.HasPrefix(c.response, `422 {"errors":[{"field":"termCode","code":"required"`) {
				refused++
			}
			if strings.HasPrefix(c.request, "PATCH") {
				written++
			}
		}
		if len(tw.seen) != tt.exchanges || nullTerm != tt.nullTerm || refused != tt.refused || written != tt.written {
			t.Errorf("CRM %s (%s): %d exchanges, %d null terms, %d refused, %d written; want %d, %d, %d, %d", tt.release, tt.why,
				len(tw.seen), nullTerm, refused, written, tt.exchanges, tt.nullTerm, tt.refused, tt.written)
		}
	}
}

func TestKnownApplicantsKeepTheirStudentIDs(t *testing.T) {
	tw := newTown(t, world.CRMBefore)
	for _, x := range world.Webhooks() {
		tw.feed(t, x)
	}
	var all strings.Builder
	for _, c := range tw.seen {
		all.WriteString(c.request + c.response + "\n")
	}
	if n := strings.Count(all.String(), `{"result":"match"`); n != 4 {
		t.Errorf("%d applicants were known, want 4", n)
	}
	for _, a := range world.Applications() {
		if want := `{"status":"synced","id":"` + a.ID + `","student_id":"` + a.StudentID + `"}`; !strings.Contains(all.String(), want) {
			t.Errorf("no answer %s", want)
		}
		if want := `"gpa":` + a.GPA + `,`; !strings.Contains(all.String(), want) {
			t.Errorf("no %s: the average lost its form", want)
		}
	}
}

// Applications that arrive at the same time, in any order, give the same identifiers.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	inOrder := newTown(t, world.CRMBefore)
	for _, x := range world.Webhooks() {
		inOrder.feed(t, x)
	}
	atOnce := newTown(t, world.CRMBefore)
	var group sync.WaitGroup
	for _, x := range world.Webhooks() {
		group.Go(func() { atOnce.feed(t, x) })
	}
	group.Wait()
	count := func(tw *town) map[crossing]int {
		n := map[crossing]int{}
		for _, c := range tw.seen {
			n[c]++
		}
		return n
	}
	if diff := cmp.Diff(count(inOrder), count(atOnce)); diff != "" {
		t.Errorf("exchanges (-in order +at once):\n%s", diff)
	}
}

func TestUnsignedWebhooksReachNobody(t *testing.T) {
	tw := newTown(t, world.CRMBefore)
	x := world.Webhooks()[0]
	for _, signature := range []string{"", "sha256=00", world.Signature("other", []byte("{}"))} {
		forged := x
		forged.Request.Head = x.Request.Head.With(world.SignatureHeader, signature)
		if status := tw.feed(t, forged); status != http.StatusUnauthorized {
			t.Errorf("signature %q: answered %d, want 401", signature, status)
		}
	}
	if len(tw.seen) != 3 {
		t.Errorf("%d exchanges, want only the 3 webhooks", len(tw.seen))
	}
}

func TestHubLineSaysWhichStepFailed(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	crm, err := Handler("crm", Options{})
	crmURL := (&town{}).watch(t, crm, err)
	hub, err := Handler("hubline", Options{CRM: crmURL, SIS: gone.URL})
	tw := &town{}
	tw.hubline = tw.watch(t, hub, err)
	if status := tw.feed(t, world.Webhooks()[0]); status != http.StatusBadGateway {
		t.Errorf("answered %d, want 502", status)
	}
	if want := `502 {"status":"failed","id":"A-20481","step":"sis.match-person","status_code":0}`; tw.seen[0].response != want {
		t.Errorf("answer %s, want %s", tw.seen[0].response, want)
	}
}
