package harnesstest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// Open reads a sealed recording from a folder, which is relative to the folder of the test.
func Open(t testing.TB, dir string) *fixtures.Recording {
	t.Helper()
	rec, err := fixtures.Open(dir)
	if err != nil {
		fatal(t, err)
	}
	if err := rec.RequireSealed(); err != nil {
		fatal(t, err)
	}
	return rec
}

// Mocked is a system that answers from a recording.
type Mocked struct {
	*mock.Mock
	URL string // "http://127.0.0.1:PORT"
}

// Client returns a client whose every call, to whatever host, is answered from the recording and not over a network.
func (m *Mocked) Client() *http.Client { return &http.Client{Transport: m.Transport()} }

// Mock answers calls from the sealed recording in the folder, until the test ends. Each call that was never recorded
// then fails the test, with the places in which it differs from the closest recorded one. Answers that nobody asked for
// are no failure; Unused has them.
func Mock(t testing.TB, dir string, o mock.Options) *Mocked {
	t.Helper()
	m, err := mock.New(Open(t, dir), o)
	if err != nil {
		fatal(t, err)
	}
	server, err := m.Listen("")
	if err != nil {
		fatal(t, err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := server.Close(); err != nil {
			t.Errorf("stop the mock of %s: %v", dir, err)
		}
		misses := m.Misses()
		for _, miss := range misses {
			t.Errorf("the mock of %s has no answer: %s", dir, miss)
		}
		if more := m.Counts().Missed - len(misses); more > 0 {
			t.Errorf("the mock of %s has no answer to %d calls more", dir, more)
		}
	})
	return &Mocked{m, server.URL}
}

// Tapped is a system with a tap before it.
type Tapped struct {
	URL string // "http://127.0.0.1:PORT"

	end func() (*harness.Memory, error)
	t   testing.TB
}

// Record puts the tap before the system at the URL, until Recording is called or the test ends. The Upstream of the tap
// is set from the URL; without Session, the request field [mock.SessionField] names the session. What crosses is held
// in memory only.
func Record(t testing.TB, upstream string, tap *httptap.Tap) *Tapped {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil || u.Host == "" {
		fatal(t, harness.Usage(fmt.Errorf("record %q: not the URL of a server", upstream), "give scheme and host, such as http://127.0.0.1:8080"))
	}
	tap.Upstream = u
	if tap.Session == nil {
		tap.Session = httptap.SessionByHeader(mock.SessionField)
	}
	addr, err := tap.Listen("")
	if err != nil {
		fatal(t, err)
	}
	rec := harness.NewMemory(harness.Manifest{Origin: "httptap"})
	ctx, cancel := context.WithCancel(context.Background()) // the test's own context ends before its cleanup: too early
	done := make(chan error, 1)
	go func() { done <- tap.Record(ctx, rec) }() // ends with end
	end := sync.OnceValues(func() (*harness.Memory, error) {
		cancel()
		return rec, <-done
	})
	t.Cleanup(func() { end() }) //nolint:errcheck // Recording tells the error to whoever asks for the outcome
	return &Tapped{URL: "http://" + addr.String(), end: end, t: t}
}

// Recording stops the tap after the exchanges in flight and returns what crossed.
func (p *Tapped) Recording() *harness.Memory {
	p.t.Helper()
	rec, err := p.end()
	if err != nil {
		fatal(p.t, err)
	}
	return rec
}
