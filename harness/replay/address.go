package replay

import (
	"net"
	"net/netip"
	"strings"
)

// named reports whether the host, or the host with the port, is in the list.
func (g *Guard) named(host, port string) bool {
	return g.allow[host] || g.allow[net.JoinHostPort(host, port)]
}

// canonicalEntry brings a host or host:port into the form in which hosts are compared.
func canonicalEntry(entry string) string {
	if host, port, err := net.SplitHostPort(entry); err == nil {
		return net.JoinHostPort(canonicalHost(host), port)
	}
	return canonicalHost(entry)
}

// canonicalHost is lower case without the dot of the root; an address is written in its shortest form.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}

// looksLikeAddress reports whether some resolvers would read the name as a number: its last label is decimal, octal
// or hexadecimal, as in 2130706433 or 0x7f.1.
func looksLikeAddress(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// metadata is where cloud machines are told their credentials.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"),
}

// nat64 is the prefix that carries an IPv4 address in its last four bytes, RFC 6052.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// forbidden says why an address is never dialled for a name; empty when it may be. Loopback is among them: a name that
// turns out to be this machine is how a resolver attacks local services.
func forbidden(ip netip.Addr) string {
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case ip.IsLoopback():
		return "a loopback address"
	case ip.IsLinkLocalUnicast():
		return "a link-local address"
	case ip.IsMulticast():
		return "a multicast address"
	case ip.IsUnspecified():
		return "the unspecified address"
	}
	for _, m := range metadata {
		if ip.WithZone("") == m {
			return "a metadata address"
		}
	}
	return ""
}
