package httptap

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/httpwire"
)

// chunkSize is how many bytes of an answer pass at a time.
const chunkSize = 32 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// Handler returns the tap as a part of another server: it forwards each request to the upstream and puts the exchange
// into the sink. Like [http/httputil.ReverseProxy] it panics with [http.ErrAbortHandler] to break an answer that broke.
func (t *Tap) Handler(sink harness.Sink) http.Handler {
	t.setUp.Do(t.prepare)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := t.begin(sink, w, r)
		defer x.abandon()
		x.serve()
	})
}

// prepare makes what all exchanges share.
func (t *Tap) prepare() {
	t.filter = newFilter(t.Filter)
	var dial dialFunc
	if t.Proxy != nil {
		t.guard = &guard{proxy: t.Proxy, own: t.listens}
		dial = t.guard.dial
	}
	t.lane = newLane(t.Transport, dial, t.insecure)
}

// exchange is one request on its way through the tap.
type exchange struct {
	tap  *Tap
	sink harness.Sink
	w    http.ResponseWriter
	ctl  *http.ResponseController
	r    *http.Request
	raw  harness.Head // of the request, nil when net/http's view has to do
	body *requestBody // nil when the request has none
	to   *url.URL     // the upstream; nil when the client of a forward proxy names none
	left leftOut      // why it is not recorded; the zero value when it is

	carrier *carrier // the connection to the upstream; nil until it stands

	mu       sync.Mutex // guards the response header against informational answers, which come from another goroutine
	answered bool

	keep   keeper   // the response body
	pieces arrivals // of it
	rec    harness.Exchange
	done   bool // put or dropped
}

func (t *Tap) begin(sink harness.Sink, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{tap: t, sink: sink, w: w, ctl: http.NewResponseController(w), r: r, keep: keeper{max: t.maxBody()}}
	if c := clientConnOf(r); c != nil {
		raw, counted := c.head(r)
		if counted {
			panic(http.ErrAbortHandler)
		}
		x.raw = raw
	}
	x.rec = harness.Exchange{Channel: harness.ChannelHTTP, From: t.From, To: t.To, At: t.now()}
	path := r.RequestURI
	if t.Proxy != nil && r.Method != http.MethodConnect {
		path = r.URL.RequestURI() // the absolute form is for this hop; the upstream gets the path
	}
	x.rec.Request = harness.Message{Head: requestHead(r, path, x.raw), Media: httpwire.Media(r.Header.Get("Content-Type"))}
	if r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0 {
		x.body = newRequestBody(r.Body, r.ContentLength, t.maxBody())
		x.body.drains = true
	}
	x.to = t.upstreamOf(r)
	return x
}

// choose finds out whether the exchange is recorded, and as what.
func (x *exchange) choose() {
	t, host := x.tap, hostOnly(x.r.Host)
	if t.Session != nil {
		x.rec.Session = t.Session(x.r)
	}
	if t.Proxy != nil {
		host = x.to.Hostname()
		x.rec.To = t.Proxy.system(host)
		if !t.Proxy.records(host) {
			x.left = leftOut{"host that is not recorded", strings.ToLower(host)}
			return
		}
	}
	x.left.reason = t.filter.leavesOut(x.r, host, x.rec.Session)
}

