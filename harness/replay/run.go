package replay

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Lateness is by how much requests went out after the moment that the pace gave them.
type Lateness struct {
	Requests int           // later than a millisecond
	Most     time.Duration // the latest of them
}

// late is from when on a request counts as late.
const late = time.Millisecond

// catchUp is how far a rate that was not kept is made up for.
const catchUp = 100 * time.Millisecond

// run is the requests on their way. Workers take what may be sent; the end of one step lets others go.
type run struct {
	stage harness.Answerer
	steps []*step
	graph *graph
	o     Options
	shelf *shelf // nil: what was sent is kept as it comes
	began time.Time

	mu      sync.Mutex
	wake    *sync.Cond // somebody else may go on
	ready   queue
	waiting []int // of each node: how many others must still end
	open    int   // steps that have not ended
	timer   *time.Timer
	session int       // rank of the one that was told to Before
	slot    time.Time // when the next request may go at the rate
	late    Lateness
	err     error
	renewed atomic.Int64
}

func newRun(stage harness.Answerer, steps []*step, g *graph, o Options) *run {
	r := &run{stage: stage, steps: steps, graph: g, o: o, waiting: g.before, open: len(steps), session: -1}
	r.wake = sync.NewCond(&r.mu)
	if g.serial == nil && o.Order == harness.OrderOverlap {
		r.shelf = newShelf(steps, o.Keep)
	}
	for i := range steps {
		if r.waiting[i] == 0 {
			heap.Push(&r.ready, r.item(i))
		}
	}
	return r
}

func (r *run) item(i int) item { return item{r.steps[i].due, r.steps[i].rank, i} }

// work sends everything and returns the first error, after all workers have ended.
func (r *run) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { r.fail(ctx.Err()) })
	defer stop()
	r.began = time.Now()
	r.slot = r.began
	workers := 1
	if r.graph.serial == nil {
		workers = max(1, min(r.o.Concurrency, len(r.steps)))
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i, ok := r.take(); ok; i, ok = r.take() {
				sent, err := r.send(ctx, r.steps[i])
				if err != nil {
					r.fail(fmt.Errorf("feed session %q: %w", r.steps[i].Session, err))
					cancel()
				}
				r.ended(i, sent)
			}
		})
	}
	group.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
	}
	return r.err
}

// fail keeps the first error and lets the workers end.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.wake.Broadcast()
}

// take waits for a step that may be sent; false: there is none any more.
func (r *run) take() (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.err != nil || r.open == 0 {
			return 0, false
		}
		if len(r.ready) == 0 {
			r.wake.Wait()
			continue
		}
		first := r.ready[0]
		if first.due > 0 {
			ahead := first.due - time.Since(r.began)
			if ahead > 0 {
				r.wakeIn(ahead)
				r.wake.Wait()
				continue
			}
			r.note(-ahead)
		}
		heap.Pop(&r.ready)
		if s := r.steps[first.step]; r.graph.serial != nil && s.rank != r.session {
			r.session = s.rank
			r.o.Before(s.Session)
		}
		return first.step, true
	}
}

// wakeIn wakes the workers when the earliest step is due.
func (r *run) wakeIn(d time.Duration) {
	if r.timer == nil {
		r.timer = time.AfterFunc(d, r.wakeAll)
		return
	}
	r.timer.Reset(d)
}

func (r *run) wakeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wake.Broadcast()
}

func (r *run) note(behind time.Duration) {
	if behind > late {
		r.late.Requests++
		r.late.Most = max(r.late.Most, behind)
	}
}

// ended keeps what was sent and lets go what waited for it.
func (r *run) ended(i int, sent []Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.keep(i, sent); err != nil && r.err == nil {
		r.err = err
	}
	r.open--
	r.release(i)
	if r.open == 0 || r.err != nil {
		r.wake.Broadcast()
		return
	}
	for range len(r.ready) - 1 { // this worker takes one itself
		r.wake.Signal()
	}
}

func (r *run) keep(i int, sent []Sent) error {
	if r.shelf != nil {
		return r.shelf.put(i, sent)
	}
	for _, s := range sent {
		if err := r.o.Keep(s); err != nil {
			return err
		}
	}
	return nil
}

