package target

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// rawServer answers every connection with the bytes, then hangs up, and passes on what it got.
func rawServer(t *testing.T, answer string) (base string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heads := make(chan string, 16)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			heads <- readRequest(conn)
			io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String(), heads
}

// readRequest reads one request as it stands on the wire.
func readRequest(conn net.Conn) string {
	r := bufio.NewReader(conn)
	var b strings.Builder
	length := 0
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if value, ok := strings.CutPrefix(strings.ToLower(line), "content-length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if err != nil || line == "\r\n" {
			break
		}
	}
	io.CopyN(&b, r, int64(length))
	return b.String()
}

func TestRequestsGoOutAsRecorded(t *testing.T) {
	const plain = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	tests := []struct {
		why    string
		prefix string
		x      harness.Exchange
		want   []string // lines of the head, host aside
		body   string
	}{
		{"header case, order by name, nothing added", "", request("GET", "/a", "", "x-trace", "1", "Accept", "*/*", "x-trace", "2"),
			[]string{"GET /a HTTP/1.1", "Accept: */*", "x-trace: 1", "x-trace: 2"}, ""},
		{"the spelling of the target", "", request("GET", "/a%2Fb/%7euser//x;v=1?q=%20+a&&b=", ""), []string{"GET /a%2Fb/%7euser//x;v=1?q=%20+a&&b= HTTP/1.1"}, ""},
		{"a question mark alone", "", request("GET", "/a?", ""), []string{"GET /a? HTTP/1.1"}, ""},
		{"two slashes at the start", "", request("GET", "//other.example/a", ""), []string{"GET //other.example/a HTTP/1.1"}, ""},
		{"the prefix of base", "/sis/v2/", request("GET", "/a", ""), []string{"GET /sis/v2/a HTTP/1.1"}, ""},
		{"an absolute target does not choose the host", "", request("GET", "http://production.example/a?b", ""), []string{"GET /a?b HTTP/1.1"}, ""},
		{"the length is computed anew, connection fields stay behind", "", request("POST", "/a", "{\"a\":3.50}", "Content-Length", "999", "Connection", "keep-alive, X-Hop", "X-Hop", "1", "TE", "trailers", "Host", "production.example", "Content-Type", "application/json"),
			[]string{"POST /a HTTP/1.1", "Content-Length: 10", "Content-Type: application/json"}, "{\"a\":3.50}"},
		{"the recorded agent", "", request("GET", "/a", "", "user-agent", "Prospekt/2026.2"), []string{"GET /a HTTP/1.1", "User-Agent: Prospekt/2026.2"}, ""},
		{"packed bytes stay packed", "", request("PUT", "/a", "\x1f\x8b\x00", "Content-Encoding", "gzip"), []string{"PUT /a HTTP/1.1", "Content-Encoding: gzip", "Content-Length: 3"}, "\x1f\x8b\x00"},
	}
	for _, test := range tests {
		base, got := rawServer(t, plain)
		stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: base + test.prefix}}, testEnv(t))
		feed(t, stage, test.x)
		head, body, _ := strings.Cut(<-got, "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		host, ok := strings.CutPrefix(lines[1], "Host: ")
		if !ok || "http://"+host != base {
			t.Errorf("%s: host line %q, want that of %s", test.why, lines[1], base)
		}
		sent := append(lines[:1:1], lines[2:]...)
		less := func(a, b string) bool { return strings.ToLower(a) < strings.ToLower(b) }
		if diff := cmp.Diff(sorted(test.want, less), sorted(sent, less)); diff != "" || body != test.body {
			t.Errorf("%s: %s\nbody %q", test.why, diff, body)
		}
	}
}

// sorted keeps the request line first and sorts the fields: net/http writes some of them in an order of its own.
func sorted(lines []string, less func(a, b string) bool) []string {
	out := append([]string{}, lines...)
	for i := 1; i < len(out); i++ {
		for j := i; j > 1 && less(out[j], out[j-1]); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func TestAnswersAreRecordedAsTheyCome(t *testing.T) {
	base, _ := rawServer(t, "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Encoding: gzip\r\nContent-Type: Text/CSV; charset=latin1\r\nX-B: 2\r\nX-A: 1\r\nX-B: 3\r\nContent-Length: 4\r\n\r\n\x1f\x8b\xff\x00")
	stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: base}}, testEnv(t))
	xs := feed(t, stage, request("GET", "/a", ""))
	want := harness.Head{{Name: ":status", Value: "302"}, {Name: "Content-Encoding", Value: "gzip"}, {Name: "Content-Length", Value: "4"}, {Name: "Content-Type", Value: "Text/CSV; charset=latin1"},
		{Name: "Location", Value: "http://elsewhere.example/"}, {Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}, {Name: "X-B", Value: "3"}}
	if diff := cmp.Diff(want, xs[0].Response.Head); diff != "" {
		t.Error(diff)
	}
	if got := text(t, xs[0].Response); got != "\x1f\x8b\xff\x00" || xs[0].Response.Media != "text/csv" || len(xs) != 1 {
		t.Errorf("body %q, media %q, %d exchanges", got, xs[0].Response.Media, len(xs))
	}
}

