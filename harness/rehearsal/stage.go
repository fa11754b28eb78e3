package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/harness/target/container"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// stage is a started target with all that surrounds it: live upstreams, mocks, and a tap before each of them.
type stage struct {
	target    harness.Stage
	recording *harness.Memory
	scrubber  *scrub.Scrubber // of what live systems say; nil: it stays
	feeding   *feeding
	guard     *replay.Guard
	mocks     map[string]*mock.Mock
	taps      []*httptap.Tap
	bases     map[string]string // URLs of the live upstreams
	logs      map[string]*logTail
	network   *container.Network // of the containers; nil: there are none
	versions  map[string]string  // what exactly runs as a system, such as the digest of an image

	stoodIn map[string]bool // systems whose only address is that of a stand-in
	posts   []post          // brokers that hand messages to the target
	missed  []string        // what stand-ins for other channels than HTTP could not answer

	closers []func() error // in the order of starting
	once    sync.Once
	err     error
}

// setStage starts everything around the target, then the target.
func setStage(ctx context.Context, p Plan, baseline harness.Recording, feeding *feeding, scrubber *scrub.Scrubber) (s *stage, err error) {
	s = &stage{
		recording: harness.NewMemory(harness.Manifest{Origin: "rehearsal", Tool: p.Tool, Scrub: sealOf(p.Scenario, baseline, scrubber != nil)}),
		scrubber:  scrubber,
		feeding:   feeding, mocks: map[string]*mock.Mock{}, bases: map[string]string{}, logs: map[string]*logTail{},
		versions: map[string]string{}, stoodIn: map[string]bool{},
	}
	if s.guard, err = p.guard(baseline); err != nil {
		return nil, err
	}
	started := s // a return of nil replaces s
	defer func() {
		if err != nil {
			err = errors.Join(err, started.close())
		}
	}()
	proxy, err := s.guard.Proxy()
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, proxy.Close)
	env := harness.StageEnv{Proxy: proxy.Variables(), Root: p.Scenario.Root, Dir: p.Scratch, URLs: map[string]string{}, Files: map[string]string{}, Now: p.clock(baseline), Dial: s.guard.DialContext, Wait: time.Duration(p.Scenario.Replay.Timeout)}
	if err := s.openNetwork(ctx, p); err != nil {
		return nil, err
	}
	taps := map[string]string{}
	for _, system := range watched(p.Scenario, baseline) {
		base, err := s.answerer(ctx, p, baseline, system, env)
		if err != nil {
			return nil, err
		}
		if taps[system], err = s.tap(p, system, base, env.Now); err != nil {
			return nil, err
		}
	}
	if env.URLs, err = s.reached(p, taps, proxy.URL); err != nil {
		return nil, err
	}
	if err := s.standIns(p, baseline, env); err != nil {
		return nil, err
	}
	env.Posted = s.isPosted()
	t, err := target.New(p.Scenario.Target)
	if err != nil {
		return nil, err
	}
	t = target.InNetwork(t, s.network)
	if s.network != nil {
		env.At = s.network.At
	}
	if err := s.beside(ctx, p, env); err != nil {
		return nil, err
	}
	p.tell("starting " + p.Scenario.Target.System)
	env.Log = s.log(p.Scenario.Target.System)
	if s.target, err = t.Start(ctx, env); err != nil {
		return nil, err
	}
	if s.target, err = s.deliveredBy(p, s.target, baseline); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.target.Close)
	s.versions[p.Scenario.Target.System] = target.Version(s.target)
	if err := s.watch(ctx, p, env); err != nil {
		return nil, err
	}
	return s, nil
}

// watched is the systems that the target calls over HTTP, as recorded or as the scenario names them, sorted.
func watched(s harness.Scenario, baseline harness.Recording) []string {
	systems := slices.Clone(s.Mocks)
	for name := range s.Upstreams {
		systems = append(systems, name)
	}
	for x, err := range baseline.Exchanges() {
		if err == nil && x.From == s.Target.System && x.Channel == harness.ChannelHTTP {
			systems = append(systems, x.To)
		}
	}
	slices.Sort(systems)
	return slices.Compact(systems)
}

