package container

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness"
)

// Options of a network.
type Options struct {
	Run     string   // identity of the run, for labels and names
	Watcher []string // program and arguments that call [Watch]; empty: what a kill leaves is removed by the next Open
	Dir     string   // scratch folder of the run; the key of the door lies in it
	Now     func() time.Time

	listen func(network, address string) (net.Listener, error) // tries whether an address is one of this machine; nil: net.Listen
	dial   dialer                                              // to containers; nil: the network
}

// Network is the network of the containers of a run. It is safe for concurrent use.
type Network struct {
	docker    docker
	options   Options
	name      string
	labels    map[string]string
	gateway   netip.Addr  // where the door listens; invalid: nowhere, see apart
	apart     error       // why this machine has no address in the network; nil: it has one
	published *publishing // nil: every container is reached at its own address
	watcher   *watcher
	door      *door
	resolver  *resolver
	proxy     *relay

	unanswered atomic.Bool // the daemon was asked to make something, and nobody waited for its answer

	mu         sync.Mutex
	containers []*Server
	once       sync.Once
	err        error
}

const networksHint = "docker makes at most about 30 networks; `docker network prune` removes those that nothing uses, `rehearse doctor containers --clean` those of dead runs"

// makeWait is how long the daemon may take to make a container or a network.
const makeWait = 2 * time.Minute

// The networks of this process: how many were opened, which numbers them, and how many are not closed.
var opened, standing atomic.Int64

// Standing reports whether something of this process must be removed before its end.
func Standing() bool { return standing.Load() > 0 }

// Open removes what dead runs have left on this machine, and makes a network. The caller closes it.
func Open(ctx context.Context, o Options) (n *Network, err error) {
	d, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := d.sweep(ctx); err != nil {
		return nil, err
	}
	owner := self()
	name := fmt.Sprintf("rehearse-%s-%d-%d", plain(o.Run), owner.pid, opened.Add(1))
	n = &Network{docker: d, options: o, name: name, labels: owner.labels(o.Run, name)}
	if n.watcher, err = startWatcher(o.Watcher, name); err != nil {
		return nil, err
	}
	standing.Add(1)
	if err := n.make(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// At is the loopback address of a server in the network, when it has one.
func (n *Network) At(name string) (address string, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.containers {
		if s.Name == name && s.Address != "" {
			return s.Address, true
		}
	}
	return "", false
}

// plain keeps what names of networks may hold.
func plain(run string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, run)
}

func (n *Network) make(ctx context.Context) error {
	before, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("list the addresses of this machine: %w", err)
	}
	labels := maps.Clone(n.labels)
	err = n.asked(ctx, func(ctx context.Context) error {
		_, err := n.docker.provider.CreateNetwork(ctx, testcontainers.NetworkRequest{Name: n.name, Internal: true, Driver: "bridge", Labels: labels})
		return err
	})
	if err != nil {
		return harness.CannotRun(fmt.Errorf("make a network: %w", oneLine(err)), networksHint)
	}
	found, err := n.docker.api.NetworkInspect(ctx, n.name, client.NetworkInspectOptions{})
	if err != nil {
		return harness.CannotRun(fmt.Errorf("look at network %s: %w", n.name, err), noDockerHint)
	}
	if n.apart = n.stand(ctx, found.Network.Network, before); n.apart != nil {
		return n.publish(ctx)
	}
	return nil
}

// Apart is why this machine has no address in the network, so that nothing here is reached from the containers, and they
// are reached by ports that are published; nil when it has one.
func (n *Network) Apart() error { return n.apart }

// names is who answers for names that are no host of the run: the resolver, or nobody.
func (n *Network) names() netip.Addr {
	if n.apart != nil {
		return n.published.nowhere
	}
	return n.gateway
}

