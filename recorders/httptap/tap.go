package httptap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// Defaults of the fields of Tap.
const (
	DefaultMaxBody = 64 << 20 // bytes
	DefaultGrace   = 10 * time.Second
)

// headTimeout ends connections that do not finish the head of a request.
const headTimeout = time.Minute

// Reasons with which the tap counts a dropped exchange.
const (
	DropSink      = refusals.Reason
	DropHead      = "the head of a request was malformed or broke off"
	DropHandshake = "the TLS handshake of a client failed"
	DropConnect   = "CONNECT asks for a tunnel, which a reverse proxy does not give"
	DropTarget    = "a request to a forward proxy names no host"
	DropPanic     = "the recorder broke off"
)

// errStopped is why requests are cut when the grace period is over.
var errStopped = errors.New("the recorder stopped before the exchange ended")

// Tap is a proxy that records: a reverse proxy in front of one upstream, or a forward proxy. The fields must not change once it is used. It is used once: Record ends it.
type Tap struct {
	Upstream *url.URL // of a reverse proxy: scheme, host and an optional path prefix; nothing else of it is used
	Proxy    *Proxy   // of a forward proxy, instead of Upstream
	From, To string   // names of the systems: who calls, and whom the upstream belongs to; a Proxy names that by itself
	Filter   Filter   // which exchanges are recorded

	// Secure lets clients speak TLS to the tap, in HTTP/2 or HTTP/1.1 as its NextProtos say; nil: plain HTTP/1.1, and
	// HTTP/2 with prior knowledge. A forward proxy is spoken to without TLS, and speaks it within tunnels.
	Secure *tls.Config

	// Transport reaches the upstream; nil dials directly, without a proxy from the environment. An *http.Transport is
	// cloned, with compression off; its TLSClientConfig says whom to trust, and holds the certificate that an upstream
	// asks for. Any other is used as it is.
	Transport http.RoundTripper
	Insecure  func(host string) bool // upstreams that need not prove who they are; nil: none

	Session      func(*http.Request) string // names the session of a request; nil leaves it empty
	Now          func() time.Time           // the clock; nil is time.Now
	MaxBody      int64                      // most bytes kept of one body; a longer one passes whole and is recorded truncated
	Grace        time.Duration              // how long exchanges in flight may take after the context is done
	KeepHost     bool                       // sends the client's Host to the upstream instead of the upstream's own
	AddForwarded bool                       // adds X-Forwarded-For, -Host and -Proto

	mu       sync.Mutex
	listener net.Listener

	refused refusals.Refusals

	setUp  sync.Once
	lane   *lane
	guard  *guard
	inner  *connQueue // tunnels of a forward proxy that are spoken to here
	filter filter
	left   account
	again  atomic.Int64 // requests that went to the upstream a second time
}

// Listen binds the address, so that clients can connect; they are answered once Record runs. An empty address, a port
// alone or ":port" mean loopback; empty or port 0 choose a free port. A Listen that is never followed by Record keeps the
// port until the process ends; Record with a done context releases it.
// The error is a [harness.Problem] of class ClassCannotRun.
func (t *Tap) Listen(addr string) (net.Addr, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener != nil {
		return nil, harness.CannotRun(fmt.Errorf("listen on %s: the tap listens on %s already", addr, t.listener.Addr()), "use one tap for each address")
	}
	addr = loopback(addr)
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, harness.CannotRun(fmt.Errorf("listen on %s: the port is in use", addr),
			"choose another port, or port 0 for a free one, or stop the program that holds this one")
	case err != nil:
		return nil, harness.CannotRun(fmt.Errorf("listen on %s: %w", addr, err), "give an address of this machine as host:port")
	}
	t.listener = ln
	return ln.Addr(), nil
}

// loopback fills in the host of an address that names none.
func loopback(addr string) string {
	const host = "127.0.0.1"
	switch {
	case addr == "":
		return net.JoinHostPort(host, "0")
	case strings.HasPrefix(addr, ":"):
		return host + addr
	case strings.Trim(addr, "0123456789") == "":
		return net.JoinHostPort(host, addr)
	}
	return addr
}

