package mock_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

const jsonType = "Content-Type: application/json"

// crud is a recording of a client that creates a student, reads, lists, changes and removes it.
func crud() []harness.Exchange {
	at := time.Date(2026, 3, 2, 6, 30, 0, 0, time.UTC)
	step := func(method, path, body, status, answer string, fields ...string) harness.Exchange {
		x := exchange("", method, path, body, answer, jsonType)
		x.Response.Head = x.Response.Head.With(":status", status)
		if answer == "" {
			x.Response.Head = x.Response.Head.Without("Content-Length")
		}
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ": ")
			x.Response.Head = append(x.Response.Head, harness.Field{Name: name, Value: value})
		}
		at = at.Add(time.Second)
		x.At = at
		return x
	}
	const ada = `{"id":"H00000417","name":"Ada Quill","plan":"BIO","credits":14.50,"created_at":"2026-03-02T06:30:02.125Z","self":"/students/H00000417"}`
	return []harness.Exchange{
		step("GET", "/students?limit=50", "", "200", `{"students":[{"id":"H00000401","name":"Noor Vale","plan":"CHE"}],"total":1,"has_more":false}`),
		step("POST", "/students", `{"name":"Ada Quill","plan":"BIO","credits":14.50}`, "201", ada, "Location: https://sis.example/students/H00000417", `ETag: "33a64df551425fcc"`),
		step("GET", "/students/H00000417", "", "200", ada),
		step("PATCH", "/students/H00000417", `{"plan":"CHE"}`, "200", strings.Replace(ada, "BIO", "CHE", 1)),
		step("DELETE", "/students/H00000417", "", "204", ""),
		step("GET", "/students/H00000417", "", "404", `{"error":"no student H00000417"}`),
		step("GET", "/terms", "", "200", `["2026F"]`),
	}
}

type askStep struct{ method, path, body, status, want, synthetic, why string }

func runSteps(t *testing.T, m *mock.Mock, steps []askStep) {
	t.Helper()
	c := &http.Client{Transport: m.Transport()}
	for _, s := range steps {
		resp, body, err := ask(c, "http://sis.example", "", s.method, s.path, s.body, jsonType)
		if err != nil {
			t.Fatalf("%s: %v", s.why, err)
		}
		if got := resp.Header.Get(mock.SyntheticField); resp.Status[:3] != s.status || s.want != "*" && body != s.want || !strings.HasPrefix(got, s.synthetic) || s.synthetic == "" && got != "" {
			t.Errorf("%s: %s %s: %s %s (synthetic %q), want %s %s", s.why, s.method, s.path, resp.Status, body, got, s.status, s.want)
		}
	}
}

func synthetic(now time.Time) mock.Options {
	return mock.Options{Synthetic: true, Now: func() time.Time { return now }}
}

func TestWhatIsCreatedIsReadListedChangedAndRemoved(t *testing.T) {
	m := newMock(t, synthetic(time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC)), crud()...)
	const li = `{"id":"H00000418","name":"Li Fenn","plan":"ART","credits":3.25,"created_at":"2026-11-28T15:00:00.000Z","self":"/students/H00000418"}`
	runSteps(t, m, []askStep{
		{"GET", "/students?limit=50", "", "200", `{"students":[{"id":"H00000401","name":"Noor Vale","plan":"CHE"}],"total":1,"has_more":false}`, "", "nothing was changed: as recorded"},
		{"POST", "/students", `{"name":"Li Fenn","plan":"ART","credits":3.25}`, "201", li, "created /students; like 000002", "fields of the call, next number, moment of now"},
		{"GET", "/students/H00000418", "", "200", li, "read", "read after write"},
		{"GET", "/students?limit=50", "", "200", `{"students":[{"id":"H00000401","name":"Noor Vale","plan":"CHE"},` +
			`{"id":"H00000417","name":"Ada Quill","plan":"CHE","credits":14.50,"created_at":"2026-03-02T06:30:02.125Z","self":"/students/H00000417"},` + li + `],"total":3,"has_more":false}`, "listed", "all that is known"},
		{"GET", "/students?limit=1&page=3", "", "200", `{"students":[` + li + `],"total":3,"has_more":false}`, "listed", "a page that was never recorded"},
		{"GET", "/students?limit=1", "", "200", `*`, "listed", "the first page"},
		{"PATCH", "/students/H00000418", `{"plan":"BIO"}`, "200", strings.Replace(li, "ART", "BIO", 1), "changed", "changed"},
		{"GET", "/students/H00000418", "", "200", strings.Replace(li, "ART", "BIO", 1), "read", "and it stays so"},
		{"GET", "/students/H00000401", "", "200", `*`, "read", "known from the list"},
		{"DELETE", "/students/H00000418", "", "204", "", "removed", "removed"},
		{"GET", "/students/H00000418", "", "404", `{"error":"no student H00000417"}`, "absent", "absent like the recorded one"},
		{"GET", "/students/H99999999", "", "404", `*`, "absent", "never there"},
		{"GET", "/students/H00000417", "", "200", `*`, "", "recorded things are as recorded"},
		{"GET", "/terms", "", "200", `["2026F"]`, "", "no resource"},
		{"PUT", "/students/H00000401", `{"plan":"X"}`, "501", "*", "", "no PUT was recorded, so nothing is known of its answer"},
		{"POST", "/students", `not json`, "501", "*", "", "no fields"},
	})
	counts := m.Counts()
	if diff := cmp.Diff(mock.Counts{Served: 3, Synthetic: 11, Missed: 2}, counts); diff != "" {
		t.Error(diff)
	}
}

