package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/harness/sign"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// Values of --on-miss.
const (
	missFails    = "fail"
	missForwards = "forward"
	missRecords  = "record"
)

// mockLive is what of a mock reaches further than this machine's clients: calls back, and calls that were never recorded.
type mockLive struct {
	guard   *replay.Guard
	calls   *lateRecorder // what is forwarded; nil unless it is recorded
	store   *store
	done    chan error // of the recording
	stop    context.CancelFunc
	systems []string // that live systems answer for
}

// openLive prepares it and puts it into the options of the mock.
func (a *app) openLive(rec *fixtures.Recording, f mockFlags, o *mock.Options) (*mockLive, error) {
	callbacks, err := urlsOf(rec, "--callback", f.callbacks)
	if err != nil {
		return nil, err
	}
	upstreams, err := urlsOf(rec, "--upstream", f.upstreams)
	if err != nil {
		return nil, err
	}
	if err := checkOnMiss(f); err != nil {
		return nil, err
	}
	l := &mockLive{}
	if l.guard, err = a.mockGuard(rec, f, callbacks, upstreams); err != nil {
		return nil, err
	}
	o.Callbacks, o.Transport, o.OnMiss = map[string]string{}, l.guard.RoundTripper(), map[string]http.Handler{}
	for system, u := range callbacks {
		o.Callbacks[system] = u.String()
	}
	if o.Sign, err = a.signerOf(f); err != nil {
		return nil, err
	}
	var sink harness.Sink = discarded{}
	if f.onMiss == missRecords {
		if err := l.record(a, f, upstreams); err != nil {
			return nil, err
		}
		sink = l.calls.sink
	}
	for system, u := range upstreams {
		tap := &httptap.Tap{Upstream: u, From: callerOf(rec, system), To: system, Transport: l.guard.RoundTripper(), Session: httptap.SessionByHeader(mock.SessionField)}
		o.OnMiss[system] = tap.Handler(sink)
		l.systems = append(l.systems, system)
	}
	slices.Sort(l.systems)
	return l, nil
}

// signerOf reads FIELD=SECRET of the calls back.
func (a *app) signerOf(f mockFlags) (sign.Signer, error) {
	if len(f.signed) > 0 && len(f.callbacks) == 0 {
		return nil, harness.Usage(errors.New("mock: --sign without --callback"), "name who is called back: --callback SYSTEM=URL")
	}
	var signers []sign.Signer
	for _, text := range f.signed {
		field, reference, _ := strings.Cut(text, "=")
		usual, known := sign.UsualOf(field)
		if !known || reference == "" {
			var fields []string
			for _, u := range sign.Usual {
				fields = append(fields, u.Head)
			}
			return nil, harness.Usage(fmt.Errorf("mock: --sign %q names no signature and secret", text), "write it as Stripe-Signature=env:NAME; fields are "+strings.Join(fields, ", "))
		}
		secret, err := a.password(reference)
		if err != nil {
			return nil, err
		}
		signers = append(signers, usual.Signer(secret))
	}
	return sign.All(signers...), nil
}

func checkOnMiss(f mockFlags) error {
	live := f.onMiss == missForwards || f.onMiss == missRecords
	switch {
	case f.onMiss != missFails && !live:
		return harness.Usage(fmt.Errorf("mock: --on-miss %q is not known", f.onMiss), "write fail, forward or record")
	case live && len(f.upstreams) == 0:
		return harness.Usage(fmt.Errorf("mock: --on-miss %s has nobody to ask", f.onMiss), "name a live test instance: --upstream SYSTEM=https://test.vendor.example")
	case !live && len(f.upstreams) > 0:
		return harness.Usage(errors.New("mock: --upstream without --on-miss"), "say what is to happen with calls that were never recorded: --on-miss forward or record")
	case f.onMiss == missRecords && f.out == "":
		return harness.Usage(errors.New("mock: --on-miss record without --out"), "name the folder of the new recording, such as --out fixtures/more")
	case f.onMiss != missRecords && f.out != "":
		return harness.Usage(errors.New("mock: --out without --on-miss record"), "nothing is recorded otherwise: add --on-miss record, or leave --out away")
	case !live && len(f.callbacks) == 0 && (f.writes || len(f.confirmed) > 0):
		return harness.Usage(errors.New("mock: --writes or --confirm-origin, and nothing leaves this machine"), "they are for --on-miss forward or record, and for --callback")
	}
	return nil
}

