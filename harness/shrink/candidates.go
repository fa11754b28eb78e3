package shrink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness"
)

// candidate is exchanges that may still make the target fail in the same way.
type candidate []harness.Exchange

// Outcome is what feeding a candidate showed.
type Outcome struct {
	Same  bool   // the same failure happened
	Other string // the failure that happened in its place; empty when none did
}

// Outcomes remembers what was tried, so that a search that was ended can go on. Its methods are called by one goroutine
// at a time.
type Outcomes interface {
	Known(key string) (Outcome, bool)
	Keep(key string, o Outcome) error
}

// errBound ends a search whose replays are used up.
var errBound = errors.New("no replays left")

// tried is the outcome of one candidate with what crossed.
type tried struct {
	Outcome
	replayed harness.Recording // nil when the outcome was remembered
	err      error
}

// first tests the candidates, as many at the same time as there are workers, and makes the first that fails in the same
// way the best so far. It returns its index, or -1.
func (s *search) first(ctx context.Context, n int, candidateAt func(int) (candidate, error)) (int, error) {
	for from := 0; from < n; {
		var wave []candidate
		for at := from; at < n && len(wave) < s.workers(); at++ {
			c, err := candidateAt(at)
			if err != nil {
				return -1, err
			}
			wave = append(wave, c)
		}
		results, err := s.wave(ctx, wave)
		if err != nil {
			return -1, err
		}
		s.tell(s.left(), false)
		for i, r := range results {
			if r.Same {
				s.best, s.replayed = wave[i], r.replayed
				return from + i, nil
			}
		}
		from += len(wave)
	}
	return -1, nil
}

func (s *search) workers() int { return max(1, s.Workers) }

// wave tests candidates at the same time and returns when all are done. What is known already, and what feeds nothing to
// the target, is not tested again.
func (s *search) wave(ctx context.Context, wave []candidate) ([]tried, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results, keys := make([]tried, len(wave)), make([]string, len(wave))
	var group sync.WaitGroup
	started := map[string]int{}
	for i, c := range wave {
		if c == nil || !slices.ContainsFunc(c, s.feeds) {
			continue
		}
		keys[i] = keyOf(c)
		if o, known := s.known(keys[i]); known {
			results[i].Outcome = o
			continue
		}
		if _, twice := started[keys[i]]; twice {
			continue
		}
		if s.MaxReplays > 0 && s.replays >= s.MaxReplays {
			results[i].err = errBound
			break
		}
		started[keys[i]] = i
		s.replays++
		group.Go(func() { results[i] = s.test(ctx, c) })
	}
	group.Wait()
	return results, s.settle(ctx, results, keys, started)
}

func (s *search) feeds(x harness.Exchange) bool { return x.To == s.System }

// test feeds one candidate.
func (s *search) test(ctx context.Context, c candidate) tried {
	rec, err := s.Replay(ctx, c)
	if err != nil && harness.ClassOf(err) == harness.ClassInconclusive {
		return tried{}
	}
	if err != nil {
		return tried{err: err}
	}
	list, err := failures(rec, s.System)
	t := tried{replayed: rec, err: err}
	if t.Same = slices.Contains(list, s.failure); !t.Same && len(list) > 0 {
		t.Other = list[0].String()
	}
	return t
}

// settle keeps the outcomes of a wave, in its order. A search that was ended keeps those that are complete.
func (s *search) settle(ctx context.Context, results []tried, keys []string, started map[string]int) error {
	var failed error
	for i, r := range results {
		at, tested := started[keys[i]]
		if tested && at != i {
			results[i] = results[at] // the same candidate twice
			continue
		}
		switch {
		case r.err != nil && failed == nil:
			failed = r.err
		case tested && r.err == nil:
			if err := s.keep(keys[i], r.Outcome); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if errors.Is(failed, errBound) && slices.ContainsFunc(results, func(r tried) bool { return r.Same }) {
		return nil // what was found is made use of first
	}
	return failed
}

// known looks an outcome up, first among those of this search.
func (s *search) known(key string) (Outcome, bool) {
	if o, ok := s.seen[key]; ok {
		return o, true
	}
	if s.Outcomes == nil {
		return Outcome{}, false
	}
	o, ok := s.Outcomes.Known(key)
	if ok {
		s.remembered++
		s.note(key, o)
	}
	return o, ok
}

func (s *search) keep(key string, o Outcome) error {
	s.note(key, o)
	if s.Outcomes == nil {
		return nil
	}
	return s.Outcomes.Keep(key, o)
}

// note counts an outcome once.
func (s *search) note(key string, o Outcome) {
	s.seen[key] = o
	if o.Other != "" {
		s.slipped[o.Other]++
	}
}

// keyOf tells lists of exchanges apart.
func keyOf(list []harness.Exchange) string {
	h := sha256.New()
	for _, x := range list {
		fmt.Fprintf(h, "%s %q %s %q %s\n", x.ID, x.Request.Head, x.Request.Body.Digest(), x.Response.Head, x.Response.Body.Digest())
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}
