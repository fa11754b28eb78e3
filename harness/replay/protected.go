package replay

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Protected is a host that a run must not reach by accident: where the recording was made, or a production system. Its
// name in egress.allow is not enough, because that line outlives the day on which it was meant.
type Protected struct {
	Host       string // without port
	System     string // that answers there
	Production bool   // never receives a request that may change something, confirmed or not
	Confirmed  bool   // a person typed the name of this host for this run
}

// what says in words what the host is.
func (p Protected) what() string {
	if p.Production {
		return p.Host + ", production of " + p.System
	}
	return p.Host + ", where the recording " + of(p.System) + "was made"
}

func of(system string) string {
	if system == "" {
		return ""
	}
	return "of " + system + " "
}

// protection is the protected hosts by their canonical names, and by the addresses behind them once a connection that
// leaves loopback asks for these.
type protection struct {
	hosts     map[string]Protected
	addresses func(ctx context.Context) map[netip.Addr]Protected
}

func newProtection(list []Protected, lookup func(context.Context, string) ([]netip.Addr, error)) protection {
	p := protection{hosts: map[string]Protected{}}
	for _, one := range list {
		p.hosts[canonicalHost(one.Host)] = one
	}
	var once sync.Once
	var found map[netip.Addr]Protected
	p.addresses = func(ctx context.Context) map[netip.Addr]Protected {
		once.Do(func() { found = addressesOf(ctx, p.hosts, lookup) })
		return found
	}
	return p
}

// addressesOf asks the resolver for each protected name. A name that nobody knows has no address that could be reached.
func addressesOf(ctx context.Context, hosts map[string]Protected, lookup func(context.Context, string) ([]netip.Addr, error)) map[netip.Addr]Protected {
	found := map[netip.Addr]Protected{}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		ips, _ := lookup(ctx, name)
		if literal, err := netip.ParseAddr(name); err == nil {
			ips = []netip.Addr{literal}
		}
		for _, ip := range ips {
			found[plain(ip)] = hosts[name]
		}
	}
	return found
}

// checkName refuses what is no name of a host, and a protected host by its name, before any resolver is asked.
func (g *Guard) checkName(ctx context.Context, asked destination) error {
	if _, err := netip.ParseAddr(asked.name); err != nil && !isHostName(asked.name) {
		return g.refuse(asked.address, "", "not a name of a host", "write a name such as sis-test.example, or an address")
	}
	if one, ok := g.protected.hosts[asked.name]; ok && !asked.in(g.test) {
		return g.spare(ctx, one, asked, "", "")
	}
	return nil
}

// checkAddresses refuses a connection that ends at a protected host under another name or by its address.
func (g *Guard) checkAddresses(ctx context.Context, asked destination, ips []netip.Addr) error {
	if len(g.protected.hosts) == 0 || asked.in(g.test) || !slices.ContainsFunc(ips, func(ip netip.Addr) bool { return !ip.IsLoopback() }) {
		return nil
	}
	if _, err := netip.ParseAddr(asked.name); err != nil {
		other, err := g.alias(ctx, asked.name)
		if one, ok := g.protected.hosts[canonicalHost(other)]; ok && err == nil {
			return g.spare(ctx, one, asked, "", "another name for ")
		}
	}
	for _, ip := range ips {
		if one, ok := g.protected.addresses(ctx)[plain(ip)]; ok {
			return g.spare(ctx, one, asked, ip.String(), "the address of ")
		}
	}
	return nil
}

// spare refuses the connection unless a person confirmed the host, and what may write to production in any case.
func (g *Guard) spare(ctx context.Context, one Protected, asked destination, ip, how string) error {
	writing, _ := ctx.Value(forWriting{}).(bool)
	if one.Production && writing {
		return g.refuse(asked.address, ip, "a request that may change something, to "+how+one.what(), "rehearse such requests against a test instance; production never gets one")
	}
	if one.Confirmed {
		return nil
	}
	return g.refuse(asked.address, ip, how+one.what(), fmt.Sprintf("name a test instance; if this one is, write %s under test-hosts of its system in the catalogue; "+
		"if you mean the real one, type its name for this run: --confirm-origin %s", asked.name, one.Host))
}

// ProtectedHosts returns what of a run's world is protected: every host where an exchange of the recording was made, and
// every host of a system that the catalogue marks as production. Hosts on loopback are free, and so are those that the
// catalogue knows as test instances. Confirmed are the hosts that a person typed for this run; one that nothing protects
// is an error, because it is a slip of the hand.
func ProtectedHosts(rec harness.Recording, systems map[string]harness.System, confirmed []string) ([]Protected, error) {
	found := map[string]Protected{}
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		for _, host := range systems[name].Hosts {
			if entry := withoutPort(canonicalEntry(host)); systems[name].Production {
				found[entry] = Protected{Host: entry, System: name, Production: true}
			}
		}
	}
	test := canonicalSet(TestHosts(systems))
	add := func(host, system string) {
		entry := canonicalEntry(host)
		name := withoutPort(entry)
		if _, known := found[name]; !known && name != "" && !test[entry] && !test[name] && !isLoopback(name) {
			found[name] = Protected{Host: name, System: system}
		}
	}
	for _, host := range rec.Manifest().Hosts {
		add(host, systemOf(host, systems))
	}
	seen := map[string]bool{}
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, fmt.Errorf("read hosts of the recording: %w", err)
		}
		if host := hostOf(&x); !seen[host] {
			seen[host] = true
			add(host, x.To)
		}
	}
	return confirm(found, confirmed)
}

// systemOf is the system that the catalogue knows at the host; empty: none.
func systemOf(host string, systems map[string]harness.System) string {
	name := withoutPort(canonicalEntry(host))
	for _, system := range slices.Sorted(maps.Keys(systems)) {
		for _, known := range systems[system].Hosts {
			if withoutPort(canonicalEntry(known)) == name {
				return system
			}
		}
	}
	return ""
}

// TestHosts is every host that the catalogue knows as a test instance.
func TestHosts(systems map[string]harness.System) []string {
	var all []string
	for _, s := range systems {
		all = append(all, s.TestHosts...)
	}
	return all
}

// confirm marks the hosts that a person typed.
func confirm(found map[string]Protected, typed []string) ([]Protected, error) {
	protected := slices.Sorted(maps.Keys(found))
	for _, host := range typed {
		one, ok := found[canonicalHost(host)]
		if !ok {
			return nil, harness.Usage(fmt.Errorf("confirm origin %q: nothing protects this host", host), "protected are: "+strings.Join(protected, ", "))
		}
		one.Confirmed = true
		found[canonicalHost(host)] = one
	}
	list := make([]Protected, len(protected))
	for i, name := range protected {
		list[i] = found[name]
	}
	return list, nil
}

// hostOf is the host that an exchange was sent to, as it was recorded; empty when nothing tells.
func hostOf(x *harness.Exchange) string {
	if x.Channel != harness.ChannelHTTP {
		return ""
	}
	if u, err := url.Parse(x.Request.Head.Get(harness.FieldPath)); err == nil && u.Host != "" {
		return u.Host
	}
	return cmp.Or(x.Request.Head.Get(":authority"), x.Request.Head.Get("Host"))
}
