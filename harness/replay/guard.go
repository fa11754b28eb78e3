package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxConnections bounds the distinct entries of the account; a target that tries more is counted under otherAddresses.
const (
	maxConnections = 4096
	otherAddresses = "(further addresses)"
)

// dialTimeout bounds one attempt to reach one address.
const dialTimeout = 10 * time.Second

// Guard decides what a run may connect to, and counts every attempt. Loopback addresses and the name localhost are
// open; every other host must be named. A name is resolved once, each of its addresses is checked, and a checked
// address is dialled, so that a resolver which changes its mind gains nothing. A host that is not named is refused
// without asking a resolver: the question would leave the machine too.
//
// Link-local, metadata, multicast and unspecified addresses are refused also behind an allowed name, unless the
// address itself is named. A Guard is safe for concurrent use.
type Guard struct {
	allow     map[string]bool // canonical host, or host:port
	test      map[string]bool // the same, of test instances
	writes    bool
	protected protection

	// The network, replaced in tests. alias is the name that a host is another name for.
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	alias  func(ctx context.Context, host string) (string, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)

	mu       sync.Mutex
	attempts map[harness.Connection]int // Count is zero in the keys
}

// GuardOptions say what a Guard opens beside loopback. Hosts are written as host or host:port.
type GuardOptions struct {
	Allow     []string    // what may be reached
	Writes    bool        // requests other than GET, HEAD and OPTIONS may leave loopback: see [Guard.RoundTripper]
	Protected []Protected // what is not reached although it is named, unless a person confirmed it
	Test      []string    // test instances, which nothing protects: not their names, not their addresses
}

// NewGuard returns a guard that opens loopback and the allowed hosts.
func NewGuard(o GuardOptions) *Guard {
	g := &Guard{
		allow:    canonicalSet(o.Allow),
		test:     canonicalSet(o.Test),
		writes:   o.Writes,
		dial:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
		attempts: map[harness.Connection]int{},
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		alias: net.DefaultResolver.LookupCNAME,
	}
	g.protected = newProtection(o.Protected, func(ctx context.Context, host string) ([]netip.Addr, error) { return g.lookup(ctx, host) })
	return g
}

func canonicalSet(entries []string) map[string]bool {
	set := map[string]bool{}
	for _, e := range entries {
		set[canonicalEntry(e)] = true
	}
	return set
}

type forWriting struct{}

// ForWriting marks a context: the connection that is dialled with it may carry requests that change something. The
// guard refuses it outside of loopback unless writes are allowed.
func ForWriting(ctx context.Context) context.Context {
	return context.WithValue(ctx, forWriting{}, true)
}

// DialContext connects to host:port when the guard allows it. A refusal is a Problem of ClassRefused whose hint names
// the line of the scenario that would allow the host.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") {
		return nil, g.refuse(address, "", "only host:port over TCP can be reached", "")
	}
	asked := destination{address: address, name: canonicalHost(host), port: port}
	if err := g.checkName(ctx, asked); err != nil {
		return nil, err
	}
	ips, reason, err := g.resolve(ctx, asked)
	if err != nil {
		return nil, err
	}
	if err := g.checkWrites(ctx, address, ips); err != nil {
		return nil, err
	}
	if err := g.checkAddresses(ctx, asked, ips); err != nil {
		return nil, err
	}
	var causes []error
	for _, ip := range ips {
		g.count(harness.Connection{Address: address, IP: ip.String(), Allowed: true, Reason: reason})
		conn, err := g.dial(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		causes = append(causes, err)
	}
	return nil, errors.Join(causes...)
}

// Foresee says what [Guard.DialContext] would say, as far as it can be said without asking a resolver: nil, or the
// refusal. Nothing is connected to and nothing counted.
func (g *Guard) Foresee(address string, writing bool) error {
	ctx := context.Background()
	if writing {
		ctx = ForWriting(ctx)
	}
	blind := &Guard{allow: g.allow, test: g.test, writes: g.writes, protected: g.protected, attempts: map[harness.Connection]int{}}
	blind.lookup = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{somewhere}, nil }
	blind.alias = func(context.Context, string) (string, error) { return "", nil }
	blind.protected.addresses = func(context.Context) map[netip.Addr]Protected { return addressesOf(ctx, g.protected.hosts, unasked) }
	blind.dial = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	_, err := blind.DialContext(ctx, "tcp", address)
	return err
}

// somewhere stands for the address of a name that no resolver was asked for: one of those that stand in documents only.
var somewhere = netip.MustParseAddr("203.0.113.0")

func unasked(context.Context, string) ([]netip.Addr, error) { return nil, nil }

// destination is what somebody asked to be connected to.
type destination struct {
	address string // as asked for
	name    string // canonical host
	port    string
}

// in reports whether the host, or the host with the port, is in the set of canonical entries.
func (d destination) in(set map[string]bool) bool {
	return set[d.name] || set[net.JoinHostPort(d.name, d.port)]
}

