package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectDuplicates finds messages that are delivered twice: an extra call that repeats another one of its session word
// for word. When what follows is done twice as well, the receiver is not idempotent.
func detectDuplicates(s *state) {
	first := s.firstCalls()
	for _, fed := range []bool{true, false} { // a message to the target that comes twice is the cause of what follows
		var again []int
		for _, i := range s.unclaimed(func(d *harness.Difference) bool {
			return d.Class == harness.ExtraCall && d.Channel == harness.ChannelHTTP && isWrite(d) && s.downstream(d) != fed
		}) {
			x := s.now(s.at(i))
			if o := first[wordOf(x)]; o.ID != x.ID && (fed || mayBeDone(o.Status())) {
				again = append(again, i)
			}
		}
		for _, g := range s.grouped(again) {
			if list := s.stillOpen(g.list); len(list) > 0 {
				s.claimDuplicates(list, first)
			}
		}
	}
}

// mayBeDone reports whether a call with that answer may have done its work. One that was plainly refused has not; its
// repetition follows from the refusal.
func mayBeDone(status int) bool {
	return status < 400 || slices.Contains([]int{408, 502, 503, 504}, status)
}

// word is all that a call says, and in which session.
type word struct{ session, from, to, call, digest string }

func wordOf(x harness.Exchange) word {
	call := x.Request.Head.Get(harness.FieldMethod) + " " + x.Request.Head.Get(harness.FieldPath)
	return word{x.Session, x.From, x.To, call, x.Request.Body.Digest()}
}

// firstCalls is the first call of the candidate that says each word, in the slots in which calls are extra.
func (s *state) firstCalls() map[word]harness.Exchange {
	slots := map[slot]bool{}
	for _, list := range s.facts.extra {
		for _, i := range list {
			slots[slotOf(s.at(i))] = s.at(i).Channel == harness.ChannelHTTP
		}
	}
	first := map[word]harness.Exchange{}
	for k, http := range slots {
		for _, x := range s.after.bySlot[k] {
			if _, known := first[wordOf(x)]; http && !known {
				first[wordOf(x)] = x
			}
		}
	}
	return first
}

func (s *state) claimDuplicates(again []int, first map[word]harness.Exchange) {
	d := s.at(again[0])
	roots := s.sessions(again)
	f := s.sized(again)
	f.Verdict, f.Hit, f.Of, f.Unit = harness.Review, s.hits(again), len(s.before.bySlot[slotOf(d)]), "calls"
	f.Source = s.side(d.From) + ": " + d.Operation
	f.Sentence = fmt.Sprintf("%s to %s is sent twice with the same content (%d of %s).", d.Operation, s.side(d.To), len(again), count(f.Of, "call"))
	f.NextStep = "Let the receiver recognise a message that it has seen by its identifier, or send a key with it that makes a second one harmless."
	retried := s.retried(again, first)
	follow := s.take(s.unclaimed(func(o *harness.Difference) bool {
		return o.Class == harness.ExtraCall && s.downstream(o) && !s.downstream(d) && slices.Contains(roots, o.Session)
	}))
	twice := s.done(again, s.downstream(d))
	for _, g := range s.grouped(follow) {
		o := s.at(g.list[0])
		f.Effects = append(f.Effects, fmt.Sprintf("%s to %s follows each time (%s more).", o.Operation, s.side(o.To), count(len(g.list), "call")))
		f.Target = append(f.Target, s.place(o.To, o))
		twice += s.done(g.list, true)
	}
	if twice > 0 {
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, fmt.Sprintf("What should be done once is done twice: %s of change more than before.", count(twice, "successful call")))
	}
	own := s.take(again)
	if len(retried) > 0 {
		f.Effects = append([]string{fmt.Sprintf("It is a retry: the first one was answered %s, and may have been done all the same.", s.valuesNow(retried))}, f.Effects...)
		own = append(own, s.answersOf(retried)...)
	}
	s.claim(f, slices.Concat(own, follow))
}

// done counts the calls that changed something with success at a system behind the target; a message to the target
// itself has done nothing yet.
func (s *state) done(list []int, counts bool) int {
	n := 0
	for _, i := range list {
		d := s.at(i)
		if x := s.now(d); counts && isWrite(d) && x.Status() < 400 {
			n++
		}
	}
	return n
}

// retried is the statuses of first calls that failed and were therefore repeated.
func (s *state) retried(again []int, first map[word]harness.Exchange) []int {
	repeated := map[string]bool{}
	for _, i := range again {
		repeated[first[wordOf(s.now(s.at(i)))].ID] = true
	}
	return s.refusals(func(_ *harness.Difference, now harness.Exchange) bool { return repeated[now.ID] })
}