func TestWireTroubleIsAFault(t *testing.T) {
	tests := []struct {
		why, answer, kind, detail, body string
	}{
		{"hangs up before the answer", "", harness.FaultReset, "the server hung up", ""},
		{"hangs up within the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", harness.FaultReset, "the server hung up", "half"},
		{"is no HTTP", "220 mail.example ESMTP\r\n\r\n", harness.FaultReset, `malformed HTTP status code "…"`, ""},
	}
	for _, test := range tests {
		base, _ := rawServer(t, test.answer)
		stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: base}}, testEnv(t))
		xs := feed(t, stage, request("POST", "/a", "x"))
		if f := xs[0].Fault; f == nil || f.Kind != test.kind || !strings.HasSuffix(f.Detail, test.detail) || text(t, xs[0].Response) != test.body {
			t.Errorf("%s: fault %v, body %q; want %s", test.why, f, text(t, xs[0].Response), test.kind)
		}
	}
}

func TestASlowAnswerIsATimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := newFeeder(base, testEnv(t))
	defer f.Close()
	f.timeout = 50 * time.Millisecond
	if xs := feed(t, f, request("GET", "/a", "")); xs[0].Fault == nil || xs[0].Fault.Kind != harness.FaultTimeout {
		t.Errorf("fault %v", xs[0].Fault)
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	listen, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	spec := harness.TargetSpec{URL: &harness.URLSpec{Base: "http://" + listen}}
	stage := start(t, spec, testEnv(t))
	err = stage.Feed(t.Context(), []harness.Exchange{request("GET", "/a", "")}, harness.NewMemory(harness.Manifest{}))
	if harness.ClassOf(err) != harness.ClassCannotRun || harness.HintOf(err) == "" {
		t.Errorf("first exchange: err %v, want one that cannot run", err)
	}

	server := httptest.NewServer(http.NotFoundHandler())
	stage = start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: server.URL}}, testEnv(t))
	feed(t, stage, request("GET", "/a", ""))
	server.Close()
	if xs := feed(t, stage, request("POST", "/a", "x")); xs[0].Fault == nil || xs[0].Fault.Kind != harness.FaultUnreachable || xs[0].Fault.Detail != "dial: connect: connection refused" {
		t.Errorf("a server that went away: fault %v, want unreachable", xs[0].Fault)
	}
}

func TestURLRefusals(t *testing.T) {
	guard := replay.NewGuard(replay.GuardOptions{})
	env := testEnv(t)
	env.Dial = guard.DialContext
	tests := []struct {
		why, base string
		x         harness.Exchange
		class     harness.Class
	}{
		{"a host that nobody named", "http://production.example", request("GET", "/", ""), harness.ClassRefused},
		{"a file", "http://127.0.0.1:9", drop("a.csv", "x"), harness.ClassUsage},
		{"no method", "http://127.0.0.1:9", request("", "/", ""), harness.ClassUsage},
		{"a tunnel", "http://127.0.0.1:9", request("CONNECT", "a.example:443", ""), harness.ClassUsage},
		{"a target that would change the host", "http://127.0.0.1:9", request("GET", "@production.example/", ""), harness.ClassUsage},
	}
	for _, test := range tests {
		stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: test.base}}, env)
		sink := harness.NewMemory(harness.Manifest{})
		err := stage.Feed(t.Context(), []harness.Exchange{test.x}, sink)
		if err == nil || harness.ClassOf(err) != test.class || sink.Manifest().Counts.Seen != 0 {
			t.Errorf("%s: err %v, want class %d", test.why, err, test.class)
		}
	}
	if cs := guard.Connections(); len(cs) != 1 || cs[0].Allowed {
		t.Errorf("account of the guard: %v", cs)
	}
}

func TestWritesStayOnLoopbackUnlessAllowed(t *testing.T) {
	var marks []string
	env := testEnv(t)
	guard := replay.NewGuard(replay.GuardOptions{Allow: []string{"192.0.2.7"}})
	env.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := guard.DialContext(ctx, network, address)
		marks = append(marks, fmt.Sprint(harness.ClassOf(err) == harness.ClassRefused))
		return conn, err
	}
	stage := start(t, harness.TargetSpec{URL: &harness.URLSpec{Base: "http://192.0.2.7"}}, env)
	err := stage.Feed(t.Context(), []harness.Exchange{request("DELETE", "/students/1", "")}, harness.NewMemory(harness.Manifest{}))
	if harness.ClassOf(err) != harness.ClassRefused || !strings.Contains(harness.HintOf(err), "writes: allow") {
		t.Errorf("err %v, hint %q, dials %v", err, harness.HintOf(err), marks)
	}
}

func FuzzRequestURL(f *testing.F) {
	for _, seed := range []string{"/", "/a?b", "//x", "*", "http://x/y", "@x", "/%zz", "/a b", "/\x00", "https:///", "://", "/a#b"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:9", Path: "/p"}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := requestURL(base, target)
		if err == nil && (u.Host != base.Host || u.Scheme != base.Scheme) {
			t.Errorf("%q leads to %s", target, u)
		}
	})
}
