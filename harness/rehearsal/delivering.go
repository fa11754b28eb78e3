package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/broker"
)

// post is a broker that hands recorded messages to the target.
type post struct {
	scheme string
	*recorders.Serving
}

// takesMessages reports whether the target runs while it is fed and is told where brokers are, so that one can hand it
// one message after the other. To every other target messages are fed as payloads, and a program that asks a broker for
// them gets all at once.
func takesMessages(t harness.TargetSpec) bool { return t.Process != nil }

// postOf is the broker that hands over an exchange; nil: none does.
func (s *stage) postOf(x *harness.Exchange) *post {
	at := slices.IndexFunc(s.posts, func(p post) bool {
		return p.scheme == x.Request.Head.Get(harness.FieldBroker) && slices.Contains(p.Systems, x.From)
	})
	if x.Channel != harness.ChannelMessage || at < 0 {
		return nil
	}
	return &s.posts[at]
}

// isPosted reports whether brokers hand over everything that is fed.
func (s *stage) isPosted() bool {
	for _, session := range s.feeding.sessions {
		for i := range session.Exchanges {
			if s.postOf(&session.Exchanges[i]) == nil {
				return false
			}
		}
	}
	return true
}

// delivering is a target that gets its messages from brokers, and everything else as before. After each message it may do
// what it did when it was recorded, before anything else is fed. What it never does costs one timeout in all.
type delivering struct {
	harness.Answerer
	stage   *stage
	expects map[string]int // how much the target had done by itself before the next exchange was fed, by ID of the one before

	mu       sync.Mutex
	patience time.Duration // that is left
}

// settleMessages is how long a target that gets messages must do nothing at the end, in case it does more than it did.
const settleMessages = 300 * time.Millisecond

// deliveredBy puts the brokers before the target, when there are any.
func (s *stage) deliveredBy(p Plan, target harness.Stage, baseline harness.Recording) (harness.Stage, error) {
	answerer, ok := target.(harness.Answerer)
	if !ok || len(s.posts) == 0 {
		return target, nil
	}
	const patience = 30 * time.Second
	d := &delivering{
		Answerer: answerer, stage: s, expects: map[string]int{}, patience: p.Scenario.Replay.Timeout.Or(patience)}
	done, last := 0, ""
	for x, err := range baseline.Exchanges() {
		switch {
		case err != nil:
			return nil, err
		case x.From == p.Scenario.Target.System:
			done++
		case x.To == p.Scenario.Target.System:
			last = x.ID
		}
		d.expects[last] = done
	}
	return d, nil
}

// Feed feeds one exchange after the other.
func (d *delivering) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		fed, err := d.Answer(ctx, x)
		if err != nil {
			return err
		}
		if err := sink.Put(fed); err != nil {
			return err
		}
	}
	return nil
}

// Answer hands a message over; every other exchange is the target's own affair.
func (d *delivering) Answer(ctx context.Context, x harness.Exchange) (harness.Exchange, error) {
	post := d.stage.postOf(&x)
	if post == nil {
		return d.Answerer.Answer(ctx, x)
	}
	timed, cancel := context.WithTimeout(ctx, d.left())
	defer cancel()
	began := time.Now()
	err := post.Deliver(timed, x)
	if err == nil && d.stage.feeding.options.Concurrency <= 1 {
		d.stage.feeding.awaitDone(timed, d.expects[x.ID])
	}
	d.spend(timed, time.Since(began))
	switch {
	case ctx.Err() != nil:
		return x, ctx.Err()
	case err != nil:
		d.missed(fmt.Sprintf("%s over %s: %v", x.From, post.scheme, err))
		x.Fault = &harness.Fault{Kind: harness.FaultTimeout, Detail: err.Error()}
		if errors.Is(err, broker.ErrNobody) {
			x.Fault.Kind = harness.FaultUnreachable
		}
	}
	return x, nil
}

// missed notes why a message did not arrive, once.
func (d *delivering) missed(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.stage.missed, why) {
		d.stage.missed = append(d.stage.missed, why)
	}
}

// left is how long the next wait may take; what was never waited for in vain has the whole.
func (d *delivering) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.patience
}

// spend takes a wait that was in vain off the patience.
func (d *delivering) spend(timed context.Context, took time.Duration) {
	if !errors.Is(timed.Err(), context.DeadlineExceeded) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.patience = max(d.patience-took, settleMessages)
}

// Close lets the target do what it did when it was recorded, and waits until it is quiet.
func (d *delivering) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), d.left())
	defer cancel()
	most := 0
	for _, n := range d.expects {
		most = max(most, n)
	}
	d.stage.feeding.awaitDone(ctx, most)
	d.stage.feeding.awaitQuiet(ctx, settleMessages)
	return d.Answerer.Close()
}
