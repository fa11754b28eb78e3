package mock

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server is a mock that listens.
type Server struct {
	URL  string // "http://127.0.0.1:PORT", or https
	http *http.Server
	mock *Mock
	done chan error
}

// Listen serves the mock on a loopback address such as "127.0.0.1:0"; empty means any free port. It speaks HTTP/1.1, and
// HTTP/2 with clients that know it beforehand. It returns when the port accepts. An address outside of the machine is
// refused; a port in use is a Problem of ClassCannotRun.
func (m *Mock) Listen(addr string) (*Server, error) {
	listener, err := listenOn(addr)
	if err != nil {
		return nil, err
	}
	return m.serve(listener, "http://"+listener.Addr().String(), m), nil
}

// ListenTLS is Listen with TLS, in HTTP/2 or HTTP/1.1 as the configuration offers them, for clients that begin with it;
// the others are served on the same port without. Clients may also take it for their proxy: CONNECT to a host of the
// recording leads to the mock itself.
func (m *Mock) ListenTLS(addr string, config *tls.Config) (*Server, error) {
	listener, err := listenOn(addr)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	f := newFront(listener, config)
	return m.serve(f, "https://"+listener.Addr().String(), tunnels{m, f}), nil
}

func (m *Mock) serve(listener net.Listener, url string, handler http.Handler) *Server {
	const headTimeout = 10 * time.Second
	s := &Server{
		URL:  url,
		mock: m,
		http: &http.Server{Handler: handler, ReadHeaderTimeout: headTimeout, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)},
		done: make(chan error, 1),
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetHTTP2(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
	go func() { s.done <- s.http.Serve(listener) }() // ends with Close
	return s
}

// Close answers the calls that have begun, for at most two seconds, gives up calls back whose time has not come, and stops.
func (s *Server) Close() error {
	const grace = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	s.mock.endCallbacks()
	return err
}
