package replay

import (
	order "cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// call is a recorded GET of a session: from a moment after noon on, for so long.
func call(id, session string, at, took time.Duration) harness.Exchange {
	return harness.Exchange{
		ID: id, Session: session, Channel: harness.ChannelHTTP, From: "crm", To: "hubline", At: noon.Add(at), Took: took,
		Request:  harness.Message{Head: harness.Head{{Name: ":method", Value: "GET"}, {Name: ":path", Value: "/" + id}}},
		Response: harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}}},
	}
}

func sessionsOf(t testing.TB, xs ...harness.Exchange) Sessions {
	t.Helper()
	sessions, err := Group(harness.NewMemory(harness.Manifest{}, xs...), "hubline")
	if err != nil {
		t.Fatal(err)
	}
	return sessions
}

// server answers request by request and notes what happens when.
type server struct {
	latency func(x harness.Exchange) time.Duration
	answer  func(x harness.Exchange) (harness.Message, error)

	began    time.Time
	mu       sync.Mutex
	started  []string // "ID at" in order of arrival
	ended    map[string]bool
	inFlight atomic.Int64
	most     int64
	check    func(x harness.Exchange, ended map[string]bool)
}

func (s *server) Answer(ctx context.Context, x harness.Exchange) (harness.Exchange, error) {
	s.mu.Lock()
	s.started = append(s.started, fmt.Sprintf("%s %s", x.ID, time.Since(s.began)))
	s.most = max(s.most, s.inFlight.Add(1))
	if s.check != nil {
		s.check(x, s.ended)
	}
	s.mu.Unlock()
	defer s.inFlight.Add(-1)
	if s.latency != nil {
		if err := sleep(ctx, s.latency(x)); err != nil {
			return x, err
		}
	}
	id := x.ID
	x.ID = ""
	x.Response = harness.Message{Head: harness.Head{{Name: ":status", Value: "200"}, {Name: "Of", Value: id}}}
	if s.answer != nil {
		m, err := s.answer(x)
		if err != nil {
			return x, err
		}
		x.Response = m
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		s.ended[id] = true
	}
	return x, nil
}

func (*server) Feed(context.Context, []harness.Exchange, harness.Sink) error {
	return errors.New("a stage that answers request by request is not fed whole sessions")
}

func (*server) Close() error { return nil }

// links is producers alone: what each exchange waits for.
type links map[string][]string

func (l links) Producers(id string) []string                       { return l[id] }
func (links) Request(x harness.Exchange) (harness.Exchange, error) { return x, nil }
func (links) Learn(harness.Exchange, harness.Exchange) error       { return nil }

func every(d time.Duration) func(harness.Exchange) time.Duration {
	return func(harness.Exchange) time.Duration { return d }
}

const ms = time.Millisecond

// Two sessions whose requests alternate; b2 overlaps with b3, and a3 needs what b1 answers.
func alternating(t testing.TB) Sessions {
	return sessionsOf(t,
		call("a1", "a", 0, 10*ms), call("b1", "b", 20*ms, 10*ms), call("a2", "a", 40*ms, 10*ms), call("b2", "b", 60*ms, 100*ms),
		call("b3", "b", 80*ms, 10*ms), call("a3", "a", 200*ms, 10*ms), call("b4", "b", 5*time.Second, 10*ms))
}

