package replay

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Proxy is a forward proxy whose every connection the guard decides about. Programs under test get it as their proxy, so
// that what they try to reach by themselves is refused like anything else, and stands in the account. Programs that
// ignore the variables of proxies are not held back by it.
type Proxy struct {
	URL string // as HTTP_PROXY takes it

	guard   *Guard
	forward *httputil.ReverseProxy
	server  *http.Server
	served  chan struct{} // closed when the server has ended

	mu      sync.Mutex
	tunnels map[net.Conn]bool
	waiting sync.WaitGroup // tunnels
}

// Proxy listens on loopback until it is closed.
func (g *Guard) Proxy() (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{URL: "http://" + listener.Addr().String(), guard: g, served: make(chan struct{}), tunnels: map[net.Conn]bool{}}
	p.forward = &httputil.ReverseProxy{
		Rewrite:       func(*httputil.ProxyRequest) {}, // the request names its own destination
		Transport:     g.RoundTripper(),
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, err error) { sayRefused(w, err) },
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		defer close(p.served)
		p.server.Serve(listener) //nolint:errcheck // it ends by Close
	}()
	return p, nil
}

// ServeHTTP forwards a request, or opens a tunnel. What passes a tunnel cannot be seen, so it counts as writing.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		if (r.URL.Scheme != "http" && r.URL.Scheme != "https") || r.URL.Host == "" {
			http.Error(w, "rehearse: this is a proxy, and the request names no host", http.StatusBadRequest)
			return
		}
		p.forward.ServeHTTP(w, r)
		return
	}
	upstream, err := p.guard.DialContext(ForWriting(r.Context()), "tcp", r.Host)
	if err != nil {
		sayRefused(w, err)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		upstream.Close()
		return
	}
	if !p.open(client, upstream) {
		return
	}
	defer p.shut(client, upstream)
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	splice(client, buffered, upstream)
}

// splice copies both ways until both sides have ended.
func splice(client net.Conn, buffered io.Reader, upstream net.Conn) {
	up := make(chan struct{})
	go func() {
		defer close(up)
		io.Copy(upstream, buffered) //nolint:errcheck // a tunnel ends as its sides end
		closeWrite(upstream)
	}()
	io.Copy(client, upstream) //nolint:errcheck // the same
	closeWrite(client)
	<-up
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() //nolint:errcheck // the connection is closed next
		return
	}
	c.Close()
}

// open notes the ends of a tunnel; not ok when the proxy is closed already.
func (p *Proxy) open(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tunnels == nil {
		for _, c := range ends {
			c.Close()
		}
		return false
	}
	for _, c := range ends {
		p.tunnels[c] = true
	}
	p.waiting.Add(1)
	return true
}

func (p *Proxy) shut(ends ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range ends {
		c.Close()
		delete(p.tunnels, c)
	}
	p.waiting.Done()
}

// Close ends the proxy and every tunnel, and waits for their end.
func (p *Proxy) Close() error {
	err := p.server.Close()
	<-p.served
	p.mu.Lock()
	open := p.tunnels
	p.tunnels = nil
	for c := range open {
		c.Close()
	}
	p.mu.Unlock()
	p.waiting.Wait()
	p.forward.Transport.(*RoundTripper).CloseIdleConnections()
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Variables are those by which programs learn of their proxy. Loopback is reached without it.
func (p *Proxy) Variables() map[string]string {
	const direct = "localhost,127.0.0.1,::1"
	return map[string]string{
		"HTTP_PROXY": p.URL, "HTTPS_PROXY": p.URL, "NO_PROXY": direct,
		"http_proxy": p.URL, "https_proxy": p.URL, "no_proxy": direct,
	}
}

// sayRefused answers a request that goes no further, in words that end up in the program's log.
func sayRefused(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if harness.ClassOf(err) == harness.ClassRefused {
		status = http.StatusForbidden
	}
	text := "rehearse: " + err.Error()
	if hint := harness.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	http.Error(w, text, status)
}
