package broker

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// server holds the connections of a stand-in.
type server struct {
	listener net.Listener

	connsMu sync.Mutex
	conns   map[net.Conn]bool
	ended   bool
}

// Listen begins to listen on an address such as 127.0.0.1:1883.
func (s *server) Listen(address string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("stand in for a broker: %w", err), "choose another address")
	}
	s.listener = l
	return l.Addr(), nil
}

// serve lets talk have each connection, until the context is done and all of them have ended.
func (s *server) serve(ctx context.Context, talk func(net.Conn)) {
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
	var serving sync.WaitGroup
	for {
		conn, err := s.listener.Accept()
		if err != nil || !s.track(conn) {
			break // closed by end
		}
		serving.Go(func() {
			defer s.forget(conn)
			talk(conn)
		})
	}
	serving.Wait()
}

func (s *server) end() {
	s.connsMu.Lock()
	defer s.connsMu.Unlock()
	s.ended = true
	s.listener.Close() //nolint:errcheck // Accept says so
	for conn := range s.conns {
		conn.Close() //nolint:errcheck // whoever serves it says so
	}
}

func (s *server) track(conn net.Conn) bool {
	s.connsMu.Lock()
	defer s.connsMu.Unlock()
	if s.ended {
		conn.Close() //nolint:errcheck // nobody talks to it
		return false
	}
	s.conns[conn] = true
	return true
}

func (s *server) forget(conn net.Conn) {
	conn.Close() //nolint:errcheck // it has ended
	s.connsMu.Lock()
	defer s.connsMu.Unlock()
	delete(s.conns, conn)
}

// peer is one connection of a client. One goroutine reads; any may write.
type peer struct {
	*bufio.Reader
	conn net.Conn
	mu   sync.Mutex
}

// maxMessage is the largest message that a stand-in takes, in bytes.
const maxMessage = 64 << 20

func newPeer(conn net.Conn) *peer { return &peer{Reader: bufio.NewReader(conn), conn: conn} }

// send writes bytes that belong together. A client that takes nothing for long loses its connection.
func (c *peer) send(b []byte) error {
	const patience = 30 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := c.conn.Write(b)
	if err != nil {
		c.conn.Close() //nolint:errcheck // the reader ends, too
	}
	return err
}
