package httptap

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestHeadsKeepOrderCaseAndDuplicates(t *testing.T) {
	forwarded := make(chan string, 1)
	rec := record(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		forwarded <- skipHead(r)
		io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"+
			"HTTP/1.1 200 Fine\r\nserver: Hub\r\nX-b:  2\r\nx-A: 1\r\nSet-Cookie: a=1\r\nx-a: 3\r\nset-cookie: b=2\r\nPragma: no-cache\r\nContent-Length: 2\r\n\r\nok")
	}), nil)
	c := dialTap(t, rec)
	io.WriteString(c, "GET /p?x=|&y=%2f HTTP/1.1\r\nZ-last: 1\r\nhost: crm.example\r\naccept: */*\r\nX-dup: 1\r\nx-DUP: 2\r\nPragma: no-cache\r\nConnection: x-hop\r\nX-Hop: gone\r\n\r\n")
	br := bufio.NewReader(c)
	early := skipHead(br)
	answer := skipHead(br)
	if !strings.HasPrefix(early, "HTTP/1.1 103 ") || !strings.Contains(early, "</a.css>") {
		t.Errorf("early hints at the client: %q", early)
	}
	for _, line := range []string{"server: Hub\r\n", "x-A: 1\r\n", "x-a: 3\r\n", "set-cookie: b=2\r\n"} {
		if !strings.Contains(answer, line) {
			t.Errorf("answer lacks %q: %q", line, answer)
		}
	}
	for _, name := range []string{"Date:", "Content-Type:", "Cache-Control:"} {
		if strings.Contains(answer, name) {
			t.Errorf("the tap added %s to %q", name, answer)
		}
	}
	sent := <-forwarded
	if !strings.HasPrefix(sent, "GET /p?x=|&y=%2f HTTP/1.1\r\nHost: 127.0.0.1:") {
		t.Errorf("upstream got %q", sent)
	}
	for _, field := range []string{"User-Agent", "X-Forwarded", "Accept-Encoding", "Cache-Control", "X-Hop"} {
		if strings.Contains(sent, field) {
			t.Errorf("upstream got %s in %q", field, sent)
		}
	}
	if !strings.Contains(sent, "x-DUP: 2\r\n") || !strings.Contains(sent, "accept: */*\r\n") {
		t.Errorf("case is not kept in %q", sent)
	}
	x := rec.only(t)
	want := harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/p?x=|&y=%2f"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Z-last", Value: "1"},
		{Name: "host", Value: "crm.example"}, {Name: "accept", Value: "*/*"}, {Name: "X-dup", Value: "1"}, {Name: "x-DUP", Value: "2"}, {Name: "Pragma", Value: "no-cache"},
		{Name: "Connection", Value: "x-hop"}, {Name: "X-Hop", Value: "gone"}}
	if d := cmp.Diff(want, x.Request.Head); d != "" {
		t.Errorf("request: %s", d)
	}
	want = harness.Head{{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: ":informational", Value: "103"}, {Name: "server", Value: "Hub"}, {Name: "X-b", Value: "2"}, {Name: "x-A", Value: "1"},
		{Name: "Set-Cookie", Value: "a=1"}, {Name: "x-a", Value: "3"}, {Name: "set-cookie", Value: "b=2"}, {Name: "Pragma", Value: "no-cache"}, {Name: "Content-Length", Value: "2"}}
	if d := cmp.Diff(want, x.Response.Head.Without(harness.FieldArrivals)); d != "" {
		t.Errorf("response: %s", d)
	}
}

func TestPipelinedRequestsKeepTheirOwnHeads(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, b)
	})
	rec := record(t, up, func(tap *Tap) { tap.Session = SessionByConnection() })
	c := dialTap(t, rec)
	io.WriteString(c, "POST /1 HTTP/1.1\r\nHost: a\r\nx-ONE: 1\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"3;ext=1\r\nabc\r\n11\r\nGET /no HTTP/1.1\r\r\n0\r\nX-Sum: 7\r\n\r\n"+
		"\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nx-TWO: 2\r\nContent-Length: 20\r\n\r\nGET /no HTTP/1.1\r\n\r\n"+
		"GET /3 HTTP/1.1\r\nx-THREE: 3\r\nHost: a\r\nConnection: close\r\n\r\n")
	answers, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"/1 abcGET /no HTTP/1.1\r", "/2 GET /no HTTP/1.1\r\n\r\n", "/3 "} {
		if !strings.Contains(string(answers), body) {
			t.Errorf("%q is not in %q", body, answers)
		}
	}
	xs := rec.exchanges(t, 3)
	for i, name := range []string{"x-ONE", "x-TWO", "x-THREE"} {
		x := xs[i]
		if n := strconv.Itoa(i + 1); !strings.Contains(fmt.Sprint(x.Request.Head), "{"+name+" "+n+"}") || x.Request.Head.Get(":path") != "/"+n || x.Session != "conn-1" {
			t.Errorf("%d: %v in %s", i, x.Request.Head, x.Session)
		}
		wantFault(t, x, "")
	}
	if got := bodyOf(t, xs[0].Request); got != "abcGET /no HTTP/1.1\r" {
		t.Errorf("chunks joined: %q", got)
	}
}

