package fakes

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// applicantTables holds the code tables of the integration of applicants.
const applicantTables = "i2-crm-sis-applicant/crosswalk/"

// hubline is the runner's integration of applicants.
type hubline struct {
	crmURL, sisURL string
	secret         string
	now            func() time.Time
	client         *http.Client
	residency      map[string]string
	decision       map[string]string
	followLinks    bool   // of the poll
	termMember     string // of the CRM's application
}

// HubLine is the runner. It calls the CRM, the SIS and the identity system under the base URLs of the options; those of
// the CRM and the SIS belong together. Webhooks must be signed with the secret. It has the bugs that the upgrades bring
// to light: a term that is missing becomes "termCode":null, and the next page of a list is not asked for.
func HubLine(o Options) (http.Handler, error) {
	routes := http.NewServeMux()
	if o.Identity != "" {
		if err := addWorkers(routes, o); err != nil {
			return nil, err
		}
	}
	if o.Identity == "" || o.CRM != "" || o.SIS != "" {
		if err := addApplicants(routes, o); err != nil {
			return nil, err
		}
	}
	return service(world.HubLine, "4", o.Now, routes), nil
}

// addApplicants adds the routes of the integration of applicants.
func addApplicants(routes *http.ServeMux, o Options) error {
	for _, base := range []struct{ system, url string }{{world.CRM, o.CRM}, {world.SIS, o.SIS}} {
		if err := checkBase(base.system, base.url); err != nil {
			return err
		}
	}
	h := &hubline{
		crmURL: strings.TrimSuffix(o.CRM, "/"), sisURL: strings.TrimSuffix(o.SIS, "/"),
		secret: cmp.Or(o.Secret, world.HookSecret), now: o.Now, client: o.Client,
		followLinks: o.FollowLinks, termMember: cmp.Or(o.TermMember, "start_term"),
	}
	var err error
	if h.residency, err = crosswalk(o.Tables, applicantTables+"residency.csv"); err != nil {
		return err
	}
	if h.decision, err = crosswalk(o.Tables, applicantTables+"decision.csv"); err != nil {
		return err
	}
	routes.HandleFunc("POST /hooks/application", h.hook)
	routes.HandleFunc("POST /jobs/poll", h.poll)
	return nil
}

func checkBase(system, base string) error {
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return harness.Usage(fmt.Errorf("serve hubline: %q is not the base URL of %s", base, system), "name it as in http://127.0.0.1:8080")
	}
	return nil
}

// crosswalk reads a code table: the first column is translated to the second. A file of that name in the folder tables
// takes the place of the one that the mapping came with.
func crosswalk(tables, name string) (map[string]string, error) {
	b, err := readTable(tables, name)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read crosswalk %s: %w", name, err), "name the folder of the tables with --tables")
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read crosswalk %s: %w", name, err), "write each row with as many columns as the header")
	}
	codes := map[string]string{}
	for _, row := range rows[min(1, len(rows)):] {
		codes[row[0]] = row[min(1, len(row)-1)]
	}
	return codes, nil
}

func readTable(tables, name string) ([]byte, error) {
	if tables != "" {
		b, err := os.ReadFile(filepath.Join(tables, path.Base(name)))
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return fs.ReadFile(harrowlake.FS(), name)
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
	EntryTerm *string   `json:"entry_term"`
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
		Person: p, Term: map[string]*string{"start_term": a.StartTerm, "entry_term": a.EntryTerm}[h.termMember], Program: a.Program,
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
	_, failed := call(ctx, h.client, step, method, at, in, out)
	return failed
}

// call is the same with any client; it returns the header of the answer, too.
func call(ctx context.Context, client *http.Client, step, method, at string, in, out any) (http.Header, *failure) {
	req, err := request(ctx, method, at, in)
	if err != nil {
		return nil, &failure{step, 0}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, &failure{step, 0}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return nil, &failure{step, 0}
	case resp.StatusCode >= 300:
		return nil, &failure{step, resp.StatusCode}
	case out == nil:
		return resp.Header, nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return nil, &failure{step, 0}
	}
	return resp.Header, nil
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