// stand finds the address of this process in the network: the gateway when the daemon runs on this machine; when this
// process runs in a container of the daemon, that container joins the network. An address that this machine had before the
// network was made is that of another network, of a daemon beside the one that was asked, unless it just changed hands.
func (n *Network) stand(ctx context.Context, made network.Network, before []net.Addr) error {
	var causes []error
	listen := n.options.listen
	if listen == nil {
		listen = net.Listen
	}
	for _, s := range made.IPAM.Config {
		if has(before, s.Gateway) && !bridges(made.ID, s.Gateway) {
			causes = append(causes, fmt.Errorf("%s is an address of another network here", s.Gateway))
			continue
		}
		l, err := listen("tcp", net.JoinHostPort(s.Gateway.String(), "0"))
		if err == nil {
			n.gateway = s.Gateway
			n.resolver = listenResolver(net.IP(s.Gateway.AsSlice()))
			return l.Close()
		}
		causes = append(causes, err)
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	if _, err := n.docker.api.NetworkConnect(ctx, n.name, client.NetworkConnectOptions{Container: host}); err == nil {
		c, err := n.docker.api.ContainerInspect(ctx, host, client.ContainerInspectOptions{})
		if err == nil && c.Container.NetworkSettings != nil && c.Container.NetworkSettings.Networks[n.name] != nil {
			n.gateway = c.Container.NetworkSettings.Networks[n.name].IPAddress
			n.resolver = listenResolver(net.IP(n.gateway.AsSlice()))
			return nil
		}
	}
	return harness.CannotRun(fmt.Errorf("reach the network of the containers: this machine has no address in it: %w", errors.Join(causes...)),
		"run where the Docker daemon runs, or in a container of that daemon; the daemon is at "+n.docker.api.DaemonHost())
}

// bridges reports whether the address is that of the bridge which Docker makes for a network.
func bridges(id string, address netip.Addr) bool {
	i, err := net.InterfaceByName("br-" + id[:min(12, len(id))])
	if err != nil {
		return false
	}
	list, err := i.Addrs()
	return err == nil && has(list, address)
}

// has reports whether the address is among those of this machine.
func has(list []net.Addr, address netip.Addr) bool {
	return slices.ContainsFunc(list, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr() == address
	})
}

// Close removes the containers in the reverse order of their start, the network and the images that were built for it,
// and waits for all of that. What it cannot remove is left to the watcher, and the error says so. It may be called more
// than once.
func (n *Network) Close() error {
	n.once.Do(func() {
		defer standing.Add(-1)
		n.mu.Lock()
		containers := slices.Clone(n.containers)
		n.mu.Unlock()
		for _, c := range slices.Backward(containers) {
			c.Stop()
		}
		if n.door != nil {
			n.door.close()
		}
		if n.proxy != nil {
			n.proxy.close()
		}
		n.resolver.close()
		ctx, cancel := context.WithTimeout(context.Background(), removeWait)
		defer cancel()
		n.leave(ctx)
		n.err = n.docker.clear(ctx, labelNetwork+"="+n.name, n.patience())
		n.docker.close()
		n.watcher.end(n.err)
	})
	return n.err
}

// asked runs a request that makes something. The request goes on when the context ends: only what the daemon has answered
// can be removed for certain. A request that nobody waited for until its end is remembered.
func (n *Network) asked(ctx context.Context, request func(context.Context) error) error {
	answered, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeWait)
	defer cancel()
	err := request(answered)
	if answered.Err() != nil {
		n.unanswered.Store(true)
	}
	return err
}

// patience is how patiently must be looked for what this network holds.
func (n *Network) patience() patience {
	if n.unanswered.Load() {
		return guessing
	}
	return knowing
}

// leave takes the container that this process runs in out of the network. When that fails, so does the removal of the
// network, which tells why.
func (n *Network) leave(ctx context.Context) {
	found, err := n.docker.api.NetworkInspect(ctx, n.name, client.NetworkInspectOptions{})
	if err != nil {
		return
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return
	}
	for id := range found.Network.Containers {
		if strings.HasPrefix(id, host) {
			n.docker.api.NetworkDisconnect(ctx, n.name, client.NetworkDisconnectOptions{Container: id, Force: true}) //nolint:errcheck // see above
		}
	}
}
