package httptap

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/clock"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
	"github.com/rehearse-dev/rehearse/recorders/internal/refusals"
)

// Inside says how exchanges are recorded inside of a Go program, without a proxy: by [Transport], or by [Middleware].
// Heads are what net/http tells the program: canonical case, sorted by name, and without the fields that it adds itself.
type Inside struct {
	Sink     harness.Sink // takes the exchanges
	From, To string       // names of the systems; a Transport without To names the host

	Session func(*http.Request) string // names the session of a request; nil leaves it empty
	Filter  Filter                     // which exchanges are recorded
	Now     func() time.Time           // the clock; nil is time.Now
	MaxBody int64                      // most bytes kept of one body; 0 is DefaultMaxBody
}

// recorder is an Inside that is ready.
type recorder struct {
	Inside
	filter  filter
	refused refusals.Refusals
}

func newRecorder(o Inside) *recorder {
	o.MaxBody = cmp.Or(o.MaxBody, DefaultMaxBody)
	return &recorder{Inside: o, filter: newFilter(o.Filter)}
}

// begin is the exchange of a request; nil when it is not recorded.
func (c *recorder) begin(r *http.Request, path, to string) *harness.Exchange {
	x := &harness.Exchange{Channel: harness.ChannelHTTP, From: c.From, To: to, At: clock.Read(c.Now)}
	if c.Session != nil {
		x.Session = c.Session(r)
	}
	if reason := c.filter.leavesOut(r, hostOnly(r.Host), x.Session); reason != "" {
		c.Sink.LeaveOut(reason)
		return nil
	}
	x.Request = harness.Message{Head: requestHead(r, path, nil), Media: httpwire.Media(r.Header.Get("Content-Type"))}
	return x
}

// end puts the exchange, with the first of the faults.
func (c *recorder) end(x *harness.Exchange, request *requestBody, response *keeper, faults ...*harness.Fault) {
	size := response.passed
	if request != nil {
		body, fault := request.seal()
		x.Request.Body = body
		faults = append(faults, fault)
		size += request.passed()
	}
	if reason := c.filter.tooLarge(size); reason != "" {
		c.Sink.LeaveOut(reason)
		return
	}
	x.Response.Body = response.body()
	for _, f := range append(faults, response.fault("response")) {
		if x.Fault == nil {
			x.Fault = f
		}
	}
	x.Took = clock.Read(c.Now).Sub(x.At)
	c.refused.Put(c.Sink, *x)
}

// Transport returns a round tripper that records what a client of this program sends and is answered; nil as base is
// [http.DefaultTransport]. An exchange is put into the sink before the program sees the end of the answer's body; a body
// that the program closes before its end is recorded as truncated. What the base unpacked by itself is recorded unpacked.
func Transport(base http.RoundTripper, o Inside) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{base, newRecorder(o)}
}

type transport struct {
	base     http.RoundTripper
	recorder *recorder
}

// RoundTrip sends the request with the base.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	seen := *r
	seen.Method, seen.Host, seen.Proto = cmp.Or(r.Method, http.MethodGet), cmp.Or(r.Host, r.URL.Host), "HTTP/1.1"
	x := t.recorder.begin(&seen, r.URL.RequestURI(), cmp.Or(t.recorder.To, r.URL.Hostname()))
	if x == nil {
		return t.base.RoundTrip(r)
	}
	out, request := r, (*requestBody)(nil)
	if r.Body != nil && r.Body != http.NoBody {
		request = newRequestBody(r.Body, declared(r), t.recorder.MaxBody)
		out = r.Clone(r.Context())
		out.Body = sentBody{request, r.Body}
		out.GetBody = nil // a second try would be another exchange
	}
	resp, err := t.base.RoundTrip(out)
	kept := &keeper{max: t.recorder.MaxBody}
	if err != nil {
		t.recorder.end(x, request, kept, sendFault(r.Context(), err))
		return nil, err
	}
	x.Response = harness.Message{Head: responseHead(resp, securedState(resp.TLS), nil), Media: httpwire.Media(resp.Header.Get("Content-Type"))}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		t.recorder.end(x, request, kept, &harness.Fault{Kind: harness.FaultTruncated, Detail: "the connection switched to another protocol; what crossed afterwards is not recorded"})
	case !hasBody(resp) || seen.Method == http.MethodHead:
		t.recorder.end(x, request, kept)
	default:
		resp.Body = &receivedBody{ReadCloser: resp.Body, resp: resp, keep: kept, end: func(f *harness.Fault) {
			x.Response.Head = withTrailer(x.Response.Head, resp.Trailer, nil)
			t.recorder.end(x, request, kept, f)
		}}
	}
	return resp, nil
}

