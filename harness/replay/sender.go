package replay

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// idleTime is how long a connection is kept without an exchange.
const idleTime = 30 * time.Second

// Sender sends requests over HTTP/1.1. It writes and reads with what net/http's own client writes and reads with, but on
// the goroutine of the caller: that client has two more for each connection, and to wake them is half of the work of a
// short exchange. Taps need that client, because it tells them what happens meanwhile; see [RoundTripper].
//
// Like a RoundTripper it keeps reading and writing requests on separate connections, follows no redirect and unpacks
// nothing. A request that may be repeated is sent again when a kept connection turns out to be closed before a byte of the
// answer came, and counted. It is safe for concurrent use.
type Sender struct {
	reads, writes pool
	again         atomic.Int64
}

// NewSender builds on a dial function, which is the one of a [Guard].
func NewSender(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Sender {
	s := &Sender{reads: pool{dial: dial}}
	s.writes.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ForWriting(ctx), network, address)
	}
	return s
}

// RoundTrip sends the request. The answer must be read to its end or closed.
func (s *Sender) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := checkRequest(r); err != nil {
		return nil, giveUp(r, err)
	}
	from := &s.reads
	if MayChange(r.Method) {
		from = &s.writes
	}
	for {
		l, err := from.take(r)
		if err != nil {
			return nil, giveUp(r, err)
		}
		answer, err := l.exchange(r)
		if err == nil {
			return answer, nil
		}
		again, repeatable := repeated(r)
		if !l.reused || l.answered || !repeatable || r.Context().Err() != nil {
			return nil, err
		}
		s.again.Add(1)
		r = again
	}
}

// SentAgain is how many requests were sent a second time.
func (s *Sender) SentAgain() int { return int(s.again.Load()) }

// CloseIdleConnections closes what is not in use.
func (s *Sender) CloseIdleConnections() {
	s.reads.close()
	s.writes.close()
}

// repeated is the request once more, if it changes nothing and its body can be read again.
func repeated(r *http.Request) (*http.Request, bool) {
	if MayChange(r.Method) || !hasBody(r) {
		return r, !MayChange(r.Method)
	}
	if r.GetBody == nil {
		return nil, false
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, false
	}
	again := *r
	again.Body = body
	return &again, true
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// giveUp closes the body of a request that is not sent.
func giveUp(r *http.Request, err error) error {
	if r.Body != nil {
		r.Body.Close() //nolint:errcheck // it was only read
	}
	return err
}

// origin is where a connection leads.
type origin struct{ scheme, host string }

// pool is the connections of one class.
type pool struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	roots *x509.CertPool // who is trusted, replaced in tests; nil: whom the system trusts

	mu   sync.Mutex
	idle map[origin][]*link // the last used at the end
}

// take returns a kept connection that is still open, or a new one.
func (p *pool) take(r *http.Request) (*link, error) {
	to := origin{r.URL.Scheme, r.URL.Host}
	for {
		l := p.pop(to)
		if l == nil {
			return p.connect(r.Context(), r.URL)
		}
		if l.isOpen() {
			l.reused, l.answered = true, false
			return l, nil
		}
		l.conn.Close() //nolint:errcheck // it is closed already
	}
}

func (p *pool) pop(to origin) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[to]
	if len(kept) == 0 {
		return nil
	}
	last := kept[len(kept)-1]
	p.idle[to] = kept[:len(kept)-1]
	return last
}

// put keeps a connection, and closes those that nobody used for long.
func (p *pool) put(l *link) {
	now := time.Now()
	l.since = now
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = map[origin][]*link{}
	}
	kept := p.idle[l.to]
	for len(kept) > 0 && now.Sub(kept[0].since) > idleTime {
		kept[0].conn.Close() //nolint:errcheck // nobody waits for it
		kept = kept[1:]
	}
	p.idle[l.to] = append(kept, l)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, kept := range p.idle {
		for _, l := range kept {
			l.conn.Close() //nolint:errcheck // nobody waits for it
		}
	}
	p.idle = nil
}
