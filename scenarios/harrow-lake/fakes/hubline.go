package fakes

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// crosswalkDir holds the code tables within the workspace's tree.
const crosswalkDir = "i2-crm-sis-applicant/crosswalk"

// hubline is the runner, with its integration of applicants.
type hubline struct {
	crmURL, sisURL string
	secret         string
	now            func() time.Time
	client         *http.Client
	residency      map[string]string
	decision       map[string]string
}

// HubLine is the runner. It calls the CRM and the SIS under the base URLs; webhooks must be signed with the secret. It
// has the bug that the upgrade of the CRM brings to light: a term that is missing becomes "termCode":null.
func HubLine(crmURL, sisURL, secret string, now func() time.Time, client *http.Client) (http.Handler, error) {
	for _, base := range []struct{ system, url string }{{world.CRM, crmURL}, {world.SIS, sisURL}} {
		if u, err := url.Parse(base.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, harness.Usage(fmt.Errorf("serve hubline: %q is not the base URL of %s", base.url, base.system),
				"name it as in http://127.0.0.1:8080")
		}
	}
	h := &hubline{
		crmURL: strings.TrimSuffix(crmURL, "/"), sisURL: strings.TrimSuffix(sisURL, "/"),
		secret: secret, now: now, client: client,
	}
	var err error
	if h.residency, err = crosswalk("residency.csv"); err != nil {
		return nil, err
	}
	if h.decision, err = crosswalk("decision.csv"); err != nil {
		return nil, err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /hooks/application", h.hook)
	routes.HandleFunc("POST /jobs/poll", h.poll)
	return service(world.HubLine, "4", now, routes), nil
}

// crosswalk reads a code table: the first column is translated to the second.
func crosswalk(name string) (map[string]string, error) {
	b, err := fs.ReadFile(harrowlake.FS(), crosswalkDir+"/"+name)
	if err != nil {
		return nil, fmt.Errorf("read crosswalk %s: %w", name, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read crosswalk %s: %w", name, err)
	}
	codes := map[string]string{}
	for _, row := range rows[1:] {
		codes[row[0]] = row[1]
	}
	return codes, nil
}

// event is the body of a webhook.
type event struct {
	Event string `json:"event"`
	ID    string `json:"id"`
	At    string `json:"at"`
}

func (h *hubline) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, problem{"", "too-large", err.Error()})
		return
	}
	if want := world.Signature(h.secret, body); !hmac.Equal([]byte(r.Header.Get(world.SignatureHeader)), []byte(want)) {
		refuse(w, http.StatusUnauthorized, problem{world.SignatureHeader, "signature", "the signature does not fit the body"})
		return
	}
	var e event
	if err := decode(bytes.NewReader(body), &e); err != nil {
		refuse(w, http.StatusBadRequest, problem{"", "malformed", err.Error()})
		return
	}
	if e.Event != "application.submitted" || !externalID.MatchString(e.ID) {
		refuse(w, http.StatusUnprocessableEntity, problem{"event", "unknown", "no such event or application"})
		return
	}

	done, failed := h.synchronize(r.Context(), e.ID)
	if failed != nil {
		answer(w, http.StatusBadGateway, struct {
			Status     string `json:"status"`
			ID         string `json:"id"`
			Step       string `json:"step"`
			StatusCode int    `json:"status_code"`
		}{"failed", e.ID, failed.step, failed.status})
		return
	}
	answer(w, http.StatusOK, struct {
		Status    string `json:"status"`
		ID        string `json:"id"`
		StudentID string `json:"student_id"`
	}{"synced", e.ID, done.StudentID})
}

// failure is a call that did not succeed.
type failure struct {
	step   string
	status int // of the answer; 0 when there was none that could be read
}

// Steps of one application, as failures name them.
const (
	stepRead  = "crm.read-application"
	stepMatch = "sis.match-person"
	stepAdmit = "sis.create-application"
	stepWrite = "crm.write-student-id"
)

// source is what the mapping reads of the CRM's answer; members that it does not know are passed over.
type source struct {
	ID        string    `json:"id"`
	Applicant applicant `json:"applicant"`
	StartTerm *string   `json:"start_term"`
	Program   *string   `json:"program"`
	Residency string    `json:"residency"`
	Decision  decision  `json:"decision"`
}

// synchronize takes one application from the CRM to the SIS and writes the student ID back, or says
// where it failed.
func (h *hubline) synchronize(ctx context.Context, id string) (done admitted, failed *failure) {
	at := h.crmURL + "/api/v2/applications/" + id
	var a source
	if failed := h.call(ctx, stepRead, "GET", at, nil, &a); failed != nil {
		return done, failed
	}
	described := person{
		Last: a.Applicant.Last, First: a.Applicant.First, Birth: a.Applicant.BirthDate, Email: a.Applicant.Email,
	}
	var m matched
	if failed := h.call(ctx, stepMatch, "POST", h.sisURL+"/api/persons/match", described, &m); failed != nil {
		return done, failed
	}
	if failed := h.call(ctx, stepAdmit, "POST", h.sisURL+"/api/admission-applications", h.admission(a, m), &done); failed != nil {
		return done, failed
	}
	return done, h.call(ctx, stepWrite, "PATCH", at, struct {
		SISID    string `json:"sis_id"`
		SyncedAt string `json:"sis_synced_at"`
	}{done.StudentID, instant(h.now())}, nil)
}

// admission is the mapping: CRM to SIS. A code that no crosswalk row translates becomes null.
func (h *hubline) admission(a source, m matched) admission {
	p := person{PersonID: m.PersonID}
	if m.Result != "match" {
		p = person{
			Last: a.Applicant.Last, First: a.Applicant.First, Birth: a.Applicant.BirthDate,
			Email: a.Applicant.Email, LegalSex: a.Applicant.LegalSex,
		}
	}
	return admission{
		Person: p, Term: a.StartTerm, Program: a.Program,
		Residency: translate(h.residency, a.Residency), Decision: translate(h.decision, a.Decision.Code),
		ExternalID: &a.ID,
	}
}

func translate(codes map[string]string, code string) *string {
	if to, ok := codes[code]; ok {
		return &to
	}
	return nil
}

// call sends in as JSON, when there is any, and reads the answer into out, when it is wanted.
func (h *hubline) call(ctx context.Context, step, method, at string, in, out any) *failure {
	req, err := request(ctx, method, at, in)
	if err != nil {
		return &failure{step, 0}
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return &failure{step, 0}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return &failure{step, 0}
	case resp.StatusCode >= 300:
		return &failure{step, resp.StatusCode}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return &failure{step, 0}
	}
	return nil
}

func request(ctx context.Context, method, at string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := encode(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "HubLine/4")
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
