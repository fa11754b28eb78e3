package httptap

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// here resolves every name to this machine.
func here(context.Context, string) ([]net.IPAddr, error) {
	return []net.IPAddr{{IP: net.IPv4(127, 0, 0, 1)}}, nil
}

// recordProxy starts a forward proxy that records *.vendor.example and may reach this machine by any .example name.
func recordProxy(t *testing.T, upstreams *x509.CertPool, set func(*Tap)) (rec recording, trusted *x509.CertPool) {
	t.Helper()
	a, trusted := authorityOfTests(t, "vendor.example")
	sink := harness.NewMemory(harness.Manifest{})
	rec = recordTo(t, "", sink, sink, func(tap *Tap) {
		tap.Upstream, tap.Secure = nil, a.Config()
		tap.Proxy = &Proxy{Hosts: []string{"*.vendor.example"}, Allow: []string{"*.vendor.example", "other.example"}, Resolve: here}
		tap.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: upstreams}}
		if set != nil {
			set(tap)
		}
	})
	return rec, trusted
}

// through is a client of the proxy.
func through(t *testing.T, rec recording, trusted *x509.CertPool, major int) *http.Client {
	c := trusting(t, trusted, major)
	proxy, err := url.Parse(rec.url)
	if err != nil {
		t.Fatal(err)
	}
	c.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
	return c
}

// named is the URL of a server under another name, which its certificate must have.
func named(t *testing.T, s *httptest.Server, host string) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = net.JoinHostPort(host, u.Port())
	return u.String()
}

// vendor serves over TLS under the names of the vendor and of somebody else.
func vendor(t *testing.T, h http.HandlerFunc) (s *httptest.Server, pool *x509.CertPool) {
	t.Helper()
	a, pool := authorityOfTests(t, "vendor.example", "other.example")
	s = httptest.NewUnstartedServer(h)
	s.TLS = a.Config()
	s.EnableHTTP2 = true
	s.StartTLS()
	s.TLS.Certificates = nil // of httptest; the authority's are for names
	t.Cleanup(s.Close)
	return s, pool
}

func TestForwardProxyRecordsTheNamedHostsOnly(t *testing.T) {
	secure, vendors := vendor(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, r.RequestURI)
	})
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, r.RequestURI)
	}))
	defer plain.Close()
	rec, trusted := recordProxy(t, vendors, nil)
	api, other := named(t, secure, "api.vendor.example"), named(t, secure, "other.example")
	clear := named(t, plain, "old.vendor.example")
	for _, c := range []struct {
		why, url string
		major    int
		trusted  *x509.CertPool
		want     string
	}{
		{"HTTP/2 in a tunnel", api + "/a?b=%2f", 2, trusted, "HTTP/2.0 " + strings.TrimPrefix(api, "https://") + " /a?b=%2f"},
		{"HTTP/1.1 in a tunnel", api + "/c", 1, trusted, "HTTP/1.1 " + strings.TrimPrefix(api, "https://") + " /c"},
		{"plain HTTP", clear + "/d", 1, trusted, "HTTP/1.1 " + strings.TrimPrefix(clear, "http://") + " /d"},
		{"a host that is not named, which proves who it is itself", other + "/e", 2, vendors, "HTTP/2.0 " + strings.TrimPrefix(other, "https://") + " /e"},
		{"a host that is not named, plain", named(t, plain, "other.example") + "/f", 1, trusted, "HTTP/1.1 other.example"},
	} {
		req, _ := http.NewRequest("GET", c.url, nil)
		resp, body := fetch(t, through(t, rec, c.trusted, c.major), req)
		if resp.StatusCode != 200 || !strings.HasPrefix(string(body), c.want) {
			t.Errorf("%s: %d %s", c.why, resp.StatusCode, body)
		}
	}
	var got []string
	for _, x := range rec.exchanges(t, 3) {
		wantFault(t, x, "")
		got = append(got, x.To+" "+x.Request.Head.Get(":path")+" "+x.Request.Head.Get(":proto"))
	}
	if d := cmp.Diff([]string{"api.vendor.example /a?b=%2f HTTP/2.0", "api.vendor.example /c HTTP/1.1", "old.vendor.example /d HTTP/1.1"}, got); d != "" {
		t.Error(d)
	}
	want := map[string]int{"tunnelled unopened: other.example": 1, "host that is not recorded: other.example": 1}
	if d := cmp.Diff(want, rec.LeftOut()); d != "" {
		t.Error(d)
	}
}

