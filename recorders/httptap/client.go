package httptap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// clientListener accepts connections whose request heads are read along.
type clientListener struct {
	net.Listener
	secure *tls.Config                // nil: clients speak plain HTTP
	lost   func(reason string, n int) // told how many requests began on a connection and were never answered

	mu    sync.Mutex
	count int
	fresh map[*clientConn]struct{} // nothing was received yet
}

// Accept returns the next connection, a *clientConn.
func (l *clientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.count++
	number := l.count
	l.mu.Unlock()
	return l.follow(c, number, l.secure, nil), nil
}

// follow reads the requests on a connection along. Whoever says nothing on it for a while loses it.
func (l *clientListener) follow(c net.Conn, number int, secure *tls.Config, through *url.URL) *clientConn {
	conn := &clientConn{Conn: c, from: l, number: number, through: through}
	c.SetReadDeadline(time.Now().Add(headTimeout)) //nolint:errcheck // net/http sets its own once it has heard something
	if secure != nil {
		conn.wire = &heardConn{Conn: c}
		conn.secure = tls.Server(conn.wire, secure)
		conn.Conn = conn.secure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fresh == nil {
		l.fresh = map[*clientConn]struct{}{}
	}
	l.fresh[conn] = struct{}{}
	return conn
}

// closeSilent closes the connections that never said anything; the server would wait five seconds for them.
func (l *clientListener) closeSilent() {
	l.mu.Lock()
	var silent []*clientConn
	for c := range l.fresh {
		silent = append(silent, c)
	}
	l.mu.Unlock()
	for _, c := range silent {
		c.Close() //nolint:errcheck // nothing was said on it
	}
}

func (l *clientListener) forget(c *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.fresh, c)
}

// heardConn knows whether the other end said anything.
type heardConn struct {
	net.Conn
	heard atomic.Bool
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

// clientConn is a client's connection whose request heads are read along. What it reads and writes is plain HTTP/1 or
// HTTP/2, also when TLS is below it.
type clientConn struct {
	net.Conn
	from    *clientListener
	number  int       // of the connection, from 1 in order of arrival
	through *url.URL  // scheme and host that the client asked a proxy for; nil when it came to the tap itself
	secure  *tls.Conn // nil: plain
	wire    *heardConn

	mu      sync.Mutex
	heard   bool
	scan    requestScanner
	closed  bool
	counted bool // requests were counted as lost when it was closed
}

// Read reads, and follows the requests in what was read.
func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 {
		return n, err
	}
	c.mu.Lock()
	first := !c.heard
	c.heard = true
	c.scan.feed(p[:n])
	c.mu.Unlock()
	if first {
		c.from.forget(c)
	}
	return n, err
}

// Close closes the connection and tells about requests that were never answered.
func (c *clientConn) Close() error {
	c.mu.Lock()
	n, reason := 0, DropHead
	if !c.closed {
		c.closed = true
		if n = c.scan.unanswered(); n == 0 && c.handshakeFailed() {
			n, reason = 1, DropHandshake
		}
		c.counted = n > 0
	}
	c.mu.Unlock()
	c.from.forget(c)
	if n > 0 {
		c.from.lost(reason, n)
	}
	return c.Conn.Close()
}

// handshakeFailed reports whether the client began to speak and no TLS came of it.
func (c *clientConn) handshakeFailed() bool {
	return c.secure != nil && c.wire.heard.Load() && !c.secure.ConnectionState().HandshakeComplete
}

// CloseWrite closes the sending half; the server does so to let a client read the answer that refuses its request.
func (c *clientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// head returns the raw fields of the request that net/http hands over now, nil when they cannot be attributed to it.
// It reports counted when the connection is closed already and the request was counted as lost.
func (c *clientConn) head(r *http.Request) (fields harness.Head, counted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counted {
		return nil, true
	}
	if r.ProtoMajor == 2 {
		if c.scan.streams != nil {
			fields, _ = c.scan.streams.take(r)
		}
		return fields, false
	}
	h, ok := c.scan.next()
	if ok && strings.HasPrefix(h.Start, r.Method+" "+r.RequestURI+" ") && agrees(h.Fields, r.Header, reframed) {
		return h.Fields, false
	}
	c.scan = requestScanner{at: lost}
	return nil, false
}

// leave stops the reading along: what follows is another protocol.
func (c *clientConn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scan = requestScanner{at: lost}
}

type clientConnKey struct{}

// withClientConn lets handlers find the connection of their request.
func withClientConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, clientConnKey{}, c)
}

func clientConnOf(r *http.Request) *clientConn {
	c, _ := r.Context().Value(clientConnKey{}).(*clientConn)
	return c
}
