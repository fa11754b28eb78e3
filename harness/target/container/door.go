package container

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/authority"
)

// Ports of the door beside those that hosts name.
var doorPorts = []int{80, 443}

// recordHandshake is the first byte of TLS.
const recordHandshake = 0x16

// Limits of what a client may say before it is handed on.
const (
	doorHead = 64 << 10 // bytes of the head of a request
	doorWait = time.Minute
)

// door is where containers reach watched systems. Each connection goes to one system: the one that its TLS handshake, or
// the Host of its first request, names.
type door struct {
	systems map[string]string // host, or host:port where a port was named → loopback address
	only    string            // the only loopback address there is, for clients that name no host
	secure  *tls.Config
	ca      string // file with the certificate to trust
	relays  []*relay
	port    int // of plain HTTP: 80, or one that this user may open
}

// Entry is a watched system and where it listens on loopback.
type Entry struct {
	System  string
	Address string   // host:port
	Hosts   []string // further names, each host or host:port
}

// Admit opens the door to watched systems and returns the base URL of each as containers see it. It is called at most
// once, before the first container starts.
func (n *Network) Admit(entries []Entry) (map[string]string, error) {
	d := &door{systems: map[string]string{}}
	names, ports, err := d.admit(entries)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return map[string]string{}, nil
	}
	if n.apart != nil {
		return nil, fmt.Errorf("open %s to containers: %w", entries[0].System, n.apart)
	}
	n.door = d
	dir := filepath.Join(n.options.Dir, "door")
	a, _, err := authority.Open(dir, names, n.options.Now)
	if err != nil {
		return nil, err
	}
	d.secure, d.ca = a.Config(), filepath.Join(dir, "ca.pem")
	if err := d.listen(n.gateway.String(), ports); err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for _, e := range entries {
		urls[e.System] = d.url(e)
	}
	return urls, nil
}

// proxyHost is the name of the proxy in containers.
const proxyHost = "rehearse-proxy"

// Forward lets containers use a proxy that listens on loopback, which stands behind the egress guard. It is called at most
// once, after Admit and before the first container starts. Where this machine is apart they reach no proxy.
func (n *Network) Forward(address string) error {
	if n.apart != nil {
		return nil
	}
	r, err := listenRelay(net.JoinHostPort(n.gateway.String(), "0"), func(conn net.Conn) (net.Conn, string, error) { return conn, address, nil })
	if err != nil {
		return harness.CannotRun(fmt.Errorf("open a port for containers: %w", err), "check that this machine may listen on the networks of Docker")
	}
	n.proxy = r
	return nil
}

// proxied is the variables that lead programs in a container to the proxy, past it for what is in the network.
func (n *Network) proxied() map[string]string {
	if n.proxy == nil {
		return nil
	}
	direct := []string{"localhost", "127.0.0.1", "::1"}
	if n.door != nil {
		direct = append(direct, n.door.hosts()...)
	}
	n.mu.Lock()
	for _, s := range n.containers {
		direct = append(append(direct, s.Name), s.spec.Aliases...)
	}
	n.mu.Unlock()
	url, past := "http://"+net.JoinHostPort(proxyHost, strconv.Itoa(n.proxy.port())), strings.Join(direct, ",")
	return map[string]string{"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": past, "http_proxy": url, "https_proxy": url, "no_proxy": past}
}

// admit fills the table and returns the names and the further ports.
func (d *door) admit(entries []Entry) (names []string, ports []int, err error) {
	for _, e := range entries {
		for _, host := range append([]string{e.System}, e.Hosts...) {
			host = strings.ToLower(host)
			if other, known := d.systems[host]; known && other != e.Address {
				return nil, nil, harness.Usage(fmt.Errorf("open host %s to %s: another system has that name", host, e.System), "give each host one system")
			}
			d.systems[host] = e.Address
			name, port := splitHost(host)
			if port > 0 {
				ports = append(ports, port)
			}
			names = append(names, name)
		}
		d.only = e.Address
	}
	if len(entries) > 1 {
		d.only = ""
	}
	slices.Sort(names)
	return slices.Compact(names), ports, nil
}

// splitHost cuts a port off; 0 when there is none.
func splitHost(entry string) (host string, port int) {
	host, text, err := net.SplitHostPort(entry)
	if err != nil {
		return entry, 0
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		return entry, 0
	}
	return host, port
}

