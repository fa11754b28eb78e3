package mock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
)

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// waits notes for how long a mock would have waited.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) wait(_ context.Context, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
}

func TestRecordedTimesArePlayedBack(t *testing.T) {
	plain := exchange("", "GET", "/plain", "", "x")
	plain.Took = 200 * time.Millisecond
	events := exchange("", "GET", "/events", "", "data: 1\n\ndata: 22\n\n")
	events.Took = 900 * time.Millisecond
	events.Response.Head = harness.Head{{Name: ":status", Value: "200"}, {Name: harness.FieldArrivals, Value: "100:9 900:10"}, {Name: "Content-Type", Value: "text/event-stream"}}
	const ms = time.Millisecond
	for _, test := range []struct {
		factor float64
		path   string
		want   []time.Duration
	}{
		{0, "/plain", nil}, {1, "/plain", []time.Duration{200 * ms}}, {0.5, "/plain", []time.Duration{100 * ms}},
		{0, "/events", nil}, {1, "/events", []time.Duration{100 * ms, 800 * ms}}, {0.1, "/events", []time.Duration{10 * ms, 80 * ms}},
	} {
		var w waits
		base := listen(t, newMock(t, mock.Options{Latency: test.factor, Wait: w.wait}, plain, events))
		if _, body, err := ask(client(t), base, "", "GET", test.path, ""); err != nil || body == "" {
			t.Errorf("%s: %q %v", test.path, body, err)
		}
		if !slices.Equal(w.all, test.want) {
			t.Errorf("%s at %v waited %v, want %v", test.path, test.factor, w.all, test.want)
		}
	}
}

// A client sees each event at its moment, not all of them at the end.
func TestEventsArePassedOnOneByOne(t *testing.T) {
	events := exchange("", "GET", "/events", "", "data: 1\n\ndata: 2\n\n")
	events.Response.Head = harness.Head{{Name: ":status", Value: "200"}, {Name: harness.FieldArrivals, Value: "1:9 2:9"}}
	seen, calls := make(chan bool), 0
	base := listen(t, newMock(t, mock.Options{Latency: 1, Wait: func(ctx context.Context, _ time.Duration) {
		if calls++; calls == 2 {
			select {
			case <-seen:
			case <-ctx.Done():
			}
		}
	}}, events))
	resp, err := client(t).Get(base + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 9)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: 1\n\n" {
		t.Fatalf("%q %v", first, err)
	}
	close(seen)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "data: 2\n\n" {
		t.Errorf("%q %v", rest, err)
	}
}

func mustFault(t *testing.T, text string) mock.Fault {
	t.Helper()
	f, err := mock.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFaultsAreInjected(t *testing.T) {
	const body = "0123456789"
	var w waits
	for _, test := range []struct {
		fault, why string
		check      func(resp *http.Response, body string, err error) bool
	}{
		{"reset", "no answer", func(_ *http.Response, _ string, err error) bool { return errors.Is(err, io.EOF) }},
		{"truncate", "half an answer", func(_ *http.Response, got string, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && got == "01234"
		}},
		{"garbage", "other bytes", func(resp *http.Response, got string, err error) bool {
			return err == nil && len(got) == 10 && got != body && resp.StatusCode == 200
		}},
		{"503,share=100%,retry=1500ms", "refused", func(resp *http.Response, _ string, err error) bool {
			return err == nil && resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "2" && resp.Header.Get(mock.InjectedField) == "503"
		}},
		{"drip,rate=5", "slowly", func(_ *http.Response, got string, err error) bool {
			return err == nil && got == body && slices.Equal(w.all, slices.Repeat([]time.Duration{200 * time.Millisecond}, 9))
		}},
		{"delay,by=3s", "late", func(_ *http.Response, got string, err error) bool {
			return err == nil && got == body && slices.Equal(w.all, []time.Duration{3 * time.Second})
		}},
	} {
		w.all = nil
		m := newMock(t, mock.Options{Faults: []mock.Fault{mustFault(t, test.fault+",on=GET /a/*")}, Wait: w.wait}, exchange("", "GET", "/a/b", "", body), exchange("", "GET", "/b", "", body))
		base := listen(t, m)
		if resp, got, err := ask(client(t), base, "", "GET", "/a/b", ""); !test.check(resp, got, err) {
			t.Errorf("%s (%s): %v %q %v, waits %v", test.fault, test.why, resp, got, err, w.all)
		}
		if _, got, err := ask(client(t), base, "", "GET", "/b", ""); err != nil || got != body {
			t.Errorf("%s: another operation: %q %v", test.fault, got, err)
		}
		if n := m.Counts().Injected; n != 1 {
			t.Errorf("%s: %d injected", test.fault, n)
		}
	}
}

func statuses(t *testing.T, m *mock.Mock, calls int) string {
	t.Helper()
	c := &http.Client{Transport: m.Transport()}
	var out []string
	for range calls {
		resp, body, err := ask(c, "http://sis.example", "", "GET", "/a", "")
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 200 {
			out = append(out, body)
		} else {
			out = append(out, resp.Status[:3])
		}
	}
	return strings.Join(out, " ")
}

func TestFaultsFollowTheirCountAndTheSeed(t *testing.T) {
	sequence := func() []harness.Exchange {
		var xs []harness.Exchange
		for i := range 100 {
			xs = append(xs, exchange("", "GET", "/a", "", fmt.Sprint(i)))
		}
		return xs
	}
	limited := newMock(t, mock.Options{Faults: []mock.Fault{mustFault(t, "429,after=2,times=2")}}, sequence()...)
	if got := statuses(t, limited, 6); got != "0 1 429 429 2 3" {
		t.Errorf("%s: a refused call must not use up an answer", got)
	}
	share := func(seed uint64) string {
		return statuses(t, newMock(t, mock.Options{Seed: seed, Faults: []mock.Fault{mustFault(t, "503,share=30%")}}, sequence()...), 100)
	}
	first := share(1)
	if n := strings.Count(first, "503"); n < 15 || n > 45 {
		t.Errorf("%d of 100 fail at a share of 30 %%", n)
	}
	if first != share(1) || first == share(2) {
		t.Error("which calls fail is a matter of the seed")
	}
}

func TestBadFaultsAreErrors(t *testing.T) {
	for _, text := range []string{"", "boom", "200", "reset,share=2", "reset,after=-1", "drip", "delay", "429,retry=soon", "reset,on=[", "reset,x=1", "reset,retry=3s", "429,rate=9", "drip,rate=9,by=1s"} {
		if _, err := mock.ParseFault(text); err == nil || harness.HintOf(err) == "" || strings.Contains(err.Error(), "strconv") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
