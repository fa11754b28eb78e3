package harnesstest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// Open reads a sealed recording from a folder, which is relative to the folder of the test. One that was not scrubbed
// ends the test: it must not be replayed or compared.
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

// Only is the exchanges of a recording that are to be kept, such as those of one session or to one system. A recording
// that has none of them ends the test.
func Only(t testing.TB, rec harness.Recording, keep func(x harness.Exchange) bool) harness.Recording {
	t.Helper()
	part := excerpt{rec, keep}
	for _, err := range part.Exchanges() {
		if err != nil {
			fatal(t, err)
		}
		return part
	}
	fatal(t, harness.Usage(errors.New("the recording has no such exchange"), "compare the condition with sessions and systems in exchanges.jsonl"))
	return nil
}

// excerpt keeps the manifest of the whole: what was lost there may have been of the part.
type excerpt struct {
	harness.Recording
	keep func(x harness.Exchange) bool
}

func (e excerpt) Exchanges() iter.Seq2[harness.Exchange, error] {
	return func(yield func(harness.Exchange, error) bool) {
		for x, err := range e.Recording.Exchanges() {
			if (err != nil || e.keep(x)) && !yield(x, err) {
				return
			}
		}
	}
}

// Mocked is systems that answer from a recording.
type Mocked struct {
	*mock.Mock
	URL string // "http://127.0.0.1:PORT"
}

// Client returns a client whose every call, to whatever host, is answered from the recording and not over a network.
func (m *Mocked) Client() *http.Client { return &http.Client{Transport: m.Transport()} }

// Mock answers calls from the recording until the test ends. Each call that was never recorded then fails the test, with
// the places in which it differs from the closest recorded one. Answers that nobody asked for are no failure; Unused has
// them.
func Mock(t testing.TB, rec harness.Recording, o mock.Options) *Mocked {
	t.Helper()
	m, err := mock.New(rec, o)
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
			t.Errorf("stop the mock: %v", err)
		}
		misses := m.Misses()
		for _, miss := range misses {
			t.Errorf("the recording has no answer: %s", miss)
		}
		if more := m.Counts().Missed - len(misses); more > 0 {
			t.Errorf("the recording has no answer to %d calls more", more)
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