// release lets the nodes behind one that ended go, as far as nothing else holds them.
func (r *run) release(node int) {
	for _, n := range r.graph.next[node] {
		if r.waiting[n]--; r.waiting[n] > 0 {
			continue
		}
		if n < len(r.steps) {
			heap.Push(&r.ready, r.item(n))
			continue
		}
		r.release(n)
	}
}

// pause waits for the turn of a request at the rate, if there is one.
func (r *run) pause(ctx context.Context) error {
	apart := r.o.Pace.Apart()
	if apart == 0 {
		return nil
	}
	r.mu.Lock()
	now := time.Now()
	if missed := now.Add(-catchUp); r.slot.Before(missed) {
		r.slot = missed
	}
	turn := r.slot
	r.slot = turn.Add(apart)
	r.mu.Unlock()
	return sleep(ctx, turn.Sub(now))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send sends a step: once, or as a poll as often as it needs.
func (r *run) send(ctx context.Context, s *step) ([]Sent, error) {
	if s.wait != nil {
		return r.poll(ctx, s)
	}
	sent, err := r.once(ctx, s, 1)
	if err != nil {
		return nil, err
	}
	return []Sent{sent}, r.learn(s, sent)
}

// learn takes the values of a live answer, which is what the recorded one of the step is.
func (r *run) learn(recorded *step, live Sent) error {
	if r.o.Links == nil || live.Fault != nil {
		return nil
	}
	came := live.Exchange
	came.Response = live.came
	if err := r.o.Links.Learn(recorded.Exchange, came); err != nil {
		return fmt.Errorf("learn from the answer to exchange %s: %w", recorded.ID, err)
	}
	return nil
}

// once sends the request of a step as the moment needs it.
func (r *run) once(ctx context.Context, s *step, attempt int) (Sent, error) {
	if err := r.pause(ctx); err != nil {
		return Sent{}, err
	}
	live, answer, err := r.exchange(ctx, s)
	if missing, ok := errors.AsType[*missingValue](err); ok {
		return notSent(s, attempt, missing.cause), nil
	}
	if err == nil && r.o.Access != nil && r.o.Access.Renew(s.Exchange, live, answer) {
		r.renewed.Add(1)
		_, answer, err = r.exchange(ctx, s)
	}
	if err != nil {
		return Sent{}, err
	}
	came := answer.Response
	answer.Response, err = r.o.Dates.Back().Message(answer.Response)
	return Sent{s.ID, attempt, answer, came}, err
}

// missingValue is the error for a request that cannot be sent, because an answer did not give what it needs.
type missingValue struct{ cause error }

func (m *missingValue) Error() string { return m.cause.Error() }

// exchange sends the request once, and returns it as it was sent and with its answer.
func (r *run) exchange(ctx context.Context, s *step) (live, answer harness.Exchange, err error) {
	live = s.Exchange
	if live.Request, err = r.o.Dates.Message(live.Request); err != nil {
		return live, answer, fmt.Errorf("move the dates of exchange %s: %w", s.ID, err)
	}
	if r.o.Links != nil {
		if live, err = r.o.Links.Request(live); err != nil {
			return live, answer, &missingValue{err}
		}
	}
	if r.o.Access != nil {
		if live, err = r.o.Access.Enter(ctx, live); err != nil {
			return live, answer, err
		}
	}
	marked := live
	if r.o.Marks != nil {
		marked = r.o.Marks.mark(live)
	}
	answer, err = r.stage.Answer(ctx, marked)
	answer.Request = s.Request // as recorded: what the moment needed was put into it
	return live, answer, err
}

// notSent is a request for which a value is missing. To send the recorded one would ask for something else.
func notSent(s *step, attempt int, why error) Sent {
	x := s.Exchange
	x.ID, x.Took, x.Response = "", 0, harness.Message{}
	x.Fault = &harness.Fault{Kind: harness.FaultNotSent, Detail: why.Error()}
	return Sent{s.ID, attempt, x, x.Response}
}
