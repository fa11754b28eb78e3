package httptap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Limits of connections to upstreams.
const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 90 * time.Second
	keepAlive        = 30 * time.Second
	continueTimeout  = time.Second
	idlePerHost      = 64
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// lane is how requests reach upstreams. Nothing is added to the traffic, and its connections are read along. An upstream
// is spoken to as the client speaks to the tap, in HTTP/1.1 or HTTP/2, as far as the upstream knows it.
type lane struct {
	given  http.RoundTripper // the caller's, used as it is; nil when it is an *http.Transport or none
	h1, h2 *http.Transport
	secure func(ctx context.Context, addr string, protocols []string) (*tls.Conn, error)

	mu         sync.Mutex
	speaks     map[string]int       // major version of HTTP that an upstream chose
	parked     map[way][]parkedConn // connections that were made to find out, and carried nothing yet
	unverified map[string]bool      // hosts that were spoken to without a proof of who they are
}

// parkedConn waits for the request that it was made for.
type parkedConn struct {
	net.Conn
	since time.Time
}

// parkedLife is how long a connection may wait. The request that it was made for comes at once; it does not come when
// another connection became free.
const parkedLife = 2 * time.Second

// way is to an upstream, in one version of HTTP.
type way struct {
	authority string
	major     int
}

// newLane prepares the transports. Connections are made by dial, when there is one. Hosts for which insecure is true are
// not asked who they are.
func newLane(given http.RoundTripper, dial dialFunc, insecure func(host string) bool) *lane {
	var base *http.Transport
	switch given := given.(type) {
	case nil:
		base = &http.Transport{IdleConnTimeout: idleTimeout, TLSHandshakeTimeout: handshakeTimeout, ExpectContinueTimeout: continueTimeout}
	case *http.Transport:
		base = given.Clone()
	default:
		return &lane{given: given}
	}
	base.DisableCompression = true
	if base.MaxIdleConnsPerHost == 0 {
		base.MaxIdleConnsPerHost = idlePerHost
	}
	if base.TLSHandshakeTimeout == 0 {
		base.TLSHandshakeTimeout = handshakeTimeout
	}
	base.ForceAttemptHTTP2 = false
	base.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if dial == nil {
		dial = base.DialContext
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	}
	l := &lane{unverified: map[string]bool{}, speaks: map[string]int{}, parked: map[way][]parkedConn{}}
	if own := base.DialTLSContext; own != nil { // the caller speaks TLS, and it is HTTP/1 that he speaks
		base.Protocols = protocols(1)
		base.DialContext, base.DialTLSContext = readAlong(dial), readAlong(own)
		l.h1 = base
		return l
	}
	l.secure = dialTLS(dial, base.TLSClientConfig, base.TLSHandshakeTimeout, func(host string) bool {
		skip := insecure(host)
		if skip {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.unverified[host] = true
		}
		return skip
	})
	l.h1, l.h2 = base, base.Clone()
	l.h1.Protocols, l.h2.Protocols = protocols(1), protocols(2)
	l.h2.TLSNextProto = nil
	l.h1.DialContext, l.h2.DialContext = readAlong(dial), readAlongFramed(dial)
	l.h1.DialTLSContext, l.h2.DialTLSContext = l.dialAs(1), l.dialAs(2)
	return l
}

// protocols is one version of HTTP alone. That of 2 is the unencrypted one: TLS is below what the transport sees.
func protocols(major int) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(major == 1)
	p.SetUnencryptedHTTP2(major == 2)
	return p
}

// roundTrip sends the request, in HTTP/2 if major is 2 and the upstream knows it.
func (l *lane) roundTrip(r *http.Request, major int) (*http.Response, error) {
	switch {
	case l.given != nil:
		return l.given.RoundTrip(r)
	case l.h2 == nil:
		return l.h1.RoundTrip(r)
	case major == 2 && r.URL.Scheme == "https":
		var err error
		if major, err = l.version(r.Context(), authorityOf(r.URL)); err != nil {
			return nil, err
		}
	}
	if major == 2 {
		return l.h2.RoundTrip(r)
	}
	return l.h1.RoundTrip(r)
}

