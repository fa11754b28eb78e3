package mock_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/authority"
)

// to is an exchange with the system, called under the host.
func to(system, host, method, path, answer string) harness.Exchange {
	x := exchange("", method, path, "", answer, "Host: "+host)
	x.To = system
	return x
}

func vendors() []harness.Exchange {
	return []harness.Exchange{
		to("crm", "api.crm.example", "GET", "/health", "crm 1"),
		to("sis", "sis.hlu.example:8443", "GET", "/health", "sis 1"),
		to("sis", "sis.hlu.example:8443", "GET", "/students", "students"),
		to("crm", "api.crm.example", "GET", "/health", "crm 2"),
		to("lms", "127.0.0.1:4711", "GET", "/courses", "courses"),
		to("left", "shared.example", "GET", "/l", "l"), to("right", "shared.example", "GET", "/r", "r"),
	}
}

func TestHostsTellSystemsApart(t *testing.T) {
	m := newMock(t, mock.Options{Hosts: map[string]string{"lms.test.example": "lms"}}, vendors()...)
	c := &http.Client{Transport: m.Transport()}
	for _, test := range []struct{ host, path, want, why string }{
		{"sis.hlu.example", "/health", "sis 1", "the port of the recording is not asked for"},
		{"API.crm.example.:443", "/health", "crm 1", "letter case, the dot of the root and a port are spelling"},
		{"api.crm.example", "/health", "crm 2", "its own sequence"},
		{"api.crm.example", "/students", "", "what another system answered is a miss"},
		{"lms.test.example", "/courses", "courses", "a host that was named"},
		{"lms.test.example", "/students", "", "and only its own system"},
		{"127.0.0.1:4711", "/students", "students", "where a tap was says nothing: all systems"},
		{"shared.example", "/r", "r", "nor does a host of two systems"},
		{"unknown.example", "/health", "crm 1", "all systems, in recorded order"},
		{"unknown.example", "/health", "sis 1", "the second"},
	} {
		resp, body, err := ask(c, "http://"+test.host, "", "GET", test.path, "")
		if err != nil || (test.want == "") != (resp.StatusCode == 501) || test.want != "" && body != test.want {
			t.Errorf("%s: %v %q, want %q (%v)", test.why, resp, body, test.want, err)
		}
	}
	for _, miss := range m.Misses() {
		if miss.System == "" {
			t.Errorf("%v does not say whose host was called", miss)
		}
	}
	want := map[string]string{"api.crm.example": "crm", "sis.hlu.example": "sis", "sis.hlu.example:8443": "sis", "lms.test.example": "lms"}
	if diff := cmp.Diff(want, m.Hosts()); diff != "" {
		t.Error(diff)
	}
}