func TestAnswersWithoutBodyAndContinue(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
		switch {
		case r.Method == "HEAD":
			w.Header().Set("Content-Length", "1234")
		case r.Header.Get("Expect") != "" && code == 417:
			w.WriteHeader(417)
			return
		case r.Method == "POST":
			b, _ := io.ReadAll(r.Body)
			defer w.Write(b)
		}
		w.WriteHeader(code)
	})
	for _, c := range []struct{ why, request, status, body, fault string }{
		{"HEAD announces a length and has no body", "HEAD /200 HTTP/1.1\r\n\r\n", "200", "", ""},
		{"204", "GET /204 HTTP/1.1\r\n\r\n", "204", "", ""},
		{"304", "GET /304 HTTP/1.1\r\n\r\n", "304", "", ""},
		{"100-continue: the upstream wants the body", "POST /200 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nwant", "200", "want", ""},
		{"100-continue: the upstream refuses, the body is never sent", "POST /417 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "417", "", harness.FaultTruncated},
	} {
		rec := record(t, up, nil)
		conn := dialTap(t, rec)
		line, rest, _ := strings.Cut(c.request, "\r\n")
		io.WriteString(conn, line+"\r\nHost: a\r\n"+rest)
		br := bufio.NewReader(conn)
		resp, err := http.ReadResponse(br, &http.Request{Method: strings.Fields(line)[0]})
		if err == nil && resp.StatusCode == 100 {
			resp, err = http.ReadResponse(br, nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		b, _ := io.ReadAll(resp.Body)
		conn.Close()
		x := rec.only(t)
		wantFault(t, x, c.fault)
		got := []string{strconv.Itoa(resp.StatusCode), string(b), x.Response.Head.Get(":status"), bodyOf(t, x.Response), x.Response.Head.Get("Content-Length")}
		want := []string{c.status, c.body, c.status, c.body, resp.Header.Get("Content-Length")}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", c.why, d)
		}
	}
}

func TestTrailersPassAndAreRecorded(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "ok")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Sum", r.Trailer.Get("X-Crc"))
	})
	rec := record(t, up, nil)
	req, _ := http.NewRequest("POST", rec.url, io.MultiReader(strings.NewReader("body")))
	req.Trailer = http.Header{"X-Crc": {"7"}}
	resp, _ := fetch(t, client(t), req)
	if got := resp.Trailer.Get("X-Sum"); got != "7" {
		t.Errorf("the client got the trailer %q", got)
	}
	x := rec.only(t)
	for _, h := range []struct {
		head harness.Head
		want harness.Field
	}{{x.Request.Head, harness.Field{Name: "X-Crc", Value: "7"}}, {x.Response.Head, harness.Field{Name: "X-Sum", Value: "7"}}} {
		n := len(h.head)
		if h.head[n-1] != h.want || h.head[n-2].Name != harness.FieldTrailer {
			t.Errorf("want the trailer %v at the end of %v", h.want, h.head)
		}
	}
}

func TestProtocolSwitchPasses(t *testing.T) {
	rec := record(t, rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		if head := skipHead(r); !strings.Contains(head, "Connection: Upgrade\r\n") || !strings.Contains(head, "Upgrade: echo\r\n") {
			io.WriteString(c, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\nx-KEY: k\r\n\r\n")
		io.Copy(c, r)
	}), nil)
	c := dialTap(t, rec)
	io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nping")
	br := bufio.NewReader(c)
	head := skipHead(br)
	pong := make([]byte, 4)
	if _, err := io.ReadFull(br, pong); err != nil || string(pong) != "ping" || !strings.Contains(head, "x-KEY: k\r\n") {
		t.Fatalf("%q %q %v", head, pong, err)
	}
	x := rec.only(t) // the open tunnel does not keep the tap from stopping
	wantFault(t, x, harness.FaultTruncated)
	if x.Status() != 101 {
		t.Errorf("recorded %v", x.Response.Head)
	}
	if _, err := br.ReadByte(); err == nil {
		t.Error("the tunnel is open after the stop")
	}
}

