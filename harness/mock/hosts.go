package mock

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// hosts tells systems apart by the host names under which they are called.
type hosts struct {
	systems map[string]string // by host, and by host:port where a port was recorded; ambiguous where several systems answer
	several bool              // more than one system answers
	only    string            // the system that was seen first
}

// ambiguous is the system of a host that several systems share. It is no name of one.
const ambiguous = anyone

// learn notes under which host a recorded call reached its system. A system that is named like a host is one.
func (h *hosts) learn(x *harness.Exchange) {
	if h.systems == nil {
		h.systems, h.only = map[string]string{}, x.To
	}
	h.several = h.several || x.To != h.only
	h.add(recordedHost(x.Request.Head), x.To)
	if strings.Contains(x.To, ".") {
		h.add(x.To, x.To)
	}
}

// add binds a host to a system. Addresses of this machine say where a tap was, and nothing about the system.
func (h *hosts) add(host, system string) {
	for _, name := range spellings(host) {
		if isLocal(name) {
			continue
		}
		if known, found := h.systems[name]; found && known != system {
			system = ambiguous
		}
		h.systems[name] = system
	}
}

// name binds a host to a system, whatever was recorded.
func (h *hosts) name(host, system string) {
	if h.systems == nil {
		h.systems = map[string]string{}
	}
	h.systems[strings.ToLower(host)] = system
}

// of is the system that a live call is for: by its host, else by the name that the client asked TLS for; empty when
// neither is known.
func (h *hosts) of(r *http.Request) string {
	if len(h.systems) == 0 {
		return ""
	}
	asked := []string{r.Host}
	if r.TLS != nil {
		asked = append(asked, r.TLS.ServerName)
	}
	for _, host := range asked {
		for _, name := range spellings(host) {
			if system := h.systems[name]; system != "" && system != ambiguous {
				return system
			}
		}
	}
	return ""
}

// spellings are the names under which a host is looked up: with its port first, then without.
func spellings(host string) []string {
	host = strings.ToLower(host)
	if host == "" {
		return nil
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return []string{strings.TrimSuffix(host, ".")}
	}
	return []string{host, strings.TrimSuffix(name, ".")}
}

func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// recordedHost is where a recorded request went: its :authority, its Host, or the host of an absolute target.
func recordedHost(head harness.Head) string {
	for _, name := range []string{":authority", "Host"} {
		if v := head.Get(name); v != "" {
			return v
		}
	}
	if u, err := url.Parse(head.Get(harness.FieldPath)); err == nil {
		return u.Host
	}
	return ""
}

// Hosts are the host names under which calls reach a system of their own, with the system. Calls under any other name, such
// as the address that the mock listens on, are answered from all systems.
func (m *Mock) Hosts() map[string]string {
	named := maps.Clone(m.hosts.systems)
	maps.DeleteFunc(named, func(_, system string) bool { return system == ambiguous })
	return named
}

// Systems are the names of the systems whose calls are answered, sorted.
func (m *Mock) Systems() []string {
	seen := map[string]bool{}
	for i := range m.exchanges {
		seen[m.exchanges[i].To] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
