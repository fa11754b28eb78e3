package harness

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOperationsLeaveIdentifiersOut(t *testing.T) {
	for _, c := range []struct{ method, path, want, why string }{
		{"GET", "/applications", "GET /applications", "a kind of thing"},
		{"GET", "/applications/A-10442", "GET /applications/{}", "a thing"},
		{"GET", "/applications/A-10442?expand=all", "GET /applications/{}", "the query is no part of it"},
		{"GET", "/applications?page=2", "GET /applications", "the query is no part of it"},
		{"PATCH", "/people/7/roles/12", "PATCH /people/{}/roles/{}", "things in things"},
		{"GET", "/v2/people", "GET /v2/people", "a version is not a thing"},
		{"GET", "/api/v1.1/people/9", "GET /api/v1.1/people/{}", "a version with a point"},
		{"GET", "/v4beta/people", "GET /v4beta/people", "a version before its release"},
		{"GET", "/v1alpha2/people", "GET /v1alpha2/people", "a version as Kubernetes writes it"},
		{"GET", "/V3/people", "GET /V3/people", "a version with a large letter"},
		{"GET", "/v2026w/people", "GET /{}/people", "looks like a version and is none"},
		{"GET", "/users/0f8fad5b-d9cb-469f-a165-70867728950e", "GET /users/{}", "a UUID"},
		{"GET", "/terms/202640/courses", "GET /terms/{}/courses", "a term code"},
		{"GET", "/people/jdoe", "GET /people/jdoe", "letters alone are taken for a kind of thing"},
		{"GET", "/", "GET /", "the root"},
		{"GET", "/people/", "GET /people/", "a slash at the end stays"},
		{"GET", "//people", "GET //people", "empty segments stay"},
		{"OPTIONS", "*", "OPTIONS *", "the server as a whole"},
		{"GET", "/people/%31", "GET /people/{}", "an encoded digit"},
		{"", "", " ", "a request without head"},
	} {
		x := Exchange{Channel: ChannelHTTP, Request: Message{Head: Head{{FieldMethod, c.method}, {FieldPath, c.path}}}}
		if got := x.Operation(); got != c.want {
			t.Errorf("%s: %s %s is %q, want %q", c.why, c.method, c.path, got, c.want)
		}
	}
}

func TestOperationsOfFilesLeaveDatesOut(t *testing.T) {
	for _, c := range []struct{ name, want, why string }{
		{"registrations.csv", "registrations.csv", "a plain name"},
		{"registrations_20260817.csv", "registrations_{}.csv", "a date"},
		{"registrations_20260817_021500.csv", "registrations_{}_{}.csv", "date and time"},
		{"isir0001.txt", "isir0001.txt", "short runs of digits tell kinds of files apart"},
		{"feed-12345", "feed-12345", "five digits are none"},
		{"feed-123456", "feed-{}", "six digits are a sequence number"},
		{"2026/08/17/x.csv", "2026/08/17/x.csv", "folders by date stay"},
		{"", "", "no name"},
		{"naïve_202640.csv", "naïve_{}.csv", "letters outside ASCII stay"},
	} {
		x := Exchange{Channel: ChannelFile, Request: Message{Head: Head{{FieldName, c.name}}}}
		if got := x.Operation(); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.name, got, c.want)
		}
	}
}

func TestStatusIsZeroWithoutAnAnswer(t *testing.T) {
	for text, want := range map[string]int{"200": 200, "404": 404, "": 0, "OK": 0} {
		x := Exchange{Response: Message{Head: Head{{FieldStatus, text}}}}
		if got := x.Status(); got != want {
			t.Errorf("status %q is %d, want %d", text, got, want)
		}
	}
	if (&Exchange{}).Status() != 0 {
		t.Error("no answer has a status")
	}
}

func TestHeadKeepsTheWire(t *testing.T) {
	wire := Head{{":status", "200"}, {"Set-Cookie", "a=1"}, {"X-Term", "202640"}, {"set-cookie", "b=2"}}
	if wire.Get("SET-COOKIE") != "a=1" || wire.Get("absent") != "" {
		t.Error("Get takes the first, letter case aside")
	}
	if !wire.Has("x-term") || wire.Has("x") {
		t.Error("Has compares whole names, letter case aside")
	}
	if diff := cmp.Diff([]string{"a=1", "b=2"}, wire.Values("Set-Cookie")); diff != "" {
		t.Error(diff)
	}
	if wire.Values("absent") != nil {
		t.Error("no values of an absent field")
	}
	before := append(Head(nil), wire...)
	if diff := cmp.Diff(Head{{":status", "200"}, {"Set-Cookie", "c=3"}, {"X-Term", "202640"}, {"set-cookie", "b=2"}}, wire.With("set-cookie", "c=3")); diff != "" {
		t.Errorf("With replaces the first and keeps the case of its name:\n%s", diff)
	}
	if diff := cmp.Diff(append(before[:4:4], Field{"ETag", "7"}), wire.With("ETag", "7")); diff != "" {
		t.Errorf("With appends a missing field:\n%s", diff)
	}
	if diff := cmp.Diff(Head{{":status", "200"}}, wire.Without("SET-cookie", "x-term")); diff != "" {
		t.Errorf("Without takes all of a name:\n%s", diff)
	}
	if diff := cmp.Diff(before, wire); diff != "" {
		t.Errorf("the head itself changed:\n%s", diff)
	}
	if !wire[0].IsPseudo() || wire[1].IsPseudo() {
		t.Error("pseudo-fields begin with a colon")
	}
}

func TestMessageIsZeroOnlyWithoutAnything(t *testing.T) {
	for _, c := range []struct {
		m    Message
		want bool
	}{
		{Message{}, true},
		{Message{Head: Head{{":status", "204"}}}, false},
		{Message{Media: "text/csv"}, false},
		{Message{Body: BytesBody([]byte("x"))}, false},
		{Message{Body: BytesBody(nil)}, true},
	} {
		if c.m.IsZero() != c.want {
			t.Errorf("%+v: want %v", c.m, c.want)
		}
	}
}

func ExampleHead() {
	wire := Head{{FieldMethod, "POST"}, {FieldPath, "/applications"}, {"content-type", "application/json"}}
	fmt.Println(wire.Get("Content-Type"))
	for _, f := range wire.With("Authorization", "Bearer …").Without("content-type") {
		fmt.Println(f.Name, f.Value)
	}
	// Output:
	// application/json
	// :method POST
	// :path /applications
	// Authorization Bearer …
}

func ExampleExchange_Operation() {
	x := Exchange{Channel: ChannelHTTP, Request: Message{Head: Head{{FieldMethod, "GET"}, {FieldPath, "/v2/applications/A-10442?expand=all"}}}}
	fmt.Println(x.Operation())
	// Output: GET /v2/applications/{}
}

func TestVersionsOfAnInterfaceAskForTheSame(t *testing.T) {
	for _, tc := range []struct{ operation, want, why string }{
		{"GET /api/v16/workers/{}", "GET /api/{version}/workers/{}", "a segment that is a version"},
		{"GET /services/v58.0/query", "GET /services/{version}/query", "with a minor number"},
		{"POST /v2beta1/users", "POST /{version}/users", "a release before its time"},
		{"GET /vendors/{}", "GET /vendors/{}", "a word that begins with v is none"},
		{"registrations.csv", "registrations.csv", "a file has none"},
	} {
		if got := WithoutVersion(tc.operation); got != tc.want {
			t.Errorf("%s: %q became %q, want %q", tc.why, tc.operation, got, tc.want)
		}
	}
}