// roundTripper is a transport of another kind.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHandlerInAnotherServerRecordsNetHTTPsView(t *testing.T) {
	var sent *http.Request
	sink := harness.NewMemory(harness.Manifest{})
	tap := &Tap{Upstream: &url.URL{Scheme: "http", Host: "sis.example", Path: "/base/"}, From: "crm", To: "sis", KeepHost: true, AddForwarded: true,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = r
			return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{"B": {"1", "2"}, "A": {"3"}}, ContentLength: -1, Body: io.NopCloser(strings.NewReader("ok"))}, nil
		})}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/a%2Fb?", nil)
	r.Header = http.Header{"Zeta": {"1"}, "Alpha": {"2", "1"}, "X-Forwarded-For": {"192.0.2.9"}}
	tap.Handler(sink).ServeHTTP(w, r)
	if w.Body.String() != "ok" || sent.Host != "example.com" || sent.URL.RequestURI() != "/base/a%2Fb?" || sent.Header.Get("X-Forwarded-For") != "192.0.2.9, 192.0.2.1" {
		t.Errorf("client got %q, upstream %s %s %v", w.Body, sent.Host, sent.URL.RequestURI(), sent.Header)
	}
	xs, _ := harness.Collect(sink)
	want := harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/a%2Fb?"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "Alpha", Value: "2"}, {Name: "Alpha", Value: "1"},
		{Name: "Host", Value: "example.com"}, {Name: "X-Forwarded-For", Value: "192.0.2.9"}, {Name: "Zeta", Value: "1"}}
	if d := cmp.Diff(want, xs[0].Request.Head); d != "" {
		t.Error(d)
	}
	want = harness.Head{{Name: ":status", Value: "200"}, {Name: ":proto", Value: "HTTP/1.1"}, {Name: "A", Value: "3"}, {Name: "B", Value: "1"}, {Name: "B", Value: "2"}}
	if d := cmp.Diff(want, xs[0].Response.Head); d != "" {
		t.Error(d)
	}
}

func TestWhatTheTapCannotRecordIsCounted(t *testing.T) {
	up := upstream(t, func(http.ResponseWriter, *http.Request) {})
	rec := record(t, up, func(tap *Tap) { tap.Session = func(r *http.Request) string { panic(http.ErrAbortHandler) } })
	if _, err := client(t).Get(rec.url); err == nil {
		t.Error("the client got an answer")
	}
	c := dialTap(t, rec)
	io.WriteString(c, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n")
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 501 {
		t.Errorf("CONNECT: %v, %v", resp, err)
	}
	rec.exchanges(t, 2)
	want := map[string]int{DropPanic: 1, DropConnect: 1}
	if d := cmp.Diff(want, rec.sink.Manifest().Counts.Reasons); d != "" {
		t.Error(d)
	}
}

func TestSessionNames(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Run", "night-1")
	r.AddCookie(&http.Cookie{Name: "sid", Value: "secret-token"})
	if got := SessionByHeader("x-run")(r); got != "night-1" {
		t.Errorf("by header: %q", got)
	}
	got := SessionByCookie("sid")(r)
	if len(got) != 16 || strings.Contains(got, "secret") || got != SessionByCookie("sid")(r) {
		t.Errorf("by cookie: %q", got)
	}
	if got := SessionByCookie("other")(r); got != "" {
		t.Errorf("without the cookie: %q", got)
	}
	if got := SessionByConnection()(r); got != r.RemoteAddr {
		t.Errorf("by connection: %q", got)
	}
}

// FuzzRequestScanner holds the scanner against net/http: cut anywhere it finds the same heads, and for a stream that
// net/http accepts from the first to the last byte, the same requests.
func FuzzRequestScanner(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\nGET /2 HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
		"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
	} {
		f.Add([]byte(s), 7)
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		var whole, pieces requestScanner
		whole.feed(stream)
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+max(cut, -cut)%16)
			pieces.feed(rest[:n])
			rest = rest[n:]
		}
		if whole.at != pieces.at || len(whole.heads) != len(pieces.heads) || whole.unanswered() != pieces.unanswered() {
			t.Fatalf("cut: %v %d, whole: %v %d", pieces.at, len(pieces.heads), whole.at, len(whole.heads))
		}
		br := bufio.NewReader(bytes.NewReader(stream))
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			h, ok := whole.next()
			if !ok {
				return // given up: net/http's view is recorded
			}
			if h.Start != "" && strings.HasPrefix(h.Start, r.Method+" "+r.RequestURI+" ") && agrees(h.Fields, r.Header, reframed) {
				continue
			}
			return // attributed to nothing
		}
	})
}

