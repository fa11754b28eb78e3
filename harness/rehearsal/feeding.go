package rehearsal

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// feeding is how the target is fed, and everything that crosses meanwhile: it is the sink of the taps.
type feeding struct {
	sessions replay.Sessions
	options  replay.Options
	carried  *carried      // values from answers to later requests; nil: requests are sent as they were recorded
	marks    *replay.Marks // of sessions that are fed at the same time
	account  *replay.Account
	notes    []string

	mu      sync.Mutex
	current string // the session that is being fed, when it is one at a time
	crossed []crossing
	done    int            // what the target did by itself
	doneNow chan struct{}  // closed when it does more
	untold  int            // calls of the target that did not tell their session
	counts  harness.Counts // of what did not come to be kept
}

// crossing is an exchange of this run.
type crossing struct {
	harness.Exchange
	of string // ID of the recorded exchange that was fed; empty for what the target did by itself
}

// prepare decides how to feed. While one session is fed after the other, the calls that the target makes to watched systems
// belong to the one that is fed. Sessions are fed at the same time to such a target only when its calls tell theirs.
func (p Plan) prepare(sessions replay.Sessions, watches bool) (*feeding, error) {
	sessions, err := sessions.Load()
	if err != nil {
		return nil, err
	}
	f := &feeding{sessions: sessions, doneNow: make(chan struct{}), options: replay.Options{Replay: p.Scenario.Replay}}
	o := &f.options
	o.Before, o.Keep = f.begin, f.keep
	switch concurrent := o.Concurrency > 1; {
	case watches && concurrent && o.SessionHeader == "":
		f.notes = append(f.notes, fmt.Sprintf("%s calls other systems, and replay.session-header does not say how to tell whose call it is: "+
			"sessions were fed one after the other, not %d at the same time", p.Scenario.Target.System, o.Concurrency))
		o.Concurrency, o.Order = 1, harness.OrderSession
	case watches && concurrent:
		if f.marks, err = replay.NewMarks(o.SessionHeader, sessions); err != nil {
			return nil, err
		}
		o.Marks = f.marks
	case watches && o.Order == "":
		o.Order = harness.OrderSession
	}
	if p.Uncorrelated {
		return f, nil
	}
	if f.carried, err = p.carryOver(sessions); err != nil {
		return nil, err
	}
	if f.carried != nil {
		o.Links = f.carried
	}
	return f, nil
}

// feed delivers the sessions to the target.
func (f *feeding) feed(ctx context.Context, target harness.Stage) (err error) {
	f.account, err = replay.Feed(ctx, target, f.sessions, f, f.options)
	return err
}

func (f *feeding) begin(session string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = session
}

// sessionOf names the session that a call of the target belongs to.
func (f *feeding) sessionOf(r *http.Request) string {
	if f.marks != nil {
		name, _ := f.marks.Session(r)
		return name
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current
}

// session is the one that is being fed; none is known while several are.
func (f *feeding) session() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.marks != nil {
		return ""
	}
	return f.current
}

// sessionOfCall is sessionOf for the tap that sees each call once: calls that do not tell are counted.
func (f *feeding) sessionOfCall(r *http.Request) string {
	if f.marks != nil {
		if _, told := f.marks.Session(r); !told {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.untold++
			return ""
		}
	}
	return f.sessionOf(r)
}

// Put keeps what the target did by itself, or what a stage that is fed whole sessions says; it never fails.
func (f *feeding) Put(x harness.Exchange) error {
	if f.marks != nil {
		x = f.marks.Clean(x)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crossed = append(f.crossed, crossing{x, ""})
	f.done++
	close(f.doneNow)
	f.doneNow = make(chan struct{})
	return nil
}

// awaitDone waits until the target has done so much by itself, or until the context is done.
func (f *feeding) awaitDone(ctx context.Context, n int) {
	for {
		f.mu.Lock()
		done, more := f.done, f.doneNow
		f.mu.Unlock()
		if done >= n {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

// awaitQuiet waits until the target has done nothing by itself for some time, or until the context is done.
func (f *feeding) awaitQuiet(ctx context.Context, quiet time.Duration) {
	for {
		f.mu.Lock()
		more := f.doneNow
		f.mu.Unlock()
		select {
		case <-more:
		case <-time.After(quiet):
			return
		case <-ctx.Done():
			return
		}
	}
}

// Drop counts a lost exchange.
func (f *feeding) Drop(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Drop(reason)
}

// LeaveOut counts an exchange that nobody wanted.
func (f *feeding) LeaveOut(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.LeaveOut(reason)
}

// keep takes what was fed with its answer.
func (f *feeding) keep(s replay.Sent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crossed = append(f.crossed, crossing{s.Exchange, s.Of})
	return nil
}

// recording is what crossed, in an order that does not depend on timing, with the recorded values in the places of live
// ones. Nothing crosses any more.
func (f *feeding) recording(m harness.Manifest) *harness.Memory {
	f.arrange()
	out := harness.NewMemory(m)
	for i := range f.crossed {
		x := f.restore(f.crossed[i].Exchange)
		x.ID = harness.SequenceID(i + 1)
		f.crossed[i].Exchange = x
		out.Put(x) //nolint:errcheck // memory keeps everything
	}
	for reason, n := range f.counts.Reasons {
		for range n {
			out.Drop(reason)
		}
	}
	for reason, n := range f.counts.LeftOut {
		for range n {
			out.LeaveOut(reason)
		}
	}
	return out
}

// arrange sorts what crossed at the same time: by session, in each of them as it came, because a session is one thing after
// the other. Where requests of a session overlapped, the calls that the target made have no order; they stand first.
func (f *feeding) arrange() {
	if f.options.Concurrency <= 1 {
		return
	}
	rank := make(map[string]int, len(f.sessions))
	for i, s := range f.sessions {
		rank[s.Name] = i
	}
	overlap := f.options.Order == harness.OrderOverlap
	slices.SortStableFunc(f.crossed, func(a, b crossing) int {
		order := cmp.Compare(rank[a.Session], rank[b.Session])
		if order != 0 || !overlap {
			return order
		}
		if a.of != "" || b.of != "" {
			return cmp.Compare(min(len(a.of), 1), min(len(b.of), 1))
		}
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Title(), b.Title()), cmp.Compare(a.Request.Body.Digest(), b.Request.Body.Digest()))
	})
}

// restore puts the recorded values in the places of the live ones.
func (f *feeding) restore(x harness.Exchange) harness.Exchange {
	if f.carried == nil {
		return x
	}
	return f.carried.restore(x)
}
