package harnesstest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/harnesstest"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// conversation says whose turn it is: calls are made one after the other, and the session is known beside the wire, so
// that no header field has to carry it.
type conversation struct{ session atomic.Pointer[string] }

func (c *conversation) of(*http.Request) string { return *c.session.Load() }

// replayed sends all recorded requests over loopback through a tap to the mock of served, and returns what crossed.
func replayed(t *testing.T, requests []harness.Exchange, served harness.Recording, o mock.Options) (*harness.Memory, *mock.Mock) {
	t.Helper()
	var turn conversation
	o.Session = turn.of
	m, err := mock.New(served, o)
	if err != nil {
		t.Fatal(err)
	}
	server, err := m.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	tapped := harnesstest.Record(t, server.URL, &httptap.Tap{From: requests[0].From, To: requests[0].To, Session: turn.of})
	transport := &http.Transport{DisableCompression: true} // or net/http asks for gzip by itself
	defer transport.CloseIdleConnections()
	for _, x := range requests {
		turn.session.Store(&x.Session)
		if err := send(t, transport, tapped.URL, x); err != nil {
			t.Fatalf("send request %s: %v", x.ID, err)
		}
	}
	return tapped.Recording(), m
}

// send makes the recorded call. A RoundTripper does not follow redirects, so every call is one that was recorded.
func send(t *testing.T, transport http.RoundTripper, base string, x harness.Exchange) error {
	r, err := request(base, x)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(r.WithContext(t.Context()))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// request is the recorded request as net/http sends it: fields in the case of the wire, nothing added.
func request(base string, x harness.Exchange) (*http.Request, error) {
	body, err := x.Request.Body.Bytes()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(x.Request.Head.Get(harness.FieldMethod), base+x.Request.Head.Get(harness.FieldPath), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header["User-Agent"] = nil // or net/http names itself
	for _, f := range x.Request.Head {
		switch name := http.CanonicalHeaderKey(f.Name); name {
		case "Host":
			r.Host = f.Value
		case "Content-Length", "Transfer-Encoding":
		case "User-Agent":
			r.Header[name] = append(r.Header[name], f.Value)
		default:
			if !f.IsPseudo() {
				r.Header[f.Name] = append(r.Header[f.Name], f.Value)
			}
		}
	}
	return r, nil
}
