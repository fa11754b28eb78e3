package replay

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// network stands for everything outside: names resolve by a table, and every dialled address is noted.
type network struct {
	names   map[string][]string
	aliases map[string]string

	mu      sync.Mutex
	dialled []string
	asked   []string
}

func (n *network) guard(allow []string, writes bool) *Guard {
	g := NewGuard(GuardOptions{Allow: allow, Writes: writes})
	n.stand(g)
	return g
}

// stand takes the place of the network below the guard.
func (n *network) stand(g *Guard) {
	g.alias = func(_ context.Context, host string) (string, error) { return n.aliases[host], nil }
	g.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.asked = append(n.asked, host)
		var ips []netip.Addr
		for _, ip := range n.names[host] {
			ips = append(ips, netip.MustParseAddr(ip))
		}
		return ips, nil
	}
	g.dial = func(_ context.Context, _, address string) (net.Conn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dialled = append(n.dialled, address)
		client, server := net.Pipe()
		server.Close()
		return client, nil
	}
}

func TestGuardDecides(t *testing.T) {
	names := map[string][]string{
		"sis.example": {"192.0.2.7"}, "inside.example": {"10.1.2.3"}, "rebound.example": {"127.0.0.1"},
		"cloud.example": {"192.0.2.9", "169.254.169.254"}, "nat.example": {"64:ff9b::a9fe:a9fe"}, "mapped.example": {"::ffff:169.254.169.254"},
		"meta6.example": {"fd00:ec2::254"}, "any.example": {"0.0.0.0"}, "cast.example": {"224.0.0.1"},
	}
	tests := []struct {
		address string
		allow   []string
		dialled string // empty: refused
		why     string
	}{
		{"127.0.0.1:80", nil, "127.0.0.1:80", "loopback is open"},
		{"127.9.9.9:80", nil, "127.9.9.9:80", "all of 127/8 is loopback"},
		{"[::1]:80", nil, "[::1]:80", "loopback of IPv6"},
		{"[::ffff:127.0.0.1]:80", nil, "127.0.0.1:80", "a mapped address is the address"},
		{"localhost:80", nil, "127.0.0.1:80", "the name stands for loopback without a resolver"},
		{"LocalHost.:80", nil, "127.0.0.1:80", "letter case and the dot of the root do not matter"},
		{"api.localhost:80", nil, "127.0.0.1:80", "RFC 6761: names below localhost are loopback"},
		{"sis.example:443", nil, "", "nothing is named"},
		{"sis.example:443", []string{"sis.example"}, "192.0.2.7:443", "named by host"},
		{"SIS.Example.:443", []string{"sis.example"}, "192.0.2.7:443", "spelling of the name"},
		{"sis.example:443", []string{"Sis.Example:443"}, "192.0.2.7:443", "named by host and port"},
		{"sis.example:8443", []string{"sis.example:443"}, "", "another port"},
		{"old.sis.example:443", []string{"sis.example"}, "", "a name does not cover what is below it"},
		{"sis.example.evil.example:443", []string{"sis.example"}, "", "a prefix is another name"},
		{"inside.example:80", []string{"inside.example"}, "10.1.2.3:80", "test instances have private addresses"},
		{"192.0.2.7:443", []string{"sis.example"}, "", "the address behind a name is not named"},
		{"192.0.2.7:443", []string{"192.0.2.7"}, "192.0.2.7:443", "named literally"},
		{"[2001:db8::1]:443", []string{"[2001:db8::1]:443"}, "[2001:db8::1]:443", "an IPv6 address with port"},
		{"[2001:0db8:0:0::1]:443", []string{"2001:db8::1"}, "[2001:db8::1]:443", "another spelling of the same address"},
		{"rebound.example:80", []string{"rebound.example"}, "", "a name that turns into this machine"},
		{"cloud.example:80", []string{"cloud.example"}, "", "one bad address spoils the answer"},
		{"cloud.example:80", []string{"cloud.example", "169.254.169.254"}, "192.0.2.9:80", "the address itself is named"},
		{"nat.example:80", []string{"nat.example"}, "", "metadata behind a translated address"},
		{"mapped.example:80", []string{"mapped.example"}, "", "metadata behind a mapped address"},
		{"meta6.example:80", []string{"meta6.example"}, "", "metadata of IPv6"},
		{"any.example:80", []string{"any.example"}, "", "the unspecified address reaches this machine"},
		{"cast.example:80", []string{"cast.example"}, "", "multicast"},
		{"169.254.169.254:80", nil, "", "metadata"},
		{"169.254.169.254:80", []string{"169.254.169.254"}, "169.254.169.254:80", "named literally"},
		{"[fe80::1%eth0]:80", nil, "", "link-local with a zone"},
		{"0.0.0.0:80", nil, "", "unspecified"},
		{"[::]:80", nil, "", "unspecified in IPv6"},
		{"2130706433:80", []string{"2130706433"}, "", "127.0.0.1 as one decimal number"},
		{"0x7f000001:80", nil, "", "as a hexadecimal number"},
		{"0x7f.1:80", nil, "", "short form with a hexadecimal part"},
		{"0177.0.0.1:80", nil, "", "octal"},
		{"127.1:80", nil, "", "short form"},
		{":80", nil, "", "no host"},
		{"sis.example", []string{"sis.example"}, "", "no port"},
		{"user@sis.example:80", []string{"sis.example"}, "", "credentials are no part of a host"},
	}
	for _, test := range tests {
		n := &network{names: names}
		g := n.guard(test.allow, true)
		conn, err := g.DialContext(t.Context(), "tcp", test.address)
		if test.dialled == "" {
			if harness.ClassOf(err) != harness.ClassRefused || harness.HintOf(err) == "" && strings.Contains(test.address, ":80") && test.address != ":80" {
				t.Errorf("%s with %v: err %v, hint %q; want refused with a hint: %s", test.address, test.allow, err, harness.HintOf(err), test.why)
			}
			if len(n.dialled) > 0 {
				t.Errorf("%s with %v: dialled %v: %s", test.address, test.allow, n.dialled, test.why)
			}
			if cs := g.Connections(); len(cs) != 1 || cs[0].Allowed || cs[0].Count != 1 || cs[0].Reason == "" {
				t.Errorf("%s: account %+v, want one refusal with a reason", test.address, cs)
			}
			continue
		}
		if err != nil || len(n.dialled) != 1 || n.dialled[0] != test.dialled {
			t.Errorf("%s with %v: dialled %v, %v; want %s: %s", test.address, test.allow, n.dialled, err, test.dialled, test.why)
			continue
		}
		conn.Close()
	}
}

