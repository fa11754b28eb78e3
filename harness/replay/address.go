package replay

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// canonicalEntry brings a host or host:port into the form in which hosts are compared.
func canonicalEntry(entry string) string {
	if host, port, err := net.SplitHostPort(entry); err == nil {
		return net.JoinHostPort(canonicalHost(host), port)
	}
	return canonicalHost(entry)
}

// canonicalHost is lower case without the dot of the root, and in ASCII as resolvers are asked; an address is written in
// its shortest form.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return strings.TrimSuffix(ascii, ".")
	}
	return host
}

// withoutPort is the host of host or host:port.
func withoutPort(entry string) string {
	if host, _, err := net.SplitHostPort(entry); err == nil {
		return host
	}
	return entry
}

// isLoopback reports whether the canonical host is this machine, without asking a resolver.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// isHostName reports whether the canonical host is written as resolvers know names: labels of letters, digits, hyphens
// and underscores. Everything else means different hosts to different programs.
func isHostName(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
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

// Prefixes that carry an IPv4 address: in the last four bytes, RFC 6052, and behind the first two, RFC 3056.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// plain is the machine that an address leads to: without zone, and the IPv4 address that it carries.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// forbidden says why an address is never dialled for a name; empty when it may be. Loopback is among them: a name that
// turns out to be this machine is how a resolver attacks local services.
func forbidden(ip netip.Addr) string {
	ip = plain(ip)
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
		if ip == m {
			return "a metadata address"
		}
	}
	return ""
}