func (x *exchange) serve() {
	switch {
	case x.r.Method == http.MethodConnect && x.tap.Proxy != nil:
		x.done = true // no exchange: a tunnel, in which exchanges may come
		x.tap.connect(x.w, x.r, x.sink)
		return
	case x.r.Method == http.MethodConnect:
		x.drop(DropConnect)
		refuseWith(x.w, http.StatusNotImplemented, "refused", DropConnect)
		return
	case x.to == nil:
		x.drop(DropTarget)
		refuseWith(x.w, http.StatusBadRequest, "refused", DropTarget+": set it as the proxy of the client, not as the address of the server")
		return
	}
	x.choose()
	if x.body != nil {
		x.ctl.EnableFullDuplex() //nolint:errcheck // a server that cannot do it reads the body first
	}
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	resp, err := x.tap.lane.roundTrip(x.outbound(ctx), x.major())
	defer func() { x.carrier.done() }()
	x.mu.Lock()
	x.answered = true
	x.mu.Unlock()
	if err != nil {
		x.refuse(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.tunnel(resp)
		return
	}
	x.answer(resp)
}

// major is the version of HTTP in which the upstream is spoken to, if it knows it: that of the client. A client that came
// over TLS was offered HTTP/2, which says nothing about a plain upstream.
func (x *exchange) major() int {
	if c := clientConnOf(x.r); x.to.Scheme == "http" && c != nil && c.secure != nil {
		return 1
	}
	return x.r.ProtoMajor
}

// carry takes the connection that carries the request. Behind the first one it is sent again: the transport does that where
// a kept connection turns out to be closed.
func (x *exchange) carry(conn net.Conn) {
	if x.carrier != nil {
		x.tap.again.Add(1)
	}
	x.carrier.done()
	x.carrier = newCarrier(conn)
}

// trace finds out which connection carries the request, and passes informational answers on.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { x.carry(info.Conn) },
		WroteHeaders: func() { x.carrier.wrote() },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			x.mu.Lock()
			defer x.mu.Unlock()
			if !x.answered {
				x.pieces.interim(x.tap.now().Sub(x.rec.At), code)
			}
			if x.answered || code == http.StatusContinue { // the server says 100 itself when the body is asked for
				return nil
			}
			own := x.w.Header()
			for name, values := range h {
				own[name] = values
			}
			x.w.WriteHeader(code)
			clear(own)
			return nil
		},
	}
}

// note records the head of the answer and reports whether a part of the body came together with it.
func (x *exchange) note(resp *http.Response) (raw harness.Head, more bool) {
	raw, more = x.carrier.answer(resp)
	x.rec.Response = harness.Message{Head: responseHead(resp, x.secured(resp), raw), Media: httpwire.Media(resp.Header.Get("Content-Type"))}
	return raw, more
}

// answer passes the upstream's answer on and records it.
func (x *exchange) answer(resp *http.Response) {
	raw, more := x.note(resp)
	h := x.w.Header()
	passOn(h, raw, resp.Header)
	for _, name := range []string{"Date", "Content-Type"} {
		if _, sent := h[name]; !sent {
			h[name] = nil // or net/http sends its own
		}
	}
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	if x.r.Method == http.MethodHead || !hasBody(resp) {
		x.finish(nil) // the head is the end
		x.w.WriteHeader(resp.StatusCode)
		return
	}
	x.w.WriteHeader(resp.StatusCode)
	if !more || resp.ContentLength < 0 {
		x.ctl.Flush() //nolint:errcheck // a client that is gone shows at the next write
	}
	x.stream(resp)
}

func hasBody(resp *http.Response) bool {
	return resp.ContentLength != 0 && resp.Body != http.NoBody &&
		resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified
}

// stream passes the body on, piece by piece. The exchange is finished before the client gets the piece that ends it.
func (x *exchange) stream(resp *http.Response) {
	buf := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(buf)
	streamed := isStreamed(x.rec.Response.Media)
	for {
		n, err := resp.Body.Read(buf[:])
		if streamed {
			x.pieces.add(x.tap.now().Sub(x.rec.At), n)
		}
		x.keep.add(buf[:n], resp.ContentLength)
		last := err == io.EOF || err == nil && resp.ContentLength >= 0 && x.keep.passed >= resp.ContentLength
		if last {
			x.rec.Response.Head = withTrailer(x.rec.Response.Head, resp.Trailer, x.carrier.trailer(resp))
			x.finish(nil)
		}
		if n > 0 {
			if !x.pass(buf[:n], last) {
				x.breakOff(x.fault(errClientGone))
			}
		}
		if last {
			x.passTrailer(resp.Trailer)
			return
		}
		if err != nil {
			x.breakOff(x.fault(err))
		}
	}
}

// pass writes a piece to the client; the last one leaves with the end of the answer.
func (x *exchange) pass(p []byte, last bool) bool {
	if _, err := x.w.Write(p); err != nil {
		return false
	}
	return last || x.ctl.Flush() == nil
}

func (x *exchange) passTrailer(trailer http.Header) {
	for name, values := range trailer {
		for _, v := range values {
			x.w.Header().Add(http.TrailerPrefix+name, v)
		}
	}
}

var errClientGone = errors.New("the client went away")