func TestGuardAsksNoResolverForUnnamedHosts(t *testing.T) {
	n := &network{}
	g := n.guard([]string{"sis.example"}, false)
	if _, err := g.DialContext(t.Context(), "tcp", "secret.elsewhere.example:443"); err == nil || !strings.Contains(harness.HintOf(err), "allow: [secret.elsewhere.example]") {
		t.Errorf("err %v, hint %q; want a refusal that names the line to add", err, harness.HintOf(err))
	}
	if len(n.asked) != 0 {
		t.Errorf("the resolver was asked for %v", n.asked)
	}
}

func TestGuardWithstandsAResolverThatChangesItsMind(t *testing.T) {
	n := &network{}
	g := n.guard([]string{"flip.example"}, true)
	asked := 0
	g.lookup = func(context.Context, string) ([]netip.Addr, error) {
		if asked++; asked%2 == 0 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
	}
	for range 100 {
		if conn, err := g.DialContext(t.Context(), "tcp", "flip.example:80"); err == nil {
			conn.Close()
		}
	}
	for _, address := range n.dialled {
		if address != "192.0.2.7:80" {
			t.Fatalf("dialled %s", address)
		}
	}
	want := []harness.Connection{
		{Address: "flip.example:80", IP: "127.0.0.1", Reason: "a loopback address behind an allowed name", Count: 50},
		{Address: "flip.example:80", IP: "192.0.2.7", Allowed: true, Reason: "named in egress.allow", Count: 50},
	}
	if diff := cmp.Diff(want, g.Connections()); diff != "" {
		t.Error(diff)
	}
}

