package container

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// publishing is a second network of containers whose ports are published, for daemons in whose networks this machine has no
// address: Docker Desktop, a daemon behind a forwarded port, Docker without root. A network without a way out publishes
// nothing, so this one is a common bridge, but its containers get a gateway that does not exist: what asks through the
// published port stands in the network itself, and everything else is nowhere.
type publishing struct {
	name    string
	gateway netip.Addr   // of the bridge, where the daemon is
	nowhere netip.Addr   // the gateway of the containers, which nobody has
	hosts   []netip.Addr // where ports are published
}

// Names in the words of the driver of Docker's bridges.
const (
	auxGateway = "DefaultGatewayIPv4"
	masquerade = "com.docker.network.bridge.enable_ip_masquerade"
	betweenAll = "com.docker.network.bridge.enable_icc"
)

// publishTries is how often a range of addresses is taken from the daemon, which somebody else may take in between.
const publishTries = 5

// publish makes the second network.
func (n *Network) publish(ctx context.Context) error {
	var err error
	for range publishTries {
		if err = n.tryPublish(ctx); err == nil || ctx.Err() != nil || harness.ClassOf(err) == harness.ClassRefused {
			return err
		}
	}
	return harness.CannotRun(fmt.Errorf("make a network that publishes ports: %w", oneLine(err)), networksHint)
}

// tryPublish lets the daemon choose a range of addresses, and makes the network anew with a gateway of that range.
func (n *Network) tryPublish(ctx context.Context) error {
	name := n.name + "-published"
	id, chosen, err := n.bridge(ctx, name, nil)
	if err != nil {
		return err
	}
	if _, err := n.docker.api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{}); err != nil {
		return err
	}
	p := &publishing{name: name, gateway: chosen.Gateway, nowhere: last(chosen.Subnet), hosts: []netip.Addr{loopback}}
	wanted := network.IPAMConfig{Subnet: chosen.Subnet, Gateway: chosen.Gateway, AuxAddress: map[string]netip.Addr{auxGateway: p.nowhere}}
	_, made, err := n.bridge(ctx, name, &network.IPAM{Config: []network.IPAMConfig{wanted}})
	if err != nil {
		return err
	}
	if made.AuxAddress[auxGateway] != p.nowhere {
		return errOpen
	}
	if inContainer() {
		p.hosts = append(p.hosts, p.gateway)
	}
	n.published = p
	return nil
}

// bridge makes a bridge for published ports and returns its ID and its first range of IPv4 addresses.
func (n *Network) bridge(ctx context.Context, name string, ipam *network.IPAM) (id string, addresses network.IPAMConfig, err error) {
	err = n.asked(ctx, func(ctx context.Context) error {
		made, err := n.docker.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Driver: "bridge", IPAM: ipam, Labels: maps.Clone(n.labels), Options: map[string]string{masquerade: "false", betweenAll: "false"},
		})
		id = made.ID
		return err
	})
	if err != nil {
		return id, addresses, err
	}
	found, err := n.docker.api.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if err != nil {
		return id, addresses, err
	}
	for _, c := range found.Network.IPAM.Config {
		if c.Subnet.Addr().Is4() && c.Subnet.Bits() <= 29 {
			return id, c, nil
		}
	}
	return id, addresses, errors.New("the daemon gave it no range of IPv4 addresses")
}

// last is the last address of an IPv4 range that a machine may have.
func last(subnet netip.Prefix) netip.Addr {
	first := subnet.Masked().Addr().As4()
	bits := binary.BigEndian.Uint32(first[:]) | (1<<(32-subnet.Bits()) - 1)
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], bits-1) // the very last is for all
	return netip.AddrFrom4(b)
}

// inContainer reports whether this process runs in a container, from where loopback of the daemon's machine is not reached.
func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}

// errOpen is the refusal of a daemon that would let containers out.
var errOpen = harness.Refused(errors.New("publish ports without a way out: this daemon gives the containers of a network a gateway of its own choice"),
	"run where the daemon runs, or in a container of that daemon: then no port is published")

// guards checks that the container has no way out through the second network. It has none when there is no such network.
func (p *publishing) guards(settings *container.NetworkSettings) error {
	if p == nil || settings == nil || settings.Networks[p.name] == nil {
		return nil
	}
	e := settings.Networks[p.name]
	if e.Gateway.IsValid() && e.Gateway != p.nowhere || e.IPv6Gateway.IsValid() {
		return errOpen
	}
	return nil
}

// order adds to a request that the port is published.
func (p *publishing) order(r *testcontainers.ContainerRequest, host *container.HostConfig, port int) {
	if p == nil || port == 0 {
		return
	}
	r.ExposedPorts = []string{tcp(port).String()} // no other port of the image is published
	host.PortBindings = network.PortMap{}
	for _, on := range p.hosts {
		host.PortBindings[tcp(port)] = append(host.PortBindings[tcp(port)], network.PortBinding{HostIP: on, HostPort: "0"})
	}
	host.CapDrop = append(host.CapDrop, "NET_RAW") // packets of one's own making need no gateway
}

// join puts a container that was made into the second network.
func (p *publishing) join(ctx context.Context, api client.APIClient, id string) error {
	if p == nil {
		return nil
	}
	_, err := api.NetworkConnect(ctx, p.name, client.NetworkConnectOptions{Container: id})
	return err
}
