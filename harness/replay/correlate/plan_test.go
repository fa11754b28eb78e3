package correlate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// mined is the plan of the recording.
func mined(t *testing.T, xs []harness.Exchange, o Options) *Plan {
	t.Helper()
	plan, err := Mine(xs, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// learn takes the values of one live answer.
func learn(t *testing.T, plan *Plan, v *Values, recorded harness.Exchange, answer string) {
	t.Helper()
	live := recorded
	live.Response = wire(answer)
	if err := plan.Learn(recorded, live, v); err != nil {
		t.Fatal(err)
	}
}

func TestSerialNumbersThatAreShiftedAreNotConfused(t *testing.T) {
	list := func(a, b string) string {
		return "200\n\n" + `{"orders":[{"id":` + a + `,"quantity":8},{"id":` + b + `,"quantity":7}],"count":8}`
	}
	recorded := calls(
		"POST /orders\n\n"+`{"quantity":8}`, "201\nLocation: /orders/7\n\n"+`{"id":7,"quantity":8}`,
		"POST /orders\n\n"+`{"quantity":7}`, "201\nLocation: /orders/8\n\n"+`{"id":8,"quantity":7}`,
		"GET /orders/7", "200\n\n"+`{"id":7,"quantity":8}`,
		"POST /shipments\n\n"+`{"order_id":8,"parcels":7}`, "200\n\n"+`{"order_id":8,"parcels":7}`,
		"GET /orders", list("7", "8"),
	)
	live := calls(
		"POST /orders\n\n"+`{"quantity":8}`, "201\nLocation: /orders/8\n\n"+`{"id":8,"quantity":8}`,
		"POST /orders\n\n"+`{"quantity":7}`, "201\nLocation: /orders/9\n\n"+`{"id":9,"quantity":7}`,
		"GET /orders/8", "200\n\n"+`{"id":8,"quantity":8}`,
		"POST /shipments\n\n"+`{"order_id":9,"parcels":7}`, "200\n\n"+`{"order_id":9,"parcels":7}`,
		"GET /orders", list("8", "9"),
	)
	replay(t, recorded, live)
}

func TestListsAreAligned(t *testing.T) {
	recorded := calls(
		"POST /students\n\n"+`{"name":"Mara"}`, "201\n\n"+`{"id":"aa11bb22cc33","name":"Mara"}`,
		"GET /enrollments", "200\n\n"+`{"items":[{"id":"e1e1e1e1e1","student":"aa11bb22cc33","course":"BIO"},{"id":"f2f2f2f2f2","student":"dd44dd44dd44","course":"CHE"}]}`,
		"DELETE /enrollments/e1e1e1e1e1\nX-Student: aa11bb22cc33", "204",
		"DELETE /enrollments/f2f2f2f2f2", "204",
	)
	plan := mined(t, recorded, Options{})
	for _, test := range []struct{ why, list, first, second string }{
		{"by a value that is known already, and by a text that is the same",
			`{"items":[{"id":"0001aaaa99","student":"7777777777ab","course":"ART"},{"id":"0002bbbb99","student":"8888888888ab","course":"CHE"},{"id":"0003cccc99","student":"99aa99aa99aa","course":"PHY"}]}`,
			"0003cccc99", "0002bbbb99"},
		{"by position where nothing tells them apart",
			`{"items":[{"id":"0001aaaa99"},{"id":"0002bbbb99"}]}`, "0001aaaa99", "0002bbbb99"},
	} {
		t.Run(test.why, func(t *testing.T) {
			v := plan.NewValues()
			learn(t, plan, v, recorded[0], "201\n\n"+`{"id":"99aa99aa99aa","name":"Mara"}`)
			learn(t, plan, v, recorded[1], "200\n\n"+test.list)
			for i, id := range []string{test.first, test.second} {
				sent, err := plan.Request(recorded[2+i], v)
				if want := "/enrollments/" + id; err != nil || sent.Request.Head.Get(harness.FieldPath) != want {
					t.Errorf("%s, want %s (%v)", sent.Request.Head.Get(harness.FieldPath), want, err)
				}
			}
		})
	}
}

func TestPackedBodiesAreWrittenInTheirEncoding(t *testing.T) {
	for _, encoding := range []string{"gzip", "br", "zstd", "deflate", "gzip, br"} {
		t.Run(encoding, func(t *testing.T) {
			pack := func(xs []harness.Exchange) []harness.Exchange {
				for i := range xs {
					for _, m := range []*harness.Message{&xs[i].Request, &xs[i].Response} {
						body, _ := m.Body.Bytes()
						packed, err := payload.Pack(encoding, body)
						if err != nil {
							t.Fatal(err)
						}
						m.Body = harness.BytesBody(packed)
						m.Head = append(m.Head, harness.Field{Name: "Content-Encoding", Value: encoding}, harness.Field{Name: "Content-Length", Value: "0"})
					}
				}
				return xs
			}
			texts := []string{"POST /a\n\n" + `{"n":1}`, "201\n\n" + `{"id":"aa11bb22cc33"}`, "POST /b\n\n" + `{"a":"aa11bb22cc33"}`, "200\n\n" + `{"a":"aa11bb22cc33"}`}
			recorded := pack(calls(texts...))
			plan, v := mined(t, recorded, Options{}), (*Values)(nil)
			v = plan.NewValues()
			live := pack(calls("POST /a\n\n"+`{"n":1}`, "201\n\n"+`{"id":"a much longer one 0123456789"}`))
			if err := plan.Learn(recorded[0], live[0], v); err != nil {
				t.Fatal(err)
			}
			sent, err := plan.Request(recorded[1], v)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := payload.Of(sent.Request)
			if want := `{"a":"a much longer one 0123456789"}`; err != nil || string(doc.Source) != want {
				t.Errorf("%s, want %s (%v)", doc.Source, want, err)
			}
			if length := sent.Request.Head.Get("Content-Length"); length == "0" {
				t.Error("the length stayed as it was")
			}
			back, err := plan.Restore(sent, v)
			if err != nil {
				t.Fatal(err)
			}
			if doc, err := payload.Of(back.Request); err != nil || string(doc.Source) != `{"a":"aa11bb22cc33"}` {
				t.Errorf("%s (%v)", doc.Source, err)
			}
		})
	}
}

func TestLiveValuesOfAnotherType(t *testing.T) {
	recorded := calls(
		"POST /a\n\n{}", "201\n\n"+`{"id":4711023}`,
		"PUT /a/4711023?of=4711023\nContent-Type: application/json\n\n"+`{"id":4711023,"ids":[4711023,5],"text":"a 4711023, not 14711023 or 4711023.5"}`, "200",
	)
	plan := mined(t, recorded, Options{})
	v := plan.NewValues()
	learn(t, plan, v, recorded[0], "201\n\n"+`{"id":"x/y \"1"}`)
	sent, err := plan.Request(recorded[1], v)
	if err != nil {
		t.Fatal(err)
	}
	want := "PUT /a/x%2Fy%20%221?of=x%2Fy%20%221\nContent-Type: application/json\n\n" + `{"id":"x/y \"1","ids":["x/y \"1",5],"text":"a x/y \"1, not 14711023 or 4711023.5"}`
	if diff := cmp.Diff(want, unwire(t, sent.Request)); diff != "" {
		t.Error(diff)
	}
}

func TestMissingValuesNameTheirProducer(t *testing.T) {
	recorded := calls(
		"POST /students\n\n{}", "201\n\n"+`{"id":"aa11bb22cc33"}`,
		"GET /students/aa11bb22cc33", "200",
	)
	plan := mined(t, recorded, Options{})
	if diff := cmp.Diff([]string{"000001"}, plan.Producers("000002")); diff != "" || len(plan.Producers("000001")) != 0 {
		t.Error(diff)
	}
	v := plan.NewValues()
	for _, test := range []struct{ why, answer, want string }{
		{"before the answer", "", "send exchange 000002 (GET /students/{}): no live value for request.segment[1]: exchange 000001 (POST /students) was not answered yet"},
		{"after an answer without it", "422\n\n" + `{"error":"taken"}`, "exchange 000001 (POST /students) answered without a value at response.body.id"},
	} {
		if test.answer != "" {
			learn(t, plan, v, recorded[0], test.answer)
		}
		sent, err := plan.Request(recorded[1], v)
		var missing *Missing
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.why, err, test.want)
		} else if missing.Link.From.Exchange != "000001" {
			t.Errorf("%+v", missing.Link)
		}
		if got := sent.Request.Head.Get(harness.FieldPath); got != "/students/aa11bb22cc33" {
			t.Errorf("%s: %s", test.why, got)
		}
	}
}