func TestCreatingAgainCreatesAnother(t *testing.T) {
	m := newMock(t, synthetic(time.Now()), crud()...)
	const same = `{"name":"Ada Quill","plan":"BIO","credits":14.50}`
	runSteps(t, m, []askStep{
		{"POST", "/students", same, "201", "*", "", "as recorded"},
		{"POST", "/students", same, "201", "*", "created", "a second one is another thing"},
		{"GET", "/students/H00000418", "", "200", "*", "read", "with another number"},
	})
}

func TestSyntheticHeadsFitTheirBodies(t *testing.T) {
	c := &http.Client{Transport: newMock(t, synthetic(time.Now()), crud()...).Transport()}
	resp, _, err := ask(c, "http://sis.example", "", "POST", "/students", `{"name":"Li Fenn","plan":"ART","credits":1}`, jsonType)
	if err != nil || resp.Header.Get("Location") != "https://sis.example/students/H00000418" {
		t.Errorf("%v %v", resp, err)
	}
	if tag := resp.Header.Get("ETag"); tag == `"33a64df551425fcc"` || len(tag) != len(`"33a64df551425fcc"`) {
		t.Errorf("tag %s", tag)
	}
}

// Nothing is made up unless it is asked for.
func TestWithoutSyntheticEveryUnknownCallIsAMiss(t *testing.T) {
	runSteps(t, newMock(t, mock.Options{}, crud()...), []askStep{
		{"POST", "/students", `{"name":"Li Fenn","plan":"ART","credits":3.25}`, "501", "*", "", "another body"},
		{"GET", "/students/H00000418", "", "501", "*", "", "another thing"},
	})
}

func TestWhatOneCallerCreatesAnotherDoesNotSee(t *testing.T) {
	options := synthetic(time.Now())
	key, err := mock.ParseStateKey("header:X-Tenant")
	if err != nil {
		t.Fatal(err)
	}
	options.StateBy = []mock.StateKey{key}
	c := &http.Client{Transport: newMock(t, options, crud()...).Transport()}
	if _, _, err := ask(c, "http://sis.example", "", "POST", "/students", `{"name":"Li Fenn","plan":"ART","credits":3.25}`, jsonType, "X-Tenant: north"); err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]string{"north": "200 OK", "south": "404 Not Found"} {
		if resp, body, err := ask(c, "http://sis.example", "", "GET", "/students/H00000418", "", "X-Tenant: "+tenant); err != nil || resp.Status != want {
			t.Errorf("%s: %v %s, want %s", tenant, resp, body, want)
		}
	}
}

func TestNewIdentifiersHaveTheFormOfRecordedOnes(t *testing.T) {
	for _, test := range []struct{ id, pattern string }{
		{`17`, `^18$`}, {`"007"`, `^008$`}, {`"cus_Q2xPb7"`, `^cus_[A-Z]\d[a-z][A-Z][a-z]\d$`},
		{`"6f1c2d34-5e67-4a89-9bcd-0123456789ab"`, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}$`},
	} {
		bare := strings.Trim(test.id, `"`)
		created := exchange("", "POST", "/things", `{"name":"a"}`, `{"id":`+test.id+`,"name":"a"}`, jsonType)
		m := newMock(t, synthetic(time.Now()), created, exchange("", "GET", "/things/"+bare, "", `{"id":`+test.id+`,"name":"a"}`))
		_, body, err := ask(&http.Client{Transport: m.Transport()}, "http://sis.example", "", "POST", "/things", `{"name":"b"}`, jsonType)
		quote := test.id[:1] == `"`
		id := strings.TrimSuffix(strings.TrimPrefix(body, `{"id":`), `,"name":"b"}`)
		if err != nil || strings.HasPrefix(id, `"`) != quote || !matches(test.pattern, strings.Trim(id, `"`)) || id == test.id {
			t.Errorf("%s became %s (%v)", test.id, body, err)
		}
	}
}

