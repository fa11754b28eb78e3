package replay

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// through is a client that a program would have whose environment names the proxy. It asks the proxy for loopback, too.
func through(t *testing.T, p *Proxy, server *httptest.Server) *http.Client {
	proxy, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	if server != nil && server.TLS != nil {
		transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func newProxy(t *testing.T, o GuardOptions) (*Guard, *Proxy) {
	g := NewGuard(o)
	p, err := g.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g, p
}

func TestProxyLetsThroughWhatTheGuardOpens(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body)) //nolint:errcheck // a test
	})
	plain, secured := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	defer plain.Close()
	defer secured.Close()
	for _, server := range []*httptest.Server{plain, secured} {
		g, p := newProxy(t, GuardOptions{})
		response, err := through(t, p, server).Post(server.URL+"/orders", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != "POST /orders x" {
			t.Errorf("%s answered %q", server.URL, body)
		}
		if cs := g.Connections(); len(cs) != 1 || !cs[0].Allowed || "http://"+cs[0].Address != strings.Replace(server.URL, "https", "http", 1) {
			t.Errorf("account %+v, want the connection to %s", cs, server.URL)
		}
	}
}

func TestProxyRefusesWhatTheGuardRefuses(t *testing.T) {
	for _, destination := range []string{"http://sis.example/", "https://sis.example/"} {
		g, p := newProxy(t, GuardOptions{})
		response, err := through(t, p, nil).Get(destination)
		if err == nil { // the answer to CONNECT is an error of the client
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "not named in egress.allow") || !strings.Contains(string(text), "hint: ") {
				t.Errorf("%s: status %d, %s", destination, response.StatusCode, text)
			}
		} else if !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("%s: err %v, want Forbidden", destination, err)
		}
		if cs := g.Connections(); len(cs) != 1 || cs[0].Allowed || cs[0].Count != 1 {
			t.Errorf("%s: account %+v, want one refusal", destination, cs)
		}
	}
}

// A tunnel hides what passes, so it is open only where requests may change something.
func TestATunnelCountsAsWriting(t *testing.T) {
	for _, writes := range []bool{false, true} {
		n := &network{names: map[string][]string{"sis.example": {"192.0.2.7"}}}
		g, p := newProxy(t, GuardOptions{Allow: []string{"sis.example"}, Writes: writes})
		n.stand(g)
		through(t, p, nil).Get("https://sis.example/") //nolint:errcheck,bodyclose // never answered: the network hangs up
		if dialled := len(n.dialled) > 0; dialled != writes {
			t.Errorf("writes %v: dialled %v", writes, n.dialled)
		}
	}
}

func TestProxyAnswersWhatIsNoRequestToAProxy(t *testing.T) {
	g, p := newProxy(t, GuardOptions{})
	response, err := http.Get(p.URL + "/orders")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || len(g.Connections()) != 0 {
		t.Errorf("status %d, account %v", response.StatusCode, g.Connections())
	}
}

func TestProxyEndsItsTunnels(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p, err := NewGuard(GuardOptions{}).Proxy()
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, "CONNECT "+listener.Addr().String()+" HTTP/1.1\r\nHost: x\r\n\r\n") //nolint:errcheck // read below
	response, err := http.ReadResponse(bufio.NewReader(client), &http.Request{Method: http.MethodConnect})
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("tunnel: %v, %v", response, err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := p.Close(); err != nil { // hangs when the tunnel stays
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("the upstream's side of the tunnel is open")
	}
}

func TestVariablesOfTheProxy(t *testing.T) {
	_, p := newProxy(t, GuardOptions{})
	vars := p.Variables()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		if vars[name] != p.URL {
			t.Errorf("%s=%s", name, vars[name])
		}
	}
	if !strings.Contains(vars["NO_PROXY"], "127.0.0.1") || vars["no_proxy"] != vars["NO_PROXY"] {
		t.Errorf("loopback goes through the proxy: %v", vars)
	}
}
