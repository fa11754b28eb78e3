package shrink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Case is a recording in which the target fails, and how to feed it to the target.
type Case struct {
	Recording harness.Recording
	System    string   // the target: exchanges to it are fed
	Mocks     []string // systems that answer from the recording: their answers shrink, too

	// Replay feeds the exchanges and returns what crossed. It is never called without an exchange to the target.
	Replay func(ctx context.Context, exchanges []harness.Exchange) (harness.Recording, error)

	MaxReplays int               // when they are used up the best so far is the result; 0: no bound
	Progress   func(what string) // told what is being done; may be nil
}

// Result is the smallest part that was found.
type Result struct {
	Failure   Failure
	Exchanges []harness.Exchange // of the recording, reduced
	Replayed  harness.Recording  // what crossed when they were fed
	Replays   int
	Bounded   bool // MaxReplays ended the search
}

// errBound ends a search whose replays are used up.
var errBound = errors.New("no replays left")

// Smallest shrinks the recording of the case, which holds a failure or makes the target fail. Where nothing fails it is
// an error of usage; a recorded failure that does not happen again is a Problem of ClassInconclusive.
func Smallest(ctx context.Context, c Case) (*Result, error) {
	recorded, failed, err := FailureOf(c.Recording, c.System)
	if err != nil {
		return nil, err
	}
	s := &search{Case: c, seen: map[[sha256.Size]byte]bool{}}
	if s.best, err = harness.Collect(c.Recording); err != nil {
		return nil, err
	}
	s.tell("feeding the whole recording (exchanges: %d)", len(s.best))
	if s.replayed, err = c.Replay(ctx, s.best); err != nil {
		return nil, err
	}
	s.replays++
	var again bool
	if s.failure, again, err = Again(c.Recording, s.replayed, c.System); err != nil {
		return nil, err
	}
	switch {
	case !failed && !again:
		return nil, harness.Usage(fmt.Errorf("shrink: nothing fails, neither in the recording nor when it is fed to %s", c.System),
			"capture the failure first: an answer of 400 and above, a call that breaks off, or a file that the mapping gives up on")
	case !again:
		return nil, harness.Inconclusive(fmt.Errorf("shrink: the failure did not happen again: %s", recorded),
			"check that the target is the release that failed, and that the recording holds what it needs")
	}
	err = s.run(ctx)
	if err != nil && !errors.Is(err, errBound) {
		return nil, err
	}
	return &Result{Failure: s.failure, Exchanges: s.best, Replayed: s.replayed, Replays: s.replays, Bounded: errors.Is(err, errBound)}, nil
}

// search is the state of one shrinking.
type search struct {
	Case
	failure  Failure
	best     []harness.Exchange
	replayed harness.Recording // what crossed when best was fed
	replays  int
	seen     map[[sha256.Size]byte]bool // what was tried already, and whether it failed
}

func (s *search) tell(format string, args ...any) {
	if s.Progress != nil {
		s.Progress(fmt.Sprintf(format, args...))
	}
}

// run takes away exchanges, then header fields, then parts of bodies.
func (s *search) run(ctx context.Context) error {
	all := s.best
	if _, err := ddmin(len(all), func(kept []int) (bool, error) { return s.try(ctx, pick(all, kept)) }); err != nil {
		return err
	}
	s.tell("exchanges %d → %d", len(all), len(s.best))
	for i := range s.best {
		if s.best[i].To == s.System {
			if err := s.head(ctx, i); err != nil {
				return err
			}
		}
	}
	for i := range s.best {
		h := half{i, s.best[i].To != s.System}
		if h.answer && !slices.Contains(s.Mocks, s.best[i].To) {
			continue
		}
		was := h.of(s.best).Body.Size()
		if err := s.body(ctx, h); err != nil {
			return err
		}
		s.tell("body of %s: %d → %d bytes", s.best[i].Operation(), was, h.of(s.best).Body.Size())
	}
	return nil
}

func pick(list []harness.Exchange, kept []int) []harness.Exchange {
	out := make([]harness.Exchange, len(kept))
	for n, i := range kept {
		out[n] = list[i]
	}
	return out
}

// carried are header fields without which a body cannot be read.
var carried = []string{"host", "content-type", "content-encoding", "content-length", "transfer-encoding"}

// head takes away header fields of a request.
func (s *search) head(ctx context.Context, i int) error {
	head := s.best[i].Request.Head
	var droppable []int
	for n, f := range head {
		if !f.IsPseudo() && !slices.Contains(carried, strings.ToLower(f.Name)) {
			droppable = append(droppable, n)
		}
	}
	_, err := ddmin(len(droppable), func(kept []int) (bool, error) {
		list := slices.Clone(s.best)
		var rest harness.Head
		for n, f := range head {
			if at := slices.Index(droppable, n); at < 0 || slices.Contains(kept, at) {
				rest = append(rest, f)
			}
		}
		list[i].Request.Head = rest
		return s.try(ctx, list)
	})
	return err
}

// try feeds the exchanges; when the same failure happens they are the best so far.
func (s *search) try(ctx context.Context, list []harness.Exchange) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !slices.ContainsFunc(list, func(x harness.Exchange) bool { return x.To == s.System }) {
		return false, nil
	}
	key := fingerprint(list)
	if failed, known := s.seen[key]; known {
		return failed, nil
	}
	if s.MaxReplays > 0 && s.replays >= s.MaxReplays {
		return false, errBound
	}
	s.replays++
	rec, err := s.Replay(ctx, list)
	if harness.ClassOf(err) == harness.ClassInconclusive && err != nil {
		s.seen[key] = false
		return false, nil
	}
	if err != nil {
		return false, err
	}
	same, err := s.failure.Has(rec, s.System)
	if err != nil {
		return false, err
	}
	s.seen[key] = same
	if same {
		s.best, s.replayed = list, rec
	}
	return same, nil
}

// fingerprint tells lists of exchanges apart.
func fingerprint(list []harness.Exchange) [sha256.Size]byte {
	h := sha256.New()
	for _, x := range list {
		fmt.Fprintf(h, "%s %q %s %q %s\n", x.ID, x.Request.Head, x.Request.Body.Digest(), x.Response.Head, x.Response.Body.Digest())
	}
	return [sha256.Size]byte(h.Sum(nil))
}