// answerer starts what answers for a system and returns its base URL.
func (s *stage) answerer(ctx context.Context, p Plan, baseline harness.Recording, system string, env harness.StageEnv) (string, error) {
	switch up := p.Scenario.Upstreams[system]; {
	case up.URL != nil:
		s.bases[system] = up.URL.Base
		return up.URL.Base, nil
	case up.Process != nil:
		p.tell("starting " + system)
		env.Log = s.log(system)
		base, stop, err := target.StartServer(ctx, *up.Process, env)
		if err != nil {
			return "", fmt.Errorf("start upstream %s: %w", system, err)
		}
		s.closers = append(s.closers, stop)
		s.bases[system] = base
		return base, nil
	case up.Container != nil:
		return s.instance(ctx, p, system, *up.Container, env)
	case slices.Contains(p.Scenario.Mocks, system):
		return s.mock(p, baseline, system)
	default:
		return "", harness.Usage(fmt.Errorf("%s: %s calls %s, and nothing answers for it", p.Scenario.File, p.Scenario.Target.System, system),
			fmt.Sprintf("add %s to mocks, to answer from the recording, or name a live test instance under upstreams", system))
	}
}

// mock serves the system's recorded answers on loopback.
func (s *stage) mock(p Plan, baseline harness.Recording, system string) (string, error) {
	o := mock.Options{Faults: p.Faults, Systems: []string{system}, Session: s.feeding.sessionOf, Scrub: s.asRecorded}
	m, err := mock.New(baseline, o)
	if err != nil {
		return "", err
	}
	server, err := m.Listen("")
	if err != nil {
		return "", err
	}
	s.mocks[system] = m
	s.closers = append(s.closers, server.Close)
	return server.URL, nil
}

// asRecorded is a call of the target as a mock knows it: with the recorded values in the places of those of this run, and
// with stand-ins.
func (s *stage) asRecorded(x harness.Exchange) (harness.Exchange, error) {
	x = s.feeding.restore(x)
	if s.scrubber == nil {
		return x, nil
	}
	return s.scrubber.Exchange(x)
}

// tap stands before an answerer and records what the target asks it.
func (s *stage) tap(p Plan, system, base string, now time.Time) (string, error) {
	upstream, err := url.Parse(base)
	if err != nil {
		return "", harness.Usage(fmt.Errorf("upstream %s: %w", system, err), "write it as http://host:port")
	}
	tap := &httptap.Tap{
		Upstream: upstream, From: p.Scenario.Target.System, To: system, Transport: s.guard.RoundTripper(),
		Session: s.feeding.sessionOfCall, Now: func() time.Time { return now },
	}
	s.taps = append(s.taps, tap)
	addr, err := tap.Listen("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tap.Record(ctx, s.feeding) }()
	s.closers = append(s.closers, func() error {
		cancel()
		return <-done
	})
	return "http://" + addr.String(), nil
}

// close stops everything in the reverse order of starting and waits for its end. It may be called more than once.
func (s *stage) close() error {
	s.once.Do(func() {
		for _, stop := range slices.Backward(s.closers) {
			s.err = errors.Join(s.err, stop())
		}
	})
	return s.err
}

// maxLog is how much of a program's talk is kept, in bytes.
const maxLog = 64 << 10

// logTail keeps the end of what a program says.
type logTail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *stage) log(system string) *logTail {
	if s.logs[system] == nil {
		s.logs[system] = &logTail{}
	}
	return s.logs[system]
}

// Write appends and forgets the beginning; it never fails.
func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p)
	if over := l.buf.Len() - maxLog; over > 0 {
		l.buf.Next(over)
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
