package mock_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// exchange is a call to the student information system; fields are "Name: value".
func exchange(session, method, path, body, answer string, fields ...string) harness.Exchange {
	request := harness.Head{{Name: ":method", Value: method}, {Name: ":path", Value: path}}
	response := harness.Head{{Name: ":status", Value: "200"}, {Name: "Content-Length", Value: strconv.Itoa(len(answer))}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		request = append(request, harness.Field{Name: name, Value: value})
	}
	return harness.Exchange{
		Session: session, Channel: harness.ChannelHTTP, From: "hubline", To: "sis",
		Request:  harness.Message{Head: request, Body: harness.BytesBody([]byte(body))},
		Response: harness.Message{Head: response, Body: harness.BytesBody([]byte(answer))},
	}
}

func newMock(t testing.TB, options mock.Options, xs ...harness.Exchange) *mock.Mock {
	t.Helper()
	m, err := mock.New(harness.NewMemory(harness.Manifest{}, xs...), options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func listen(t *testing.T, m *mock.Mock) string {
	t.Helper()
	s, err := m.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

// client never follows redirects and never unpacks.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask makes the call and returns status, fields and body.
func ask(c *http.Client, base, session, method, path, body string, fields ...string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if session != "" {
		r.Header.Set(mock.SessionField, session)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func mustParse(t *testing.T, s string) harness.Path {
	t.Helper()
	p, err := harness.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	b, err := payload.Pack("gzip", []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func form(boundary string) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.SetBoundary(boundary)                        //nolint:errcheck // a fixed boundary
	w.WriteField("term", "2026F")                  //nolint:errcheck // memory
	part, _ := w.CreateFormFile("roster", "a.csv") //nolint:errcheck // memory
	part.Write([]byte("ID,CRN\r\nH001,00417\r\n")) //nolint:errcheck // memory
	w.Close()                                      //nolint:errcheck // memory
	return w.FormDataContentType(), b.String()
}

// parts is a multipart form with the fields in the order of the pairs.
func parts(pairs ...string) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w.WriteField(pairs[i], pairs[i+1]) //nolint:errcheck // memory
	}
	w.Close() //nolint:errcheck // memory
	return w.FormDataContentType(), b.String()
}

func TestCallsMatchByWhatTheyMean(t *testing.T) {
	const jsonField, formField = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"
	type q struct {
		method, path, body string
		fields             []string
	}
	typeA, bodyA := form("aaaa")
	typeB, bodyB := form("bbbb")
	typeC, bodyC := parts("term", "2026F", "section", "1", "section", "2")
	typeD, bodyD := parts("section", "1", "section", "2", "term", "2026F")
	typeE, bodyE := parts("section", "2", "section", "1", "term", "2026F")
	for _, test := range []struct {
		recorded, live q
		options        mock.Options
		match          bool
		why            string
	}{
		{q{"GET", "/a?x=1&y=2", "", nil}, q{"GET", "/a?y=2&x=1", "", nil}, mock.Options{}, true, "parameters have no order"},
		{q{"GET", "/a?x=1&x=2", "", nil}, q{"GET", "/a?x=2&x=1", "", nil}, mock.Options{}, false, "values of one parameter have"},
		{q{"GET", "/a?x=%C3%A9+b", "", nil}, q{"GET", "/a?x=%c3%a9%20b", "", nil}, mock.Options{}, true, "escapes are spelling"},
		{q{"GET", "/a%2Fb", "", nil}, q{"GET", "/a/b", "", nil}, mock.Options{}, false, "an escaped slash is no separator"},
		{q{"GET", "/a/%7Eb", "", nil}, q{"GET", "/a/~b", "", nil}, mock.Options{}, true, "needless escape"},
		{q{"GET", "/a/", "", nil}, q{"GET", "/a", "", nil}, mock.Options{}, false, "another path"},
		{q{"GET", "https://sis.example/a", "", nil}, q{"GET", "/a", "", nil}, mock.Options{}, true, "the host takes no part"},
		{q{"GET", "/a", "", nil}, q{"DELETE", "/a", "", nil}, mock.Options{}, false, "another method"},
		{q{"POST", "/a", `{"b":1.50,"a":["é"]}`, []string{jsonField}}, q{"POST", "/a", "{ \"a\": [\"\\u00e9\"],\n\"b\":1.50 }", []string{jsonField}}, mock.Options{}, true, "white space, order and escapes are spelling"},
		{q{"POST", "/a", `{"b":1.50}`, nil}, q{"POST", "/a", `{"b":1.5}`, nil}, mock.Options{}, false, "digits are not"},
		{q{"POST", "/a", `{"b":"1"}`, nil}, q{"POST", "/a", `{"b":1}`, nil}, mock.Options{}, false, "type"},
		{q{"POST", "/a", `{"b":null}`, nil}, q{"POST", "/a", `{}`, nil}, mock.Options{}, false, "null is not missing"},
		{q{"POST", "/a", `[1,[2]]`, nil}, q{"POST", "/a", `[[1],2]`, nil}, mock.Options{}, false, "structure"},
		{q{"POST", "/a", `{"a":1,"a":2}`, nil}, q{"POST", "/a", `{"a":2,"a":1}`, nil}, mock.Options{}, false, "duplicates keep their order"},
		{q{"POST", "/a", `{"a":9007199254740993}`, nil}, q{"POST", "/a", `{"a":9007199254740992}`, nil}, mock.Options{}, false, "big numbers"},
		{q{"POST", "/a", "b=2&a=1", []string{formField}}, q{"POST", "/a", "a=1&b=2", []string{formField}}, mock.Options{}, true, "a form has no order"},
		{q{"POST", "/a", "b=2&a=1", nil}, q{"POST", "/a", "a=1&b=2", nil}, mock.Options{}, false, "text has"},
		{q{"POST", "/a", bodyA, []string{"Content-Type: " + typeA}}, q{"POST", "/a", bodyB, []string{"Content-Type: " + typeB}}, mock.Options{}, true, "the boundary is spelling"},
		{q{"POST", "/a", bodyA, []string{"Content-Type: " + typeA}}, q{"POST", "/a", strings.ReplaceAll(bodyB, "00417", "0417"), []string{"Content-Type: " + typeB}}, mock.Options{}, false, "a part is not"},
		{q{"POST", "/a", bodyC, []string{"Content-Type: " + typeC}}, q{"POST", "/a", bodyD, []string{"Content-Type: " + typeD}}, mock.Options{}, true, "parts of other names have no order"},
		{q{"POST", "/a", bodyC, []string{"Content-Type: " + typeC}}, q{"POST", "/a", bodyE, []string{"Content-Type: " + typeE}}, mock.Options{}, false, "parts of one name have"},
		{q{"POST", "/a", gzipped(t, `{"a":1}`), []string{jsonField, "Content-Encoding: gzip"}}, q{"POST", "/a", `{"a": 1}`, []string{jsonField}}, mock.Options{}, true, "packing is spelling"},
		{q{"GET", "/a", "", []string{"Accept: text/csv"}}, q{"GET", "/a", "", []string{"Accept: text/html"}}, mock.Options{}, true, "fields take no part"},
		{q{"GET", "/a", "", []string{"Accept: text/csv"}}, q{"GET", "/a", "", []string{"Accept: text/html"}}, mock.Options{Headers: []string{"accept"}}, false, "unless they are named"},
		{q{"POST", "/a?n=1", `{"at":1,"x":[{"at":2,"v":3}]}`, nil}, q{"POST", "/a?n=2", `{"x":[{"v":3,"at":9}]}`, nil}, mock.Options{Ignore: []harness.Path{mustParse(t, "request.body.**.at"), mustParse(t, "request.query.n")}}, true, "ignored places"},
		{q{"POST", "/a", `{"x":[{"at":2,"v":3}]}`, nil}, q{"POST", "/a", `{"x":[{"v":4,"at":9}]}`, nil}, mock.Options{Ignore: []harness.Path{mustParse(t, "request.body.x[*].at")}}, false, "only those"},
		{q{"GET", "/jobs/17/state", "", nil}, q{"GET", "/jobs/99/state", "", nil}, mock.Options{Ignore: []harness.Path{mustParse(t, "request.segment[1]")}}, true, "an ignored segment"},
	} {
		m := newMock(t, test.options, exchange("", test.recorded.method, test.recorded.path, test.recorded.body, "ok", test.recorded.fields...))
		resp, _, err := ask(&http.Client{Transport: m.Transport()}, "http://mock.example", "", test.live.method, test.live.path, test.live.body, test.live.fields...)
		if err != nil {
			t.Fatal(err)
		}
		if match := resp.StatusCode == 200; match != test.match {
			t.Errorf("%s: match is %v for %v and %v", test.why, match, test.recorded, test.live)
		}
	}
}

// TestCallsWithoutSessionGetTheAnswersInTheOrderOfTheirMoments serves a recording whose files were not written in the order of
// their moments, as of a test suite that runs by name.
func TestCallsWithoutSessionGetTheAnswersInTheOrderOfTheirMoments(t *testing.T) {
	late, early, middle := exchange("late", "GET", "/status", "", "third"), exchange("early", "GET", "/status", "", "first"), exchange("early", "GET", "/status", "", "second")
	late.At, early.At, middle.At = late.At.Add(3*time.Minute), late.At.Add(time.Minute), late.At.Add(2*time.Minute)
	m := newMock(t, mock.Options{}, late, early, middle)
	base, c := listen(t, m), client(t)
	for _, want := range []string{"first", "second", "third"} {
		if _, body, err := ask(c, base, "", "GET", "/status", ""); err != nil || body != want {
			t.Errorf("%q, want %q (%v)", body, want, err)
		}
	}
	if _, body, err := ask(c, base, "late", "GET", "/status", ""); err != nil || body != "third" {
		t.Errorf("a session that is told has its own sequence: %q (%v)", body, err)
	}
}

func TestRepeatedCallsGetTheRecordedSequenceOfTheirSession(t *testing.T) {
	m := newMock(t, mock.Options{},
		exchange("a", "GET", "/status", "", "a1"), exchange("b", "GET", "/status", "", "b1"),
		exchange("a", "GET", "/status", "", "a2"), exchange("a", "GET", "/only", "", "o1"))
	base, c := listen(t, m), client(t)
	for _, test := range []struct{ session, path, want, why string }{
		{"a", "/status", "a1", "first of a"},
		{"b", "/status", "b1", "b has its own cursor"},
		{"", "/status", "a1", "no session: recorded order"},
		{"x", "/status", "b1", "unknown sessions share that cursor"},
		{"a", "/status", "a2", "second of a"},
		{"a", "/status", "a2", "the last one is repeated"},
		{"b", "/only", "o1", "b borrows from a"},
	} {
		if _, body, err := ask(c, base, test.session, "GET", test.path, ""); err != nil || body != test.want {
			t.Errorf("%s: %q, want %q (%v)", test.why, body, test.want, err)
		}
	}
	if diff := cmp.Diff(mock.Counts{Served: 7, Repeated: 1, Borrowed: 1}, m.Counts()); diff != "" {
		t.Error(diff)
	}
	if unused := m.Unused(); len(unused) != 0 {
		t.Errorf("%d unused", len(unused))
	}
}

func TestRepeatNeverIsAMiss(t *testing.T) {
	m := newMock(t, mock.Options{Repeat: mock.RepeatNever}, exchange("", "GET", "/x", "", "1"), exchange("", "GET", "/y", "", "1"))
	base, c := listen(t, m), client(t)
	for _, want := range []int{200, 501} {
		if resp, _, err := ask(c, base, "", "GET", "/x", ""); err != nil || resp.StatusCode != want {
			t.Errorf("status %v, want %d (%v)", resp, want, err)
		}
	}
	if unused := m.Unused(); len(unused) != 1 || unused[0].ID != "000002" {
		t.Errorf("unused %v", unused)
	}
}

func TestConcurrentSessionsKeepTheirOrder(t *testing.T) {
	const clients, calls = 64, 10
	var xs []harness.Exchange
	for i := range calls {
		for s := range clients {
			xs = append(xs, exchange(fmt.Sprint(s), "GET", "/next", "", fmt.Sprintf("%d of %d", i, s)))
		}
	}
	m := newMock(t, mock.Options{}, xs...)
	base, c := listen(t, m), client(t)
	var wg sync.WaitGroup
	for s := range clients {
		wg.Go(func() {
			for i := range calls {
				if _, body, err := ask(c, base, fmt.Sprint(s), "GET", "/next", ""); err != nil || body != fmt.Sprintf("%d of %d", i, s) {
					t.Errorf("session %d call %d: %q (%v)", s, i, body, err)
				}
			}
		})
	}
	wg.Wait()
	if m.Counts().Served != clients*calls || len(m.Unused()) != 0 {
		t.Errorf("counts %+v, %d unused", m.Counts(), len(m.Unused()))
	}
}

func TestAnswersAreWhatCrossed(t *testing.T) {
	packed := gzipped(t, `{"id":"H00000417"}`)
	x := exchange("", "GET", "/a", "", packed)
	x.Response.Head = harness.Head{
		{Name: ":status", Value: "207"}, {Name: "x-lower", Value: "1"}, {Name: "content-encoding", Value: "gzip"},
		{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}, {Name: "Date", Value: "Mon, 02 Mar 2026 06:30:01 GMT"},
		{Name: "Transfer-Encoding", Value: "chunked"},
	}
	base := listen(t, newMock(t, mock.Options{}, x))
	resp, body, err := ask(client(t), base, "", "GET", "/a", "")
	if err != nil || resp.StatusCode != 207 || body != packed {
		t.Fatalf("%v, body %q", err, body)
	}
	want := http.Header{"X-Lower": {"1"}, "Content-Encoding": {"gzip"}, "Set-Cookie": {"a=1", "b=2"}, "Date": {"Mon, 02 Mar 2026 06:30:01 GMT"}}
	if diff := cmp.Diff(want, resp.Header); diff != "" {
		t.Error(diff)
	}
}

func TestRecordedFaultsAreActedOut(t *testing.T) {
	fault := func(path, kind, answer string) harness.Exchange {
		x := exchange("", "GET", path, "", answer)
		x.Fault = &harness.Fault{Kind: kind}
		x.Took = 20 * time.Millisecond
		if answer == "" {
			x.Response = harness.Message{}
		} else {
			x.Response.Head = x.Response.Head.With("Content-Length", "1000")
		}
		return x
	}
	m := newMock(t, mock.Options{}, fault("/reset", harness.FaultReset, ""), fault("/down", harness.FaultUnreachable, ""),
		fault("/late", harness.FaultTimeout, ""), fault("/cut", harness.FaultReset, "the first part"))
	base, c := listen(t, m), client(t)
	for _, path := range []string{"/reset", "/down", "/late"} {
		if _, _, err := ask(c, base, "", "GET", path, ""); err == nil || !errors.Is(err, io.EOF) {
			t.Errorf("%s: error %v, want the end of the connection", path, err)
		}
		if _, _, err := ask(&http.Client{Transport: m.Transport()}, "http://mock.example", "", "GET", path, ""); err == nil {
			t.Errorf("%s: no error from the transport", path)
		}
	}
	if _, body, err := ask(c, base, "", "GET", "/cut", ""); !errors.Is(err, io.ErrUnexpectedEOF) || body != "the first part" {
		t.Errorf("have %q and %v, want the first part and a cut connection", body, err)
	}
}

func TestMissExplainsTheClosestCall(t *testing.T) {
	m := newMock(t, mock.Options{Headers: []string{"X-Tenant"}},
		exchange("", "POST", "/applications?dry=1", `{"name":"Ada Quill","plan":"BIO","tags":["a"]}`, "1", "X-Tenant: north"),
		exchange("", "POST", "/applications?dry=1", `{"name":"Noor Vale","plan":"CHE","tags":[]}`, "2", "X-Tenant: north"),
		exchange("", "GET", "/applications/17", "", "3", "X-Tenant: north"))
	base, c := listen(t, m), client(t)
	resp, body, err := ask(c, base, "s1", "POST", "/applications?dry=1", `{"name":"Noor Vale","plan":"CHEM","tags":[],"sent_at":7}`, "X-Tenant: north")
	if err != nil || resp.StatusCode != http.StatusNotImplemented || !strings.Contains(body, `"closest": "000002"`) {
		t.Fatalf("%v %s", err, body)
	}
	ask(c, base, "", "GET", "/applications/18?x=1", "", "X-Tenant: south") //nolint:errcheck // only its miss matters
	ask(c, base, "", "PATCH", "/applications/18", "")                      //nolint:errcheck // only its miss matters
	want := []string{
		`no recorded answer to POST "/applications?dry=1": the closest recorded call, exchange 000002, differs in 2 places
  request.body.plan: recorded "\"CHE\"", called with "\"CHEM\""
  request.body.sent_at: recorded none, called with "7"
  hint: it would match with the rule: ignore request.body.plan, request.body.sent_at. Otherwise record this call`,
		`no recorded answer to GET "/applications/18?x=1": the closest recorded call, exchange 000003, differs in 3 places
  request.segment[1]: recorded "17", called with "18"
  request.query.x: recorded none, called with "1"
  request.head.X-Tenant: recorded "north", called with "south"
  hint: it would match with the rule: ignore request.query.x, request.segment[1]; match without the header field X-Tenant. Otherwise record this call`,
		`no recorded answer to PATCH "/applications/18": no call with this method was recorded
  hint: record a call of this kind`,
	}
	var have []string
	for _, miss := range m.Misses() {
		have = append(have, miss.String())
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	if m.Counts().Missed != 3 || m.Misses()[0].Session != "s1" {
		t.Errorf("counts %+v", m.Counts())
	}
}

// The hint must keep its word: with the rule that it names, the call matches.
func TestHintIsTrue(t *testing.T) {
	x := exchange("", "POST", "/jobs/17?n=1", `{"at":1,"rows":[{"t":1},{"t":2}]}`, "ok")
	options := mock.Options{}
	for _, rule := range []string{"request.segment[1]", "request.query.n", "request.body.at", "request.body.rows[*].t"} {
		options.Ignore = append(options.Ignore, mustParse(t, rule))
	}
	for _, test := range []struct {
		options mock.Options
		status  int
	}{{mock.Options{}, 501}, {options, 200}} {
		m := newMock(t, test.options, x)
		resp, _, err := ask(&http.Client{Transport: m.Transport()}, "http://mock.example", "", "POST", "/jobs/18?n=2", `{"at":2,"rows":[{"t":3},{"t":4}]}`)
		if err != nil || resp.StatusCode != test.status {
			t.Errorf("status %v, want %d (%v)", resp, test.status, err)
		}
		for _, miss := range m.Misses() {
			if want := "ignore request.body.at, request.body.rows[*].t, request.query.n, request.segment[1]."; !strings.Contains(miss.Hint, want) {
				t.Errorf("hint %q, want %q", miss.Hint, want)
			}
		}
	}
}

func TestLiveRequestsAreScrubbedBeforeMatching(t *testing.T) {
	m := newMock(t, mock.Options{Systems: []string{"sis"}, Scrub: func(x harness.Exchange) (harness.Exchange, error) {
		b, err := x.Request.Body.Bytes()
		if strings.Contains(string(b), "refuse") {
			return x, errors.New("unknown field")
		}
		x.Request.Body = harness.BytesBody(bytes.ReplaceAll(b, []byte("Ada"), []byte("P1")))
		return x, err
	}}, exchange("", "POST", "/a", `{"name":"P1"}`, "ok"))
	base, c := listen(t, m), client(t)
	if _, body, err := ask(c, base, "", "POST", "/a", `{"name":"Ada"}`); err != nil || body != "ok" {
		t.Errorf("%q %v", body, err)
	}
	if resp, body, err := ask(c, base, "", "POST", "/a", `{"name":"refuse"}`); err != nil || resp.StatusCode != 501 || !strings.Contains(body, "unknown field") {
		t.Errorf("%q %v", body, err)
	}
}

func TestOnlyNamedSystemsAreAnswered(t *testing.T) {
	other := exchange("", "GET", "/b", "", "crm")
	other.To = "crm"
	file := harness.Exchange{Channel: harness.ChannelFile, To: "sis", Request: harness.Message{Head: harness.Head{{Name: ":name", Value: "a.csv"}}}}
	m := newMock(t, mock.Options{Systems: []string{"sis"}}, exchange("", "GET", "/a", "", "sis"), other, file)
	if len(m.Unused()) != 1 {
		t.Errorf("%d exchanges are answered, want 1", len(m.Unused()))
	}
}

func TestTransportUnpacksLikeARealOne(t *testing.T) {
	x := exchange("", "GET", "/a", "", gzipped(t, "plain"))
	x.Response.Head = x.Response.Head.With("Content-Encoding", "gzip")
	c := &http.Client{Transport: newMock(t, mock.Options{}, x).Transport()}
	if resp, body, err := ask(c, "http://mock.example", "", "GET", "/a", ""); err != nil || body != "plain" || !resp.Uncompressed || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("%q %v", body, err)
	}
	if _, body, err := ask(c, "http://mock.example", "", "GET", "/a", "", "Accept-Encoding: gzip"); err != nil || body != gzipped(t, "plain") {
		t.Errorf("%q %v", body, err)
	}
}

func TestBadInputIsAnError(t *testing.T) {
	bare := exchange("", "GET", "/a", "", "")
	bare.Response = harness.Message{}
	if _, err := mock.New(harness.NewMemory(harness.Manifest{}, bare), mock.Options{}); err == nil || !strings.Contains(err.Error(), "exchange 000001") || harness.HintOf(err) == "" {
		t.Errorf("exchange without answer: %v", err)
	}
	if _, err := mock.New(harness.NewMemory(harness.Manifest{}), mock.Options{Ignore: []harness.Path{mustParse(t, "response.body.a")}}); err == nil || harness.HintOf(err) == "" {
		t.Errorf("ignored place of the response: %v", err)
	}
	m := newMock(t, mock.Options{MaxBody: 4}, exchange("", "POST", "/a", "", "ok"))
	base := listen(t, m)
	if resp, body, err := ask(client(t), base, "", "POST", "/a", "12345"); err != nil || resp.StatusCode != 501 || !strings.Contains(body, "too large") {
		t.Errorf("large body: %v %q", err, body)
	}
	for _, test := range []struct {
		addr  string
		class harness.Class
	}{{strings.TrimPrefix(base, "http://"), harness.ClassCannotRun}, {"0.0.0.0:0", harness.ClassRefused}, {"nonsense", harness.ClassUsage}} {
		if _, err := m.Listen(test.addr); err == nil || harness.ClassOf(err) != test.class || harness.HintOf(err) == "" {
			t.Errorf("listen on %s: %v", test.addr, err)
		}
	}
}

func TestUnreadableBodyIsAMiss(t *testing.T) {
	small, large, switching := exchange("", "GET", "/small", "", "x"), exchange("", "GET", "/large", "", "x"), exchange("", "GET", "/ws", "", "")
	gone := func() (io.ReadCloser, error) { return nil, errors.New("blob is gone") }
	small.Response.Body = harness.StoredBody(3, "sha256:0", gone)
	large.Response.Body = harness.StoredBody(3<<20, "sha256:0", gone)
	switching.Response.Head = switching.Response.Head.With(":status", "101")
	m := newMock(t, mock.Options{}, small, large, switching)
	base, c := listen(t, m), client(t)
	for path, want := range map[string]string{"/small": "blob is gone", "/large": "blob is gone", "/ws": "1xx"} {
		if resp, body, err := ask(c, base, "", "GET", path, ""); err != nil || resp.StatusCode != 501 || !strings.Contains(body, want) {
			t.Errorf("%s: %v %q", path, err, body)
		}
	}
}

func TestLargeBodiesAreStreamed(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	x := exchange("", "GET", "/large", "", "")
	x.Response.Head = harness.Head{{Name: ":status", Value: "200"}}
	x.Response.Body = harness.StoredBody(int64(len(content)), harness.Digest(content), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	resp, body, err := ask(client(t), listen(t, newMock(t, mock.Options{}, x)), "", "GET", "/large", "")
	if err != nil || body != string(content) || resp.ContentLength != -1 || len(resp.Header) != 0 {
		t.Errorf("%v, %d bytes, content-length %d, fields %v", err, len(body), resp.ContentLength, resp.Header)
	}
}

func FuzzCall(f *testing.F) {
	f.Add("/a?b=%zz&&c", "multipart/form-data; boundary=x", []byte("--x\r\n\r\n--x--"))
	f.Add("http://h", "application/json", []byte(`{"a":[1,{"a":null}]}`))
	f.Add("/%2f//?=", "application/x-www-form-urlencoded", []byte("a=%&b"))
	f.Fuzz(func(t *testing.T, target, contentType string, body []byte) {
		x := exchange("", "POST", target, string(body), "ok", "Content-Type: "+contentType)
		other := exchange("", "POST", "/other", `{"a":[1,{"a":2}]}`, "ok")
		ignore := harness.PathOf(harness.Name("request"), harness.Name("body"), harness.Name("a"))
		for _, options := range []mock.Options{{}, {Ignore: []harness.Path{ignore}}} {
			m, err := mock.New(harness.NewMemory(harness.Manifest{}, x, other), options)
			if err != nil {
				t.Fatal(err)
			}
			head := "POST /elsewhere HTTP/1.1\r\nHost: mock.example\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
			r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head), bytes.NewReader(body))))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", contentType)
			if resp, err := m.Transport().RoundTrip(r); err != nil || resp.StatusCode != 501 && resp.StatusCode != 200 {
				t.Errorf("%v %v", resp, err)
			}
		}
	})
}

func TestTrailersComeBehindTheBodyOverTLSAndHTTP2(t *testing.T) {
	call := harness.Exchange{Channel: harness.ChannelHTTP, To: "sis",
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: "POST"}, {Name: harness.FieldPath, Value: "/roster.Students/List"}}},
		Response: harness.Message{Head: harness.Head{{Name: harness.FieldStatus, Value: "200"}, {Name: "content-type", Value: "application/grpc"},
			{Name: harness.FieldTrailer}, {Name: "grpc-status", Value: "0"}, {Name: "grpc-message", Value: "fine"}}, Body: harness.BytesBody([]byte("\x00\x00\x00\x00\x00"))},
	}
	m, err := mock.New(harness.NewMemory(harness.Manifest{}, call), mock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	server, err := m.ListenTLS("", &tls.Config{Certificates: certificate.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Certificate())
	for _, major := range []int{1, 2} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: new(http.Protocols)}
		tr.Protocols.SetHTTP1(major == 1)
		tr.Protocols.SetHTTP2(major == 2)
		resp, err := (&http.Client{Transport: tr}).Post(server.URL+"/roster.Students/List", "application/grpc", nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		tr.CloseIdleConnections()
		want := http.Header{"Grpc-Status": {"0"}, "Grpc-Message": {"fine"}}
		if err != nil || len(body) != 5 || resp.ProtoMajor != major || resp.Header.Get("Grpc-Status") != "" || !maps.EqualFunc(want, resp.Trailer, slices.Equal) {
			t.Errorf("HTTP/%d: %s, %d bytes, header %v, trailer %v, %v", major, resp.Proto, len(body), resp.Header, resp.Trailer, err)
		}
	}
}
