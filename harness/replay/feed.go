package replay

import (
	"context"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/access"
	"github.com/rehearse-dev/rehearse/harness/replay/shift"
)

// Options of Feed. The zero value sends one request at a time in the order of the recording, as it was recorded.
type Options struct {
	harness.Replay

	// Before is called before each session, or before each request of another session than the last one, so that the taps
	// around the target know whose calls they see. It is not called when sessions are fed at the same time.
	Before func(session string)

	// Links puts live values in the place of recorded ones. Nil sends what was recorded.
	Links Links

	// Dates are moved in what is sent, and back in what is kept of the answers. The zero value moves nothing.
	Dates shift.Days

	// Access gives requests credentials of now. Nil sends those that were recorded.
	Access *access.Access

	// Marks are added to the requests, so that the calls that the target makes meanwhile tell their session. Nil adds
	// nothing.
	Marks *Marks

	// Keep takes what a stage answered request by request, in an order that does not depend on timing within a session.
	// Nil puts it into the sink.
	Keep func(Sent) error
}

// Links is the knowledge of which answers hold what later requests need. It is safe for concurrent use.
type Links interface {
	// Producers are the IDs of the recorded exchanges that must be answered before the one with the ID is sent.
	Producers(id string) []string
	// Request puts live values in the place of the recorded ones. The error says which value there is not.
	Request(recorded harness.Exchange) (harness.Exchange, error)
	// Learn takes the values of a live answer.
	Learn(recorded, live harness.Exchange) error
}

// Sent is a request that was sent, with its answer.
type Sent struct {
	Of      string // ID of the recorded exchange
	Attempt int    // from 1; a poll may need several
	harness.Exchange
	came harness.Message // the answer before its dates were moved back
}

// Account is what happened while feeding, beside the exchanges themselves.
type Account struct {
	Polls []Poll
	Late  Lateness

	Again   int // requests that were sent again, because a kept connection was closed before a byte of the answer came
	Renewed int // requests that were sent again, because their credentials were refused and could be got anew

	Notes []string // what the options ask for and the stage cannot do
}

// Feed delivers the sessions to the stage. A stage that answers request by request gets them as the options say; every
// other one gets one session after the other, whole. What crosses is in the sink when Feed returns. It stops at the
// first error and when the context ends, with the context's error; nothing is under way any more then.
func Feed(ctx context.Context, stage harness.Stage, sessions Sessions, sink harness.Sink, o Options) (*Account, error) {
	if o.Before == nil {
		o.Before = func(string) {}
	}
	if answerer, ok := stage.(harness.Answerer); ok {
		if o.Keep == nil {
			o.Keep = func(s Sent) error { return sink.Put(s.Exchange) }
		}
		return feedRequests(ctx, answerer, sessions, o)
	}
	account := &Account{}
	if o.Pace != (harness.Pace{}) || o.Concurrency > 1 {
		account.Notes = append(account.Notes, "pace and concurrency were not applied: the target takes a whole session at a time")
	}
	for _, session := range sessions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o.Before(session.Name)
		if err := stage.Feed(ctx, session.Exchanges, sink); err != nil {
			return nil, fmt.Errorf("feed session %q: %w", session.Name, err)
		}
	}
	account.Again = sentAgain(stage)
	return account, nil
}

// sentAgain is how many requests a stage sent a second time, as far as it counts them.
func sentAgain(stage any) int {
	if counting, ok := stage.(interface{ SentAgain() int }); ok {
		return counting.SentAgain()
	}
	return 0
}

// feedRequests sends request by request.
func feedRequests(ctx context.Context, stage harness.Answerer, sessions Sessions, o Options) (*Account, error) {
	steps := stepsOf(sessions)
	waits := findWaits(steps, o.Polling)
	graph, err := arrange(steps, o)
	if err != nil {
		return nil, err
	}
	r := newRun(stage, steps, graph, o)
	if err := r.work(ctx); err != nil {
		return nil, err
	}
	account := &Account{Late: r.late, Again: sentAgain(stage), Renewed: int(r.renewed.Load())}
	for _, w := range waits {
		account.Polls = append(account.Polls, w.account())
	}
	return account, nil
}
