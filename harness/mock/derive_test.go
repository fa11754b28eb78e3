package mock_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

// orders is a recording in which calls are equal but for places that mean nothing, and one that does.
func orders() []harness.Exchange {
	var xs []harness.Exchange
	for i := range 4 {
		at := time.Date(2026, 3, 2, 6, 30, i, 0, time.UTC)
		tags := []string{`"a","b"`, `"b","a"`}[i%2]
		body := fmt.Sprintf(`{"item":"desk-%d","ref":"ORD-2026-00417-%d","sent_at":%q,"nonce":"6f1c2d34-5e67-4a89-9bcd-01234567890%d","tags":[%s],"n":%d}`,
			i/2, i, at.Add(100*time.Millisecond).Format(time.RFC3339), i, tags, i/2)
		x := exchange("", "POST", "/orders?ts="+fmt.Sprint(at.Unix()), body, fmt.Sprintf("%d", i), jsonType)
		x.At = at
		xs = append(xs, x)
	}
	for i := range 4 { // what names something stays: the reference is asked for afterwards
		xs = append(xs, exchange("", "GET", fmt.Sprintf("/orders/ORD-2026-00417-%d", i), "", "{}"))
	}
	return xs
}

func TestRulesAreDerivedWithEvidence(t *testing.T) {
	var have []string
	for _, r := range newMock(t, mock.Options{}, orders()...).Rules() {
		have = append(have, r.String())
	}
	want := []string{
		`POST /orders: request.body.nonce holds a new text in each of 4 calls, which occurs nowhere else but in the own answer, such as "6f1c2d34-5e67-4a89-9bcd-012345678900"`,
		`POST /orders: request.body.sent_at holds the moment of the call in all 4 calls, such as "2026-03-02T06:30:00Z"`,
		`POST /orders: request.body.tags holds the same elements in different order among 4 calls, such as "[\"a\",\"b\"]"`,
		`POST /orders: request.query.ts holds the moment of the call in all 4 calls, such as "1772433000"`,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func TestLenientMatchingFollowsTheRules(t *testing.T) {
	live := func(item, ref string) string {
		return fmt.Sprintf(`{"tags":["b","a"],"item":%q,"ref":%q,"sent_at":"2026-11-28T15:00:00Z","nonce":"ffffffff-5e67-4a89-9bcd-012345678900","n":%s}`, item, ref, strings.TrimPrefix(item, "desk-"))
	}
	for _, test := range []struct {
		match        mock.Match
		item, ref    string
		want         string
		status       int
		places, what string
	}{
		{mock.MatchLenient, "desk-0", "ORD-2026-00417-1", "1", 200, "", "what means nothing does not count"},
		{mock.MatchLenient, "desk-1", "ORD-2026-00417-2", "2", 200, "", "what means something does"},
		{mock.MatchLenient, "desk-1", "ORD-2026-00417-9", "", 501, "request.body.ref", "and is all that a miss lists"},
		{mock.MatchStrict, "desk-0", "ORD-2026-00417-1", "", 501, "", "strict is the default"},
	} {
		m := newMock(t, mock.Options{Match: test.match}, orders()...)
		resp, body, err := ask(&http.Client{Transport: m.Transport()}, "http://shop.example", "", "POST", "/orders?ts=1795872000", live(test.item, test.ref), jsonType)
		if err != nil || resp.StatusCode != test.status || test.want != "" && body != test.want {
			t.Errorf("%s: %v %s (%v)", test.what, resp, body, err)
		}
		if test.places != "" && (len(m.Misses()[0].Places) != 1 || m.Misses()[0].Places[0].Path.String() != test.places) {
			t.Errorf("%s: %v", test.what, m.Misses())
		}
	}
}

func TestEchoedValuesAreThoseOfTheCall(t *testing.T) {
	call := func(id, ref, answer string) harness.Exchange {
		x := exchange("", "POST", "/orders", `{"item":"desk","ref":"`+ref+`"}`, answer, jsonType, "X-Request-Id: "+id, "X-Plain: order-4711")
		x.Response.Head = append(x.Response.Head, harness.Field{Name: "X-Request-Id", Value: id})
		return x
	}
	m := newMock(t, mock.Options{Echo: true, Ignore: []harness.Path{mustParse(t, "request.body.ref")}},
		call("req-8f14e45f", "R-000417", `{"link":"/orders?ref=R-000417","note":"R-0004179 is another","ref":"R-000417"}`),
		call("req-c9f0f895", "R-000418", `{"link":"/orders?ref=R-000418","note":"","ref":"R-000418"}`))
	resp, body, err := ask(&http.Client{Transport: m.Transport()}, "http://shop.example", "", "POST", "/orders", `{"item":"desk","ref":"R-\"7"}`, jsonType, "X-Request-Id: mine-1", "X-Plain: other-1")
	if err != nil || resp.Header.Get("X-Request-Id") != "mine-1" {
		t.Errorf("%v %v", resp, err)
	}
	if want := `{"link":"/orders?ref=R-\"7","note":"R-0004179 is another","ref":"R-\"7"}`; body != want {
		t.Errorf("%s, want %s", body, want)
	}
	if _, body, _ := ask(&http.Client{Transport: m.Transport()}, "http://shop.example", "", "POST", "/orders", `{"item":"desk","ref":"R-000418"}`, jsonType, "X-Request-Id: req-c9f0f895"); !strings.Contains(body, `"note":""`) {
		t.Errorf("an equal call gets what was recorded, not %s", body)
	}
	if n := m.Counts().Echoed; n != 1 {
		t.Errorf("%d echoed", n)
	}
}

// A value that one answer does not repeat is not taken for an echo.
func TestWhatIsNotAlwaysRepeatedIsNoEcho(t *testing.T) {
	m := newMock(t, mock.Options{Echo: true},
		exchange("", "GET", "/a", "", "seen by probe-0001", "X-Probe: probe-0001"), exchange("", "GET", "/a", "", "seen by probe-0001", "X-Probe: probe-0002"))
	if _, body, err := ask(&http.Client{Transport: m.Transport()}, "http://shop.example", "", "GET", "/a", "", "X-Probe: probe-0003"); err != nil || body != "seen by probe-0001" {
		t.Errorf("%s %v", body, err)
	}
}