// resolve returns the addresses that may be dialled for the host, all of them checked, and the rule that allows them.
func (g *Guard) resolve(ctx context.Context, asked destination) ([]netip.Addr, string, error) {
	if ip, err := netip.ParseAddr(asked.name); err == nil {
		return g.literal(ip.Unmap(), asked)
	}
	switch {
	case isLoopback(asked.name):
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, reasonLoopback, nil
	case looksLikeAddress(asked.name):
		return nil, "", g.refuse(asked.address, "", "an address in an unusual spelling", "write the address with four decimal numbers")
	case !asked.in(g.allow):
		return nil, "", g.refuse(asked.address, "", reasonUnnamed, allowHint(asked.name))
	}
	ips, err := g.lookup(ctx, asked.name)
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no address", Name: asked.name, IsNotFound: true}
	}
	if err != nil {
		g.count(harness.Connection{Address: asked.address, Allowed: true, Reason: reasonNamed})
		return nil, "", err
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap()
		if why := forbidden(ips[i]); why != "" && !(destination{name: ips[i].String(), port: asked.port}).in(g.allow) {
			return nil, "", g.refuse(asked.address, ips[i].String(), why+" behind an allowed name", allowHint(ips[i].String()))
		}
	}
	return ips, reasonNamed, nil
}

// literal decides about an address that was asked for as such.
func (g *Guard) literal(ip netip.Addr, asked destination) ([]netip.Addr, string, error) {
	switch {
	case ip.IsLoopback():
		return []netip.Addr{ip}, reasonLoopback, nil
	case asked.in(g.allow):
		return []netip.Addr{ip}, reasonNamed, nil
	}
	return nil, "", g.refuse(asked.address, ip.String(), cmp.Or(forbidden(ip), reasonUnnamed), allowHint(ip.String()))
}

const (
	reasonLoopback = "loopback"
	reasonNamed    = "named in egress.allow"
	reasonUnnamed  = "not named in egress.allow"
)

func allowHint(host string) string {
	return fmt.Sprintf("if this run may reach it, add to the scenario: egress: {allow: [%s]}", host)
}

func (g *Guard) checkWrites(ctx context.Context, address string, ips []netip.Addr) error {
	if writing, _ := ctx.Value(forWriting{}).(bool); !writing || g.writes {
		return nil
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return g.refuse(address, ip.String(), "a request that may change something, and egress.writes is not allow",
				"if this system may be changed by the run, add to the scenario: egress: {writes: allow}")
		}
	}
	return nil
}

// refuse counts the attempt and returns the error for it.
func (g *Guard) refuse(address, ip, reason, hint string) error {
	g.count(harness.Connection{Address: address, IP: ip, Reason: reason})
	return harness.Refused(fmt.Errorf("connect to %q: %s", address, reason), hint)
}

func (g *Guard) count(c harness.Connection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.attempts[c]; !known && len(g.attempts) >= maxConnections {
		c = harness.Connection{Address: otherAddresses, Allowed: c.Allowed, Reason: c.Reason}
	}
	g.attempts[c]++
}

// Connections returns every attempt so far, sorted by address, IP and reason.
func (g *Guard) Connections() []harness.Connection {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]harness.Connection, 0, len(g.attempts))
	for c, n := range g.attempts {
		c.Count = n
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b harness.Connection) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.IP, b.IP), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

// Transport returns a transport over the guard: no proxy of the environment, and bodies as they cross. It does not
// look at methods; use [Guard.RoundTripper] where requests may write.
func (g *Guard) Transport() *http.Transport { return transport(g.DialContext) }

func transport(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	return &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second}
}

// RoundTripper returns a round tripper that sends requests other than GET, HEAD and OPTIONS outside of loopback only
// when writes are allowed. It never follows redirects.
func (g *Guard) RoundTripper() *RoundTripper { return NewRoundTripper(g.DialContext) }

// RoundTripper is for taps and proxies; recorded requests are fed by a [Sender]. It keeps reading and writing requests on
// separate connections, so that the guard decides about each connection once and a reading connection never carries a
// write. It is safe for concurrent use.
type RoundTripper struct{ reads, writes *http.Transport }

// NewRoundTripper builds on a dial function, which is the one of a [Guard].
func NewRoundTripper(dial func(ctx context.Context, network, address string) (net.Conn, error)) *RoundTripper {
	return &RoundTripper{
		reads: transport(dial),
		writes: transport(func(ctx context.Context, network, address string) (net.Conn, error) {
			return dial(ForWriting(ctx), network, address)
		}),
	}
}

// RoundTrip sends the request over a connection of its class.
func (t *RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if MayChange(r.Method) {
		return t.writes.RoundTrip(r)
	}
	return t.reads.RoundTrip(r)
}

// MayChange reports whether a request with the method may change something where it arrives. Unknown methods may.
func MayChange(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}

// CloseIdleConnections closes what is not in use.
func (t *RoundTripper) CloseIdleConnections() {
	t.reads.CloseIdleConnections()
	t.writes.CloseIdleConnections()
}
