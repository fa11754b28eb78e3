package fakes

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // days are reckoned in America/Chicago, on machines without zone data too

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// workerTables holds the code tables of the integration of workers.
const workerTables = "i3-hcm-identity/crosswalk/"

// asWritten is the reading of dates that takes the day as it stands there.
const asWritten = "as written"

// workers is the runner's integration of workers: reports of the HCM become accounts and entries of the directory.
type workers struct {
	identityURL string
	client      *http.Client
	affiliation map[string]string // type → affiliations, joined by +; * catches every other type
	active      map[string]string // → true or false
	zone        *time.Location    // in which the day of an instant is reckoned; nil: the day as written
}

// addWorkers adds the route of the integration of workers.
func addWorkers(routes *http.ServeMux, o Options) error {
	if err := checkBase(world.Identity, o.Identity); err != nil {
		return err
	}
	f := &workers{identityURL: strings.TrimSuffix(o.Identity, "/"), client: o.Client}
	dates, err := crosswalk(o.Tables, workerTables+"dates.csv")
	if err != nil {
		return err
	}
	if f.affiliation, err = crosswalk(o.Tables, workerTables+"affiliation.csv"); err != nil {
		return err
	}
	if f.active, err = crosswalk(o.Tables, workerTables+"active.csv"); err != nil {
		return err
	}
	if reading := dates["Hire_Date"]; reading != asWritten {
		if f.zone, err = time.LoadLocation(reading); err != nil || reading == "" {
			return harness.Usage(fmt.Errorf("read dates.csv: %q is no reading of Hire_Date", reading), "write a zone such as America/Chicago, or "+asWritten)
		}
	}
	routes.HandleFunc("POST /reports/workers", f.report)
	return nil
}

// delivery is a report as the mapping reads it. Elements go by local name and namespace, whatever the prefix.
type delivery struct {
	XMLName xml.Name         `xml:"urn:paylark:hr Workers"`
	Workers []reportedWorker `xml:"urn:paylark:hr Worker"`
}

type reportedWorker struct {
	ID    string `xml:"urn:paylark:hr ID"`
	Event string `xml:"urn:paylark:hr Event"`
	Name  struct {
		First string `xml:"first,attr"`
		Last  string `xml:"last,attr"`
	} `xml:"urn:paylark:hr Legal_Name"`
	Hired  string `xml:"urn:paylark:hr Hire_Date"`
	Active string `xml:"urn:paylark:hr Active"`
	Type   string `xml:"urn:paylark:hr Type"`
	Org    string `xml:"urn:paylark:hr Org"`
}

// report passes on each worker, one after the other. A worker whose account is refused is left for the next cycle, and
// the others go on.
func (f *workers) report(w http.ResponseWriter, r *http.Request) {
	var d delivery
	if err := xml.NewDecoder(r.Body).Decode(&d); err != nil {
		refuse(w, http.StatusBadRequest, problem{"", "malformed", err.Error()})
		return
	}
	done := struct {
		Status string   `json:"status"`
		Passed int      `json:"passed"`
		Failed []string `json:"failed"`
	}{"passed on", 0, []string{}}
	for _, each := range d.Workers {
		if f.pass(r.Context(), each) != nil {
			done.Failed = append(done.Failed, each.ID)
			continue
		}
		done.Passed++
	}
	status := http.StatusOK
	if len(done.Failed) > 0 {
		done.Status, status = "failed in part", http.StatusBadGateway
	}
	answer(w, status, done)
}

// Steps of one worker, as failures name them.
const (
	stepAccount   = "identity.account"
	stepDirectory = "identity.directory"
)

// pass brings the account and the entry of a worker up to date.
func (f *workers) pass(ctx context.Context, w reportedWorker) *failure {
	method, at, in := "PATCH", f.identityURL+"/scim/v2/Users/"+accountID(w.ID), any(f.change(w))
	if w.Event == world.Hire {
		method, at, in = "POST", f.identityURL+"/scim/v2/Users", f.account(w)
	}
	if _, failed := call(ctx, f.client, stepAccount, method, at, in, nil); failed != nil {
		return failed
	}
	_, failed := call(ctx, f.client, stepDirectory, "POST", f.identityURL+"/directory/modify", f.entry(w), nil)
	return failed
}

// login is the name of the worker's account.
func (w reportedWorker) login() string {
	return world.Worker{First: w.Name.First, Last: w.Name.Last}.Login()
}

// account is the mapping of a hire.
func (f *workers) account(w reportedWorker) account {
	return account{
		Schemas: []string{userSchema, enterpriseSchema}, ExternalID: w.ID, UserName: w.login(),
		Name: scimName{w.Name.First, w.Name.Last}, Active: true,
		Enterprise: enterprise{w.ID, w.Org}, Person: scimPerson{f.day(w.Hired), f.affiliations(w.Type)},
	}
}

// change is the mapping of a change and of a termination.
func (f *workers) change(w reportedWorker) patch {
	p := patch{Schemas: []string{patchSchema}}
	if w.Event == world.Termination {
		p.Operations = []patchOperation{{"replace", "active", f.activeValue(w.Active)}}
		return p
	}
	p.Operations = []patchOperation{
		{"replace", enterpriseSchema + ":department", mustEncode(w.Org)},
		{"replace", personSchema + ":affiliation", mustEncode(f.affiliations(w.Type))},
	}
	return p
}

// entry is the mapping to the directory.
func (f *workers) entry(w reportedWorker) entry {
	e := entry{DN: "uid=" + w.login() + ",ou=people,dc=hlu,dc=example"}
	switch w.Event {
	case world.Termination:
		e.Changes = []entryChange{{"replace", "nsAccountLock", []string{"TRUE"}}}
	case world.Hire:
		e.Changes = []entryChange{{"add", "employeeNumber", []string{w.ID}}, {"add", "eduPersonAffiliation", f.affiliations(w.Type)}}
	default:
		e.Changes = []entryChange{{"replace", "eduPersonAffiliation", f.affiliations(w.Type)}}
	}
	return e
}

// activeValue is true or false. A spelling that the code table does not know passes through as text: the bug that the
// upgrade of the HCM brings to light.
func (f *workers) activeValue(spelling string) json.RawMessage {
	switch to := f.active[spelling]; to {
	case "true", "false":
		return json.RawMessage(to)
	}
	return mustEncode(spelling)
}

// day is the day of a date. An instant is reckoned in the zone of the table: the other bug that the upgrade brings to
// light, because midnight UTC is the evening before in Chicago.
func (f *workers) day(date string) string {
	at, err := time.Parse(time.RFC3339, date)
	switch {
	case err != nil:
		return date
	case f.zone == nil:
		return date[:len(time.DateOnly)]
	}
	return at.In(f.zone).Format(time.DateOnly)
}

// affiliations spells out what a type means at Harrow Lake: who is on the payroll is an employee, and everybody beside
// affiliates is a member.
func (f *workers) affiliations(kind string) []string {
	to, ok := f.affiliation[kind]
	if !ok {
		to = f.affiliation["*"]
	}
	list := strings.Split(to, "+")
	if to != "affiliate" {
		list = append(list, "employee", "member")
	}
	var distinct []string
	for _, a := range list {
		if !slices.Contains(distinct, a) {
			distinct = append(distinct, a)
		}
	}
	return distinct
}

// mustEncode is JSON of what can always be encoded.
func mustEncode(v any) json.RawMessage {
	b, err := encode(v)
	if err != nil {
		panic(err) // texts and lists of texts
	}
	return b
}
