package httptap

import (
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// upstreamConn is a connection to the upstream that speaks HTTP/1 and whose response heads are read along. net/http has
// at most one request in flight on it.
type upstreamConn struct {
	net.Conn

	mu    sync.Mutex
	armed bool // a request is about to be sent; the next final head is its answer
	head  httpwire.HeadScanner
	got   httpwire.Head
	whole bool // got is a head that could be read
	more  bool // bytes of the body came together with the head
}

// Read reads, and picks the head out of what was read.
func (c *upstreamConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		if c.armed {
			c.feed(p[:n])
		}
		c.mu.Unlock()
	}
	return n, err
}

func (c *upstreamConn) feed(p []byte) {
	for c.armed && len(p) > 0 {
		n, done := c.head.Take(p)
		p = p[n:]
		if !done {
			c.armed = !c.head.Overflow()
			return
		}
		c.got, c.whole = httpwire.ParseHead(c.head.Bytes())
		c.head.Reset()
		c.armed = c.whole && isInformational(c.got.Start)
		c.more = len(p) > 0
	}
}

// isInformational reports whether a status line announces another head after it.
func isInformational(start string) bool {
	_, status, _ := strings.Cut(start, " ")
	return strings.HasPrefix(status, "1") && !strings.HasPrefix(status, strconv.Itoa(http.StatusSwitchingProtocols))
}

// begin awaits the head of the next answer.
func (c *upstreamConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.whole, c.more, c.got = true, false, false, httpwire.Head{}
	c.head.Reset()
}

// answer returns the raw fields of resp, nil when they cannot be attributed to it, and whether a part of the body came
// together with them.
func (c *upstreamConn) answer(resp *http.Response) (fields harness.Head, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, status, _ := strings.Cut(c.got.Start, " ")
	if c.armed || !c.whole || !strings.HasPrefix(strings.TrimLeft(status, " "), strconv.Itoa(resp.StatusCode)) || !agrees(c.got.Fields, resp.Header, reframed) {
		return nil, false
	}
	return c.got.Fields, c.more
}

// framedConn is a connection to the upstream that speaks HTTP/2 and whose header blocks are read along, stream by stream.
type framedConn struct {
	net.Conn

	mu      sync.Mutex
	sent    frameScanner
	got     frameScanner
	opened  uint32                    // newest stream of ours
	answers map[uint32][]harness.Head // final head and trailer of streams that an exchange waits for
}

func newFramedConn(c net.Conn) *framedConn {
	f := &framedConn{Conn: c, answers: map[uint32][]harness.Head{}}
	f.sent = newFrameScanner(false, func(stream uint32, _ harness.Head) {
		if stream > f.opened {
			f.opened = stream
			f.answers[stream] = nil
		}
	})
	f.sent.skip = len(clientPreface)
	f.got = newFrameScanner(true, func(stream uint32, fields harness.Head) {
		if blocks, awaited := f.answers[stream]; awaited && !isInformationalHead(fields) && len(blocks) < 2 {
			f.answers[stream] = append(blocks, fields)
		}
	})
	return f
}

// Write notes the stream of a request before its head leaves.
func (c *framedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.sent.feed(p)
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Read reads, and picks the header blocks out of what was read.
func (c *framedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		c.got.feed(p[:n])
		c.mu.Unlock()
	}
	return n, err
}

// newest is the stream of the request whose head was written last.
func (c *framedConn) newest() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

// block returns the n-th header block of a stream: 0 is the final head, 1 the trailer; nil when it did not come.
func (c *framedConn) block(stream uint32, n int) harness.Head {
	c.mu.Lock()
	defer c.mu.Unlock()
	if blocks := c.answers[stream]; n < len(blocks) {
		return blocks[n]
	}
	return nil
}

// forget drops what is kept of a stream.
func (c *framedConn) forget(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, stream)
}

// securedConn is a framedConn over TLS; net/http asks it for the state.
type securedConn struct {
	*framedConn
	state tls.ConnectionState
}

// ConnectionState is that of the connection below.
func (c securedConn) ConnectionState() tls.ConnectionState { return c.state }

// carrier is the connection that carries one request to the upstream, and its place on it.
type carrier struct {
	plain  *upstreamConn // HTTP/1
	framed *framedConn   // HTTP/2
	sent   chan struct{} // closed when the head of the request is written; HTTP/2 only

	mu     sync.Mutex
	stream uint32 // of the request; 0 before its head is written
	ended  bool   // nobody asks any more
}

func newCarrier(c net.Conn) *carrier {
	switch c := c.(type) {
	case *upstreamConn:
		c.begin()
		return &carrier{plain: c}
	case *framedConn:
		return &carrier{framed: c, sent: make(chan struct{})}
	case securedConn:
		return &carrier{framed: c.framedConn, sent: make(chan struct{})}
	}
	return &carrier{}
}

// wrote tells that the head of the request is on its way. net/http writes the head of no other request before it says so.
func (c *carrier) wrote() {
	if c.framed == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == 0 {
		c.stream = c.framed.newest()
		close(c.sent)
	}
	if c.ended {
		c.framed.forget(c.stream)
	}
}

// answer returns the raw fields of resp, nil when they cannot be attributed to it, and whether a part of the body came
// together with them.
func (c *carrier) answer(resp *http.Response) (fields harness.Head, more bool) {
	switch {
	case c == nil:
		return nil, false
	case c.plain != nil:
		return c.plain.answer(resp)
	case c.framed != nil:
		<-c.sent // the answer may be read before the writer says that it wrote
		head := c.framed.block(c.stream, 0)
		if head.Get(harness.FieldStatus) == strconv.Itoa(resp.StatusCode) && agrees(head, resp.Header, reframed) {
			return head, false
		}
	}
	return nil, false
}

// trailer returns the raw trailer of resp, nil when it cannot be attributed to it.
func (c *carrier) trailer(resp *http.Response) harness.Head {
	if c == nil || c.framed == nil {
		return nil
	}
	if fields := c.framed.block(c.stream, 1); agrees(fields, resp.Trailer, reframed) {
		return fields
	}
	return nil
}

// done lets go of what is kept of the exchange.
func (c *carrier) done() {
	if c == nil || c.framed == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.framed.forget(c.stream)
}

// state is how the connection is secured, nil when it is not.
func (c *carrier) state() *tls.ConnectionState {
	var below net.Conn
	switch {
	case c == nil:
		return nil
	case c.plain != nil:
		below = c.plain.Conn
	case c.framed != nil:
		below = c.framed.Conn
	}
	if secure, ok := below.(*tls.Conn); ok {
		state := secure.ConnectionState()
		return &state
	}
	return nil
}
