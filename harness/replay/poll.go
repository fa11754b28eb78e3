package replay

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// poll sends one round of a poll. A round before the last is sent once, or not at all when the end state was reached
// before; the last one is repeated until it is, or until a bound is. Every request that was sent is in the result.
func (r *run) poll(ctx context.Context, s *step) ([]Sent, error) {
	w := s.wait
	w.mu.Lock() // rounds may overlap when the recorded ones did
	defer w.mu.Unlock()
	if w.reached {
		return nil, nil
	}
	if w.began.IsZero() {
		w.began = time.Now()
	}
	last := s.round == len(w.rounds)-1
	pause := firstPause
	var sent []Sent
	for {
		x, err := r.once(ctx, s, len(sent)+1)
		if err != nil {
			return nil, err
		}
		w.attempts++
		state := stateOf(&x.Exchange)
		if state.has(w.until) {
			w.reached = true
			err = r.learn(w.rounds[len(w.rounds)-1], x)
		} else if !last {
			err = r.learn(s, x)
		}
		if err != nil {
			return nil, err
		}
		w.other = !w.reached && (x.Fault != nil || !w.waiting(state.status))
		w.reached = w.reached || w.other
		if sent = append(sent, x); w.reached || !last {
			return sent, nil
		}
		pause = min(pause, time.Duration(w.limits.Every))
		wait := max(pause, retryAfter(x.Response.Head))
		if w.attempts >= w.limits.Attempts || time.Since(w.began)+wait > time.Duration(w.limits.Within) {
			return w.giveUp(s, sent, state), nil
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		pause += pause / 2
	}
}

// waiting reports whether an answer of that status may be followed by another one: it was in the recording, or it says
// so itself.
func (w *wait) waiting(status int) bool {
	return status == 429 || status == 503 || slices.ContainsFunc(w.rounds, func(s *step) bool { return s.Status() == status })
}

// giveUp makes the last answer a fault that says what was waited for.
func (w *wait) giveUp(s *step, sent []Sent, state answerState) []Sent {
	w.missed = true
	last := &sent[len(sent)-1]
	last.Fault = &harness.Fault{Kind: harness.FaultNotReached, Detail: fmt.Sprintf("%s %s after %s",
		s.Title(), state.missing(w.until), harness.Count(w.attempts, "request"))}
	return sent
}

// retryAfter is how long the server asks to wait, 0 when it does not say, or says it in no number of seconds.
func retryAfter(h harness.Head) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
