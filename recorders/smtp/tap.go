package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// DefaultMaxBody is the default of Tap.MaxBody, in bytes.
const DefaultMaxBody = 64 << 20

// idleTime is how long a client, or the real server, may say nothing (RFC 5321 section 4.5.3.2).
const idleTime = 10 * time.Minute

// Reasons with which a mail is counted as dropped.
const (
	DropRefused = "the server refused the mail"
	DropForm    = "a line of the mail does not end with CRLF"
	DropSink    = "the sink refused the exchange"
)

// Tap is a server for SMTP that records. Its fields must not change once it listens. It is used once: Record ends it.
type Tap struct {
	Relay    *Relay      // real server that is stood in front of; nil: mails are taken and delivered to nobody
	From, To string      // names of the systems: who sends, and whoever the mails are for
	Secure   *tls.Config // with which clients may speak TLS; nil: they cannot
	MaxBody  int         // most bytes kept of one mail; 0: DefaultMaxBody
	Now      func() time.Time

	listener net.Listener
	sink     harness.Sink
	refused  atomic.Pointer[error] // the first error of the sink

	mu     sync.Mutex
	conns  map[net.Conn]bool
	number int
	ended  bool
}

// Listen begins to listen on an address such as 127.0.0.1:2525 and returns the address that it got; the real server is
// reached once before. Clients are served once Record runs; Record with a done context releases the address. The error is
// a [harness.Problem].
func (t *Tap) Listen(address string) (net.Addr, error) {
	if t.Relay != nil {
		if err := t.Relay.Reach(); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("record mail: %w", err), "choose another address with --listen")
	}
	t.listener, t.conns = l, map[net.Conn]bool{}
	return l.Addr(), nil
}

// Record serves clients and puts every mail into the sink until the context is done. Then the connections are ended, and a
// mail that was under way is recorded as incomplete. It returns nil unless the sink refused an exchange.
func (t *Tap) Record(ctx context.Context, sink harness.Sink) error {
	if t.listener == nil {
		return errors.New("record mail: not listening")
	}
	t.sink = sink
	stop := context.AfterFunc(ctx, t.end)
	defer stop()
	var serving sync.WaitGroup
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			break // closed by end
		}
		number, ok := t.track(conn)
		if !ok {
			continue
		}
		serving.Go(func() {
			defer t.forget(conn)
			t.serve(ctx, conn, fmt.Sprintf("conn-%d", number))
		})
	}
	serving.Wait()
	if first := t.refused.Load(); first != nil {
		return fmt.Errorf("record mails: %w", *first)
	}
	return nil
}

// end lets go of the listener and of all connections.
func (t *Tap) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.listener.Close() //nolint:errcheck // Accept says so
	for conn := range t.conns {
		conn.Close() //nolint:errcheck // whoever serves it says so
	}
}

// track keeps a connection, so that the end closes it. After the end it closes it at once.
func (t *Tap) track(conn net.Conn) (number int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		conn.Close() //nolint:errcheck // nobody talks to it
		return 0, false
	}
	t.conns[conn] = true
	t.number++
	return t.number, true
}

func (t *Tap) forget(conn net.Conn) {
	conn.Close() //nolint:errcheck // it has ended
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

func (t *Tap) put(x harness.Exchange) {
	if err := t.sink.Put(x); err != nil {
		t.sink.Drop(DropSink)
		t.refused.CompareAndSwap(nil, &err)
	}
}

func (t *Tap) maxBody() int { return cmp.Or(t.MaxBody, DefaultMaxBody) }

func (t *Tap) now() time.Time {
	if t.Now != nil {
		return t.Now().UTC()
	}
	return time.Now().UTC()
}