// fault says what an error means that ended an exchange.
func (x *exchange) fault(err error) *harness.Fault {
	cause := context.Cause(x.r.Context())
	if x.body != nil && x.body.broken() != nil && !errors.Is(cause, errStopped) {
		return bodyFault(x.body.broken())
	}
	switch {
	case errors.Is(cause, errStopped):
		return &harness.Fault{Kind: harness.FaultReset, Detail: errStopped.Error()}
	case x.forbidden(err):
		return &harness.Fault{Kind: harness.FaultUnreachable, Detail: "refused: " + err.Error()}
	case cause != nil, errors.Is(err, errClientGone):
		return &harness.Fault{Kind: harness.FaultClientGone, Detail: "the client went away before the answer ended"}
	case x.carrier == nil && (x.tap.lane.own() || !isTimeout(err)):
		return &harness.Fault{Kind: harness.FaultUnreachable, Detail: err.Error()}
	case isTimeout(err):
		return &harness.Fault{Kind: harness.FaultTimeout, Detail: "the answer of the upstream did not come in time"}
	}
	return &harness.Fault{Kind: harness.FaultReset, Detail: "the connection to the upstream broke before the answer ended"}
}

// refused are the statuses with which the tap itself answers when there is no answer to pass on.
var refused = map[string]int{
	harness.FaultUnreachable: http.StatusBadGateway,
	harness.FaultReset:       http.StatusBadGateway,
	harness.FaultTimeout:     http.StatusGatewayTimeout,
}

// refuse ends an exchange to which the upstream gave no answer.
func (x *exchange) refuse(err error) {
	f := x.fault(err)
	x.finish(f)
	status, alive := refused[f.Kind]
	if !alive {
		panic(http.ErrAbortHandler)
	}
	switch {
	case x.body != nil && x.body.broken() != nil:
		status = http.StatusBadRequest
		x.w.Header().Set("Connection", "close") // what follows on it cannot be told apart
	case x.forbidden(err):
		status = http.StatusForbidden
	}
	refuseWith(x.w, status, f.Kind, f.Detail)
}

func (x *exchange) forbidden(err error) bool {
	_, is := errors.AsType[*forbiddenError](err)
	return is
}

// fieldFault is the field of an answer that the tap gives in the place of the upstream: the kind of fault.
const fieldFault = "X-Rehearse-Fault"

// refuseWith answers in the place of the upstream.
func refuseWith(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set(fieldFault, kind)
	http.Error(w, "rehearse tap: "+kind+": "+detail, status)
}

// breakOff ends an exchange whose answer broke, and breaks it for the client too.
func (x *exchange) breakOff(f *harness.Fault) {
	x.finish(f)
	panic(http.ErrAbortHandler)
}

// finish puts the exchange into the sink, once.
func (x *exchange) finish(f *harness.Fault) {
	if x.done {
		return
	}
	x.done = true
	faults := []*harness.Fault{f}
	if x.body != nil {
		body, fault := x.body.seal()
		x.rec.Request.Body = body
		faults = append(faults, fault)
		if x.body.whole() {
			x.rec.Request.Head = withTrailer(x.rec.Request.Head, x.r.Trailer, nil)
		}
	}
	x.rec.Response.Body = x.keep.body()
	x.rec.Response.Head = x.pieces.field(x.rec.Response.Head)
	for _, fault := range append(faults, x.keep.fault("response")) {
		if x.rec.Fault == nil {
			x.rec.Fault = fault
		}
	}
	if x.left.reason == "" {
		x.left.reason = x.tap.filter.tooLarge(x.passed())
	}
	if x.left.reason != "" {
		x.tap.leaveOut(x.sink, x.left)
		return
	}
	x.rec.Took = x.tap.now().Sub(x.rec.At)
	x.tap.refused.Put(x.sink, x.rec)
}

// passed is the size of both bodies as far as they passed.
func (x *exchange) passed() int64 {
	n := x.keep.passed
	if x.body != nil {
		n += x.body.passed()
	}
	return n
}

// drop counts the exchange as lost, once.
func (x *exchange) drop(reason string) {
	if !x.done {
		x.done = true
		x.sink.Drop(reason)
	}
}

// abandon counts the exchange when nothing else did: a function that the caller gave panicked.
func (x *exchange) abandon() { x.drop(DropPanic) }
