package sftp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/listening"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// Defaults of the fields of Tap.
const (
	DefaultSettle  = 2 * time.Second
	DefaultMaxBody = 64 << 20 // bytes
)

// handshakeTime is how long a client may take until it has logged in.
const handshakeTime = 30 * time.Second

// Reasons with which a file is counted as dropped.
const (
	DropUnfinished = "the file never got its last name"
	DropSink       = refusals.Reason
)

// Tap is an SFTP server that records. Its fields must not change once it listens. It is used once: Record ends it.
type Tap struct {
	Dir      string     // folder that is served; empty when there is an Upstream
	Upstream *Upstream  // real server that is stood in front of; nil when there is a Dir
	From, To string     // names of the systems: the client, and whoever the files are for
	HostKey  ssh.Signer // of this server
	Login    Login      // who may log in
	Settle   time.Duration
	MaxBody  int64            // most bytes kept of one file; a longer one is recorded truncated
	Now      func() time.Time // the clock of the recording; nil is time.Now

	server listening.Server
	open   backend
	ledger *ledger
}

// Listen begins to listen on an address such as 127.0.0.1:2222 and returns the address that it got. Clients are served
// once Record runs; Record with a done context releases the address. The error is a [harness.Problem].
func (t *Tap) Listen(address string) (net.Addr, error) {
	backend, err := t.backend()
	if err != nil {
		return nil, err
	}
	if err := t.Login.check(address, t.Upstream != nil); err != nil {
		return nil, err
	}
	t.open = backend
	return t.server.Listen(address, "record sftp", "choose another address with --listen")
}

func (t *Tap) backend() (backend, error) {
	if t.Upstream != nil {
		return t.Upstream, nil
	}
	return openFolder(t.Dir)
}

// Record serves clients and puts every finished file into the sink until the context is done. Then the connections are
// ended, what was open is recorded as incomplete, and what was finished is recorded without waiting for another name. It
// returns nil unless the sink refused an exchange.
func (t *Tap) Record(ctx context.Context, sink harness.Sink) error {
	if !t.server.Listens() {
		return errors.New("record sftp: not listening")
	}
	t.ledger = newLedger(t, sink)
	t.server.Serve(ctx, func(conn net.Conn, number int) { t.serve(conn, fmt.Sprintf("conn-%d", number)) })
	err := t.ledger.close()
	return errors.Join(err, t.open.close())
}

func (t *Tap) settle() time.Duration { return cmp.Or(t.Settle, DefaultSettle) }

func (t *Tap) maxBody() int64 { return cmp.Or(t.MaxBody, DefaultMaxBody) }

func (t *Tap) now() time.Time { return clock.Read(t.Now) }
