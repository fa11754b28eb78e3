package httptap

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// guard dials for a forward proxy. Whoever reaches the proxy must not reach what only this machine reaches: the addresses
// behind a name are checked after it is resolved, and the checked address is dialled.
type guard struct {
	proxy *Proxy
	own   func() []netip.AddrPort // where the proxy itself listens
}

// forbiddenError is an address that the proxy does not dial.
type forbiddenError struct {
	host string
	addr netip.Addr
	why  string
}

func (e *forbiddenError) Error() string {
	return fmt.Sprintf("%s is %s, %s; name it with --allow if it is meant", e.host, e.addr, e.why)
}

// Addresses that look public and are none.
var (
	metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}
	nat64    = netip.MustParsePrefix("64:ff9b::/96")
)

// forbidden says why an address is not dialled, or nothing.
func forbidden(a netip.Addr) string {
	if nat64.Contains(a) { // RFC 6052: an IPv4 address in the last four bytes
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case a.IsLoopback(), a.IsUnspecified(), a.Is4() && a.As4()[0] == 0:
		return "this machine"
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsMulticast(), a.IsInterfaceLocalMulticast():
		return "an address of the link, where machines get their secrets"
	case slices.Contains(metadata, a):
		return "where machines get their secrets"
	}
	return ""
}

// allowed reports whether the host was named although it is on this machine.
func (g *guard) allowed(host string) bool {
	local := func(pattern string) bool {
		a, err := netip.ParseAddr(pattern)
		return pattern == "localhost" || err == nil && forbidden(a.Unmap()) != ""
	}
	for _, pattern := range g.proxy.Hosts {
		if local(pattern) && matchHost(pattern, host) {
			return true
		}
	}
	return slices.ContainsFunc(g.proxy.Allow, func(pattern string) bool { return matchHost(pattern, host) })
}

// addresses are those of the host that may be dialled. When one of them must not be, none is.
func (g *guard) addresses(ctx context.Context, host, port string) ([]netip.Addr, error) {
	found, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("dial %s: port %q is no number", host, port)
	}
	for _, a := range found {
		if slices.ContainsFunc(g.own(), func(o netip.AddrPort) bool {
			return uint64(o.Port()) == number && (o.Addr() == a || a.IsUnspecified() || o.Addr().IsUnspecified() && isLocal(a))
		}) {
			return nil, &forbiddenError{host, a, "the proxy itself"}
		}
		if why := forbidden(a); why != "" && !g.allowed(host) {
			return nil, &forbiddenError{host, a, why}
		}
	}
	return found, nil
}

// isLocal reports whether an address is one of this machine.
func isLocal(a netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(addrs, func(have net.Addr) bool {
		p, err := netip.ParsePrefix(have.String())
		return err == nil && p.Addr().Unmap() == a
	})
}

func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap().WithZone("")}, nil
	}
	lookup := g.proxy.Resolve
	if lookup == nil {
		lookup = net.DefaultResolver.LookupIPAddr
	}
	found, err := lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, 0, len(found))
	for _, ip := range found {
		if a, ok := netip.AddrFromSlice(ip.IP); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

// dial connects to the first address that answers, of those that were checked.
func (g *guard) dial(ctx context.Context, network, authority string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		return nil, err
	}
	addrs, err := g.addresses(ctx, host, port)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout / time.Duration(len(addrs)), KeepAlive: keepAlive}
	for _, a := range addrs {
		var c net.Conn
		if c, err = dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}