// listen opens the ports. A user that may not open the ports of HTTP gets a free one for it, which is part of the URLs then.
func (d *door) listen(address string, further []int) error {
	ports := slices.Concat(doorPorts, further)
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		at, err := d.open(address, port)
		switch {
		case err != nil && slices.Contains(further, port):
			return harness.CannotRun(fmt.Errorf("open port %d for containers: %w", port, err), "choose a port of 1024 or more for the host, or run as a user who may open this one")
		case err != nil && port == 80:
			if at, err = d.open(address, 0); err != nil {
				return harness.CannotRun(fmt.Errorf("open a port for containers: %w", err), "check that this machine may listen on the networks of Docker")
			}
			d.port = at
		case port == 80:
			d.port = at
		}
	}
	return nil
}

func (d *door) open(address string, port int) (int, error) {
	r, err := listenRelay(net.JoinHostPort(address, strconv.Itoa(port)), d.choose)
	if err != nil {
		return 0, err
	}
	d.relays = append(d.relays, r)
	return r.port(), nil
}

// url is how containers reach the system: by the first name that a vendor has for it, else by its own.
func (d *door) url(e Entry) string {
	host := e.System
	if len(e.Hosts) > 0 {
		host = e.Hosts[0]
	}
	if _, port := splitHost(host); port == 0 && d.port != 80 {
		host = net.JoinHostPort(host, strconv.Itoa(d.port))
	}
	return "http://" + host
}

// hosts is every name of the door, without ports, sorted.
func (d *door) hosts() []string {
	var names []string
	for host := range d.systems {
		name, _ := splitHost(host)
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (d *door) close() {
	for _, r := range d.relays {
		r.close()
	}
}

// errNoHost is for connections that name no system.
var errNoHost = errors.New("the connection names no watched system")

// choose reads what the client says first, ends its TLS, and returns where the connection goes.
func (d *door) choose(conn net.Conn) (net.Conn, string, error) {
	conn.SetReadDeadline(time.Now().Add(doorWait)) //nolint:errcheck // a connection that is gone says so below
	local := conn.LocalAddr().(*net.TCPAddr).Port
	said := &begun{Conn: conn, reader: bufio.NewReaderSize(conn, doorHead)}
	name := ""
	first, err := said.reader.Peek(1)
	if err != nil {
		return nil, "", err
	}
	if first[0] == recordHandshake {
		secured := tls.Server(said, d.secure)
		if err := secured.Handshake(); err != nil {
			return nil, "", err
		}
		name = secured.ConnectionState().ServerName
		said = &begun{Conn: secured, reader: bufio.NewReaderSize(secured, doorHead)}
	}
	if name == "" {
		if name, err = hostOf(said.reader); err != nil {
			return nil, "", err
		}
	}
	conn.SetReadDeadline(time.Time{}) //nolint:errcheck // see above
	if to := d.find(name, local); to != "" {
		return said, to, nil
	}
	io.WriteString(said, "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") //nolint:errcheck // it is refused anyway
	return nil, "", errNoHost
}

// find is the loopback address for a host, which may carry a port, on a port of the door.
func (d *door) find(host string, port int) string {
	name, _ := splitHost(strings.ToLower(host))
	if to, ok := d.systems[net.JoinHostPort(name, strconv.Itoa(port))]; ok {
		return to
	}
	if to, ok := d.systems[name]; ok {
		return to
	}
	for entry, to := range d.systems { // a name that was given with one port is known on all
		if n, _ := splitHost(entry); n == name {
			return to
		}
	}
	return d.only
}

// begun is a connection of which something was read ahead.
type begun struct {
	net.Conn
	reader *bufio.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.reader.Read(p) }

// CloseWrite passes the end of what is written on to the client.
func (b *begun) CloseWrite() error { return closeWrite(b.Conn) }

// hostOf is the Host of the first request, which stays in the reader; empty when it names none, as the preface of HTTP/2
// does.
func hostOf(r *bufio.Reader) (string, error) {
	for want := 1; ; want = r.Buffered() + 1 {
		if want > doorHead {
			return "", errors.New("the head of the first request is too large")
		}
		if _, err := r.Peek(want); err != nil {
			return "", err
		}
		head, _ := r.Peek(r.Buffered())
		if end := bytes.Index(head, []byte("\r\n\r\n")); end >= 0 {
			return hostIn(head[:end+4]), nil
		}
	}
}

func hostIn(head []byte) string {
	lines := textproto.NewReader(bufio.NewReader(bytes.NewReader(head)))
	if _, err := lines.ReadLine(); err != nil {
		return ""
	}
	fields, err := lines.ReadMIMEHeader()
	if err != nil {
		return ""
	}
	return fields.Get("Host")
}