func TestTunnelThatIsNeitherTLSNorHTTPPassesUnopened(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) {
		line, _ := r.ReadString('\n')
		io.WriteString(c, "got "+line)
	})
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "plain") }))
	defer plain.Close()
	rec, _ := recordProxy(t, nil, nil)
	talk := func(upstream, say string) string {
		c := dialTap(t, rec)
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(upstream, "http://"))
		fmt.Fprintf(c, "CONNECT db.vendor.example:%s HTTP/1.1\r\nHost: x\r\n\r\n", port)
		br := bufio.NewReader(c)
		if head := skipHead(br); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Fatalf("tunnel: %q", head)
		}
		io.WriteString(c, say)
		b, err := io.ReadAll(br)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	if got := talk(up, "\x00\x01binary\n"); got != "got \x00\x01binary\n" {
		t.Errorf("the client got %q", got)
	}
	if got := talk(plain.URL, "GET /in-tunnel HTTP/1.1\r\nHost: db.vendor.example\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "plain") {
		t.Errorf("plain HTTP in a tunnel: %q", got)
	}
	if x := rec.only(t); x.Request.Head.Get(":path") != "/in-tunnel" || x.To != "db.vendor.example" {
		t.Errorf("recorded %v to %s", x.Request.Head, x.To)
	}
	if n := rec.LeftOut()["neither TLS nor HTTP, tunnelled unopened: db.vendor.example"]; n != 1 {
		t.Errorf("left out: %v", rec.LeftOut())
	}
}

func TestProxyDoesNotDialWhatOnlyThisMachineReaches(t *testing.T) {
	var reached atomic.Int64
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer secret.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(secret.URL, "http://"))
	var asked atomic.Int64
	rec, _ := recordProxy(t, nil, func(tap *Tap) {
		tap.Proxy.Hosts, tap.Proxy.Allow = []string{"*" + ".vendor.example", "flips.example", "2130706433"}, nil
		tap.Proxy.Resolve = func(_ context.Context, host string) ([]net.IPAddr, error) {
			address := net.IPv4(127, 0, 0, 1)
			switch {
			case host == "metadata.vendor.example":
				address = net.IPv4(169, 254, 169, 254)
			case host == "v6.vendor.example":
				address = net.ParseIP("::ffff:127.0.0.1")
			case host == "nat64.vendor.example":
				address = net.ParseIP("64:ff9b::7f00:1")
			case host == "flips.example" && asked.Add(1)%2 == 1:
				address = net.IPv4(192, 0, 2, 1)
			}
			return []net.IPAddr{{IP: address}}, nil
		}
	})
	_, own, _ := net.SplitHostPort(strings.TrimPrefix(rec.url, "http://"))
	status := func(request string) string {
		c := dialTap(t, rec)
		io.WriteString(c, request)
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Errorf("%q: %v", request, err)
		}
		return line
	}
	recorded := 0
	for _, host := range []string{
		"127.0.0.1:" + port, "localhost:" + port, "api.vendor.example:" + port, "2130706433:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port,
		"0.0.0.0:" + port, "v6.vendor.example:" + port, "nat64.vendor.example:" + port, "metadata.vendor.example:80", "169.254.169.254:80", "[fe80::1]:80",
		"[fd00:ec2::254]:80", "127.0.0.1:" + own, "0.0.0.0:" + own, "LOCALHOST.:" + port,
	} {
		for _, request := range []string{
			"CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
			"GET http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n",
		} {
			if got := status(request); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
				t.Errorf("%q: %q", request, got)
			}
		}
		if h := hostOnly(host); strings.HasSuffix(h, ".vendor.example") || h == "2130706433" {
			recorded++
		}
	}
	for range 20 { // the name is another address when it is asked for again
		c := dialTap(t, rec)
		br := bufio.NewReader(c)
		io.WriteString(c, "CONNECT flips.example:"+port+" HTTP/1.1\r\nHost: x\r\n\r\n")
		tunnel := skipHead(br)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: flips.example\r\nConnection: close\r\n\r\n")
		if answer := skipHead(br); !strings.HasPrefix(tunnel, "HTTP/1.1 200 ") || !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
			t.Errorf("%q, then %q", tunnel, answer)
		}
		recorded++
	}
	if got := status("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("a request that names no host: %q", got)
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests reached this machine", n)
	}
	for _, x := range rec.exchanges(t, recorded+1) {
		wantFault(t, x, harness.FaultUnreachable)
	}
}

