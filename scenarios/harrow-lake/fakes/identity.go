package fakes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// Schemas of SCIM 2.0 (RFC 7643, RFC 7644) and of Harrow Lake.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	personSchema     = "urn:hlu:scim:1.0:Person"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// scimMedia is the media type of SCIM.
const scimMedia = "application/scim+json"

// account is a user as SCIM carries it, members in this order.
type account struct {
	Schemas    []string   `json:"schemas"`
	ID         string     `json:"id,omitempty"`
	ExternalID string     `json:"externalId"`
	UserName   string     `json:"userName"`
	Name       scimName   `json:"name"`
	Active     bool       `json:"active"`
	Enterprise enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	Person     scimPerson `json:"urn:hlu:scim:1.0:Person"`
}

type scimName struct {
	Given  string `json:"givenName"`
	Family string `json:"familyName"`
}

type enterprise struct {
	Number     string `json:"employeeNumber"`
	Department string `json:"department"`
}

type scimPerson struct {
	Start       string   `json:"startDate"`
	Affiliation []string `json:"affiliation"`
}

// patch is a change of an account.
type patch struct {
	Schemas    []string         `json:"schemas"`
	Operations []patchOperation `json:"Operations"`
}

type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patched are the paths that a patch may replace, with the type of the value.
var patched = map[string]func() any{
	"active":                         func() any { return new(bool) },
	enterpriseSchema + ":department": func() any { return new(string) },
	personSchema + ":affiliation":    func() any { return new([]string) },
	"name.givenName":                 func() any { return new(string) },
	"name.familyName":                func() any { return new(string) },
}

// entry is an operation on the directory. It crosses as JSON: what LDAP would call a modify request (RFC 4511).
type entry struct {
	DN      string        `json:"dn"`
	Changes []entryChange `json:"changes"`
}

type entryChange struct {
	Operation string   `json:"operation"` // add, replace or delete
	Attribute string   `json:"attribute"`
	Values    []string `json:"values"`
}

// keystone is Keystone Identity: accounts, and the directory behind them.
type keystone struct {
	mu       sync.Mutex
	accounts map[string]*account // by ID
	byNumber map[string]string   // externalId → ID
}

// KeystoneIdentity is Keystone Identity, holding accounts for the workers who are employed already. It is strict about
// types: a text where true or false belongs is refused.
func KeystoneIdentity(now func() time.Time) http.Handler {
	k := &keystone{accounts: map[string]*account{}, byNumber: map[string]string{}}
	for _, w := range world.Workers() {
		if w.Event != world.Hire {
			k.add(&account{ExternalID: w.ID, UserName: w.Login(), Active: true})
		}
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /scim/v2/Users", k.create)
	routes.HandleFunc("PATCH /scim/v2/Users/{id}", k.patch)
	routes.HandleFunc("POST /directory/modify", k.modify)
	return service(world.Identity, "6", now, routes)
}

// accountID is the identifier that Keystone gives to the account of a worker.
func accountID(externalID string) string { return guid("account " + externalID) }

// add keeps an account. The lock is held, or nobody else knows k yet.
func (k *keystone) add(a *account) {
	a.ID = accountID(a.ExternalID)
	k.accounts[a.ID], k.byNumber[a.ExternalID] = a, a.ID
}

// workerID is the form of the HCM's identifiers.
var workerID = regexp.MustCompile(`^W\d{6}$`)

func (k *keystone) create(w http.ResponseWriter, r *http.Request) {
	var a account
	if !readSCIM(w, r, &a) {
		return
	}
	switch _, err := time.Parse(time.DateOnly, a.Person.Start); {
	case err != nil:
		refuseSCIM(w, http.StatusBadRequest, "invalidValue", personSchema+":startDate must be a day such as 2026-08-17")
		return
	case !workerID.MatchString(a.ExternalID) || a.UserName == "":
		refuseSCIM(w, http.StatusBadRequest, "invalidValue", "externalId and userName must name a worker")
		return
	case !slices.Contains(a.Schemas, userSchema):
		refuseSCIM(w, http.StatusBadRequest, "invalidSyntax", "schemas must name "+userSchema)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byNumber[a.ExternalID] != "" {
		refuseSCIM(w, http.StatusConflict, "uniqueness", "an account has this externalId already")
		return
	}
	k.add(&a)
	writeSCIM(w, http.StatusCreated, &a)
}

func (k *keystone) patch(w http.ResponseWriter, r *http.Request) {
	var p patch
	if !readSCIM(w, r, &p) {
		return
	}
	for _, op := range p.Operations {
		value, known := patched[op.Path]
		if op.Op != "replace" || !known {
			refuseSCIM(w, http.StatusBadRequest, "invalidPath", fmt.Sprintf("%s of %s is not offered", op.Op, op.Path))
			return
		}
		if err := json.Unmarshal(op.Value, value()); err != nil {
			refuseSCIM(w, http.StatusBadRequest, "invalidValue", fmt.Sprintf("%s does not take the value %s", op.Path, op.Value))
			return
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.accounts[r.PathValue("id")]
	if !ok {
		refuseSCIM(w, http.StatusNotFound, "noTarget", "no such account")
		return
	}
	for _, op := range p.Operations {
		if op.Path == "active" {
			a.Active = bytes.Equal(op.Value, []byte("true"))
		}
	}
	writeSCIM(w, http.StatusOK, struct {
		ID     string `json:"id"`
		Active bool   `json:"active"`
	}{a.ID, a.Active})
}

// modify takes an operation on the directory.
func (k *keystone) modify(w http.ResponseWriter, r *http.Request) {
	var e entry
	if !readRequest(w, r, &e) {
		return
	}
	result := struct {
		Code    int    `json:"resultCode"`
		Message string `json:"message"`
	}{0, "success"}
	status := http.StatusOK
	for _, c := range e.Changes {
		if c.Attribute == "nsAccountLock" && !slices.Equal(c.Values, []string{"TRUE"}) && !slices.Equal(c.Values, []string{"FALSE"}) {
			result.Code, result.Message, status = 21, "nsAccountLock: invalid attribute syntax", http.StatusBadRequest
		}
	}
	answer(w, status, result)
}

// readSCIM decodes the body of a request strictly, or refuses it.
func readSCIM(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		refuseSCIM(w, http.StatusRequestEntityTooLarge, "tooMany", err.Error())
		return false
	}
	if err := decode(bytes.NewReader(b), v); err != nil {
		refuseSCIM(w, http.StatusBadRequest, "invalidSyntax", err.Error())
		return false
	}
	return true
}

func writeSCIM(w http.ResponseWriter, status int, v any) {
	b, err := encode(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", scimMedia)
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the client has gone
}

// refuseSCIM writes an error answer as RFC 7644 §3.12 wants it.
func refuseSCIM(w http.ResponseWriter, status int, scimType, detail string) {
	writeSCIM(w, status, struct {
		Schemas []string `json:"schemas"`
		Type    string   `json:"scimType"`
		Detail  string   `json:"detail"`
		Status  string   `json:"status"`
	}{[]string{errorSchema}, scimType, detail, fmt.Sprint(status)})
}
