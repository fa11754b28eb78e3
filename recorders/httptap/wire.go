package httptap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// clientListener accepts connections whose request heads are read along.
type clientListener struct {
	net.Listener
	lost func(n int) // told how many requests began on a connection and were never answered

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
	defer l.mu.Unlock()
	l.count++
	conn := &clientConn{Conn: c, from: l, number: l.count}
	if l.fresh == nil {
		l.fresh = map[*clientConn]struct{}{}
	}
	l.fresh[conn] = struct{}{}
	return conn, nil
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

// clientConn is a client's connection whose request heads are read along.
type clientConn struct {
	net.Conn
	from   *clientListener
	number int // of the connection, from 1 in order of arrival

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
	n := 0
	if !c.closed {
		c.closed = true
		n = c.scan.unanswered()
		c.counted = n > 0
	}
	c.mu.Unlock()
	c.from.forget(c)
	if n > 0 {
		c.from.lost(n)
	}
	return c.Conn.Close()
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
	h, ok := c.scan.next()
	if ok && strings.HasPrefix(h.Start, r.Method+" "+r.RequestURI+" ") && agrees(h.Fields, r.Header) {
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

// upstreamConn is a connection to the upstream whose response heads are read along. net/http has at most one request
// in flight on it.
type upstreamConn struct {
	net.Conn

	mu    sync.Mutex
	armed bool // a request is about to be sent; the next final head is its answer
	head  httpwire.HeadScanner
	got   httpwire.Head
	whole bool // got is a head that could be read
	more  bool // bytes of the body came together with the head
}

// Read reads, and picks the head out of what was read.
func (c *upstreamConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		if c.armed {
			c.feed(p[:n])
		}
		c.mu.Unlock()
	}
	return n, err
}

func (c *upstreamConn) feed(p []byte) {
	for c.armed && len(p) > 0 {
		n, done := c.head.Take(p)
		p = p[n:]
		if !done {
			c.armed = !c.head.Overflow()
			return
		}
		c.got, c.whole = httpwire.ParseHead(c.head.Bytes())
		c.head.Reset()
		c.armed = c.whole && isInformational(c.got.Start)
		c.more = len(p) > 0
	}
}

// isInformational reports whether a status line announces another head after it.
func isInformational(start string) bool {
	_, status, _ := strings.Cut(start, " ")
	return strings.HasPrefix(status, "1") && !strings.HasPrefix(status, strconv.Itoa(http.StatusSwitchingProtocols))
}

// begin awaits the head of the next answer.
func (c *upstreamConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.whole, c.more, c.got = true, false, false, httpwire.Head{}
	c.head.Reset()
}

// answer returns the raw fields of resp, nil when they cannot be attributed to it, and whether a part of the body came
// together with them.
func (c *upstreamConn) answer(resp *http.Response) (fields harness.Head, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, status, _ := strings.Cut(c.got.Start, " ")
	if c.armed || !c.whole || !strings.HasPrefix(strings.TrimLeft(status, " "), strconv.Itoa(resp.StatusCode)) || !agrees(c.got.Fields, resp.Header) {
		return nil, false
	}
	return c.got.Fields, c.more
}

// lane is how requests reach the upstream.
type lane struct {
	transport http.RoundTripper
	own       *http.Transport // nil when the caller's transport is used as it is
}

// newLane prepares the transport: nothing is added to the traffic, and its connections are read along.
func newLane(given http.RoundTripper) lane {
	var base *http.Transport
	switch given := given.(type) {
	case nil:
		base = &http.Transport{IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second}
	case *http.Transport:
		base = given.Clone()
	default:
		return lane{transport: given}
	}
	base.DisableCompression = true
	if base.MaxIdleConnsPerHost == 0 {
		base.MaxIdleConnsPerHost = 64 // there is one host only
	}
	base.ForceAttemptHTTP2 = false
	base.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	base.Protocols = new(http.Protocols)
	base.Protocols.SetHTTP1(true)
	dial := base.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	secure := base.DialTLSContext
	if secure == nil {
		secure = dialTLS(dial, base.TLSClientConfig, base.TLSHandshakeTimeout)
	}
	base.DialContext, base.DialTLSContext = readAlong(dial), readAlong(secure)
	return lane{transport: base, own: base}
}

func (l lane) close() {
	if l.own != nil {
		l.own.CloseIdleConnections()
	}
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func readAlong(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &upstreamConn{Conn: c}, nil
	}
}

// dialTLS speaks TLS before the transport does, so that the transport's connection carries plain HTTP.
func dialTLS(dial dialFunc, config *tls.Config, timeout time.Duration) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if timeout > 0 {
			var done context.CancelFunc
			ctx, done = context.WithTimeout(ctx, timeout)
			defer done()
		}
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		cfg := config.Clone()
		if cfg == nil {
			cfg = &tls.Config{}
		}
		if cfg.ServerName == "" {
			cfg.ServerName = host
		}
		cfg.NextProtos = []string{"http/1.1"}
		secure := tls.Client(c, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return secure, nil
	}
}

// isTimeout reports whether an error is about a deadline.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
