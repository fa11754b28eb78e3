package target

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// answerTimeout is how long a server may take for one answer.
const answerTimeout = 30 * time.Second

// feeder sends recorded requests to a server and records the answers as they come: no redirect is followed, nothing is
// unpacked. It is a [harness.Answerer].
type feeder struct {
	base    *url.URL
	env     harness.StageEnv
	client  *replay.Sender
	timeout time.Duration
	reached atomic.Bool // an exchange before this one got as far as a connection

	// explain adds to a fault what is known about the server; nil when nothing is.
	explain func(*harness.Fault)
}

// newFeeder sends to base through the egress guard of the environment; without one only loopback can be reached.
func newFeeder(base *url.URL, env harness.StageEnv) *feeder {
	dial := env.Dial
	if dial == nil {
		dial = replay.NewGuard(replay.GuardOptions{}).DialContext
	}
	return &feeder{base: base, env: env, client: replay.NewSender(dial), timeout: cmp.Or(env.Wait, answerTimeout)}
}

// Feed sends the requests one after the other and puts each with the answer of now into the sink.
func (f *feeder) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		fed, err := f.Answer(ctx, x)
		if err != nil {
			return err
		}
		if err := sink.Put(fed); err != nil {
			return err
		}
	}
	return nil
}

// Base is the URL that requests are sent below.
func (f *feeder) Base() string { return f.base.String() }

// SentAgain is how many requests were sent a second time, see [replay.Sender].
func (f *feeder) SentAgain() int { return f.client.SentAgain() }

// Close drops the connections.
func (f *feeder) Close() error {
	f.client.CloseIdleConnections()
	return nil
}

// Answer sends one request. What goes wrong on the wire is a Fault of the exchange; the error is for what makes the
// run pointless: a refusal of the guard, the end of the context, a server that is not there at all.
func (f *feeder) Answer(ctx context.Context, x harness.Exchange) (harness.Exchange, error) {
	if x.Channel != harness.ChannelHTTP {
		return x, harness.Usage(fmt.Errorf("feed exchange %s (%s) to %s: a %s exchange cannot be sent to a URL", x.ID, x.Operation(), f.base, x.Channel),
			"use a command, jq or files target for files; list "+x.From+" under mocks, so that a broker hands over its messages")
	}
	fed := asFed(x, clock(f.env, &x))
	timed, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	request, err := newRequest(timed, f.base, &x)
	if err != nil {
		return x, harness.Usage(fmt.Errorf("build request of exchange %s: %w", x.ID, err), "")
	}
	began := time.Now()
	response, err := f.client.RoundTrip(request)
	if err == nil {
		err = f.receive(response, &x, &fed)
	}
	fed.Took = time.Since(began)
	if err == nil {
		f.reached.Store(true)
		return fed, nil
	}
	if ctx.Err() != nil {
		return x, ctx.Err()
	}
	if harness.ClassOf(err) == harness.ClassRefused {
		return x, err
	}
	if fed.Fault == nil {
		fed.Fault = wireFault(err)
	}
	if !f.reached.Load() && fed.Fault.Kind == harness.FaultUnreachable {
		return x, harness.CannotRun(fmt.Errorf("reach target %s: %w", f.base, err), "start the server, or correct target.url.base")
	}
	if f.explain != nil {
		f.explain(fed.Fault)
	}
	if fed.Fault.Kind != harness.FaultUnreachable {
		f.reached.Store(true)
	}
	return fed, nil
}

// receive records the answer. A body that breaks off is kept as far as it came, with a Fault.
func (f *feeder) receive(response *http.Response, x, fed *harness.Exchange) error {
	defer response.Body.Close()
	fed.Response = harness.Message{Head: responseHead(response, x), Media: mediaOfType(response.Header.Get("Content-Type"))}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	body, err := readBody(response)
	if len(body) > maxOutput {
		body = body[:maxOutput]
		fed.Fault = &harness.Fault{Kind: harness.FaultTruncated, Detail: fmt.Sprintf("the answer is larger than %d bytes", maxOutput)}
	}
	fed.Response.Body = harness.BytesBody(body)
	return err
}

// presized is the largest announced length for which room is made before anything came, in bytes.
const presized = 1 << 20

// readBody reads the answer up to one byte more than is kept.
func readBody(response *http.Response) ([]byte, error) {
	room := min(max(response.ContentLength, 0), presized) + bytes.MinRead
	into := bytes.NewBuffer(make([]byte, 0, room))
	_, err := into.ReadFrom(io.LimitReader(response.Body, maxOutput+1))
	return into.Bytes(), err
}