// urlsOf reads SYSTEM=URL, each system being one of the recording.
func urlsOf(rec harness.Recording, flag string, texts []string) (map[string]*url.URL, error) {
	urls := map[string]*url.URL{}
	for _, text := range texts {
		system, where, _ := strings.Cut(text, "=")
		u, err := url.Parse(where)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, harness.Usage(fmt.Errorf("mock: %s %q names no URL", flag, text), "write it as SYSTEM=https://test.vendor.example")
		}
		if err := knownSystem(rec, flag, system); err != nil {
			return nil, err
		}
		urls[system] = u
	}
	return urls, nil
}

// mockGuard opens the hosts that are named, and protects where the recording was made and production, as a run does.
func (a *app) mockGuard(rec harness.Recording, f mockFlags, named ...map[string]*url.URL) (*replay.Guard, error) {
	if err := a.checkConfirmed(f.confirmed); err != nil {
		return nil, err
	}
	systems := map[string]harness.System{}
	if ws, err := scenarios.OpenWorkspace("."); err == nil { // a mock needs no workspace
		systems = ws.Catalogue().Systems
	}
	o := replay.GuardOptions{Writes: f.writes, Test: replay.TestHosts(systems)}
	for _, urls := range named {
		for _, u := range urls {
			o.Allow = append(o.Allow, u.Hostname())
		}
	}
	var err error
	if len(o.Allow) > 0 {
		o.Protected, err = replay.ProtectedHosts(rec, systems, f.confirmed)
	}
	return replay.NewGuard(o), err
}

// callerOf is who calls the system in the recording.
func callerOf(rec harness.Recording, system string) string {
	for x, err := range rec.Exchanges() {
		if err == nil && x.To == system && x.From != "" {
			return x.From
		}
	}
	return "client"
}

// record begins the recording of what is forwarded. It ends with end.
func (l *mockLive) record(a *app, f mockFlags, upstreams map[string]*url.URL) error {
	var hosts []string
	for _, u := range upstreams {
		hosts = append(hosts, u.Host)
	}
	slices.Sort(hosts)
	s, err := a.openStore("mock", harness.Manifest{Origin: "mock; calls that were never recorded", Hosts: hosts},
		storeFlags{out: f.out, policy: f.policy, key: f.key, vault: f.vault, form: string(fixtures.Auto), durability: string(fixtures.Group)})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.store, l.stop, l.done = s, stop, make(chan error, 1)
	l.calls = &lateRecorder{ready: make(chan bool)}
	go func() { l.done <- s.fill(ctx, l.calls, false) }() // ends with end
	select {
	case <-l.calls.ready:
		return nil
	case err := <-l.done:
		stop()
		return errors.Join(err, s.Abort())
	}
}

// end finishes the recording of what was forwarded. Without any, none is left behind.
func (l *mockLive) end(a *app, forwarded int) error {
	if l.calls == nil {
		return nil
	}
	if forwarded == 0 {
		err := l.store.Abort()
		l.stop()
		<-l.done // it says that nothing can be finished any more
		return err
	}
	l.stop()
	if err := <-l.done; err != nil {
		return err
	}
	return a.summary(l.store, nil)
}

// lateRecorder is a recorder whose exchanges come from elsewhere.
type lateRecorder struct {
	sink  harness.Sink
	ready chan bool // closed when there is a sink
}

func (r *lateRecorder) Record(ctx context.Context, sink harness.Sink) error {
	r.sink = sink
	close(r.ready)
	<-ctx.Done()
	return nil
}

// discarded keeps nothing: what is forwarded only is not recorded.
type discarded struct{}

func (discarded) Put(harness.Exchange) error { return nil }
func (discarded) Drop(string)                {}
func (discarded) LeaveOut(string)            {}

// liveSummary says what reached further than the mock.
func (a *app) liveSummary(m *mock.Mock, l *mockLive) {
	for _, miss := range m.Forwarded() {
		fmt.Fprintf(a.out, "live: %s %s was answered by %s\n", miss.Method, printable(miss.Target), printable(miss.System))
	}
	if n := m.Counts().Callbacks; n > 0 {
		fmt.Fprintf(a.out, "%s made back\n", harness.Count(n, "call"))
	}
	for _, failed := range m.FailedCallbacks() {
		fmt.Fprintf(a.out, "not called back as recorded: %s\n", printable(failed))
	}
	stale := m.StaleSignatures()
	for _, field := range slices.Sorted(maps.Keys(stale)) {
		fmt.Fprintf(a.out, "%s back carried the recorded %s, which a receiver that checks it refuses: --sign %s=env:NAME makes it anew\n", harness.Count(stale[field], "call"), field, field)
	}
	for _, c := range l.guard.Connections() {
		word := "connected"
		if !c.Allowed {
			word = "refused"
		}
		fmt.Fprintf(a.out, "%s: %s, %s (%d)\n", word, printable(c.Address), c.Reason, c.Count)
	}
}
