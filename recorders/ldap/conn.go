package ldap

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// talk is one client's connection and the one behind it.
type talk struct {
	tap    *Tap
	client client
	up     net.Conn
	ledger ledger

	ended sync.Once
	fault harness.Fault // of what has no result: how the first side ended
}

// client is the client's connection, which may go over to TLS. It is safe for concurrent writes.
type client struct {
	mu sync.Mutex
	net.Conn
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.Close()
}

// secure goes over to TLS after the client was told something in the clear.
func (c *client) secure(ctx context.Context, config *tls.Config, told, ahead []byte) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.Conn.Write(told); err != nil {
		return err
	}
	secured := tls.Server(replayed{c.Conn, io.MultiReader(bytes.NewReader(ahead), c.Conn)}, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	c.Conn = secured
	return nil
}

// replayed is a connection of which the first bytes were read already.
type replayed struct {
	net.Conn
	from io.Reader
}

func (c replayed) Read(p []byte) (int, error) { return c.from.Read(p) }

// firstTLS is the first byte of a TLS connection.
const firstTLS = 0x16

// serve talks to one client until it goes away.
func (t *Tap) serve(ctx context.Context, conn net.Conn, session string) {
	k := &talk{tap: t, client: client{Conn: conn}, ledger: ledger{tap: t, session: session, open: map[int]*open{}}}
	asks := &relay{from: conn, to: io.Discard, most: t.maxBody()}
	if asks.fill() != nil {
		return // the client said nothing
	}
	if asks.ahead[0] == firstTLS && t.Secure != nil {
		if k.client.secure(ctx, t.Secure, nil, asks.ahead) != nil {
			return
		}
		asks = &relay{from: k.client.Conn, to: io.Discard, most: t.maxBody()}
	}
	up, err := t.Upstream.dial(ctx)
	if err != nil {
		if asks.next(k.note) == nil {
			k.ledger.close(harness.FaultUnreachable, "the directory cannot be reached")
		}
		return
	}
	if _, ok := t.server.Keep(up); !ok {
		return
	}
	defer t.server.Forget(up)
	k.up, asks.to = up, up
	var answering sync.WaitGroup
	answering.Go(k.answers)
	k.asks(ctx, asks)
	answering.Wait()
	k.ledger.close(k.fault.Kind, k.fault.Detail)
}

func (k *talk) note(frame []byte, size int) bool {
	k.ledger.ask(frame, size)
	return true
}

// asks passes on what the client says until it ends.
func (k *talk) asks(ctx context.Context, r *relay) {
	for {
		var start int
		err := r.next(func(frame []byte, size int) bool {
			id, wanted := wantsTLS(frame)
			if start = id; wanted {
				return false
			}
			start = 0
			return k.note(frame, size)
		})
		if err == nil && start != 0 {
			r, err = k.startTLS(ctx, r, start)
		}
		if errors.Is(err, errForm) {
			k.ledger.strange()
			err = r.rest()
		}
		if err != nil {
			k.end(harness.FaultClientGone, "the client went away")
			k.hangUp(errors.Is(err, io.EOF))
			return
		}
	}
}

// hangUp tells the directory that the client has ended: one that only says no more may still wait for answers.
func (k *talk) hangUp(waits bool) {
	half, ok := k.up.(interface{ CloseWrite() error })
	if !waits || !ok || half.CloseWrite() != nil {
		k.up.Close() //nolint:errcheck // whoever reads from it says so
	}
}

// answers passes on what the directory says until it ends.
func (k *talk) answers() {
	r := &relay{from: k.up, to: &k.client, most: k.tap.maxBody()}
	var err error
	for err == nil {
		err = r.next(func(frame []byte, size int) bool {
			k.ledger.answer(frame, size)
			return true
		})
	}
	if errors.Is(err, errForm) {
		k.ledger.strange()
		r.rest() //nolint:errcheck // one of the sides has ended
	}
	k.end(harness.FaultReset, "the directory ended the connection")
	k.client.Close() //nolint:errcheck // whoever reads from it says so
	k.up.Close()     //nolint:errcheck // it has ended
}

func (k *talk) end(kind, detail string) {
	k.ended.Do(func() { k.fault = harness.Fault{Kind: kind, Detail: detail} })
}

// wantsTLS reports whether a message is StartTLS, and its id.
func wantsTLS(frame []byte) (id int, wanted bool) {
	if id, tag, err := opening(frame); err != nil || tag != opExtended || id <= 0 {
		return 0, false
	}
	m, err := parse(frame)
	name := m.op.inside().want(tagRequestName)
	return m.id, err == nil && string(name.content) == oidStartTLS
}

// startTLS answers StartTLS, and reads on under TLS where there is some.
func (k *talk) startTLS(ctx context.Context, r *relay, id int) (*relay, error) {
	if k.tap.Secure == nil {
		_, err := k.client.Write(tlsAnswer(id, codeUnavailable, "the recorder speaks no TLS to clients: start it with --tls"))
		return r, err
	}
	if err := k.client.secure(ctx, k.tap.Secure, tlsAnswer(id, codeSuccess, ""), r.ahead); err != nil {
		return r, err
	}
	return &relay{from: k.client.Conn, to: r.to, most: r.most}, nil
}

func tlsAnswer(id, code int, diagnostic string) []byte {
	return pack(tagSequence, packNumber(tagInteger, id), pack(resultExtended,
		packNumber(tagEnumerated, code), pack(tagOctets), pack(tagOctets, []byte(diagnostic)), pack(tagResponseName, []byte(oidStartTLS))))
}