func TestGuardHoldsBackWritesOutsideOfLoopback(t *testing.T) {
	tests := []struct {
		method, url string
		writes      bool
		refused     bool
		why         string
	}{
		{"GET", "http://sis.example/", false, false, "reading"},
		{"HEAD", "http://sis.example/", false, false, "reading"},
		{"OPTIONS", "http://sis.example/", false, false, "reading"},
		{"POST", "http://sis.example/", false, true, "writing"},
		{"PUT", "http://sis.example/", false, true, "writing"},
		{"PATCH", "http://sis.example/", false, true, "writing"},
		{"DELETE", "http://sis.example/", false, true, "writing"},
		{"PROPFIND", "http://sis.example/", false, true, "unknown methods count as writing"},
		{"get", "http://sis.example/", false, true, "methods have a case; this one is unknown"},
		{"POST", "http://sis.example/", true, false, "the scenario lets writes out"},
		{"POST", "http://127.0.0.1:1/", false, false, "loopback"},
	}
	for _, test := range tests {
		n := &network{names: map[string][]string{"sis.example": {"192.0.2.7"}}}
		rt := n.guard([]string{"sis.example"}, test.writes).RoundTripper()
		request, _ := http.NewRequest(test.method, test.url, nil)
		_, err := rt.RoundTrip(request) // never answered: the network hangs up
		if refused := harness.ClassOf(err) == harness.ClassRefused; refused != test.refused || refused != (len(n.dialled) == 0) {
			t.Errorf("%s %s writes=%v: err %v, dialled %v; want refused=%v: %s", test.method, test.url, test.writes, err, n.dialled, test.refused, test.why)
		}
	}
}

func TestWritesDoNotReuseTheConnectionsOfReads(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer server.Close()
	var marks []bool
	rt := NewRoundTripper(func(ctx context.Context, network, address string) (net.Conn, error) {
		marked, _ := ctx.Value(forWriting{}).(bool)
		marks = append(marks, marked)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
	defer rt.CloseIdleConnections()
	for _, method := range []string{"GET", "GET", "POST", "GET", "POST"} {
		request, _ := http.NewRequest(method, server.URL, nil)
		response, err := rt.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if diff := cmp.Diff([]bool{false, true}, marks); diff != "" {
		t.Errorf("connections marked for writing: %s", diff)
	}
}

func TestGuardIgnoresTheProxyOfTheEnvironmentAndRedirects(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://elsewhere.example/", http.StatusTemporaryRedirect))
	defer server.Close()
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:3128")
	g := NewGuard(GuardOptions{})
	rt := g.RoundTripper()
	defer rt.CloseIdleConnections()
	request, _ := http.NewRequest("GET", server.URL, nil)
	response, err := rt.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusTemporaryRedirect || len(g.Connections()) != 1 {
		t.Errorf("status %d, connections %v; want the redirect itself", response.StatusCode, g.Connections())
	}
	if g.Transport().Proxy != nil || !g.Transport().DisableCompression {
		t.Error("the transport uses a proxy or unpacks")
	}
}

func TestGuardBoundsItsAccount(t *testing.T) {
	g := NewGuard(GuardOptions{})
	for i := range maxConnections + 10 {
		g.count(harness.Connection{Address: harness.SequenceID(i)})
	}
	cs := g.Connections()
	if len(cs) != maxConnections+1 || cs[0].Address != otherAddresses || cs[0].Count != 10 {
		t.Errorf("%d entries, first %+v", len(cs), cs[0])
	}
}

func TestGuardTriesTheNextAddress(t *testing.T) {
	n := &network{names: map[string][]string{"sis.example": {"192.0.2.7", "192.0.2.8"}}}
	g := n.guard([]string{"sis.example"}, false)
	down := errors.New("down")
	dial := g.dial
	g.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "192.0.2.7:80" {
			return nil, down
		}
		return dial(ctx, network, address)
	}
	conn, err := g.DialContext(t.Context(), "tcp", "sis.example:80")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if len(g.Connections()) != 2 {
		t.Errorf("both attempts are counted, got %v", g.Connections())
	}
}
