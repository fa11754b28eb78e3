package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/listening"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// DefaultMaxBody is the default of Tap.MaxBody, in bytes.
const DefaultMaxBody = 64 << 20

// handshakeTime is how long TLS may take until it stands.
const handshakeTime = 20 * time.Second

// Reasons with which an operation is counted as dropped.
const (
	DropForm    = "an operation is not in the form of RFC 4511"
	DropForeign = "a connection went on with what is not LDAP"
	DropSink    = refusals.Reason
)

// Tap stands in front of a directory. Its fields must not change once it listens. It is used once: Record ends it.
type Tap struct {
	Upstream Upstream
	From, To string      // names of the systems: who asks, and the directory
	Secure   *tls.Config // with which clients may speak TLS, at once or by StartTLS; nil: they cannot
	MaxBody  int         // most bytes kept of what comes with one connection's open operations; 0: DefaultMaxBody
	Now      func() time.Time

	server  listening.Server
	sink    harness.Sink
	refused refusals.Refusals
}

// Listen reaches the directory once, begins to listen on an address such as 127.0.0.1:3389 and returns the address that it
// got. Clients are served once Record runs; Record with a done context releases the address. The error is a
// [harness.Problem].
func (t *Tap) Listen(address string) (net.Addr, error) {
	if err := t.Upstream.Reach(); err != nil {
		return nil, err
	}
	return t.server.Listen(address, "record ldap", "choose another address with --listen")
}

// Record serves clients and puts every operation into the sink until the context is done. Then the connections are ended,
// and operations without a result are recorded as incomplete. It returns nil unless the sink refused an exchange.
func (t *Tap) Record(ctx context.Context, sink harness.Sink) error {
	if !t.server.Listens() {
		return errors.New("record ldap: not listening")
	}
	t.sink = sink
	t.server.Serve(ctx, func(conn net.Conn, number int) { t.serve(ctx, conn, fmt.Sprintf("conn-%d", number)) })
	return t.refused.Err("operations on %s", t.Upstream.Address)
}

func (t *Tap) put(x harness.Exchange) { t.refused.Put(t.sink, x) }

func (t *Tap) maxBody() int { return cmp.Or(t.MaxBody, DefaultMaxBody) }

func (t *Tap) now() time.Time { return clock.Read(t.Now) }
