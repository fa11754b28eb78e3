package replay

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// spellings are ways to write one host, 192.0.2.7 by name and by address, most of them meant to slip past a list. Names
// with another meaning are among them, because a reader may not see that.
var spellings = []string{
	"sis.example", "SIS.EXAMPLE", "Sis.Example", "sis.example.", "SIS.example.", "ｓｉｓ.example", "sis。example", "sis．example", "sis｡example",
	"ѕis.example", "sis.examplе", "%73is.example", "sis%2eexample", "user@sis.example", "sis.example@127.0.0.1", "127.0.0.1@sis.example",
	"sis.example#127.0.0.1", "sis.example\\.localhost", "sis.example\x00.localhost", " sis.example", "sis.example ", "\tsis.example", "sis..example", ".sis.example",
	"alias.example", "ALIAS.example.", "twin.example", "192.0.2.7", "192.0.2.7.", "[192.0.2.7]", "::ffff:192.0.2.7", "::ffff:c000:207", "0:0:0:0:0:ffff:c000:0207",
	"3221225991", "0xc0000207", "0300.0.2.7", "192.0.519", "192.519", "0xc0.0.2.7", "192.0.2.07", "192.000.002.007", "64:ff9b::192.0.2.7", "64:ff9b::c000:207",
	"2001:db8::7", "2001:0DB8:0000::0007", "[2001:db8::7]", "2001:db8::7%eth0",
}

func TestEverySpellingOfAProtectedHostIsRefused(t *testing.T) {
	if len(spellings) < 40 {
		t.Fatalf("%d spellings, want 40", len(spellings))
	}
	for _, production := range []bool{true, false} {
		for _, host := range spellings {
			n := &network{
				names:   map[string][]string{"sis.example": {"192.0.2.7", "2001:db8::7"}, "alias.example": {"198.51.100.1"}, "twin.example": {"192.0.2.7"}},
				aliases: map[string]string{"alias.example": "sis.example."},
			}
			g := NewGuard(GuardOptions{
				Allow: append([]string{host}, spellings...), Writes: true, // everything is named: only what protects stands in the way
				Protected: []Protected{{Host: "sis.example", System: "sis", Production: production}},
			})
			n.stand(g)
			conn, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443"))
			if err == nil {
				conn.Close()
			}
			if len(n.dialled) > 0 {
				t.Errorf("%q was dialled: %v", host, n.dialled)
			}
			if cs := g.Connections(); err == nil || len(cs) != 1 {
				t.Errorf("%q: err %v, account %+v; want one entry in the account and no connection", host, err, cs)
			}
		}
	}
}

func TestWhatProtectsAndWhatFrees(t *testing.T) {
	sis := Protected{Host: "sis.example", System: "sis"}
	confirmed := Protected{Host: "sis.example", System: "sis", Confirmed: true}
	production := Protected{Host: "sis.example", System: "sis", Production: true}
	told := Protected{Host: "sis.example", System: "sis", Production: true, Confirmed: true}
	names := map[string][]string{"sis.example": {"192.0.2.7"}, "twin.example": {"192.0.2.7"}, "test.example": {"192.0.2.9"}}
	tests := []struct {
		host      string
		protected Protected
		test      []string
		method    string
		refused   string // part of the error; empty: let through
		why       string
	}{
		{"test.example", sis, nil, "POST", "", "another host with another address"},
		{"sis.example", sis, nil, "GET", "where the recording of sis was made", "reading from the origin is a request that it would not have got"},
		{"sis.example:8443", sis, nil, "GET", "where the recording of sis was made", "a port is no other machine"},
		{"sis.example:8443", sis, []string{"sis.example:8443"}, "GET", "", "unless the catalogue says that the test instance is there"},
		{"sis.example", sis, []string{"sis.example:8443"}, "GET", "where the recording of sis was made", "which says nothing about other ports"},
		{"sis.example", sis, []string{"sis.example"}, "POST", "", "the recording was made at a test instance"},
		{"twin.example", sis, nil, "GET", "the address of sis.example", "two names, one address"},
		{"twin.example", sis, []string{"twin.example"}, "GET", "", "a test instance behind the same load balancer"},
		{"192.0.2.7", sis, nil, "GET", "the address of sis.example", "the address instead of the name"},
		{"sis.example", confirmed, nil, "POST", "", "a person typed the name"},
		{"twin.example", confirmed, nil, "GET", "", "also for its other name"},
		{"sis.example", production, nil, "GET", "production of sis", "production is not read by accident"},
		{"sis.example", told, nil, "GET", "", "but on purpose"},
		{"sis.example", told, nil, "POST", "a request that may change something", "and never written to"},
		{"twin.example", told, nil, "DELETE", "a request that may change something", "under no name"},
	}
	for _, test := range tests {
		n := &network{names: names}
		g := NewGuard(GuardOptions{Allow: []string{"sis.example", "twin.example", "test.example", "192.0.2.7"}, Writes: true, Protected: []Protected{test.protected}, Test: test.test})
		n.stand(g)
		request, _ := http.NewRequest(test.method, "http://"+test.host+"/", nil)
		_, err := g.RoundTripper().RoundTrip(request) // never answered: the network hangs up
		refused := harness.ClassOf(err) == harness.ClassRefused
		if refused != (test.refused != "") || refused && !strings.Contains(err.Error(), test.refused) || refused == (len(n.dialled) > 0) {
			t.Errorf("%s %s: err %v, dialled %v; want refused %q: %s", test.method, test.host, err, n.dialled, test.refused, test.why)
		}
		if refused && !strings.Contains(harness.HintOf(err), "test instance") {
			t.Errorf("%s: hint %q says nothing about a test instance", test.host, harness.HintOf(err))
		}
	}
}

