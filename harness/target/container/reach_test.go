package container

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness"
)

var errUnreachable = errors.New("no route to host")

// elsewhere makes options under which the daemon looks as if it ran on another machine, and the addresses for which
// unreachable is true as if nothing led there.
func elsewhere(unreachable func(host string) bool) Options {
	return Options{
		listen: func(string, string) (net.Listener, error) { return nil, errUnreachable },
		dial: func(ctx context.Context, kind, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); unreachable(host) {
				return nil, errUnreachable
			}
			return new(net.Dialer).DialContext(ctx, kind, address)
		},
	}
}

func TestWaysStandInTheOrderOfPreference(t *testing.T) {
	gateway, own := netip.MustParseAddr("172.31.0.1"), netip.MustParseAddr("172.30.0.2")
	bound := func(ip, port string) network.PortBinding {
		b := network.PortBinding{HostPort: port}
		if ip != "" {
			b.HostIP = netip.MustParseAddr(ip)
		}
		return b
	}
	for _, tt := range []struct {
		why      string
		apart    bool
		bindings []network.PortBinding
		own      netip.Addr
		want     string
	}{
		{"this machine is in the network", false, nil, own, "172.30.0.2:8080 (its own address)"},
		{"published on loopback", true, []network.PortBinding{bound("127.0.0.1", "4001")}, own, "127.0.0.1:4001 (its port published on loopback), 172.30.0.2:8080 (its own address)"},
		{"published on both, told in any order, with ports of their own", true, []network.PortBinding{bound("172.31.0.1", "4002"), bound("127.0.0.1", "4001")}, own,
			"127.0.0.1:4001 (its port published on loopback), 172.31.0.1:4002 (its port published on the gateway), 172.30.0.2:8080 (its own address)"},
		{"an engine that publishes everywhere", true, []network.PortBinding{bound("0.0.0.0", "4003")}, netip.Addr{}, "127.0.0.1:4003 (its port published on loopback), 172.31.0.1:4003 (its port published on the gateway)"},
		{"an engine that does not say where", true, []network.PortBinding{bound("", "4004")}, netip.Addr{}, "127.0.0.1:4004 (its port published on loopback), 172.31.0.1:4004 (its port published on the gateway)"},
		{"nothing was published", true, nil, own, "172.30.0.2:8080 (its own address)"},
		{"it has ended", true, nil, netip.Addr{}, ""},
	} {
		n := &Network{name: "net"}
		if tt.apart {
			n.published = &publishing{gateway: gateway}
		}
		settings := &container.NetworkSettings{Ports: network.PortMap{tcp(8080): tt.bindings, tcp(9090): {bound("127.0.0.1", "4999")}}, Networks: map[string]*network.EndpointSettings{"net": {IPAddress: tt.own}}}
		var all []string
		for _, w := range n.ways(settings, 8080) {
			all = append(all, w.address+" ("+w.words+")")
		}
		if got := strings.Join(all, ", "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.why, got, tt.want)
		}
	}
}

// listenerOf serves each connection by handle.
func listenerOf(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handle(conn)
		}
	}()
	return l.Addr().String()
}

func TestBestWayIsTheFirstThatTrulyAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "up") }))
	t.Cleanup(server.Close)
	starting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(starting.Close)
	real := strings.TrimPrefix(server.URL, "http://")
	hangsUp := listenerOf(t, func(c net.Conn) { c.Close() })
	greets := listenerOf(t, func(c net.Conn) { io.WriteString(c, "220 ready\r\n") })
	blocked := map[string]bool{"192.0.2.1:1": true, "192.0.2.2:2": true}
	dial := func(ctx context.Context, kind, address string) (net.Conn, error) {
		if blocked[address] {
			return nil, errUnreachable
		}
		return new(net.Dialer).DialContext(ctx, kind, address)
	}
	loop := func(address string) way { return way{address, "loopback", true} }
	gate := func(address string) way { return way{address, "gateway", true} }
	own := func(address string) way { return way{address, "own", false} }
	for _, tt := range []struct {
		why, path string
		ways      []way
		want      string // words of the way, or of the error
	}{
		{"all answer", "/up", []way{loop(real), gate(real), own(real)}, "loopback"},
		{"all answer, without a path", "", []way{loop(real), gate(real), own(real)}, "loopback"},
		{"loopback leads nowhere", "/up", []way{loop("192.0.2.1:1"), gate(real), own(real)}, "gateway"},
		{"only its own address is left", "", []way{loop("192.0.2.1:1"), gate("192.0.2.2:2"), own(real)}, "own"},
		{"a forwarder accepts before the server listens", "", []way{loop(hangsUp), own(real)}, "own"},
		{"the same with a path", "/up", []way{loop(hangsUp), own(real)}, "own"},
		{"a server that greets", "", []way{loop(greets), own(real)}, "loopback"},
		{"a server that is not up yet", "/up", []way{loop(strings.TrimPrefix(starting.URL, "http://"))}, "loopback: get /up: status 503"},
		{"only forwarders accept", "", []way{loop(hangsUp), gate(hangsUp)}, "gateway: connect to " + hangsUp + ": it hangs up at once"},
		{"nothing leads there", "", []way{loop("192.0.2.1:1"), own("192.0.2.2:2")}, "own: no route to host"},
		{"it has no address", "", nil, "it has no address"},
	} {
		taken, err := best(t.Context(), tt.ways, tt.path, dial)
		got := taken.words
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
	}
}

// TestServerThatComesUpWhileItIsAskedIsReachedByTheBestWay lets a forwarder hang up on the first connection only.
func TestServerThatComesUpWhileItIsAskedIsReachedByTheBestWay(t *testing.T) {
	var asked atomic.Int32
	stays := func(c net.Conn) { t.Cleanup(func() { c.Close() }) }
	forwarder := listenerOf(t, func(c net.Conn) {
		if asked.Add(1) == 1 {
			c.Close()
			return
		}
		stays(c)
	})
	listens := listenerOf(t, stays)
	a := answers{ways: []way{{forwarder, "loopback", true}, {listens, "own", false}}, dial: new(net.Dialer).DialContext}
	if err := a.WaitUntilReady(t.Context(), nil); err != nil || a.chosen().words != "loopback" {
		t.Errorf("reached at %q, %v", a.chosen().words, err)
	}
}

func TestServerIsReachedByEachWay(t *testing.T) {
	built(t)
	var n *Network
	inLoopback := func(host string) bool { return host == "127.0.0.1" }
	ways := []struct {
		why         string
		unreachable func(host string) bool
		ready       []*harness.ReadySpec
		want        string
	}{
		{"loopback", func(string) bool { return false }, []*harness.ReadySpec{nil, {Path: "/up"}, {Log: "^server is up"}}, "its port published on loopback"},
		{"the gateway", inLoopback, []*harness.ReadySpec{nil}, "its port published on the gateway"},
		{"its own address", func(host string) bool { return inLoopback(host) || host == n.published.gateway.String() }, []*harness.ReadySpec{{Path: "/up"}}, "its own address"},
	}
	for _, tt := range ways {
		n = open(t, elsewhere(tt.unreachable))
		n.published.hosts = []netip.Addr{loopback, n.published.gateway} // as in a container
		for _, ready := range tt.ready {
			s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Ready: ready}})
			if err != nil {
				t.Fatalf("%s: %v\nhint: %s", tt.why, err, harness.HintOf(err))
			}
			if got := get(t, s, "/x"); !strings.Contains(got, `"target":"/x"`) || s.taken.words != tt.want || !s.Listens() || !strings.HasSuffix(s.String(), ", reached at "+tt.want) {
				t.Errorf("%s, ready %v: reached at %s (%s), answers %q", tt.why, ready, s.taken.words, s.taken.address, got)
			}
			s.Stop()
		}
	}
	n = open(t, Options{})
	s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage}})
	if err != nil || s.taken.words != "its own address" || n.Apart() != nil || n.published != nil {
		t.Errorf("where this machine is in the network: reached at %s, apart %v, published %v, err %v", s.taken.words, n.Apart(), n.published, err)
	}
}

func TestPublishedPortThatOnlyItsForwarderAcceptsIsNotReady(t *testing.T) {
	built(t)
	n := open(t, elsewhere(func(string) bool { return false }))
	_, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Command: []string{"sleep"}, Wait: harness.Duration(4 * time.Second)}})
	for _, want := range []string{"after 4s still without a connection to port 8080: its port published on loopback: ", "published on loopback: ", "its own address: dial tcp"} {
		if err == nil || harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), want) {
			t.Errorf("err %v, want %q", err, want)
		}
	}
}

