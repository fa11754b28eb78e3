package shrink

import (
	"context"
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

	// Replay feeds the exchanges to a target of its own and returns what crossed. It is never called without an exchange
	// to the target, and by as many goroutines at the same time as there are Workers.
	Replay  func(ctx context.Context, exchanges []harness.Exchange) (harness.Recording, error)
	Workers int // 0: 1

	// Links says for each exchange which ones before it give it values, by index. Nil: nothing is known of that.
	Links func(exchanges []harness.Exchange) ([][]int, error)

	Outcomes   Outcomes       // what an earlier search of the same case found out; nil: nothing
	MaxReplays int            // when they are used up the best so far is the result; 0: no bound
	Progress   func(Progress) // told what was done; may be nil
}

// Progress is how far a search is.
type Progress struct {
	What     string // exchanges, or the part of a message that shrinks
	Left, Of int    // exchanges or bytes: as it is, and as it was
	Replays  int    // so far
	AtMost   int    // replays that what is left can take, about
	Done     bool   // with this part
}

// Result is the smallest part that was found.
type Result struct {
	Failure    Failure
	FailingID  string             // of the exchange that fails, in the recording; empty when it is what the target hands on
	Exchanges  []harness.Exchange // of the recording, reduced
	Answered   []harness.Exchange // the same with the answers of the last run, and what the target gave up on then
	Replayed   harness.Recording  // what crossed when they were fed
	Replays    int                // of this search
	Remembered int                // candidates whose outcome an earlier search had found out
	Slipped    []Slip             // other failures that candidates had: none of them was followed
	Bounded    bool               // MaxReplays ended the search
}

// Slip is another failure than the one that is searched for.
type Slip struct {
	Failure    string
	Candidates int
}

// Smallest shrinks the recording of the case, which holds a failure or makes the target fail. Where nothing fails it is
// an error of usage; a recorded failure that does not happen again, or not a last time, is a Problem of ClassInconclusive.
func Smallest(ctx context.Context, c Case) (*Result, error) {
	s := &search{Case: c, seen: map[string]Outcome{}, slipped: map[string]int{}}
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	err := s.run(ctx)
	if err != nil && !errors.Is(err, errBound) {
		return nil, err
	}
	if again := s.confirm(ctx); again != nil {
		return nil, again
	}
	crossed, wrong := withAnswers(s.best, s.replayed, s.System)
	if wrong != nil {
		return nil, wrong
	}
	return &Result{
		Answered: crossed,
		Failure:  s.failure, FailingID: s.failingID, Exchanges: s.best, Replayed: s.replayed, Replays: s.replays, Remembered: s.remembered,
		Slipped: s.slips(), Bounded: errors.Is(err, errBound),
	}, nil
}

// search is the state of one shrinking.
type search struct {
	Case
	failure    Failure
	failingID  string // of the exchange that fails in the recording; empty when it is what the target hands on
	best       []harness.Exchange
	replayed   harness.Recording // what crossed when best was fed; nil when that is only remembered
	replays    int
	remembered int
	seen       map[string]Outcome // by key of the candidate
	slipped    map[string]int     // candidates, by the other failure

	what string // that shrinks now
	of   int    // its size at the beginning
	part *half  // nil: exchanges
}

// begin feeds the whole recording: the failure that happens then is the one.
func (s *search) begin(ctx context.Context) error {
	recorded, failed, err := FailureOf(s.Recording, s.System)
	if err != nil {
		return err
	}
	if s.best, err = harness.Collect(s.Recording); err != nil {
		return err
	}
	s.what, s.of = "exchanges", len(s.best)
	if s.replayed, err = s.Replay(ctx, s.best); err != nil {
		return err
	}
	s.replays++
	again, ok, err := again(s.Recording, s.replayed, s.System)
	switch {
	case err != nil:
		return err
	case !failed && !ok:
		return harness.Usage(fmt.Errorf("shrink: nothing fails, neither in the recording nor when it is fed to %s", s.System),
			"capture the failure first: an answer of 400 and above, a call that breaks off, or a file that the mapping gives up on")
	case !ok:
		return harness.Inconclusive(fmt.Errorf("shrink: the failure did not happen again: %s", recorded),
			"check that the target is the release that failed, and that the recording holds what it needs")
	}
	s.failure = again.Failure
	if at := again.of.find(s.best); at >= 0 {
		s.failingID = s.best[at].ID
	}
	return nil
}

// confirm feeds the result once more, when what crossed then is not known: what earlier searches found out may be about
// another target.
func (s *search) confirm(ctx context.Context) error {
	if s.replayed != nil {
		return nil
	}
	t := s.test(ctx, s.best)
	s.replays++
	if t.err != nil {
		return t.err
	}
	if !t.Same {
		return harness.Inconclusive(errors.New("shrink: what an earlier search found to fail does not fail now"),
			"the target is another one, or fails by chance; begin anew with --restart")
	}
	s.replayed = t.replayed
	return nil
}

// slips lists the other failures, the most frequent first.
func (s *search) slips() []Slip {
	var list []Slip
	for failure, n := range s.slipped {
		list = append(list, Slip{failure, n})
	}
	slices.SortFunc(list, func(a, b Slip) int {
		if a.Candidates != b.Candidates {
			return b.Candidates - a.Candidates
		}
		return strings.Compare(a.Failure, b.Failure)
	})
	return list
}

// tell says how far the part that shrinks now is.
func (s *search) tell(left int, done bool) {
	if s.Progress != nil {
		s.Progress(Progress{What: s.what, Left: left, Of: s.of, Replays: s.replays, AtMost: s.atMost(), Done: done})
	}
}

// left is the size of the part that shrinks now.
func (s *search) left() int {
	if s.part == nil {
		return len(s.best)
	}
	return int(s.part.of(s.best).Body.Size())
}

// atMost bounds what is left to try: each exchange and each of its fields once. A field is about so many bytes.
func (s *search) atMost() int {
	const field = 24
	n := len(s.best)
	for i := range s.best {
		if s.feeds(s.best[i]) {
			n += len(s.best[i].Request.Head) + int(s.best[i].Request.Body.Size()/field)
		}
	}
	return n
}

// run takes away exchanges, then fields of heads, then parts of bodies.
func (s *search) run(ctx context.Context) error {
	if err := s.exchanges(ctx); err != nil {
		return err
	}
	for i := range s.best {
		if s.best[i].To == s.System {
			if err := s.head(ctx, i); err != nil {
				return err
			}
			if err := s.query(ctx, i); err != nil {
				return err
			}
		}
	}
	for i := range s.best {
		h := half{i, s.best[i].To != s.System}
		if h.answer && !slices.Contains(s.Mocks, s.best[i].To) {
			continue
		}
		s.what, s.part, s.of = "bytes of "+s.best[i].Operation(), &h, int(h.of(s.best).Body.Size())
		if err := s.body(ctx, h); err != nil {
			return err
		}
		s.tell(s.left(), true)
	}
	return nil
}
