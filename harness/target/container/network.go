package container

import (
	"context"
	"errors"
	"fmt"
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
}

// Network is the network of the containers of a run. It is safe for concurrent use.
type Network struct {
	docker   docker
	options  Options
	name     string
	labels   map[string]string
	gateway  netip.Addr // where the door listens
	watcher  *watcher
	door     *door
	resolver *resolver
	proxy    *relay

	mu         sync.Mutex
	containers []*Server
	images     []string // built for this run
	once       sync.Once
	err        error
}

// opened numbers the networks of this process.
var opened atomic.Int64

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
	if err := n.make(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
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
	labels := map[string]string{}
	for k, v := range n.labels {
		labels[k] = v
	}
	if _, err := n.docker.provider.CreateNetwork(ctx, testcontainers.NetworkRequest{Name: n.name, Internal: true, Driver: "bridge", Labels: labels}); err != nil {
		return harness.CannotRun(fmt.Errorf("make a network: %w", err),
			"docker makes at most about 30 networks; `docker network prune` removes those that nothing uses, `rehearse doctor containers --clean` those of dead runs")
	}
	found, err := n.docker.api.NetworkInspect(ctx, n.name, client.NetworkInspectOptions{})
	if err != nil {
		return harness.CannotRun(fmt.Errorf("look at network %s: %w", n.name, err), noDockerHint)
	}
	return n.stand(ctx, found.Network.IPAM.Config)
}

// stand finds the address of this process in the network: the gateway when the daemon runs on this machine; when this
// process runs in a container of the daemon, that container joins the network.
func (n *Network) stand(ctx context.Context, subnets []network.IPAMConfig) error {
	var causes []error
	for _, s := range subnets {
		l, err := net.Listen("tcp", net.JoinHostPort(s.Gateway.String(), "0"))
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

// Close removes the containers in the reverse order of their start, the network and the images that were built for it,
// and waits for all of that. It may be called more than once.
func (n *Network) Close() error {
	n.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), removeWait)
		defer cancel()
		n.mu.Lock()
		containers := slices.Clone(n.containers)
		n.mu.Unlock()
		var errs []error
		for _, c := range slices.Backward(containers) {
			errs = append(errs, c.Stop())
		}
		if n.door != nil {
			n.door.close()
		}
		if n.proxy != nil {
			n.proxy.close()
		}
		n.resolver.close()
		errs = append(errs, n.leave(ctx))
		left, err := n.docker.made(ctx, labelNetwork+"="+n.name)
		errs = append(errs, err, n.docker.remove(ctx, left))
		n.docker.close()
		n.watcher.end()
		n.err = errors.Join(errs...)
	})
	return n.err
}

// leave takes the container that this process runs in out of the network.
func (n *Network) leave(ctx context.Context) error {
	found, err := n.docker.api.NetworkInspect(ctx, n.name, client.NetworkInspectOptions{})
	if err != nil {
		return nil // it was never made; if it was, its removal tells more
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	for id := range found.Network.Containers {
		if host != "" && strings.HasPrefix(id, host) {
			_, err := n.docker.api.NetworkDisconnect(ctx, n.name, client.NetworkDisconnectOptions{Container: id, Force: true})
			return err
		}
	}
	return nil
}
