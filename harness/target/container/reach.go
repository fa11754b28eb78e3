package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// forwardedHold is how long a connection to a published port must stay open to count: see [started.Probe].
const forwardedHold = 500 * time.Millisecond

// dialer opens connections.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// way is an address under which a server in a container may be reached from here.
type way struct {
	address   string // host:port
	words     string // what it is
	forwarded bool   // something in between accepts connections, whether the server listens or not
}

// probe asks whether the server is up; an empty path asks no more than whether it listens.
func (w way) probe(path string, dial dialer) started.Probe {
	p := started.Probe{Address: w.address, Path: path, Dial: dial}
	if w.forwarded {
		p.Hold = forwardedHold
	}
	return p
}

// ways are the addresses of a server, best first: its port published on loopback, the same on the gateway of the published
// network, its own address. A container that has ended has none.
func (n *Network) ways(settings *container.NetworkSettings, port int) []way {
	if settings == nil {
		return nil
	}
	var all []way
	if n.published != nil {
		bindings := settings.Ports[tcp(port)]
		all = append(all, published(bindings, loopback, "its port published on loopback")...)
		all = append(all, published(bindings, n.published.gateway, "its port published on the gateway")...)
	}
	if own := settings.Networks[n.name]; own != nil && own.IPAddress.IsValid() {
		all = append(all, way{net.JoinHostPort(own.IPAddress.String(), strconv.Itoa(port)), "its own address", false})
	}
	return all
}

// published are the ways through the bindings that listen on the address.
func published(bindings []network.PortBinding, on netip.Addr, words string) []way {
	for _, b := range bindings {
		if b.HostPort != "" && (b.HostIP == on || !b.HostIP.IsValid() || b.HostIP.IsUnspecified()) {
			return []way{{net.JoinHostPort(on.String(), b.HostPort), words, true}}
		}
	}
	return nil
}

func tcp(port int) network.Port {
	p, _ := network.PortFrom(uint16(port), network.TCP)
	return p
}

// best probes all ways at the same time and returns the best that answers, else why each does not.
func best(ctx context.Context, ways []way, path string, dial dialer) (way, error) {
	ctx, cancel := context.WithCancel(ctx)
	var probing sync.WaitGroup
	defer probing.Wait()
	defer cancel()
	results := make([]chan error, len(ways))
	for i, w := range ways {
		results[i] = make(chan error, 1)
		probe := w.probe(path, dial)
		probing.Go(func() { results[i] <- probe.Try(ctx) })
	}
	var errs []error
	for i, w := range ways {
		err := <-results[i]
		if err == nil {
			return w, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", w.words, err))
	}
	if len(errs) == 0 {
		return way{}, errors.New("it has no address")
	}
	return way{}, errors.Join(errs...)
}

// answers waits until one of the ways answers below 500 to the path, or accepts when there is no path.
type answers struct {
	ways  []way
	path  string
	dial  dialer
	taken way   // the one that answered
	why   error // why none did when it was tried last
}

// WaitUntilReady probes until the context ends or the container does.
func (a *answers) WaitUntilReady(ctx context.Context, c wait.StrategyTarget) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		taken, err := best(ctx, a.ways, a.path, a.dial)
		if err == nil {
			a.taken = a.better(ctx, taken)
			return nil
		}
		if ctx.Err() != nil { // what was asked last was not asked to its end
			return ctx.Err()
		}
		a.why = oneLine(err)
		state, err := c.State(ctx)
		if err != nil {
			return err
		}
		if !state.Running {
			return fmt.Errorf("the container is %s", state.Status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// better asks the ways before the one that answered once more: where the server came up while all were asked, they answer now.
func (a *answers) better(ctx context.Context, taken way) way {
	before := a.ways[:slices.Index(a.ways, taken)]
	if better, err := best(ctx, before, a.path, a.dial); err == nil {
		return better
	}
	return taken
}

// chosen is the way that was taken; where nothing was asked there is but one.
func (a *answers) chosen() way {
	if a.taken.address == "" && len(a.ways) > 0 {
		return a.ways[0]
	}
	return a.taken
}

// find finds the addresses of a container that was started.
func (s *Server) find(ctx context.Context) ([]way, error) {
	if s.port == 0 {
		return nil, nil
	}
	found, err := s.network.docker.api.ContainerInspect(ctx, s.ctr.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("look at container %s: %w", s.Name, oneLine(err)), noDockerHint)
	}
	settings := found.Container.NetworkSettings
	if err := s.network.published.guards(settings); err != nil {
		return nil, fmt.Errorf("start container %s: %w", s.Name, err)
	}
	return s.network.ways(settings, s.port), nil
}

// reach opens a loopback address that leads to the server by the way that was taken.
func (s *Server) reach(taken way) (err error) {
	s.taken = taken
	s.relay, err = listenRelay("127.0.0.1:0", func(conn net.Conn) (net.Conn, string, error) { return conn, taken.address, nil })
	if err != nil {
		return harness.CannotRun(err, "check that loopback is up and ports are free")
	}
	s.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.relay.port()))
	return nil
}
