package ldap

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// dialTime is how long the directory may take until the connection stands.
const dialTime = 20 * time.Second

// Upstream is the directory behind the tap.
type Upstream struct {
	Address  string      // HOST:PORT
	TLS      *tls.Config // with which it is spoken to; nil: in the clear
	StartTLS bool        // TLS begins with an operation on the port in the clear, not at once
}

// Reach makes a connection once, so that a wrong address or certificate is told before a client comes.
func (u *Upstream) Reach() error {
	conn, err := u.dial(context.Background())
	if err != nil {
		return harness.CannotRun(fmt.Errorf("reach %s: %w", u.Address, err), "check the address, that the directory runs, and how it speaks TLS")
	}
	return conn.Close()
}

// dial makes a connection, under TLS where it is to be.
func (u *Upstream) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Address)
	if err != nil || u.TLS == nil {
		return conn, err
	}
	secured := tls.Client(conn, u.TLS)
	if u.StartTLS {
		err = u.startTLS(conn)
	}
	if err == nil {
		err = secured.HandshakeContext(ctx)
	}
	if err != nil {
		conn.Close() //nolint:errcheck // it is of no use
		return nil, err
	}
	return secured, nil
}

// startTLS asks for TLS (RFC 4511 section 4.14).
func (u *Upstream) startTLS(conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(dialTime)) //nolint:errcheck // then reading says so
	ask := pack(tagSequence, packNumber(tagInteger, 1), pack(opExtended, pack(tagRequestName, []byte(oidStartTLS))))
	if _, err := conn.Write(ask); err != nil {
		return err
	}
	// The answer is read to its last byte and no further: what comes then is TLS.
	var r result
	answer := relay{from: oneByOne{conn}, to: io.Discard, most: wholeSize}
	var bad error
	err := answer.next(func(frame []byte, _ int) bool {
		m, err := parse(frame)
		if r, bad = readResult(m); err != nil {
			bad = err
		}
		return true
	})
	err = firstOf(err, bad)
	if err == nil && r.code != codeSuccess {
		err = fmt.Errorf("StartTLS is refused with result %d", r.code)
	}
	conn.SetDeadline(time.Time{}) //nolint:errcheck // a client may be idle for as long as it likes
	return err
}

// oneByOne reads a byte at a time, and so never more than is asked for.
type oneByOne struct{ net.Conn }

func (c oneByOne) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), 1)]) }
