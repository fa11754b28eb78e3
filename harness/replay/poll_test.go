package replay

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// asked is a recorded request and its answer, such as "GET /jobs/7 -> 202 {}".
func asked(t testing.TB, n int, text string) harness.Exchange {
	t.Helper()
	request, answer, _ := strings.Cut(text, " -> ")
	method, path, _ := strings.Cut(request, " ")
	x := call(harness.SequenceID(n+1), "a", time.Duration(n)*time.Second, 10*ms)
	x.Request.Head = harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}}
	x.Response = says(answer)
	return x
}

// says is an answer such as "202 {}".
func says(text string) harness.Message {
	status, body, _ := strings.Cut(text, " ")
	return harness.Message{Head: harness.Head{{Name: ":status", Value: status}}, Media: "application/json", Body: harness.BytesBody([]byte(body))}
}

func recordedAs(t testing.TB, lines ...string) Sessions {
	var xs []harness.Exchange
	for n, line := range lines {
		xs = append(xs, asked(t, n, line))
	}
	return sessionsOf(t, xs...)
}

func TestPollsAreFound(t *testing.T) {
	tests := []struct {
		why      string
		recorded []string
		polling  harness.Polling
		want     string // rounds and end state; empty: no poll
	}{
		{"a state", []string{`GET /jobs/7 -> 200 {"state":"pending"}`, `GET /jobs/7 -> 200 {"state":"running"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{},
			"1-3 response.body.state = done"},
		{"a status, and another answer then", []string{`GET /jobs/7 -> 202 {"state":"pending"}`, `GET /jobs/7 -> 200 {"rows":[{"name":"Ada"}]}`}, harness.Polling{}, "1-2 status 200"},
		{"both", []string{`GET /jobs/7 -> 202 {"state":"pending"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{}, "1-2 status 200 and response.body.state = done"},
		{"true and false", []string{`GET /jobs/7 -> 200 {"ready":false,"at":"2026-09-01T12:00:00Z"}`, `GET /jobs/7 -> 200 {"ready":true,"at":"2026-09-01T12:00:01Z"}`}, harness.Polling{}, "1-2 response.body.ready = true"},
		{"a value of waiting under a name that says nothing", []string{`GET /jobs/7 -> 200 {"x":"queued"}`, `GET /jobs/7 -> 200 {"x":"shipped"}`}, harness.Polling{}, "1-2 response.body.x = shipped"},
		{"a result that comes", []string{`GET /jobs/7 -> 200 {"id":7,"result":null}`, `GET /jobs/7 -> 200 {"id":7,"result":"H00042"}`}, harness.Polling{}, "1-2 a value at response.body.result"},
		{"a number that grows to its end", []string{`GET /jobs/7 -> 200 {"percent":20}`, `GET /jobs/7 -> 200 {"percent":100}`}, harness.Polling{}, "1-2 response.body.percent = 100"},
		{"not there yet", []string{`GET /people/7 -> 404 {}`, `GET /people/7 -> 200 {"name":"Ada"}`}, harness.Polling{}, "1-2 status 200"},
		{"too many requests", []string{`GET /people/7 -> 429 {}`, `GET /people/7 -> 200 {"name":"Ada"}`}, harness.Polling{}, "1-2 status 200"},
		{"read on when it was done", []string{`GET /jobs/7 -> 200 {"state":"running"}`, `GET /jobs/7 -> 200 {"state":"done"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{}, "1-2 response.body.state = done"},
		{"something else is written meanwhile", []string{`GET /jobs/7 -> 200 {"state":"running"}`, `POST /token -> 200 {}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{}, "1-3 response.body.state = done"},
		{"a POST that asks, as the scenario says", []string{`POST /soap -> 200 {"state":"running"}`, `POST /soap -> 200 {"state":"done"}`}, harness.Polling{Also: []string{"POST /soap"}}, "1-2 response.body.state = done"},

		{"a POST is none by itself", []string{`POST /soap -> 200 {"state":"running"}`, `POST /soap -> 200 {"state":"done"}`}, harness.Polling{}, ""},
		{"the place is written meanwhile", []string{`GET /jobs/7 -> 200 {"state":"draft"}`, `PUT /jobs/7 -> 200 {}`, `GET /jobs/7 -> 200 {"state":"open"}`}, harness.Polling{}, ""},
		{"the list is written below", []string{`GET /jobs -> 200 {"state":"new"}`, `POST /jobs/7/publish -> 200 {}`, `GET /jobs -> 200 {"state":"open"}`}, harness.Polling{}, ""},
		{"created meanwhile", []string{`GET /people/7 -> 404 {}`, `POST /people -> 201 {}`, `GET /people/7 -> 200 {"name":"Ada"}`}, harness.Polling{}, ""},
		{"only a time changes", []string{`GET /clock -> 200 {"at":"2026-09-01T12:00:00Z"}`, `GET /clock -> 200 {"at":"2026-09-01T12:00:01Z"}`}, harness.Polling{}, ""},
		{"names of people change", []string{`GET /people -> 200 [{"name":"Ada"}]`, `GET /people -> 200 [{"name":"Bob"}]`}, harness.Polling{}, ""},
		{"back and forth", []string{`GET /jobs/7 -> 200 {"state":"done"}`, `GET /jobs/7 -> 200 {"state":"running"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{}, ""},
		{"a login that ran out", []string{`GET /people -> 401 {}`, `GET /people -> 200 {"state":"open"}`}, harness.Polling{}, ""},
		{"the same answer twice", []string{`GET /jobs/7 -> 200 {"state":"done"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{}, ""},
		{"switched off", []string{`GET /jobs/7 -> 200 {"state":"running"}`, `GET /jobs/7 -> 200 {"state":"done"}`}, harness.Polling{Off: true}, ""},
	}
	for _, test := range tests {
		got := ""
		for _, w := range findWaits(stepsOf(recordedAs(t, test.recorded...)), test.polling) {
			p := w.account()
			got += fmt.Sprintf("%s-%s %s", strings.TrimLeft(p.Rounds[0], "0"), strings.TrimLeft(p.Rounds[len(p.Rounds)-1], "0"), p.Until)
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
	}
}

// job answers what is asked with the next of its texts; the last one stays.
func job(texts ...string) func(harness.Exchange) (harness.Message, error) {
	return func(x harness.Exchange) (harness.Message, error) {
		if x.Request.Head.Get(":path") != "/jobs/7" {
			return says("200 {}"), nil
		}
		text := texts[0]
		if len(texts) > 1 {
			texts = texts[1:]
		}
		return says(text), nil
	}
}

func TestPollsGoOnUntilTheRecordedEnd(t *testing.T) {
	pending, running, done := `200 {"state":"pending"}`, `200 {"state":"running"}`, `200 {"state":"done"}`
	recorded := []string{"GET /jobs/7 -> " + pending, "GET /jobs/7 -> " + running, "GET /people -> 200 {}", "GET /jobs/7 -> " + done, "GET /jobs/7/report -> 200 {}"}
	tests := []struct {
		why     string
		live    []string
		polling harness.Polling
		sent    string // paths, with the status and the fault of each
		missed  bool
		other   bool
	}{
		{"as recorded", []string{pending, running, done}, harness.Polling{}, "jobs/7 jobs/7 people jobs/7 jobs/7/report", false, false},
		{"faster", []string{done}, harness.Polling{}, "jobs/7 people jobs/7/report", false, false},
		{"slower", []string{pending, pending, running, running, running, done}, harness.Polling{}, "jobs/7 jobs/7 people jobs/7 jobs/7 jobs/7 jobs/7 jobs/7/report", false, false},
		{"another failure ends it and is the answer", []string{pending, `500 {"error":"disk"}`}, harness.Polling{}, "jobs/7 jobs/7 people jobs/7/report", false, true},
		{"the server asks to wait", []string{pending, "503 {}", "429 {}", done}, harness.Polling{}, "jobs/7 jobs/7 people jobs/7 jobs/7 jobs/7/report", false, false},
		{"never done: the number of requests is bounded", []string{running}, harness.Polling{Attempts: 4}, "jobs/7 jobs/7 people jobs/7 jobs/7! jobs/7/report", true, false},
		{"never done: the time is bounded", []string{running}, harness.Polling{Within: harness.Duration(20 * ms)}, "jobs/7 jobs/7 people jobs/7 jobs/7 jobs/7! jobs/7/report", true, false},
		{"switched off", []string{running}, harness.Polling{Off: true}, "jobs/7 jobs/7 people jobs/7 jobs/7/report", false, false},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := harness.NewMemory(harness.Manifest{})
				account, err := Feed(t.Context(), &server{answer: job(test.live...)}, recordedAs(t, recorded...), kept, Options{Replay: harness.Replay{Polling: test.polling}})
				if err != nil {
					t.Fatal(err)
				}
				var sent []string
				asked := 0
				for x := range kept.Exchanges() {
					word := x.Request.Head.Get(":path")[1:]
					if word == "jobs/7" {
						asked++
					}
					if x.Fault != nil {
						word += "!"
						if want := "GET /jobs/7 still without response.body.state = done after "; x.Fault.Kind != harness.FaultNotReached || !strings.HasPrefix(x.Fault.Detail, want) || x.Status() != 200 {
							t.Errorf("fault %+v", x.Fault)
						}
					}
					sent = append(sent, word)
				}
				if diff := cmp.Diff(test.sent, strings.Join(sent, " ")); diff != "" {
					t.Error(diff)
				}
				if test.polling.Off {
					return
				}
				want := []Poll{{Rounds: []string{"000001", "000002", "000004"}, Title: "GET /jobs/7", Until: "response.body.state = done", Attempts: asked, Missed: test.missed, Other: test.other}}
				if diff := cmp.Diff(want, account.Polls); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// How long a poll waits between two requests is recorded, and what the server asks for goes before it.
func TestPollsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, done := `200 {"state":"running"}`, `200 {"state":"done"}`
		answer := job(running, running, running, done)
		s := &server{began: time.Now(), answer: func(x harness.Exchange) (harness.Message, error) {
			m, err := answer(x)
			m.Head = append(m.Head, harness.Field{Name: "Retry-After", Value: "2"})
			return m, err
		}}
		if _, err := Feed(t.Context(), s, recordedAs(t, "GET /jobs/7 -> "+running, "GET /jobs/7 -> "+done), harness.NewMemory(harness.Manifest{}), Options{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("000001 0s, 000002 0s, 000002 2s, 000002 4s", strings.Join(s.started, ", ")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMarks(t *testing.T) {
	sessions := sessionsOf(t, call("a1", "a", 0, 0), call("b1", "b", 0, 0))
	traced := call("c1", "c", 0, 0)
	traced.Request.Head = traced.Request.Head.With("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
	sessions = append(sessions, Session{"c", []harness.Exchange{traced}})
	for _, field := range []string{"traceparent", "X-Request-ID"} {
		m, err := NewMarks(field, sessions)
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range sessions {
			x := session.Exchanges[0]
			fed := m.mark(x)
			value := fed.Request.Head.Get(field)
			if field == "traceparent" { // a program that traces has spans of its own
				value = value[:36] + "aaaaaaaaaaaaaaaa-01"
			}
			r, _ := http.NewRequest("GET", "http://lms/", nil)
			r.Header.Set(field, value)
			if got, told := m.Session(r); got != session.Name || !told {
				t.Errorf("%s %q is of session %q, want %q", field, value, got, session.Name)
			}
			fed.Request.Head = fed.Request.Head.With(field, value)
			if clean := m.Clean(fed); clean.Request.Head.Has(field) != x.Request.Head.Has(field) {
				t.Errorf("%s after Clean: %v", field, clean.Request.Head)
			}
		}
		r, _ := http.NewRequest("GET", "http://lms/", nil)
		if got, told := m.Session(r); got != "" || told {
			t.Errorf("a call without a mark is of session %q", got)
		}
	}
	twin := traced
	twin.Session = "d"
	if _, err := NewMarks("traceparent", append(sessions, Session{"d", []harness.Exchange{twin}})); harness.HintOf(err) == "" {
		t.Errorf("two sessions with one trace: %v", err)
	}
}