func TestFilterLeavesOutAndCounts(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", len(r.URL.Path))) })
	rec := record(t, up, func(tap *Tap) {
		tap.Filter = Filter{Methods: []string{"GET"}, Paths: []string{"/v1/**", "/v2/*"}, NotPaths: []string{"/v1/health"}, MaxSize: 20}
	})
	for _, path := range []string{"/v1/a/b", "/v2/a", "/v2/a/b", "/v3/a", "/v1/health", "/v1/" + strings.Repeat("long", 10)} {
		if resp, body := get(t, rec.url+path); resp.StatusCode != 200 || len(body) != len(path) {
			t.Errorf("%s: %d, %d bytes", path, resp.StatusCode, len(body))
		}
	}
	req, _ := http.NewRequest("POST", rec.url+"/v1/a", strings.NewReader("abc"))
	fetch(t, client(t), req)
	var got []string
	for _, x := range rec.exchanges(t, 2) {
		got = append(got, x.Request.Head.Get(":path"))
	}
	if d := cmp.Diff([]string{"/v1/a/b", "/v2/a"}, got); d != "" {
		t.Error(d)
	}
	want := map[string]int{"other path": 2, "path that is left out": 1, "bodies of more than 20 bytes": 1, "other method": 1}
	if d := cmp.Diff(want, rec.LeftOut()); d != "" {
		t.Error(d)
	}
	if notes := rec.Notes(); len(notes) != 4 || notes[0] != "left out, not lost: 1 crossing: bodies of more than 20 bytes" {
		t.Errorf("notes: %q", notes)
	}
}

func TestSessionsAreSampledWhole(t *testing.T) {
	up := upstream(t, func(http.ResponseWriter, *http.Request) {})
	const sessions, each = 200, 3
	chosen := func() map[string]int {
		rec := record(t, up, func(tap *Tap) {
			tap.Session, tap.Filter = SessionByHeader("X-Run"), Filter{Sample: 0.25}
		})
		c := client(t)
		for i := range sessions * each {
			req, _ := http.NewRequest("GET", rec.url, nil)
			req.Header.Set("X-Run", fmt.Sprintf("night-%d", i%sessions))
			fetch(t, c, req)
		}
		counts := map[string]int{}
		left := rec.LeftOut()["session outside of the sample"]
		for _, x := range rec.exchanges(t, sessions*each-left) {
			counts[x.Session]++
		}
		return counts
	}
	first := chosen()
	for session, n := range first {
		if n != each {
			t.Errorf("%s is recorded %d times of %d", session, n, each)
		}
	}
	if len(first) < 25 || len(first) > 80 {
		t.Errorf("%d of %d sessions are recorded, a quarter is wanted", len(first), sessions)
	}
	if d := cmp.Diff(first, chosen()); d != "" {
		t.Errorf("the next time others are chosen: %s", d)
	}
}

func TestProxyClosesTunnelsWhenItStops(t *testing.T) {
	up := rawUpstream(t, func(c net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) })
	rec, _ := recordProxy(t, nil, func(tap *Tap) { tap.Grace = 50 * time.Millisecond })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(up, "http://"))
	var open []net.Conn
	for _, host := range []string{"other.example", "api.vendor.example"} { // passed on, and waiting for the first byte
		c := dialTap(t, rec)
		fmt.Fprintf(c, "CONNECT %s:%s HTTP/1.1\r\nHost: x\r\n\r\n", host, port)
		if head := skipHead(bufio.NewReader(c)); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Fatalf("%s: %q", host, head)
		}
		open = append(open, c)
	}
	if err := rec.stop(); err != nil {
		t.Error(err)
	}
	for _, c := range open {
		if _, err := io.Copy(io.Discard, c); isTimeout(err) {
			t.Error("a tunnel outlives the recorder")
		}
	}
}
