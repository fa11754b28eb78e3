package replay

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

// Bounds of one exchange.
const (
	mostHead    = 10 << 20              // bytes of an answer before its body, informational ones included
	atOnce      = 16 << 10              // bytes of a request that are written before the answer is read; more are written meanwhile
	lastAnswer  = 50 * time.Millisecond // how long an answer is waited for after the request could not be written, and the reverse
	defaultPort = "80"
	securePort  = "443"
)

// link is a connection to an origin, for one exchange at a time.
type link struct {
	pool   *pool
	to     origin
	conn   net.Conn // what is read and written: raw, or TLS over it
	raw    net.Conn
	reader *bufio.Reader
	writer *bufio.Writer
	since  time.Time // when the last exchange ended

	reused   bool  // there was an exchange before this one
	answered bool  // a byte of the answer came
	room     int64 // bytes that may still be read before the body
}

// connect opens a connection to where the URL leads.
func (p *pool) connect(ctx context.Context, u *url.URL) (*link, error) {
	name := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(name); err == nil {
		name = ascii
	}
	port := defaultPort
	if u.Scheme == "https" {
		port = securePort
	}
	raw, err := p.dial(ctx, "tcp", net.JoinHostPort(name, cmp.Or(u.Port(), port)))
	if err != nil {
		return nil, err
	}
	l := &link{pool: p, to: origin{u.Scheme, u.Host}, conn: raw, raw: raw}
	if u.Scheme == "https" {
		secured := tls.Client(raw, &tls.Config{ServerName: name, RootCAs: p.roots})
		if err := secured.HandshakeContext(ctx); err != nil {
			raw.Close() //nolint:errcheck // the handshake says what is wrong
			return nil, err
		}
		l.conn = secured
	}
	l.reader, l.writer = bufio.NewReader(l), bufio.NewWriter(l.conn)
	return l, nil
}

var errLargeHead = fmt.Errorf("the head of the answer is larger than %d bytes", mostHead)

// Read reads from the connection, as far as there is room.
func (l *link) Read(p []byte) (int, error) {
	if l.room <= 0 {
		return 0, errLargeHead
	}
	n, err := l.conn.Read(p[:min(int64(len(p)), l.room)])
	l.room -= int64(n)
	l.answered = l.answered || n > 0
	return n, err
}

// exchange sends the request and reads the answer as far as its body. The connection goes back to its pool at the end of
// the body, or is closed.
func (l *link) exchange(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	e := &exchange{link: l, ctx: ctx}
	e.stop = context.AfterFunc(ctx, e.interrupt)
	l.room = mostHead
	e.send(r)
	answer, err := l.receive(r)
	if err != nil {
		e.end(false)
		return nil, e.cause(err)
	}
	l.room = 1<<63 - 1
	e.keep = !answer.Close && !r.Close && answer.StatusCode != http.StatusSwitchingProtocols
	if answer.Body == http.NoBody {
		e.end(true)
		return answer, nil
	}
	e.body, answer.Body = answer.Body, e
	return answer, nil
}

// receive reads the answer behind those that only inform.
func (l *link) receive(r *http.Request) (*http.Response, error) {
	for {
		answer, err := http.ReadResponse(l.reader, r)
		if err != nil || answer.StatusCode/100 != 1 || answer.StatusCode == http.StatusSwitchingProtocols {
			return answer, err
		}
	}
}

// exchange is a request on its way, and then the body of its answer.
type exchange struct {
	*link
	ctx  context.Context
	stop func() bool // the interruption by the context; false: it happened
	body io.ReadCloser
	keep bool  // the connection may carry another exchange
	over error // what a read of the body gives after the end

	writing chan struct{} // closed when the request is written; nil: it is already
	failed  error         // what writing it ended with
}

// interrupt ends what is under way on the connection.
func (e *exchange) interrupt() { e.conn.SetDeadline(time.Unix(1, 0)) } //nolint:errcheck // a closed one is interrupted

// send writes the request: a short one at once, a long one while the answer may come already.
func (e *exchange) send(r *http.Request) {
	if !hasBody(r) || r.ContentLength > 0 && r.ContentLength <= atOnce {
		e.write(r)
		return
	}
	e.writing = make(chan struct{})
	go func() {
		defer close(e.writing)
		e.write(r)
	}()
}

// write writes the request. Where that fails, the server may have answered and hung up: its answer is waited for a little.
func (e *exchange) write(r *http.Request) {
	if e.failed = r.Write(e.writer); e.failed == nil {
		e.failed = e.writer.Flush()
	}
	if e.failed != nil && e.ctx.Err() == nil {
		e.conn.SetReadDeadline(time.Now().Add(lastAnswer)) //nolint:errcheck // a closed one is not waited for
	}
}

// cause is why the exchange failed: the end of the context, then what stopped the writing, then what stopped the reading.
func (e *exchange) cause(err error) error {
	if e.ctx.Err() != nil {
		return context.Cause(e.ctx)
	}
	return cmp.Or(e.failed, err)
}

// end ends the exchange, and every goroutine of it. A whole answer leaves the connection to the next one.
func (e *exchange) end(whole bool) {
	if e.over != nil {
		return
	}
	e.over = http.ErrBodyReadAfterClose
	if e.stop() && whole && e.keep && e.written() && e.failed == nil && e.reader.Buffered() == 0 {
		e.pool.put(e.link)
		return
	}
	e.conn.Close() //nolint:errcheck // what came of it is known
	if e.writing != nil {
		<-e.writing
	}
}

// written reports whether nothing of the request is under way any more. Who wrote its last byte may not have said so yet.
func (e *exchange) written() bool {
	if e.writing == nil {
		return true
	}
	timer := time.NewTimer(lastAnswer)
	defer timer.Stop()
	select {
	case <-e.writing:
		return true
	case <-timer.C:
		return false
	}
}

// Read reads the body of the answer.
func (e *exchange) Read(p []byte) (int, error) {
	if e.over != nil {
		return 0, e.over
	}
	n, err := e.body.Read(p)
	if err == nil {
		return n, nil
	}
	e.end(err == io.EOF)
	if err != io.EOF {
		err = e.cause(err)
	}
	e.over = err
	return n, err
}

// Close ends the exchange; what was not read of the body is lost, with the connection.
func (e *exchange) Close() error {
	e.end(false)
	return nil
}

// checkRequest refuses what cannot be written as it is.
func checkRequest(r *http.Request) error {
	switch {
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("scheme %q cannot be sent", r.URL.Scheme)
	case !httpguts.ValidHeaderFieldName(r.Method): // both are a token
		return fmt.Errorf("method %q is no token", r.Method)
	}
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("the name of the header field %q is no token", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("the value of the header field %s holds control characters", name)
			}
		}
	}
	return nil
}