// declared is the length that a request gives, -1 when it gives none.
func declared(r *http.Request) int64 {
	if r.ContentLength > 0 {
		return r.ContentLength
	}
	return -1
}

// sendFault says what an error of a round tripper means.
func sendFault(ctx context.Context, err error) *harness.Fault {
	op, network := errors.AsType[*net.OpError](err)
	switch {
	case isTimeout(err):
		return &harness.Fault{Kind: harness.FaultTimeout, Detail: "the answer did not come in time"}
	case ctx.Err() != nil:
		return &harness.Fault{Kind: harness.FaultClientGone, Detail: "the program gave up before the answer came"}
	case network && op.Op == "dial":
		return &harness.Fault{Kind: harness.FaultUnreachable, Detail: err.Error()}
	}
	return &harness.Fault{Kind: harness.FaultReset, Detail: "the connection broke before the answer came"}
}

// sentBody is a body that is kept while it is sent.
type sentBody struct {
	*requestBody
	src io.Closer
}

func (b sentBody) Close() error { return errors.Join(b.requestBody.Close(), b.src.Close()) }

// receivedBody is the body of an answer that is kept while the program reads it.
type receivedBody struct {
	io.ReadCloser
	resp *http.Response
	keep *keeper
	end  func(*harness.Fault)
	once sync.Once
}

func (b *receivedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.keep.add(p[:n], b.resp.ContentLength)
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped EOF is a broken body
		b.once.Do(func() { b.end(nil) })
	case err != nil:
		b.once.Do(func() {
			b.end(&harness.Fault{Kind: harness.FaultReset, Detail: "the connection broke before the answer ended"})
		})
	}
	return n, err
}

// Close ends the exchange: whole when the program has read as much as the answer promised.
func (b *receivedBody) Close() error {
	b.once.Do(func() {
		var f *harness.Fault
		if b.resp.ContentLength < 0 || b.keep.passed < b.resp.ContentLength {
			f = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the program closed the body before its end"}
		}
		b.end(f)
	})
	return b.ReadCloser.Close()
}

// Middleware returns a handler that records what next is asked and answers. An exchange is put into the sink when next
// returns; a handler that panics is recorded as reset, and one that takes the connection over as truncated.
func Middleware(next http.Handler, o Inside) http.Handler {
	c := newRecorder(o)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := c.begin(r, r.RequestURI, c.To)
		if x == nil {
			next.ServeHTTP(w, r)
			return
		}
		a := &answerWriter{ResponseWriter: w, keep: keeper{max: c.MaxBody}}
		var request *requestBody
		if r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0 {
			request = newRequestBody(r.Body, r.ContentLength, c.MaxBody)
			body := r.Body
			r = r.Clone(r.Context())
			r.Body = sentBody{request, body}
		}
		broken := &harness.Fault{Kind: harness.FaultReset, Detail: "the handler broke off"}
		defer func() {
			x.Response = a.message(r)
			if request != nil {
				request.Close() //nolint:errcheck // it only tells that nobody reads any more
			}
			c.end(x, request, &a.keep, broken, a.taken)
		}()
		next.ServeHTTP(a, r)
		broken = nil
	})
}

// answerWriter keeps what a handler answers.
type answerWriter struct {
	http.ResponseWriter
	keep   keeper
	status int
	head   http.Header
	taken  *harness.Fault
}

// Unwrap lets [http.ResponseController] reach what is below.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.head = status, w.Header().Clone()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.keep.add(p[:n], -1)
	return n, err
}

// Flush sends what is buffered.
func (w *answerWriter) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(w.ResponseWriter).Flush() //nolint:errcheck // as http.Flusher, it cannot tell
}

// Hijack hands over the connection; what crosses it afterwards is not recorded.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, b, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.taken = &harness.Fault{Kind: harness.FaultTruncated, Detail: "the handler took over the connection; what crossed afterwards is not recorded"}
	}
	return c, b, err
}

// message is the answer as far as it went.
func (w *answerWriter) message(r *http.Request) harness.Message {
	if w.status == 0 {
		w.status, w.head = http.StatusOK, w.Header().Clone()
	}
	trailer := http.Header{}
	for name, values := range w.Header() {
		if key, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			trailer[textproto.CanonicalMIMEHeaderKey(key)] = values
		}
	}
	for _, declared := range w.head.Values("Trailer") {
		for name := range strings.SplitSeq(declared, ",") {
			name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			if values := w.Header()[name]; values != nil {
				trailer[name] = values
			}
		}
	}
	resp := &http.Response{StatusCode: w.status, Proto: r.Proto, Header: w.head}
	return harness.Message{Head: withTrailer(responseHead(resp, nil, nil), trailer, nil), Media: httpwire.Media(w.head.Get("Content-Type"))}
}