// responseHead is the status and the header fields sorted by name, which is all that net/http tells of their order.
// The protocol is noted when the recorded answer notes it.
func responseHead(response *http.Response, x *harness.Exchange) harness.Head {
	head := make(harness.Head, 1, len(response.Header)+2)
	head[0] = harness.Field{Name: harness.FieldStatus, Value: strconv.Itoa(response.StatusCode)}
	if x.Response.Head.Has(harness.FieldProto) {
		head = append(head, harness.Field{Name: harness.FieldProto, Value: response.Proto})
	}
	pseudo := len(head)
	for name, values := range response.Header {
		for _, value := range values {
			head = append(head, harness.Field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(head[pseudo:], func(a, b harness.Field) int { return strings.Compare(a.Name, b.Name) })
	return head
}

// quotedText is what messages of net/http repeat of the wire.
var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// wireFault names what broke, without values of the payload and without the port numbers of the day.
func wireFault(err error) *harness.Fault {
	kind, detail := harness.FaultReset, quotedText.ReplaceAllString(err.Error(), `"…"`)
	op, isOp := errors.AsType[*net.OpError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	timeout, isTimeout := errors.AsType[net.Error](err)
	if isOp {
		detail = op.Op + ": " + op.Err.Error()
	}
	switch {
	case isOp && op.Op == "dial" || isDNS:
		kind = harness.FaultUnreachable
	case errors.Is(err, context.DeadlineExceeded) || isTimeout && timeout.Timeout():
		kind = harness.FaultTimeout
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		detail = "the server hung up"
	}
	return &harness.Fault{Kind: kind, Detail: started.Printable(detail)}
}

// hopByHop are the fields that belong to one connection, and those that the transport writes itself.
var hopByHop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Te": true, "Trailer": true, "Upgrade": true,
	"Proxy-Authenticate": true, "Proxy-Authorization": true, "Expect": true, "Content-Length": true, "Host": true,
}

// newRequest is the recorded request, addressed to base.
func newRequest(ctx context.Context, base *url.URL, x *harness.Exchange) (*http.Request, error) {
	target, err := requestURL(base, x.Request.Head.Get(harness.FieldPath))
	if err != nil {
		return nil, err
	}
	request := &http.Request{Method: x.Request.Head.Get(harness.FieldMethod), URL: target, Host: base.Host, Header: requestHeader(x.Request.Head), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if request.Method == "" || request.Method == http.MethodConnect {
		return nil, fmt.Errorf("method %q cannot be replayed", request.Method)
	}
	request.Body = http.NoBody
	if size := x.Request.Body.Size(); size > 0 {
		body, err := x.Request.Body.Open()
		if err != nil {
			return nil, fmt.Errorf("open body: %w", err)
		}
		request.Body, request.ContentLength, request.GetBody = body, size, x.Request.Body.Open
	}
	return request.WithContext(ctx), nil
}

// requestURL appends the recorded request target to the path of base without decoding it, so that it is sent in the
// spelling in which it was recorded. An absolute target loses its scheme and host: a recording does not choose where
// requests go.
func requestURL(base *url.URL, target string) (*url.URL, error) {
	if scheme, rest, absolute := strings.Cut(target, "://"); absolute && !strings.ContainsAny(scheme, "/?") {
		_, path, _ := strings.Cut(rest, "/")
		target = "/" + path
	}
	if target == "*" {
		return &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: "*"}, nil
	}
	if !strings.HasPrefix(target, "/") {
		return nil, fmt.Errorf("request target %q does not begin with /", target)
	}
	path, query, hasQuery := strings.Cut(target, "?")
	path = strings.TrimSuffix(base.EscapedPath(), "/") + path
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: query, ForceQuery: hasQuery && query == ""}
	if !strings.HasPrefix(path, "//") {
		u.Opaque = path
		return u, nil
	}
	decoded, err := url.PathUnescape(path)
	u.Path, u.RawPath = decoded, path // an opaque target that begins with // would be sent as an absolute one
	return u, err
}

// requestHeader is the recorded header in wire case without the fields of the connection. Fields that net/http would
// add by itself are held back when they were not recorded.
func requestHeader(head harness.Head) http.Header {
	var named []string
	for _, list := range head.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			named = append(named, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	head, _ = head.CutTrailer()
	header := make(http.Header, len(head)+1)
	header["User-Agent"] = []string{""}
	for _, f := range head {
		switch known := http.CanonicalHeaderKey(f.Name); {
		case f.IsPseudo() || hopByHop[known] || slices.Contains(named, known):
		case known == "User-Agent": // known to net/http in this case only
			header["User-Agent"] = []string{f.Value}
		default:
			header[f.Name] = append(header[f.Name], f.Value)
		}
	}
	return header
}