// unverifiedHosts are those that were spoken to without a proof of who they are, sorted.
func (l *lane) unverifiedHosts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.unverified))
}

// own reports whether the connections are the lane's, so that it knows whether one stood.
func (l *lane) own() bool { return l.given == nil }

// version is the major version of HTTP that the upstream speaks when it may choose. The first time, a connection is made
// to find out; it is kept for the request.
func (l *lane) version(ctx context.Context, authority string) (int, error) {
	l.mu.Lock()
	major, known := l.speaks[authority]
	l.mu.Unlock()
	if known {
		return major, nil
	}
	c, err := l.secure(ctx, authority, offered(2))
	if err != nil {
		return 0, err
	}
	major = 1
	if c.ConnectionState().NegotiatedProtocol == "h2" {
		major = 2
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.speaks[authority] = major
	at := way{authority, major}
	l.parked[at] = append(l.parked[at], parkedConn{c, time.Now()})
	return major, nil
}

// offered are the names of the protocols that are offered to the upstream.
func offered(major int) []string {
	if major == 2 {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// dialAs makes connections for one of the transports, those first that were made already.
func (l *lane) dialAs(major int) dialFunc {
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		c, ok := l.unpark(way{addr, major})
		if !ok {
			secure, err := l.secure(ctx, addr, offered(major))
			if err != nil {
				return nil, err
			}
			if got := secure.ConnectionState().NegotiatedProtocol; (got == "h2") != (major == 2) {
				l.forget(addr)
				return nil, errors.Join(fmt.Errorf("the upstream speaks %q now, it spoke HTTP/%d before", got, major), secure.Close())
			}
			c = secure
		}
		if major == 2 {
			return securedConn{newFramedConn(c), c.(*tls.Conn).ConnectionState()}, nil
		}
		return &upstreamConn{Conn: c}, nil
	}
}

// forget lets the next request find out anew what the upstream speaks.
func (l *lane) forget(authority string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.speaks, authority)
}

func (l *lane) unpark(w way) (net.Conn, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.parked[w]) > 0 {
		last := len(l.parked[w]) - 1
		c := l.parked[w][last]
		l.parked[w] = l.parked[w][:last]
		if time.Since(c.since) < parkedLife {
			return c.Conn, true
		}
		c.Close() //nolint:errcheck // it carried nothing
	}
	return nil, false
}

// close closes the connections that no exchange uses.
func (l *lane) close() {
	for _, t := range []*http.Transport{l.h1, l.h2} {
		if t != nil {
			t.CloseIdleConnections()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiting := range l.parked {
		for _, c := range waiting {
			c.Close() //nolint:errcheck // it carried nothing
		}
	}
	clear(l.parked)
}

// authorityOf is host and port of a URL.
func authorityOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func readAlong(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &upstreamConn{Conn: c}, nil
	}
}

func readAlongFramed(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return newFramedConn(c), nil
	}
}

// dialTLS speaks TLS before a transport does, so that the transport's connection carries plain HTTP.
func dialTLS(dial dialFunc, config *tls.Config, timeout time.Duration, insecure func(host string) bool) func(context.Context, string, []string) (*tls.Conn, error) {
	return func(ctx context.Context, addr string, protocols []string) (*tls.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if timeout > 0 {
			var done context.CancelFunc
			ctx, done = context.WithTimeout(ctx, timeout)
			defer done()
		}
		c, err := dial(ctx, "tcp", addr)
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
		cfg.NextProtos = protocols
		cfg.InsecureSkipVerify = cfg.InsecureSkipVerify || insecure(host)
		secure := tls.Client(c, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS handshake with %s: %w", addr, err), c.Close())
		}
		return secure, nil
	}
}

// isTimeout reports whether an error is about a deadline.
func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
