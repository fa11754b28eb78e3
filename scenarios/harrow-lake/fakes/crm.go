package fakes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// application is the CRM's answer. Its members stand in the order of the product; a release names the term in one of
// two ways, in the same place.
type application struct {
	ID        string          `json:"id"`
	Applicant applicant       `json:"applicant"`
	StartTerm string          `json:"start_term,omitempty"` // until 2026.2
	EntryTerm string          `json:"entry_term,omitempty"` // from 2026.3
	Program   string          `json:"program"`
	Residency string          `json:"residency"`
	GPA       json.RawMessage `json:"gpa"`                  // as written: 3.50
	Score     json.RawMessage `json:"matchScore,omitempty"` // in 2026.2.1
	Decision  decision        `json:"decision"`
	SISID     string          `json:"sis_id,omitempty"`
	SyncedAt  string          `json:"sis_synced_at,omitempty"`
	UpdatedAt string          `json:"updated_at"`
}

type applicant struct {
	First       string `json:"first"`
	Last        string `json:"last"`
	BirthDate   string `json:"birth_date"`
	Email       string `json:"email"`
	LegalSex    string `json:"legal_sex"`
	Citizenship string `json:"citizenship"`
}

type decision struct {
	Code string `json:"code"`
	Date string `json:"date"`
}

// crm is Prospekt CRM.
type crm struct {
	now func() time.Time

	mu           sync.Mutex
	applications map[string]*application
}

// CRM is Prospekt CRM in release 2026.2, 2026.2.1 or 2026.3, holding the applications of the demo world. Another release is an
// error of usage.
func CRM(release string, now func() time.Time) (http.Handler, error) {
	if releases := []string{world.CRMBefore, world.CRMHotfix, world.CRMAfter}; !slices.Contains(releases, release) {
		return nil, unknownRelease(world.CRM, release, releases...)
	}
	c := &crm{now: now, applications: map[string]*application{}}
	for _, a := range append(world.Applications(), world.IncidentApplication()) {
		c.applications[a.ID] = newApplication(a, release, now())
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /api/v2/applications", list(release, now))
	routes.HandleFunc("GET /api/v2/applications/{id}", c.get)
	routes.HandleFunc("PATCH /api/v2/applications/{id}", c.patch)
	return service(world.CRM, release, now, routes), nil
}

func unknownRelease(name, release string, known ...string) error {
	return harness.Usage(fmt.Errorf("serve %s: unknown release %q", name, release), "the releases are "+strings.Join(known, ", "))
}

func newApplication(a world.Application, release string, now time.Time) *application {
	out := &application{
		ID:        a.ID,
		Applicant: applicant{a.First, a.Last, a.Birth, a.Email, a.LegalSex, a.Citizenship},
		Program:   a.Program,
		Residency: a.Residency,
		GPA:       json.RawMessage(a.GPA),
		Decision:  decision{a.Decision, a.Decided},
		UpdatedAt: instant(now),
	}
	switch release {
	case world.CRMAfter:
		out.EntryTerm = a.Term
	case world.CRMHotfix:
		out.GPA = json.RawMessage(strings.TrimRight(a.GPA, "0"))
		out.Score = json.RawMessage(fmt.Sprintf("0.%d", 51+len(a.Last)%40))
		fallthrough
	default:
		out.StartTerm = a.Term
	}
	return out
}

func (c *crm) get(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.applications[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusNotFound, problem{"id", "not-found", "no such application"})
		return
	}
	answer(w, http.StatusOK, a)
}

// studentID is the form of the SIS's student IDs.
var studentID = regexp.MustCompile(`^H\d{8}$`)

func (c *crm) patch(w http.ResponseWriter, r *http.Request) {
	var change struct {
		SISID    *string `json:"sis_id"`
		SyncedAt *string `json:"sis_synced_at"`
	}
	if !readRequest(w, r, &change) {
		return
	}
	var problems []problem
	if change.SISID == nil || !studentID.MatchString(*change.SISID) {
		problems = append(problems, problem{"sis_id", "invalid", "sis_id must be H and eight digits"})
	}
	if change.SyncedAt == nil || !isInstant(*change.SyncedAt) {
		problems = append(problems, problem{"sis_synced_at", "invalid", "sis_synced_at must be an RFC 3339 instant"})
	}
	if len(problems) > 0 {
		refuse(w, http.StatusUnprocessableEntity, problems...)
		return
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.applications[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusNotFound, problem{"id", "not-found", "no such application"})
		return
	}
	a.SISID, a.SyncedAt, a.UpdatedAt = *change.SISID, *change.SyncedAt, instant(c.now())
	answer(w, http.StatusOK, struct {
		ID        string `json:"id"`
		SISID     string `json:"sis_id"`
		SyncedAt  string `json:"sis_synced_at"`
		UpdatedAt string `json:"updated_at"`
	}{a.ID, a.SISID, a.SyncedAt, a.UpdatedAt})
}

func isInstant(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}
