package mock

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/jarcoal/httpmock"

	"github.com/rehearse-dev/rehearse/harness"
)

// Transport answers the calls of a Go program from the same recording, for its tests:
//
//	client := &http.Client{Transport: m.Transport()}
//
// Responders that are registered on it come first. Like http.Transport it unpacks gzip when the request does not set
// Accept-Encoding. A recorded fault is an error; a call that was never recorded has status 501, as over the network.
func (m *Mock) Transport() *httpmock.MockTransport {
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(m.respond)
	return transport
}

func (m *Mock) respond(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, m.options.MaxBody+1)); err != nil {
			return nil, fmt.Errorf("read request: %w", err)
		}
		if int64(len(body)) > m.options.MaxBody {
			return nil, fmt.Errorf("read request: more than %d bytes", m.options.MaxBody)
		}
	}
	a, miss := m.take(r, body)
	if miss != nil {
		m.misses.keep(*miss)
		return response(r, http.StatusNotImplemented, http.Header{"Content-Type": {"application/json"}}, missBody(*miss)), nil
	}
	defer m.follow(a)
	x := a.x
	m.pause(r.Context(), a, m.timeline(a))
	if x.Fault != nil {
		if x.Fault.Kind == harness.FaultTimeout {
			hold(r, x.Took)
		}
		return nil, fmt.Errorf("recorded fault of exchange %s: %s", x.ID, x.Fault.Kind)
	}
	return recordedResponse(r, x)
}

func recordedResponse(r *http.Request, x *harness.Exchange) (*http.Response, error) {
	header, trailer := http.Header{}, http.Header{}
	fields, behind := x.Response.Head.CutTrailer()
	for _, f := range behind {
		trailer.Add(f.Name, f.Value)
	}
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if !f.IsPseudo() && (!framing[name] || name == "Content-Length") {
			header[name] = append(header[name], f.Value)
		}
	}
	var body []byte
	if hasBody(r.Method, x.Status()) {
		var err error
		if body, err = x.Response.Body.Bytes(); err != nil {
			return nil, fmt.Errorf("read answer of exchange %s: %w", x.ID, err)
		}
		if header.Get("Content-Length") != "" {
			header.Set("Content-Length", strconv.Itoa(len(body)))
		}
	}
	resp := response(r, x.Status(), header, body)
	if len(trailer) > 0 {
		resp.Trailer = trailer
	}
	if r.Header.Get("Accept-Encoding") != "" || !strings.EqualFold(header.Get("Content-Encoding"), "gzip") || len(body) == 0 {
		return resp, nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack answer of exchange %s: %w", x.ID, err)
	}
	header.Del("Content-Encoding")
	header.Del("Content-Length")
	resp.Body, resp.ContentLength, resp.Uncompressed = unpacked, -1, true
	return resp, nil
}

func response(r *http.Request, status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
