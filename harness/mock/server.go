package mock

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Server is a mock that listens.
type Server struct {
	URL  string // "http://127.0.0.1:PORT", or https
	http *http.Server
	done chan error
}

// Listen serves the mock on a loopback address such as "127.0.0.1:0"; empty means any free port. It speaks HTTP/1.1, and
// HTTP/2 with clients that know it beforehand. It returns when the port accepts. An address outside of the machine is
// refused; a port in use is a Problem of ClassCannotRun.
func (m *Mock) Listen(addr string) (*Server, error) { return m.listen(addr, nil) }

// ListenTLS is Listen with TLS, in HTTP/2 or HTTP/1.1 as the configuration offers them.
func (m *Mock) ListenTLS(addr string, config *tls.Config) (*Server, error) {
	return m.listen(addr, config)
}

func (m *Mock) listen(addr string, config *tls.Config) (*Server, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("listen on %q: %w", addr, err), "give host and port, such as 127.0.0.1:8080")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, harness.Refused(fmt.Errorf("listen on %q: not a loopback address", addr), "a mock answers on this machine only: use 127.0.0.1")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, harness.CannotRun(fmt.Errorf("listen on %s: %w", addr, err), "another program may use the port: choose a free one, or 127.0.0.1:0 for any")
	}
	const headTimeout = 10 * time.Second
	s := &Server{
		URL:  "http://" + listener.Addr().String(),
		http: &http.Server{Handler: m, ReadHeaderTimeout: headTimeout, Protocols: new(http.Protocols), TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)},
		done: make(chan error, 1),
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetHTTP2(config != nil)
	s.http.Protocols.SetUnencryptedHTTP2(config == nil)
	serve := func() error { return s.http.Serve(listener) }
	if config != nil {
		s.URL = "https://" + listener.Addr().String()
		serve = func() error { return s.http.ServeTLS(listener, "", "") }
	}
	go func() { s.done <- serve() }() // ends with Close
	return s, nil
}

// Close answers the calls that have begun, for at most two seconds, and stops.
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
	return err
}
