package smtp

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

// idleTime is how long a client, or the real server, may say nothing (RFC 5321 section 4.5.3.2).
const idleTime = 10 * time.Minute

// Reasons with which a mail is counted as dropped.
const (
	DropRefused = "the server refused the mail"
	DropForm    = "a line of the mail does not end with CRLF"
	DropSink    = refusals.Reason
)

// Tap is a server for SMTP that records. Its fields must not change once it listens. It is used once: Record ends it.
type Tap struct {
	Relay    *Relay      // real server that is stood in front of; nil: mails are taken and delivered to nobody
	From, To string      // names of the systems: who sends, and whoever the mails are for
	Secure   *tls.Config // with which clients may speak TLS; nil: they cannot
	MaxBody  int         // most bytes kept of one mail; 0: DefaultMaxBody
	Now      func() time.Time

	server  listening.Server
	sink    harness.Sink
	refused refusals.Refusals
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
	return t.server.Listen(address, "record mail", "choose another address with --listen")
}

// Record serves clients and puts every mail into the sink until the context is done. Then the connections are ended, and a
// mail that was under way is recorded as incomplete. It returns nil unless the sink refused an exchange.
func (t *Tap) Record(ctx context.Context, sink harness.Sink) error {
	if !t.server.Listens() {
		return errors.New("record mail: not listening")
	}
	t.sink = sink
	t.server.Serve(ctx, func(conn net.Conn, number int) { t.serve(ctx, conn, fmt.Sprintf("conn-%d", number)) })
	return t.refused.Err("mails")
}

func (t *Tap) put(x harness.Exchange) { t.refused.Put(t.sink, x) }

func (t *Tap) maxBody() int { return cmp.Or(t.MaxBody, DefaultMaxBody) }

func (t *Tap) now() time.Time { return clock.Read(t.Now) }