func TestTheResolverIsNotAskedForProtectedNamesOnLoopback(t *testing.T) {
	n := &network{names: map[string][]string{"sis.example": {"192.0.2.7"}}}
	g := NewGuard(GuardOptions{Protected: []Protected{{Host: "sis.example", System: "sis"}}})
	n.stand(g)
	conn, err := g.DialContext(t.Context(), "tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if len(n.asked) > 0 {
		t.Errorf("the resolver was asked for %v", n.asked)
	}
}

func TestAProtectedNameThatMovesIsStillRefused(t *testing.T) {
	n := &network{}
	g := NewGuard(GuardOptions{Allow: []string{"flip.example"}, Writes: true, Protected: []Protected{{Host: "sis.example", System: "sis"}}})
	n.stand(g)
	asked := 0
	g.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "sis.example" {
			return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
		}
		if asked++; asked%2 == 0 {
			return []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("192.0.2.7")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.9")}, nil
	}
	for range 100 {
		if conn, err := g.DialContext(t.Context(), "tcp", "flip.example:80"); err == nil {
			conn.Close()
		}
	}
	if len(n.dialled) != 50 {
		t.Errorf("%d connections, want the 50 of answers without the protected address", len(n.dialled))
	}
	for _, address := range n.dialled {
		if address != "192.0.2.9:80" {
			t.Fatalf("dialled %s", address)
		}
	}
}

// A redirect to a protected host is an answer like any other; whoever follows it meets the guard again.
func TestARedirectToAProtectedHostLeadsNowhere(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://sis.example/", http.StatusTemporaryRedirect))
	defer server.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://sis.example:3128")
	}
	g := NewGuard(GuardOptions{Allow: []string{"sis.example"}, Writes: true, Protected: []Protected{{Host: "sis.example", System: "sis"}}})
	lookups := 0
	g.lookup = func(context.Context, string) ([]netip.Addr, error) { lookups++; return nil, nil }
	client := &http.Client{Transport: g.RoundTripper()}
	defer client.CloseIdleConnections()
	_, err := client.Get(server.URL)
	if harness.ClassOf(err) != harness.ClassRefused {
		t.Errorf("err %v, want a refusal", err)
	}
	want := []bool{true, false}
	var got []bool
	for _, c := range g.Connections() {
		got = append(got, c.Allowed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the server of the test and the refused host, in the account: %s", diff)
	}
}

func TestProtectedHosts(t *testing.T) {
	call := func(to string, head ...string) harness.Exchange {
		x := harness.Exchange{Channel: harness.ChannelHTTP, From: "hubline", To: to, Request: harness.Message{Head: harness.Head{{Name: ":path", Value: "/"}}}}
		for i := 0; i < len(head); i += 2 {
			x.Request.Head = append(x.Request.Head, harness.Field{Name: head[i], Value: head[i+1]})
		}
		return x
	}
	absolute := call("lms", "Host", "other.example")
	absolute.Request.Head[0].Value = "https://LMS.example/users"
	dropped := harness.Exchange{Channel: harness.ChannelFile, From: "sis", To: "hubline", Request: harness.Message{Head: harness.Head{{Name: "Host", Value: "no.example"}}}}
	rec := harness.NewMemory(harness.Manifest{},
		call("sis", "Host", "sis.example:8443"), call("sis", "Host", "sis.example"), call("crm", ":authority", "crm.example"), absolute, dropped,
		call("fin", "Host", "127.0.0.1:9000"), call("fin", "Host", "localhost"), call("fin", "Host", "fin-test.example"), call("fin"))
	systems := map[string]harness.System{
		"bank": {Production: true, Hosts: []string{"Bank.example", "bank.example:22"}},
		"hr":   {Hosts: []string{"hr.example"}}, "fin": {TestHosts: []string{"fin-test.example"}},
	}
	got, err := ProtectedHosts(rec, systems, []string{"SIS.example."})
	if err != nil {
		t.Fatal(err)
	}
	want := []Protected{
		{Host: "bank.example", System: "bank", Production: true}, {Host: "crm.example", System: "crm"}, {Host: "lms.example", System: "lms"},
		{Host: "sis.example", System: "sis", Confirmed: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ProtectedHosts(rec, systems, []string{"sys.example"}); harness.ClassOf(err) != harness.ClassUsage || !strings.Contains(harness.HintOf(err), "crm.example") {
		t.Errorf("a slip of the hand: err %v, hint %q; want the names that are protected", err, harness.HintOf(err))
	}
}