func TestOrderAndPace(t *testing.T) {
	tests := []struct {
		why   string
		o     harness.Replay
		links links
		want  string
	}{
		{"the order of the recording, one after the other", harness.Replay{}, nil, "a1 0s, b1 50ms, a2 100ms, b2 150ms, b3 200ms, a3 250ms, b4 300ms"},
		{"session by session", harness.Replay{Order: "session"}, nil, "a1 0s, a2 50ms, a3 100ms, b1 150ms, b2 200ms, b3 250ms, b4 300ms"},
		{"session by session, but what another one produces comes before", harness.Replay{Order: "session"}, links{"a3": {"b1"}}, "a1 0s, a2 50ms, b1 100ms, a3 150ms, b2 200ms, b3 250ms, b4 300ms"},
		{"sessions side by side", harness.Replay{Concurrency: 2}, nil, "a1 0s, b1 0s, a2 50ms, b2 50ms, a3 100ms, b3 100ms, b4 150ms"},
		{"a dependent waits across sessions", harness.Replay{Concurrency: 2}, links{"b1": {"a1"}, "a2": {"b1"}}, "a1 0s, b1 50ms, a2 100ms, b2 100ms, a3 150ms, b3 150ms, b4 200ms"},
		{"what overlapped may overlap", harness.Replay{Concurrency: 4, Order: "recorded-overlap"}, nil, "a1 0s, b1 0s, a2 50ms, b2 50ms, b3 50ms, a3 100ms, b4 100ms"},
		{"original pace", harness.Replay{Pace: harness.Pace{Factor: 1}, Concurrency: 4}, nil, "a1 0s, b1 20ms, a2 50ms, b2 70ms, b3 120ms, a3 200ms, b4 5s"},
		{"twice as fast, no pause longer than 100 ms", harness.Replay{Pace: harness.Pace{Factor: 2}, MaxGap: harness.Duration(100 * ms), Concurrency: 4, Order: "recorded-overlap"}, nil,
			"a1 0s, b1 10ms, a2 50ms, b2 60ms, b3 60ms, a3 100ms, b4 200ms"},
		{"at most ten a second", harness.Replay{Pace: harness.Pace{Rate: 10}}, nil, "a1 0s, b1 100ms, a2 200ms, b2 300ms, b3 400ms, a3 500ms, b4 600ms"},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{latency: every(50 * ms), began: time.Now()}
				o := Options{Replay: test.o}
				if test.links != nil {
					o.Links = test.links
				}
				if _, err := Feed(t.Context(), s, alternating(t), harness.NewMemory(harness.Manifest{}), o); err != nil {
					t.Fatal(err)
				}
				slices.SortStableFunc(s.started, func(a, b string) int { // what goes at the same moment has no order
					return order.Or(order.Compare(moment(a), moment(b)), strings.Compare(a, b))
				})
				if diff := cmp.Diff(test.want, strings.Join(s.started, ", ")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func moment(started string) time.Duration {
	_, at, _ := strings.Cut(started, " ")
	d, _ := time.ParseDuration(at)
	return d
}

func TestLateRequestsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{latency: every(50 * ms), began: time.Now()}
		account, err := Feed(t.Context(), s, alternating(t), harness.NewMemory(harness.Manifest{}), Options{Replay: harness.Replay{Pace: harness.Pace{Factor: 1}}})
		if err != nil || account.Late != (Lateness{5, 120 * ms}) {
			t.Errorf("%v, %+v after %v", err, account.Late, s.started)
		}
	})
}

// Whatever the timing, the recording and the links: within a session nothing overtakes, no consumer goes before its
// producer, never more requests than allowed are under way, and what is kept of a session is in its order.
func TestNothingOvertakes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "exchanges")
		var xs []harness.Exchange
		need := links{}
		for i := range n {
			id := harness.SequenceID(i + 1)
			x := call(id, rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "session"), time.Duration(i)*10*ms, time.Duration(rapid.IntRange(0, 50).Draw(rt, "took"))*ms)
			for _, p := range rapid.SliceOfN(rapid.IntRange(0, n), 0, 2).Draw(rt, "producers") {
				if p < i && !xs[p].At.Add(xs[p].Took).After(x.At) {
					need[id] = append(need[id], xs[p].ID)
				}
			}
			xs = append(xs, x)
		}
		o := Options{Links: need, Replay: harness.Replay{
			Concurrency: rapid.IntRange(0, 6).Draw(rt, "concurrency"), Order: rapid.SampledFrom([]string{"", "session", "recorded-overlap", "global"}).Draw(rt, "order"),
		}}
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) { checkNothingOvertakes(t, rt, xs, need, o, seed) })
	})
}