// secured is a mock of the vendors that listens under an authority of its own, and the pool that trusts it.
func secured(t *testing.T) (*mock.Mock, *mock.Server, *x509.CertPool) {
	t.Helper()
	m := newMock(t, mock.Options{}, vendors()...)
	a, _, err := authority.Open(t.TempDir(), []string{"api.crm.example", "sis.hlu.example"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := m.ListenTLS("", a.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	return m, server, roots
}

// Programs that call vendors by their names reach the mock by taking it for their proxy.
func TestOnePortServesVendorsByNameOverEveryHTTP(t *testing.T) {
	_, server, roots := secured(t)
	proxy, err := url.Parse(strings.Replace(server.URL, "https", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		base, want string
		major      int
	}{
		{"https://api.crm.example", "crm 1", 1}, {"https://sis.hlu.example:8443", "sis 1", 2},
		{"http://api.crm.example", "crm 2", 1}, {"https://sis.hlu.example", "sis 1", 1},
	} {
		tr := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: new(http.Protocols)}
		tr.Protocols.SetHTTP1(test.major == 1)
		tr.Protocols.SetHTTP2(test.major == 2)
		resp, body, err := ask(&http.Client{Transport: tr}, test.base, "", "GET", "/health", "")
		if err != nil || body != test.want || resp.ProtoMajor != test.major {
			t.Errorf("%s in HTTP/%d: %v %q, want %q (%v)", test.base, test.major, resp, body, test.want, err)
		}
		tr.CloseIdleConnections()
	}
}

func TestTunnelsLeadNowhereElse(t *testing.T) {
	real := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the real host was reached") }))
	defer real.Close()
	m, server, roots := secured(t)
	proxy, err := url.Parse(strings.Replace(server.URL, "https", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return proxy, nil }, TLSClientConfig: &tls.Config{RootCAs: roots}}
	if _, _, err := ask(&http.Client{Transport: tr}, real.URL, "", "GET", "/health", ""); err == nil {
		t.Error("a tunnel to a host that is in no recording was opened")
	}
	if misses := m.Misses(); len(misses) != 1 || !strings.Contains(misses[0].Hint, "--host") {
		t.Errorf("misses %v", misses)
	}
}

func TestEachStateKeyHasASequenceOfItsOwn(t *testing.T) {
	xs := []harness.Exchange{}
	for i, state := range []string{"queued", "running", "done"} {
		for _, user := range []string{"ada", "noor"} {
			xs = append(xs, exchange("", "GET", "/jobs/17?user="+user, "", fmt.Sprint(user, " ", state, i), "Authorization: Bearer "+user, "Cookie: a=1; sid="+user))
		}
	}
	for _, test := range []struct {
		key, ignore string
		call        func(who string) (path, field string)
		who         []string
		want        []string
		why         string
	}{
		{"bearer", "request.query.user", func(who string) (string, string) { return "/jobs/17?user=x", "Authorization: Bearer " + who },
			[]string{"ada", "noor", "ada", "noor", "ada", "ada"}, []string{"ada queued0", "noor queued0", "ada running1", "noor running1", "ada done2", "ada done2"}, "recorded tokens"},
		{"cookie:sid", "request.query.user", func(who string) (string, string) { return "/jobs/17?user=x", "Cookie: sid=" + who },
			[]string{"new", "noor", "other", "new", "other"}, []string{"ada queued0", "noor queued0", "ada queued0", "ada running1", "ada running1"}, "new ones begin at the beginning"},
		{"request.query.user", "request.query.user", func(who string) (string, string) { return "/jobs/17?user=" + who, "X: y" },
			[]string{"noor", "ada"}, []string{"noor queued0", "ada queued0"}, "a parameter"},
		{"request.segment[1]", "request.segment[1]", func(who string) (string, string) { return "/jobs/" + who + "?user=ada", "X: y" },
			[]string{"1", "2", "1"}, []string{"ada queued0", "ada queued0", "ada running1"}, "a segment"},
	} {
		key, err := mock.ParseStateKey(test.key)
		if err != nil {
			t.Fatal(err)
		}
		m := newMock(t, mock.Options{StateBy: []mock.StateKey{key}, Ignore: []harness.Path{mustParse(t, test.ignore)}}, xs...)
		c := &http.Client{Transport: m.Transport()}
		for i, who := range test.who {
			path, field := test.call(who)
			if _, body, err := ask(c, "http://sis.example", "", "GET", path, "", field); err != nil || body != test.want[i] {
				t.Errorf("%s: call %d by %s: %q, want %q (%v)", test.why, i, who, body, test.want[i], err)
			}
		}
	}
	for _, bad := range []string{"", "header:", "bearer:x", "response.body.a", "request.path", "request.path[1]", "request.segment", "request.body.x[*].y", "request.query"} {
		if _, err := mock.ParseStateKey(bad); err == nil || harness.HintOf(err) == "" {
			t.Errorf("state key %q: %v", bad, err)
		}
	}
}

// However many ask at a time, every recorded answer is given once, and each key sees its own in order.
func TestSequencesAreAtomicUnderConcurrency(t *testing.T) {
	const clients, calls = 64, 1000
	xs := make([]harness.Exchange, 0, clients*calls)
	for i := range calls {
		for s := range clients {
			xs = append(xs, exchange("", "POST", "/next", `{"user":"x"}`, fmt.Sprintf("%d of %d", i, s), fmt.Sprintf("X-User: %d", s)))
		}
	}
	key, err := mock.ParseStateKey("header:X-User")
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []mock.Options{{}, {StateBy: []mock.StateKey{key}}} {
		m := newMock(t, options, xs...)
		c := &http.Client{Transport: m.Transport()}
		var given sync.Map
		var wg sync.WaitGroup
		for s := range clients {
			wg.Go(func() {
				for i := range calls {
					_, body, err := ask(c, "http://sis.example", "", "POST", "/next", `{"user":"x"}`, fmt.Sprintf("X-User: %d", s))
					if _, twice := given.LoadOrStore(body, true); twice || err != nil {
						t.Errorf("%q was given twice (%v)", body, err)
					}
					if want := fmt.Sprintf("%d of %d", i, s); options.StateBy != nil && body != want {
						t.Errorf("have %q, want %q", body, want)
					}
				}
			})
		}
		wg.Wait()
		if counts := m.Counts(); counts.Served != clients*calls || counts.Repeated != 0 || len(m.Unused()) != 0 {
			t.Errorf("counts %+v, %d unused", counts, len(m.Unused()))
		}
	}
}
