package replay

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// wait is a request that was repeated in the recording until its answer said that something was done.
type wait struct {
	rounds []*step // as recorded, up to the first answer that has the end state
	until  []sign  // what tells the end state
	limits harness.Polling

	mu       sync.Mutex
	began    time.Time
	attempts int  // requests that were sent
	reached  bool // the end state, or an answer after which there is no use in asking again
	missed   bool // a bound was reached before
	other    bool // such an answer came before
}

// Poll is what came of a wait.
type Poll struct {
	Rounds   []string // IDs of the recorded exchanges, the last one has the end state
	Title    string   // of the request
	Until    string   // the end state, in words
	Attempts int      // requests that were sent now
	Missed   bool     // the end state did not come
	Other    bool     // an answer came after which there was no use in asking again: none at all, or a status of its own
}

func (w *wait) account() Poll {
	p := Poll{Title: w.rounds[0].Title(), Until: describe(w.until), Attempts: w.attempts, Missed: w.missed, Other: w.other}
	for _, s := range w.rounds {
		p.Rounds = append(p.Rounds, s.ID)
	}
	return p
}

// Bounds of a poll that the scenario leaves open.
const (
	leastWithin  = 30 * time.Second
	mostEvery    = time.Second
	firstPause   = 5 * time.Millisecond
	mostAttempts = 1000
)

// findWaits finds the polls among the steps and tells them about it. A poll is the same request of one session twice or
// more, with nothing written at the same place meanwhile, whose answers went from one state to another and stayed.
func findWaits(steps []*step, p harness.Polling) []*wait {
	if p.Off {
		return nil
	}
	f := &finder{polling: p, open: map[question]*[]*step{}}
	for _, s := range steps {
		f.see(s)
	}
	for _, list := range f.lists {
		f.close(list)
	}
	for _, list := range f.lists {
		f.quick(list)
	}
	slices.SortStableFunc(f.waits, func(a, b *wait) int {
		return cmp.Or(a.rounds[0].At.Compare(b.rounds[0].At), strings.Compare(a.rounds[0].ID, b.rounds[0].ID))
	})
	return f.waits
}

// question is what requests share that ask the same.
type question struct {
	rank                int
	title, body, header string
}

// finder collects the repeated requests of each session.
type finder struct {
	polling harness.Polling
	open    map[question]*[]*step
	lists   []*[]*step
	waits   []*wait
}

func (f *finder) see(s *step) {
	if s.Channel != harness.ChannelHTTP || s.ID == "" {
		return
	}
	if !f.asks(s) {
		f.written(s)
		return
	}
	q := question{s.rank, s.Title(), s.Request.Body.Digest(), conditions(s.Request.Head)}
	list := f.open[q]
	if list == nil {
		list = &[]*step{}
		f.open[q] = list
		f.lists = append(f.lists, list)
	}
	*list = append(*list, s)
}

// asks reports whether the request may be a poll: it only reads, or the scenario says so.
func (f *finder) asks(s *step) bool {
	switch s.Request.Head.Get(harness.FieldMethod) {
	case "GET", "HEAD":
		return true
	}
	operation := s.Operation()
	return slices.ContainsFunc(f.polling.Also, func(glob string) bool { return harness.MatchOperation(glob, operation) })
}

// conditions are the fields that make a request another one.
func conditions(h harness.Head) string {
	var b strings.Builder
	for _, name := range []string{"If-None-Match", "If-Match", "If-Modified-Since", "Range", "Accept"} {
		b.WriteString(h.Get(name))
		b.WriteByte(0)
	}
	return b.String()
}

// written ends the polls of the session at a place that is written, and at those above and below it: what changes there
// then has a cause.
func (f *finder) written(s *step) {
	place := pathOf(s)
	for q := range f.open {
		if list := *f.open[q]; q.rank == s.rank && (below(place, pathOf(list[0])) || below(pathOf(list[0]), place)) {
			delete(f.open, q)
		}
	}
}

func pathOf(s *step) string {
	path, _, _ := strings.Cut(s.Request.Head.Get(harness.FieldPath), "?")
	return strings.TrimSuffix(path, "/")
}

// below reports whether a path is another one or lies below it.
func below(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '/')
}

// close makes a poll of a list of equal requests, if their answers are those of one.
func (f *finder) close(list *[]*step) {
	rounds := *list
	if len(rounds) < 2 {
		return
	}
	for _, s := range rounds {
		if status := s.Status(); s.Fault != nil || status >= 400 && !slices.Contains(notYet, status) || status == 304 {
			return
		}
	}
	rounds, until := endState(rounds)
	if len(until) == 0 {
		return
	}
	w := &wait{rounds: rounds, until: until, limits: limitsOf(rounds, f.polling)}
	for i, s := range rounds {
		s.wait, s.round = w, i
	}
	f.waits = append(f.waits, w)
}

// quick makes a poll of a request whose first answer had the end state already, if others of its operation had to wait for
// it: this time it may have to.
func (f *finder) quick(list *[]*step) {
	first := (*list)[0]
	if first.wait != nil || first.Fault != nil {
		return
	}
	operation, state := first.Operation(), answerState{}
	for _, w := range f.waits {
		if w.rounds[0].Operation() != operation {
			continue
		}
		if state.order == nil {
			state = stateOf(&first.Exchange)
		}
		if state.has(w.until) {
			first.wait = &wait{rounds: []*step{first}, until: w.until, limits: w.limits}
			f.waits = append(f.waits, first.wait)
			return
		}
	}
}

// notYet are the failures that say: ask again.
var notYet = []int{404, 409, 423, 425, 429, 503}

// limitsOf is the bounds of a poll, as recorded where the scenario leaves them open.
func limitsOf(rounds []*step, p harness.Polling) harness.Polling {
	first, last := rounds[0], rounds[len(rounds)-1]
	took := last.At.Add(last.Took).Sub(first.At)
	p.Within = cmp.Or(p.Within, harness.Duration(max(leastWithin, 3*took)))
	p.Attempts = cmp.Or(p.Attempts, mostAttempts)
	if p.Every == 0 {
		p.Every = harness.Duration(min(mostEvery, max(firstPause, last.At.Sub(first.At)/time.Duration(len(rounds)-1))))
	}
	return p
}
