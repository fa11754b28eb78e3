package fakes

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const whole = `{"person":{"lastName":"Adeyemi","firstName":"Funmi","birthDate":"2008-03-11"},"termCode":"202710","programCode":"BIOL-BS","residencyCode":"R","decisionCode":"A1","externalId":"A-20481"}`

// ask sends one request to a handler.
func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestSISIsStrict(t *testing.T) {
	tests := []struct {
		why, old, new string // what is replaced in a request that is whole
		status        int
		want          string
	}{
		{"nothing wrong", "", "", 201, `"studentId":"H00000977"`},
		{"term null", `"202710"`, `null`, 422, `{"field":"termCode","code":"required","message":"termCode must not be null"}`},
		{"term missing", `"termCode":"202710",`, ``, 422, `"field":"termCode","code":"required"`},
		{"term that is not open", `202710`, `202610`, 422, `"field":"termCode","code":"invalid"`},
		{"the CRM's residency code", `"R"`, `"IS"`, 422, `"field":"residencyCode","code":"invalid"`},
		{"the CRM's decision code", `"A1"`, `"AD"`, 422, `"field":"decisionCode","code":"invalid"`},
		{"program missing", `"BIOL-BS"`, `""`, 422, `"field":"programCode","code":"invalid"`},
		{"no surname", `"Adeyemi"`, `""`, 422, `"field":"person.lastName","code":"required"`},
		{"day that does not exist", `2008-03-11`, `2007-02-29`, 422, `"field":"person.birthDate","code":"invalid"`},
		{"somebody whom nobody knows", `{"lastName"`, `{"personId":"0","lastName"`, 422, `"field":"person.personId","code":"unknown"`},
		{"number instead of text", `"202710"`, `202710`, 400, `"code":"malformed"`},
		{"member that is not known", `"termCode"`, `"term"`, 400, `unknown field`},
		{"cut short", `"externalId":"A-20481"}`, ``, 400, `"code":"malformed"`},
		{"two values", `"A-20481"}`, `"A-20481"}{}`, 400, `more than one JSON value`},
		{"too large", `BIOL-BS`, strings.Repeat("x", maxBody), 413, `"code":"too-large"`},
	}
	for _, tt := range tests {
		sis, err := Handler("sis", Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := ask(sis, "POST", "/api/admission-applications", strings.Replace(whole, tt.old, tt.new, 1))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d %s, want %d with %s", tt.why, w.Code, w.Body, tt.status, tt.want)
		}
		if w.Header().Get("Date") == "" {
			t.Errorf("%s: no frozen Date", tt.why)
		}
	}
}

func TestSISTakesADeliveryOnce(t *testing.T) {
	sis, err := Handler("sis", Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := ask(sis, "POST", "/api/admission-applications", whole)
	again := ask(sis, "POST", "/api/admission-applications", whole)
	if first.Code != 201 || again.Code != 200 || first.Body.String() != again.Body.String() {
		t.Errorf("delivered twice: %d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	other := ask(sis, "POST", "/api/admission-applications", strings.Replace(whole, `"A1"`, `"D1"`, 1))
	if other.Code != http.StatusConflict {
		t.Errorf("other content under the same externalId: %d, want 409", other.Code)
	}
	matched := ask(sis, "POST", "/api/persons/match", `{"lastName":"Adeyemi","firstName":"Funmi","birthDate":"2008-03-11"}`)
	if !strings.Contains(matched.Body.String(), `"result":"match"`) {
		t.Errorf("the new person is not found: %s", matched.Body)
	}
}

func TestCRMIsStrict(t *testing.T) {
	tests := []struct {
		why, method, path, body string
		status                  int
	}{
		{"application that is not there", "GET", "/api/v2/applications/A-99999", "", 404},
		{"write to one that is not there", "PATCH", "/api/v2/applications/A-99999", `{"sis_id":"H00000977","sis_synced_at":"2026-10-05T14:00:00Z"}`, 404},
		{"form of the student id", "PATCH", "/api/v2/applications/A-20481", `{"sis_id":"977","sis_synced_at":"2026-10-05T14:00:00Z"}`, 422},
		{"local time", "PATCH", "/api/v2/applications/A-20481", `{"sis_id":"H00000977","sis_synced_at":"2026-10-05 09:00"}`, 422},
		{"read-only member", "PATCH", "/api/v2/applications/A-20481", `{"gpa":4.0}`, 400},
		{"method that is not offered", "DELETE", "/api/v2/applications/A-20481", "", 405},
		{"alive", "GET", "/healthz", "", 200},
	}
	for _, tt := range tests {
		crm, err := Handler("crm", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if w := ask(crm, tt.method, tt.path, tt.body); w.Code != tt.status || w.Header().Get("Date") == "" {
			t.Errorf("%s: %d with Date %q, want %d: %s", tt.why, w.Code, w.Header().Get("Date"), tt.status, w.Body)
		}
	}
}

func FuzzSISAnswersWithoutFault(f *testing.F) {
	f.Add(whole)
	f.Add(`{"person":{}}`)
	f.Add(`null`)
	sis, err := Handler("sis", Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/api/persons/match", "/api/admission-applications"} {
			if w := ask(sis, "POST", path, body); w.Code >= 500 {
				t.Errorf("%s answers %d", path, w.Code)
			}
		}
	})
}
