// Package listening accepts connections until a context is done, and ends those that are open then.
package listening

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// Server holds a listener and the connections that it accepted. The zero Server does not listen yet. It is used once: Serve
// ends it.
type Server struct {
	listener net.Listener

	mu    sync.Mutex
	open  map[net.Conn]bool
	kept  int
	ended bool
}

// Listen begins to listen on an address such as 127.0.0.1:3389 and returns the address that it got. The error is a
// [harness.Problem] of ClassCannotRun that begins with what is done, with the hint.
func (s *Server) Listen(address, doing, hint string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("%s: %w", doing, err), hint)
	}
	s.listener, s.open = l, map[net.Conn]bool{}
	return l.Addr(), nil
}

// Listens reports whether Listen succeeded.
func (s *Server) Listens() bool { return s.listener != nil }

// Serve lets talk have each connection, with its number among all that are kept, on a goroutine of its own. When the context is done
// it closes the listener and all connections, and returns when every talk has ended.
func (s *Server) Serve(ctx context.Context, talk func(conn net.Conn, number int)) {
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
	var talking sync.WaitGroup
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			break // closed by end
		}
		number, ok := s.Keep(conn)
		if !ok {
			break
		}
		talking.Go(func() {
			defer s.Forget(conn)
			talk(conn, number)
		})
	}
	talking.Wait()
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.listener.Close() //nolint:errcheck // Accept says so
	for conn := range s.open {
		conn.Close() //nolint:errcheck // whoever talks to it says so
	}
}

// Keep keeps a connection until Forget, so that the end closes it: an accepted one, or one to who stands behind. It is
// numbered from 1. After the end Keep closes it at once.
func (s *Server) Keep(conn net.Conn) (number int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		conn.Close() //nolint:errcheck // nobody talks to it
		return 0, false
	}
	s.open[conn] = true
	s.kept++
	return s.kept, true
}

// Forget closes a connection that was kept.
func (s *Server) Forget(conn net.Conn) {
	conn.Close() //nolint:errcheck // it has ended
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}