func TestRealServerAndClient(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("nginx is not installed")
		}
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	rec := record(t, startNginx(t, nginx), nil)
	for i, c := range []struct {
		why  string
		args []string
	}{
		{"as it is", nil},
		{"gzip stays gzip: curl asks for it and does not unpack", []string{"-H", "Accept-Encoding: gzip"}},
		{"a range", []string{"-r", "10-99"}},
	} {
		body, err := exec.Command(curl, append([]string{"-sS", "--fail", rec.url + "/students.json"}, c.args...)...).Output()
		if err != nil || len(body) == 0 {
			t.Fatalf("%s: %d bytes, %v", c.why, len(body), err)
		}
		waitFor(t, "exchange", func() bool { return rec.sink.Manifest().Counts.Seen == i+1 })
		xs, _ := harness.Collect(rec.sink)
		x := xs[i]
		wantFault(t, x, "")
		if bodyOf(t, x.Response) != string(body) {
			t.Errorf("%s: recorded %d bytes, curl got %d", c.why, x.Response.Body.Size(), len(body))
		}
		if got := x.Response.Head.Get("Content-Encoding"); (got == "gzip") != (i == 1) {
			t.Errorf("%s: Content-Encoding %q", c.why, got)
		}
		if !strings.HasPrefix(x.Response.Head.Get("Server"), "nginx") || x.Response.Head[2].Name != "Server" {
			t.Errorf("%s: not nginx's own order: %v", c.why, x.Response.Head)
		}
		if !strings.HasPrefix(x.Request.Head.Get("User-Agent"), "curl/") {
			t.Errorf("%s: request %v", c.why, x.Request.Head)
		}
	}
}

// startNginx serves a JSON file on loopback, gzip on demand, and returns the base URL.
func startNginx(t *testing.T, nginx string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	var records strings.Builder
	for i := range 200 {
		fmt.Fprintf(&records, "{\"id\":\"H%08d\",\"plan\":%d.50}\n", i, i)
	}
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http { access_log off; default_type application/json; gzip on; gzip_types application/json; gzip_proxied any;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; root %[1]s; } }`, dir, addr)
	for name, text := range map[string]string{"nginx.conf": conf, "students.json": records.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	cmd := exec.Command(nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", said.String())
		}
	})
	waitFor(t, "nginx", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "http://" + addr
}

func TestInformationalAnswersPassAndAreRecorded(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</roster.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		if r.Method == http.MethodPost {
			io.Copy(io.Discard, r.Body) //nolint:errcheck // it is what makes the server ask for it
		}
		w.WriteHeader(http.StatusOK)
	})
	for _, c := range []struct{ why, request, moments string }{
		{"hints", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", `^\d+:<103> \d+:<102>$`},
		{"a body that is asked for", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nwant", `^\d+:<103> \d+:<102> \d+:<100>$`},
	} {
		rec := record(t, up, nil)
		conn := dialTap(t, rec)
		io.WriteString(conn, c.request) //nolint:errcheck // the answer shows it
		br, passed := bufio.NewReader(conn), []string{}
		for len(passed) == 0 || passed[len(passed)-1] < "2" {
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatalf("%s: %v", c.why, err)
			}
			if resp.StatusCode != http.StatusContinue { // the tap says it when it asks for the body itself
				passed = append(passed, resp.Status[:3])
			}
		}
		conn.Close()
		x := rec.only(t)
		if d := cmp.Diff([]string{"103", "102", "200"}, passed); d != "" {
			t.Errorf("%s: passed %s", c.why, d)
		}
		if d := cmp.Diff([]string{"103", "102"}, x.Response.Head.Values(harness.FieldInterim)); d != "" {
			t.Errorf("%s: recorded %s", c.why, d)
		}
		if got := x.Response.Head.Get(harness.FieldArrivals); !regexp.MustCompile(c.moments).MatchString(got) {
			t.Errorf("%s: moments %q", c.why, got)
		}
	}
}
