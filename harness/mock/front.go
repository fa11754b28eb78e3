package mock

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// front is a listener for clients of all kinds: connections that begin with TLS and those that do not, and what comes
// through tunnels of clients that take the mock for their proxy.
type front struct {
	net.Listener
	config *tls.Config

	ready   chan net.Conn
	closed  chan struct{}
	looking sync.WaitGroup // connections whose first byte is awaited, and the loop that accepts them

	mu      sync.Mutex
	pending map[net.Conn]bool
	ended   bool
}

// firstByte is how long a client may take until it says anything.
const firstByte = 10 * time.Second

// recordOfTLS is the first byte of a handshake, RFC 8446 section 5.1.
const recordOfTLS = 0x16

func newFront(l net.Listener, config *tls.Config) *front {
	f := &front{Listener: l, config: config, ready: make(chan net.Conn), closed: make(chan struct{}), pending: map[net.Conn]bool{}}
	f.looking.Go(f.accept)
	return f
}

// accept ends with Close.
func (f *front) accept() {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return
		}
		f.offer(conn)
	}
}

// offer looks at the first byte of a connection and hands it to whoever accepts.
func (f *front) offer(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		conn.Close() //nolint:errcheck // nobody talks to it
		return
	}
	f.pending[conn] = true
	f.looking.Go(func() { f.look(conn) })
}

func (f *front) look(conn net.Conn) {
	buffered := bufio.NewReader(conn)
	conn.SetReadDeadline(time.Now().Add(firstByte)) //nolint:errcheck // then the read says so
	first, err := buffered.Peek(1)
	f.mu.Lock()
	delete(f.pending, conn)
	f.mu.Unlock()
	if err != nil {
		conn.Close() //nolint:errcheck // it said nothing
		return
	}
	conn.SetReadDeadline(time.Time{}) //nolint:errcheck // the server has its own
	var handed net.Conn = &begunConn{Conn: conn, r: buffered}
	if first[0] == recordOfTLS {
		handed = tls.Server(handed, f.config)
	}
	select {
	case f.ready <- handed:
	case <-f.closed:
		conn.Close() //nolint:errcheck // nobody talks to it any more
	}
}

// Accept returns the next connection whose kind is known.
func (f *front) Accept() (net.Conn, error) {
	select {
	case conn := <-f.ready:
		return conn, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// Close lets go of the port and of connections that have not begun to talk, and waits for both.
func (f *front) Close() error {
	f.mu.Lock()
	if f.ended {
		f.mu.Unlock()
		return nil
	}
	f.ended = true
	close(f.closed)
	err := f.Listener.Close()
	for conn := range f.pending {
		conn.Close() //nolint:errcheck // look says so
	}
	f.mu.Unlock()
	f.looking.Wait()
	return err
}

// begunConn is a connection of which something was read ahead.
type begunConn struct {
	net.Conn
	r io.Reader
}

func (c *begunConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// tunnels lets clients take the mock for their proxy: a CONNECT to a host of the recording leads back to the mock, which
// speaks TLS or not as the client does. All other hosts are refused, so nothing passes to the real ones.
type tunnels struct {
	*Mock
	front *front
}

func (t tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		t.Mock.ServeHTTP(w, r)
		return
	}
	if t.hosts.of(r) == "" {
		t.refuse(w, Miss{Method: r.Method, Target: r.Host, Reason: "no recorded system has this host",
			Hint: fmt.Sprintf("name the system: --host %s=SYSTEM, or reach this host without the proxy", r.Host)})
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.refuse(w, Miss{Method: r.Method, Target: r.Host, Reason: "a tunnel is opened in HTTP/1.1 only"})
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		conn.Close() //nolint:errcheck // the client is gone
		return
	}
	t.front.offer(&begunConn{Conn: conn, r: buffered})
}

// listenOn opens a loopback address; empty means any free port.
func listenOn(addr string) (net.Listener, error) {
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
	return listener, nil
}