// Record answers clients and records until the context is done. Then it accepts no more, lets exchanges in flight
// finish for at most Grace, cuts the rest, and returns when all are in the sink. It returns nil unless the tap could not
// run, or the sink refused an exchange. Without an earlier Listen it binds a free loopback port.
func (t *Tap) Record(ctx context.Context, sink harness.Sink) error {
	if err := t.check(); err != nil {
		return err
	}
	addr, err := t.bound()
	if err != nil {
		return err
	}
	base, cut := context.WithCancelCause(context.Background())
	defer cut(nil)
	var active gate
	clients := &clientListener{Listener: t.listener, lost: func(reason string, n int) {
		for range n {
			sink.Drop(reason)
		}
	}}
	if t.Proxy == nil {
		clients.secure = t.Secure
	}
	t.inner = newConnQueue(addr)
	server := &http.Server{
		Handler:                      active.guard(t.Handler(sink)),
		BaseContext:                  func(net.Listener) context.Context { return base },
		ConnContext:                  withClientConn,
		ReadHeaderTimeout:            headTimeout,
		MaxHeaderBytes:               httpwire.MaxHead,
		DisableGeneralOptionsHandler: true, // OPTIONS * is the upstream's to answer
		ErrorLog:                     log.New(io.Discard, "", 0),
		Protocols:                    new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // TLS, where it is spoken, is below what the server sees
	served, tunnels := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(clients) }()
	go func() { tunnels <- server.Serve(t.inner) }()

	select {
	case err = <-served:
		err = harness.CannotRun(fmt.Errorf("accept on %s: %w", t.listener.Addr(), err), "start the recording again")
		t.stop(server, clients, cut)
	case <-ctx.Done():
		t.stop(server, clients, cut)
		<-served //nolint:errcheck // the server was told to stop
	}
	t.inner.Close()
	<-tunnels
	active.close()
	t.CloseIdleConnections()
	return errors.Join(err, t.Err())
}

// stop ends the server: gracefully, then by force.
func (t *Tap) stop(server *http.Server, clients *clientListener, cut context.CancelCauseFunc) {
	grace, done := context.WithTimeout(context.Background(), t.grace())
	defer done()
	clients.closeSilent()
	err := server.Shutdown(grace)
	cut(errStopped) // tunnels, and what the grace period was too short for
	if err != nil {
		server.Close() //nolint:errcheck // it closes what is left; the exchanges themselves carry the fault
	}
}

// bound returns the address, and binds a free loopback port when there is none.
func (t *Tap) bound() (net.Addr, error) {
	t.mu.Lock()
	ln := t.listener
	t.mu.Unlock()
	if ln != nil {
		return ln.Addr(), nil
	}
	return t.Listen("")
}

func (t *Tap) check() error {
	u := t.Upstream
	switch {
	case t.Proxy != nil && u != nil:
		return harness.Usage(errors.New("record HTTP: a forward proxy has no upstream of its own"), "give one of Upstream and Proxy")
	case t.Proxy != nil && len(t.Proxy.Hosts) == 0:
		return harness.Usage(errors.New("record HTTP: a forward proxy was told no host to record"), "name the hosts; all others pass unopened")
	case t.Proxy != nil:
		return nil
	}
	if u == nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return harness.Usage(errors.New("record HTTP: the upstream is not an http or https URL with a host"), "give it as https://host[:port][/prefix]")
	}
	return nil
}

// Err is the first error of the sink, with the number of exchanges that it refused; nil when it took all.
func (t *Tap) Err() error {
	return t.refused.Err("HTTP from %s to %s", t.From, t.To)
}

// CloseIdleConnections closes the connections to the upstream that no exchange uses. Record does so at its end; a
// program that uses Handler does so when it is done.
func (t *Tap) CloseIdleConnections() {
	if t.lane != nil {
		t.lane.close()
	}
}

func (t *Tap) now() time.Time { return clock.Read(t.Now) }

func (t *Tap) maxBody() int64 {
	if t.MaxBody > 0 {
		return t.MaxBody
	}
	return DefaultMaxBody
}

func (t *Tap) grace() time.Duration {
	if t.Grace > 0 {
		return t.Grace
	}
	return DefaultGrace
}

// gate counts the handlers that run, so that their end can be awaited.
type gate struct {
	mu     sync.Mutex
	closed bool
	active sync.WaitGroup
}

// guard lets requests through to next until the gate is closed.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			panic(http.ErrAbortHandler) // the server has closed its connection, which counted the unanswered head
		}
		g.active.Add(1)
		g.mu.Unlock()
		defer g.active.Done()
		next.ServeHTTP(w, r)
	})
}

// close lets nobody in any more and waits until all are out.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.active.Wait()
}

// listens is where the tap itself listens.
func (t *Tap) listens() []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener == nil {
		return nil
	}
	own, err := netip.ParseAddrPort(t.listener.Addr().String())
	if err != nil {
		return nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(own.Addr().Unmap(), own.Port())}
}

func (t *Tap) insecure(host string) bool { return t.Insecure != nil && t.Insecure(host) }
