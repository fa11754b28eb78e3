package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// dialTime is how long the real server may take until it has greeted.
const dialTime = 30 * time.Second

// Relay is the real server behind the tap.
type Relay struct {
	Address  string      // HOST:PORT
	TLS      *tls.Config // with which it is spoken to; nil: in the clear
	StartTLS bool        // TLS begins by STARTTLS, not at once
}

// Reach makes a connection once, so that a wrong address or certificate is told before a client comes.
func (r *Relay) Reach() error {
	up, err := r.dial(context.Background())
	if err != nil {
		return harness.CannotRun(fmt.Errorf("reach %s: %w", r.Address, err), "check the address, that the server runs, and how it speaks TLS")
	}
	return up.conn.Close()
}

// upstream is a connection to the real server.
type upstream struct {
	conn     net.Conn
	read     *bufio.Reader
	greeting reply
}

// dial makes a connection, under TLS where it is to be, and reads the greeting.
func (r *Relay) dial(ctx context.Context) (*upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // whoever reads from it says so
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(dialTime)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	up := &upstream{conn: conn, read: bufio.NewReader(conn)}
	if err := r.greet(ctx, up); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return up, nil
}

func (r *Relay) greet(ctx context.Context, up *upstream) (err error) {
	secure := func() error {
		secured := tls.Client(up.conn, r.TLS)
		up.conn, up.read = secured, bufio.NewReader(secured)
		return secured.HandshakeContext(ctx)
	}
	if r.TLS != nil && !r.StartTLS {
		if err := secure(); err != nil {
			return err
		}
	}
	if up.greeting, err = up.answer(); err != nil || up.greeting.code != 220 {
		return errors.Join(err, up.greeting.refusal())
	}
	if r.TLS == nil || !r.StartTLS {
		return nil
	}
	for _, command := range []string{"EHLO localhost", "STARTTLS"} {
		answer, err := up.say(command)
		if err != nil || answer.code/100 != 2 {
			return errors.Join(err, answer.refusal())
		}
	}
	return secure()
}

// say sends a command and returns its reply.
func (u *upstream) say(command string) (reply, error) {
	u.conn.SetDeadline(time.Now().Add(idleTime)) //nolint:errcheck // then writing says so
	if _, err := u.conn.Write([]byte(command + "\r\n")); err != nil {
		return reply{}, err
	}
	return u.answer()
}

// reply is the code and the lines of a reply, the code in front of each.
type reply struct {
	code  int
	lines []string
}

func (r reply) refusal() error {
	if r.code/100 == 2 {
		return nil
	}
	return fmt.Errorf("the server says %.200q", strings.Join(r.lines, " "))
}

// longestReply is the most lines of a reply.
const longestReply = 100

// answer reads a reply.
func (u *upstream) answer() (reply, error) {
	var r reply
	for len(r.lines) < longestReply {
		line, err := readLine(u.read)
		if err != nil {
			return r, err
		}
		if len(line) < 3 || strings.Trim(line[:3], "0123456789") != "" || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return r, fmt.Errorf("the server answers %.80q", line)
		}
		r.lines = append(r.lines, line)
		if len(line) == 3 || line[3] == ' ' {
			r.code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
			return r, nil
		}
	}
	return r, errors.New("the reply does not end")
}

// longestLine is the most bytes of a command or a line of a reply.
const longestLine = 16 << 10

var errLine = errors.New("a line is too long")

// readLine reads up to CRLF. An LF alone ends no line.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > longestLine:
			return "", errLine
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		case err == nil && strings.HasSuffix(string(line), "\r\n"):
			return string(line[:len(line)-2]), nil
		}
	}
}