func TestPublishedContainerHasNoWayOut(t *testing.T) {
	built(t)
	n := open(t, elsewhere(func(string) bool { return false }))
	s, err := n.Start(t.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, User: "0:0"}})
	if err != nil {
		t.Fatal(err)
	}
	world := outside(t)
	fetch := func(from string) string { return get(t, s, "/fetch?url="+url.QueryEscape(from)) }
	for _, from := range []string{world, "http://192.0.2.80/", "http://www.vendor.example/"} {
		if got := fetch(from); !strings.HasPrefix(got, "Get ") {
			t.Errorf("%s answers %q", from, got)
		}
	}
	found, err := n.docker.api.ContainerInspect(t.Context(), s.ctr.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range found.Container.NetworkSettings.Ports[tcp(8080)] {
		if b.HostIP != loopback && b.HostIP != n.published.gateway {
			t.Errorf("published on %s", b.HostIP)
		}
	}
	if drop := found.Container.HostConfig.CapDrop; len(drop) != 1 || strings.TrimPrefix(drop[0], "CAP_") != "NET_RAW" {
		t.Errorf("dropped capabilities %v", drop)
	}
	// What makes the difference is the gateway: with the one of a common network the same container gets there.
	if out, err := exec.Command("docker", "network", "connect", "bridge", s.ctr.GetContainerID()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ways, err := s.find(t.Context()) // its ports are published anew
	if err != nil || len(ways) == 0 {
		t.Fatalf("ways %v, err %v", ways, err)
	}
	if got := get(t, &Server{Address: ways[len(ways)-1].address}, "/fetch?url="+url.QueryEscape(world)); got != "world" {
		t.Errorf("with a way out: %s answers %q", world, got)
	}
}

// outside serves "world" on an address of this machine that the container has no part in, and returns its URL.
func outside(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(open(t, Options{}).gateway.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "world") })}
	go server.Serve(l) //nolint:errcheck // ends with the test
	t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String() + "/"
}

func TestDaemonThatWouldLetContainersOutIsRefused(t *testing.T) {
	nowhere := netip.MustParseAddr("172.31.0.254")
	p := &publishing{name: "net-published", gateway: netip.MustParseAddr("172.31.0.1"), nowhere: nowhere}
	for _, tt := range []struct {
		why  string
		e    network.EndpointSettings
		open bool
	}{
		{"the gateway that nobody has", network.EndpointSettings{Gateway: nowhere}, false},
		{"no gateway", network.EndpointSettings{}, false},
		{"the gateway of the bridge", network.EndpointSettings{Gateway: p.gateway}, true},
		{"a gateway of IPv6", network.EndpointSettings{Gateway: nowhere, IPv6Gateway: netip.MustParseAddr("fd00::1")}, true},
	} {
		err := p.guards(&container.NetworkSettings{Networks: map[string]*network.EndpointSettings{"net-published": &tt.e}})
		if (err != nil) != tt.open || err != nil && harness.ClassOf(err) != harness.ClassRefused {
			t.Errorf("%s: err %v", tt.why, err)
		}
	}
}

func TestSystemsOfThisMachineAreNotReachedFromElsewhere(t *testing.T) {
	n := open(t, elsewhere(func(string) bool { return false }))
	if _, err := n.Admit([]Entry{{System: "sis", Address: "127.0.0.1:1"}}); harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(err.Error(), "open sis to containers: reach the network") {
		t.Errorf("err %v", err)
	}
	if err := n.Forward("127.0.0.1:1"); err != nil || n.proxy != nil {
		t.Errorf("a proxy: %v, err %v", n.proxy, err)
	}
}

func TestLastAddressOfARange(t *testing.T) {
	for subnet, want := range map[string]string{"172.31.250.0/24": "172.31.250.254", "192.168.144.0/20": "192.168.159.254", "10.1.2.8/29": "10.1.2.14", "172.20.0.0/16": "172.20.255.254"} {
		if got := last(netip.MustParsePrefix(subnet)).String(); got != want {
			t.Errorf("%s: got %s, want %s", subnet, got, want)
		}
	}
}