func TestFormsCreateThingsToo(t *testing.T) {
	const formField = "Content-Type: application/x-www-form-urlencoded"
	m := newMock(t, synthetic(time.Now()),
		exchange("", "POST", "/v1/charges", "amount=1200&currency=usd", `{"id":"ch_1","amount":1200,"currency":"usd","paid":true}`, formField),
		exchange("", "GET", "/v1/charges/ch_1", "", `{"id":"ch_1","amount":1200,"currency":"usd","paid":true}`))
	_, body, err := ask(&http.Client{Transport: m.Transport()}, "http://pay.example", "", "POST", "/v1/charges", "currency=eur&amount=950", formField)
	if want := `{"id":"ch_2","amount":950,"currency":"eur","paid":true}`; err != nil || body != want {
		t.Errorf("%s, want %s (%v)", body, want, err)
	}
}

// SCIM (RFC 7644) is a directory over HTTP: two lists in an answer, and an index from 1.
func TestUsersOfADirectoryOverHTTP(t *testing.T) {
	const ada = `{"schemas":["urn:u"],"id":"2819c223","userName":"aquill","meta":{"location":"https://scim.example/Users/2819c223"}}`
	m := newMock(t, synthetic(time.Now()),
		exchange("", "GET", "/Users?startIndex=1&count=10", "", `{"schemas":["urn:l"],"totalResults":1,"itemsPerPage":1,"startIndex":1,"Resources":[`+ada+`]}`),
		exchange("", "POST", "/Users", `{"schemas":["urn:u"],"userName":"aquill"}`, ada, "Content-Type: application/scim+json"),
		exchange("", "GET", "/Users/2819c223", "", ada))
	runSteps(t, m, []askStep{
		{"POST", "/Users", `{"schemas":["urn:u"],"userName":"nvale"}`, "200", `{"schemas":["urn:u"],"id":"2819c224","userName":"nvale","meta":{"location":"https://scim.example/Users/2819c224"}}`, "created", "an identifier that ends in a number"},
		{"GET", "/Users?startIndex=2&count=1", "", "200", `{"schemas":["urn:l"],"totalResults":2,"itemsPerPage":1,"startIndex":2,"Resources":[{"schemas":["urn:u"],"id":"2819c224","userName":"nvale","meta":{"location":"https://scim.example/Users/2819c224"}}]}`, "listed", "the second user"},
	})
}

func TestPartsOfListsLeadOn(t *testing.T) {
	list := exchange("", "GET", "/things?page=1&per_page=1", "", `{"data":[{"id":1,"n":"a"}],"next":"https://api.example/things?page=2&per_page=1","next_page":2,"pages":2}`)
	list.Response.Head = append(list.Response.Head, harness.Field{Name: "Link", Value: `<https://api.example/things?page=2&per_page=1>; rel="next", <https://api.example/things?page=1&per_page=1>; rel="first"`})
	m := newMock(t, synthetic(time.Now()), list,
		exchange("", "POST", "/things", `{"n":"b"}`, `{"id":2,"n":"b"}`, jsonType), exchange("", "GET", "/things/2", "", `{"id":2,"n":"b"}`))
	c := &http.Client{Transport: m.Transport()}
	if _, _, err := ask(c, "https://api.example", "", "POST", "/things", `{"n":"c"}`, jsonType); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, body, link string }{
		{"/things?page=2&per_page=1", `{"data":[{"id":2,"n":"b"}],"next":"https://api.example/things?page=3&per_page=1","next_page":3,"pages":3}`,
			`<https://api.example/things?page=3&per_page=1>; rel="next", <https://api.example/things?page=1&per_page=1>; rel="first"`},
		{"/things?page=3&per_page=1", `{"data":[{"id":3,"n":"c"}],"next":null,"next_page":null,"pages":3}`, `<https://api.example/things?page=1&per_page=1>; rel="first"`},
	} {
		resp, body, err := ask(c, "https://api.example", "", "GET", test.path, "")
		if err != nil || body != test.body || resp.Header.Get("Link") != test.link {
			t.Errorf("%s: %s %s (%v)", test.path, body, resp.Header.Get("Link"), err)
		}
	}
}