func checkNothingOvertakes(t *testing.T, rt *rapid.T, xs []harness.Exchange, need links, o Options, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	latencies := map[string]time.Duration{}
	for _, x := range xs {
		latencies[x.ID] = time.Duration(random.IntN(100)) * ms
	}
	s := &server{latency: func(x harness.Exchange) time.Duration { return latencies[x.ID] }, ended: map[string]bool{}}
	s.check = func(x harness.Exchange, ended map[string]bool) {
		for _, p := range need[x.ID] {
			if !ended[p] {
				rt.Errorf("%s went before %s was answered", x.ID, p)
			}
		}
		for _, other := range xs {
			before := other.Session == x.Session && other.ID < x.ID && !other.At.Add(other.Took).After(x.At)
			if (before || other.Session == x.Session && other.ID < x.ID && o.Order != "recorded-overlap") && !ended[other.ID] {
				rt.Errorf("%s went before %s of its session had ended", x.ID, other.ID)
			}
		}
	}
	kept := harness.NewMemory(harness.Manifest{})
	if _, err := Feed(t.Context(), s, sessionsOf(t, xs...), kept, o); err != nil {
		rt.Fatal(err)
	}
	if s.most > int64(max(1, o.Concurrency)) {
		rt.Errorf("%d requests at the same time", s.most)
	}
	last, count := map[string]string{}, 0
	for x := range kept.Exchanges() {
		count++
		id := x.Response.Head.Get("Of")
		if id <= last[x.Session] {
			rt.Errorf("%s is kept behind %s", id, last[x.Session])
		}
		last[x.Session] = id
	}
	if count != len(xs) {
		rt.Errorf("%d of %d kept", count, len(xs))
	}
}

func TestTheFirstErrorEndsAllRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := harness.Refused(errors.New("refused"), "allow it")
		s := &server{latency: func(x harness.Exchange) time.Duration {
			if x.ID == "b1" {
				return 10 * ms
			}
			return time.Hour
		}}
		s.answer = func(x harness.Exchange) (harness.Message, error) { return harness.Message{}, broken }
		_, err := Feed(t.Context(), s, alternating(t), harness.NewMemory(harness.Manifest{}), Options{Replay: harness.Replay{Concurrency: 4}})
		if !errors.Is(err, broken) || harness.ClassOf(err) != harness.ClassRefused || s.inFlight.Load() != 0 || len(s.started) != 2 {
			t.Errorf("%v with %d under way after %v", err, s.inFlight.Load(), s.started)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*ms)
		defer cancel()
		s = &server{latency: every(time.Hour)}
		if _, err := Feed(ctx, s, alternating(t), harness.NewMemory(harness.Manifest{}), Options{}); !errors.Is(err, context.DeadlineExceeded) || len(s.started) != 1 {
			t.Errorf("%v after %v", err, s.started)
		}
	})
}

// refusing has no value for some exchanges.
type refusing struct {
	links
	lacks map[string]bool
}

func (r refusing) Request(x harness.Exchange) (harness.Exchange, error) {
	if r.lacks[x.ID] {
		return x, errors.New("no value of session.token from exchange a1")
	}
	return x, nil
}

func TestARequestThatLacksAValueIsNotSent(t *testing.T) {
	s := &server{}
	kept := harness.NewMemory(harness.Manifest{})
	if _, err := Feed(t.Context(), s, alternating(t), kept, Options{Links: refusing{lacks: map[string]bool{"a2": true}}}); err != nil {
		t.Fatal(err)
	}
	xs, _ := harness.Collect(kept)
	if len(s.started) != 6 || len(xs) != 7 {
		t.Fatalf("%d sent, %d kept", len(s.started), len(xs))
	}
	if f := xs[2].Fault; f == nil || f.Kind != harness.FaultNotSent || !strings.Contains(f.Detail, "session.token") || xs[2].Status() != 0 {
		t.Errorf("%+v", xs[2])
	}
}