func TestRestoreReplacesWholeValuesOnly(t *testing.T) {
	recorded := calls(
		"POST /a\n\n{}", "201\n\n"+`{"id":"aa11bb22cc33","number":4711023}`,
		"GET /a/aa11bb22cc33?n=4711023&number=4711023", "200",
	)
	plan := mined(t, recorded, Options{})
	v := plan.NewValues()
	learn(t, plan, v, recorded[0], "201\n\n"+`{"id":"0f0e0d0c0b0a","number":90817263}`)
	live := recorded[1]
	live.Request = wire("GET /a/0f0e0d0c0b0a?n=90817263&number=90817263")
	live.Response = wire("200\nX-Trace: 0f0e0d0c0b0a1\nX-Of: <0f0e0d0c0b0a>\nDate: 90817263\n\n" +
		`{"a":"0f0e0d0c0b0a","b":"x0f0e0d0c0b0a","c":"/a/0f0e0d0c0b0a/b","d":90817263,"e":908172630,"f":90817263.5,"g":"1.90817263","h":["(90817263)"],"0f0e0d0c0b0a":1}`)
	back, err := plan.Restore(live, v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("GET /a/aa11bb22cc33?n=4711023&number=4711023", unwire(t, back.Request)); diff != "" {
		t.Error(diff)
	}
	want := "200\nX-Trace: 0f0e0d0c0b0a1\nX-Of: <aa11bb22cc33>\nDate: 90817263\n\n" +
		`{"a":"aa11bb22cc33","b":"x0f0e0d0c0b0a","c":"/a/aa11bb22cc33/b","d":4711023,"e":908172630,"f":90817263.5,"g":"1.90817263","h":["(4711023)"],"aa11bb22cc33":1}`
	if diff := cmp.Diff(want, unwire(t, back.Response)); diff != "" {
		t.Error(diff)
	}
}

func TestLinksArePinnedAndDenied(t *testing.T) {
	recorded := calls(
		"GET /config", "200\n\n"+`{"region":"north","build":"aa11bb22cc33"}`,
		"GET /things?region=north&build=aa11bb22cc33", "200",
	)
	at := func(s string) harness.Path {
		p, err := harness.ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, test := range []struct {
		why  string
		o    Options
		want []string
	}{
		{"by itself", Options{}, []string{"request.query.build"}},
		{"pinned", Options{Pin: []harness.Pinned{{From: harness.PinnedPlace{Operation: "GET /config", At: at("response.body.region")}, To: harness.PinnedPlace{Operation: "GET /things", At: at("request.query.region")}}}},
			[]string{"request.query.region", "request.query.build"}},
		{"pinned elsewhere", Options{Pin: []harness.Pinned{{From: harness.PinnedPlace{At: at("response.body.region")}, To: harness.PinnedPlace{At: at("request.query.zone")}}}}, []string{"request.query.build"}},
		{"denied by where it comes from", Options{Deny: []harness.Pinned{{From: harness.PinnedPlace{At: at("response.body.**")}}}}, nil},
		{"denied by where it goes", Options{Deny: []harness.Pinned{{To: harness.PinnedPlace{Operation: "GET /things", At: at("request.query.*")}}}}, nil},
		{"denied for another operation", Options{Deny: []harness.Pinned{{To: harness.PinnedPlace{Operation: "POST /things"}}}}, []string{"request.query.build"}},
	} {
		var got []string
		for _, l := range mined(t, recorded, test.o).Links {
			got = append(got, l.To.Path.String())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
	}
}

func TestARequestThatWasSentBeforeTheAnswerCameIsNoConsumer(t *testing.T) {
	recorded := calls("POST /a\n\n{}", "201\n\n"+`{"id":"aa11bb22cc33"}`, "GET /a/aa11bb22cc33", "200")
	recorded[0].Took = 1500 * time.Millisecond
	if links := mined(t, recorded, Options{}).Links; len(links) != 0 {
		t.Errorf("%+v", links)
	}
}

func TestTheFirstAnswerOfTheSessionIsTheSource(t *testing.T) {
	recorded := []harness.Exchange{
		call(1, "mon", "POST /orders\n\n{}", "201\n\n"+`{"id":7}`),
		call(2, "tue", "POST /orders\n\n{}", "201\n\n"+`{"id":7}`),
		call(3, "mon", "GET /orders", "200\n\n"+`{"orders":[{"id":7}]}`),
		call(4, "tue", "GET /orders/7", "200"),
		call(5, "mon", "GET /orders/7", "200"),
		call(6, "wed", "GET /orders/7", "200"),
	}
	plan := mined(t, recorded, Options{})
	var got []string
	for _, l := range plan.Links {
		got = append(got, l.To.Exchange+" from "+l.From.Exchange)
	}
	if diff := cmp.Diff([]string{"000004 from 000002", "000005 from 000001", "000006 from 000001"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestShortNumbersThatMoveTogetherAreLinks(t *testing.T) {
	session := func(n int, name, order, kind, asked string) []harness.Exchange {
		return []harness.Exchange{
			call(n, name, "POST /createOrder\n\n{}", "200\n\n"+`{"order":`+order+`,"kind":`+kind+`}`),
			call(n+1, name, "GET /getOrder/"+asked+"?kind="+kind+"&page=1", "200"),
		}
	}
	links := func(sessions ...[]harness.Exchange) (got []string) {
		for _, l := range mined(t, slices.Concat(sessions...), Options{}).Links {
			got = append(got, l.From.Path.String()+" → "+l.To.Exchange+" "+l.To.Path.String())
		}
		return got
	}
	three := [][]harness.Exchange{session(1, "mon", "7", "1", "7"), session(3, "tue", "12", "2", "12"), session(5, "wed", "31", "3", "31")}
	want := []string{"response.body.order → 000002 request.segment[1]", "response.body.order → 000004 request.segment[1]", "response.body.order → 000006 request.segment[1]"}
	if diff := cmp.Diff(want, links(three...)); diff != "" {
		t.Error(diff)
	}
	live := [][]harness.Exchange{session(1, "mon", "12", "1", "12"), session(3, "tue", "8", "2", "8"), session(5, "wed", "144", "3", "144")}
	replay(t, slices.Concat(three...), slices.Concat(live...))
	if got := links(three[:2]...); len(got) != 0 {
		t.Errorf("two are few: %v", got)
	}
	if got := links(append(three, session(7, "thu", "40", "1", "41"))...); len(got) != 0 {
		t.Errorf("there is an exception: %v", got)
	}
}

func TestRecordingsThatCannotBeMined(t *testing.T) {
	xs := calls("GET /a", "200", "GET /b", "200")
	xs[1].ID = xs[0].ID
	if _, err := Mine(xs, Options{}); err == nil {
		t.Error("two exchanges have one ID")
	}
	xs = calls("POST /a\n\n{}", "201\n\n"+`{"id":"aa11bb22cc33"}`, "GET /a/aa11bb22cc33", "200")
	xs[0].Response.Body = harness.BytesBody(make([]byte, maxScanned+1))
	if plan := mined(t, xs, Options{}); plan.TooLarge != 1 || len(plan.Links) != 0 {
		t.Errorf("%d too large, %d links", plan.TooLarge, len(plan.Links))
	}
	xs[1].Request.Body = xs[0].Response.Body
	if plan := mined(t, xs, Options{}); plan.TooLarge != 2 {
		t.Errorf("%d too large of two, each of which is looked at more than once", plan.TooLarge)
	}
	xs[0].Response = wire("200\nContent-Encoding: gzip\n\n" + "not packed at all")
	mined(t, xs, Options{})
}
