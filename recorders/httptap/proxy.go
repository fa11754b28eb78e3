package httptap

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Proxy makes a tap a forward proxy: clients name the host that they want, in absolute form for http and with CONNECT
// for https. Hosts that are recorded are spoken to in the place of the client, under a certificate that [Tap.Secure]
// gives; connections to all others are passed on unopened, and counted.
type Proxy struct {
	Hosts []string // that are recorded: api.vendor.example, or *.vendor.example for the names below one
	Allow []string // that may be reached though they are on this machine, on the link, or give secrets to machines

	// System names the system that a host belongs to; nil: the host is the name.
	System func(host string) string

	// Resolve finds the addresses of a host; nil: as the system does.
	Resolve func(ctx context.Context, host string) ([]net.IPAddr, error)
}

// records reports whether exchanges with the host are recorded.
func (p *Proxy) records(host string) bool {
	return slices.ContainsFunc(p.Hosts, func(pattern string) bool { return matchHost(pattern, host) })
}

func (p *Proxy) system(host string) string {
	if p.System != nil {
		return p.System(host)
	}
	return host
}

// matchHost reports whether a pattern covers a host: the same name, or, with a leading "*.", one below it.
func matchHost(pattern, host string) bool {
	pattern, host = strings.ToLower(strings.TrimSuffix(pattern, ".")), strings.ToLower(strings.TrimSuffix(host, "."))
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+below)
	}
	return pattern == host
}

// hostOnly is a host without its port.
func hostOnly(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return strings.Trim(authority, "[]")
}

// upstreamOf is where the request goes: to the one upstream of a reverse proxy, to the host of its tunnel, or to the host
// that it names; nil when it names none.
func (t *Tap) upstreamOf(r *http.Request) *url.URL {
	if t.Proxy == nil {
		return t.Upstream
	}
	if c := clientConnOf(r); c != nil && c.through != nil {
		return c.through
	}
	if r.URL.Scheme == "http" && r.URL.Host != "" {
		return &url.URL{Scheme: "http", Host: r.URL.Host}
	}
	return nil
}

// connect answers CONNECT: hosts that are recorded are spoken to here, others are passed on.
func (t *Tap) connect(w http.ResponseWriter, r *http.Request, sink harness.Sink) {
	conn := clientConnOf(r)
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil || host == "" || port == "" || conn == nil || conn.through != nil || r.ProtoMajor != 1 {
		refuseWith(w, http.StatusBadRequest, "refused", "CONNECT wants host:port, in HTTP/1.1 and outside of a tunnel")
		return
	}
	if t.Proxy.records(host) {
		if _, err := t.guard.addresses(r.Context(), host, port); err != nil {
			refuseConnect(w, err)
			return
		}
		t.intercept(w, r, conn, sink)
		return
	}
	upstream, err := t.guard.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		refuseConnect(w, err)
		return
	}
	t.leaveOut(sink, leftOut{"tunnelled unopened", strings.ToLower(host)})
	client, ok := established(w, conn)
	if !ok {
		upstream.Close() //nolint:errcheck // nothing crossed
		return
	}
	splice(r.Context(), client, upstream)
}

// refuseConnect says why there is no tunnel.
func refuseConnect(w http.ResponseWriter, err error) {
	if _, forbidden := errors.AsType[*forbiddenError](err); forbidden {
		refuseWith(w, http.StatusForbidden, "refused", err.Error())
		return
	}
	refuseWith(w, http.StatusBadGateway, harness.FaultUnreachable, err.Error())
}

// established tells the client that its tunnel stands and takes over the connection.
func established(w http.ResponseWriter, conn *clientConn) (net.Conn, bool) {
	conn.leave()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, false
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		client.Close() //nolint:errcheck // the client is gone
		return nil, false
	}
	return &peekedConn{client, buffered.Reader}, true
}

// peekedConn is a connection of which something was read ahead.
type peekedConn struct {
	net.Conn
	ahead *bufio.Reader
}

func (c *peekedConn) Read(p []byte) (int, error) { return c.ahead.Read(p) }

// CloseWrite closes the sending half.
func (c *peekedConn) CloseWrite() error { return closeWrite(c.Conn) }

// First bytes of a tunnel.
const tlsHandshake = 0x16

// intercept speaks with the client in the place of the host: TLS if it begins so, plain HTTP if it looks so, and nothing
// else: then the tunnel is passed on unopened.
func (t *Tap) intercept(w http.ResponseWriter, r *http.Request, conn *clientConn, sink harness.Sink) {
	client, ok := established(w, conn)
	if !ok {
		return
	}
	defer context.AfterFunc(r.Context(), func() { client.Close() })() //nolint:errcheck // the recorder stops
	peeked := client.(*peekedConn)
	first, err := peeked.ahead.Peek(1)
	if err != nil {
		client.Close() //nolint:errcheck // it never said anything
		return
	}
	through := &url.URL{Scheme: "https", Host: r.Host}
	switch {
	case first[0] == tlsHandshake:
		t.inner.push(conn.from.follow(client, conn.number, t.Secure, through))
	case first[0] >= 'A' && first[0] <= 'Z':
		through.Scheme = "http"
		t.inner.push(conn.from.follow(client, conn.number, nil, through))
	default:
		upstream, err := t.guard.dial(r.Context(), "tcp", r.Host)
		if err != nil {
			client.Close() //nolint:errcheck // there is nobody to pass it on to
			return
		}
		t.leaveOut(sink, leftOut{"neither TLS nor HTTP, tunnelled unopened", strings.ToLower(hostOnly(r.Host))})
		splice(r.Context(), client, upstream)
	}
}

// splice passes bytes in both directions until both sides ended or the context is done. An end is passed on as an end.
func splice(ctx context.Context, a, b net.Conn) {
	end := sync.OnceFunc(func() {
		a.Close() //nolint:errcheck // both ends are done
		b.Close() //nolint:errcheck // it ends either way
	})
	defer end()
	defer context.AfterFunc(ctx, end)()
	pass := func(dst, src net.Conn) {
		if _, err := io.Copy(dst, src); err != nil || closeWrite(dst) != nil {
			end()
		}
	}
	var both sync.WaitGroup
	both.Go(func() { pass(a, b) })
	both.Go(func() { pass(b, a) })
	both.Wait()
}

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// connQueue is a listener for connections that came another way.
type connQueue struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (q *connQueue) Addr() net.Addr { return q.addr }

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

// push hands a connection to the server, or closes it when that takes no more.
func (q *connQueue) push(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.closed:
		c.Close() //nolint:errcheck // the recorder has stopped
	}
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}
