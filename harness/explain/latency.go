package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// When answers count as slower. Few calls have no 95th percentile, and what is over in a moment has no meaning.
const (
	minTimed   = 20
	slowFactor = 3
	minSlower  = 500 * time.Millisecond
	percentile = 95
)

// originOfRun is the origin of recordings that a rehearsal makes.
const originOfRun = "rehearsal"

// detectLatency finds answers that do not come in time, and operations that became slower. Slower is an observation
// that claims no difference.
func detectLatency(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool { return isNewFault(s, d) && s.isTimeout(d) }) {
		s.claimTimeouts(g)
	}
	slots := make([]slot, 0, len(s.before.bySlot))
	for k := range s.before.bySlot {
		if s.isTimed(k) {
			slots = append(slots, k)
		}
	}
	slices.SortFunc(slots, slot.compare)
	for _, k := range slots {
		was, n := p95(s.before.bySlot[k])
		is, m := p95(s.after.bySlot[k])
		if n >= minTimed && m >= minTimed && is >= slowFactor*was && is-was >= minSlower {
			s.sawSlower(k, was, is, m)
		}
	}
}

// isTimed reports whether the durations of both sides can be held against each other. What a rehearsal measures at its
// own target and its mocks says nothing about the recorded systems; at live systems behind an address it does.
func (s *state) isTimed(k slot) bool {
	if k.channel != harness.ChannelHTTP {
		return false
	}
	if s.Comparison.After.Manifest().Origin != originOfRun {
		return true
	}
	return s.Scenario.Upstreams[k.to].URL != nil || k.to == s.Scenario.Target.System && s.Scenario.Target.URL != nil
}

// p95 is the 95th percentile of the durations of whole calls (nearest rank), and how many there are.
func p95(xs []harness.Exchange) (time.Duration, int) {
	var took []time.Duration
	for _, x := range xs {
		if x.Took > 0 && x.Fault == nil {
			took = append(took, x.Took)
		}
	}
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	rank := (len(took)*percentile + 99) / 100
	return took[rank-1], len(took)
}

func (s *state) sawSlower(k slot, was, is time.Duration, calls int) {
	f := harness.Finding{
		Verdict: harness.Review, Count: calls, Unit: "calls", Source: s.side(k.to) + ": " + k.operation,
		Sentence: fmt.Sprintf("%s of %s is slower: 95 of 100 calls end within %s instead of %s (%s).",
			k.operation, s.side(k.to), inSeconds(is), inSeconds(was), count(calls, "call")),
		NextStep: "Hold it against the time limits of the integration and of what waits for it; measure again at another time of day.",
	}
	s.kind.Title = "slower"
	s.claim(f, nil)
	s.findings[len(s.findings)-1].Operations = []string{k.operation}
}

// inSeconds writes a duration for people: 0.4 s, 31 s.
func inSeconds(d time.Duration) string {
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// isTimeout reports whether a call ended because an answer did not come in time: the recorder or the client gave up.
func (s *state) isTimeout(d *harness.Difference) bool {
	if d.Is.Text == harness.FaultTimeout {
		return true
	}
	was := s.before.byID[d.Exchange].Took
	return d.Is.Text == harness.FaultClientGone && was > 0 && s.now(d).Took >= slowFactor*was && s.now(d).Took-was >= minSlower
}

func (s *state) claimTimeouts(g group) {
	d := s.at(g.list[0])
	f := s.sized(g.list)
	f.Verdict, f.Hit = harness.Breaking, s.hits(g.list)
	f.Sentence = fmt.Sprintf("%s of %s does not answer in time (%s).", d.Operation, s.side(d.To), s.share(g.list))
	if took := s.now(d).Took; took > 0 {
		was, _ := p95(s.before.bySlot[g.slot])
		f.Sentence = fmt.Sprintf("%s of %s does not answer in time: the call is given up after %s; 95 of 100 recorded ones ended within %s (%s).",
			d.Operation, s.side(d.To), inSeconds(took), inSeconds(was), s.share(g.list))
	}
	f.Effects = []string{"Nobody knows whether the call was done: a repeated one may do it twice."}
	f.NextStep = fmt.Sprintf("Ask %s why it is slow; raise the limit only when the caller can wait, and make the call safe to repeat.", s.side(d.To))
	s.kind.Title = "no answer in time"
	own := s.take(g.list)
	calls := s.otherCalls(s.sessions(own), true)
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}
