package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectDuplicates finds messages that are delivered twice: an extra call that repeats another one of its session word
// for word. When what follows is done twice as well, the receiver is not idempotent.
func detectDuplicates(s *state) {
	for _, fed := range []bool{true, false} { // a message to the target that comes twice is the cause of what follows
		var again []int
		for _, i := range s.unclaimed(func(d *harness.Difference) bool {
			return d.Class == harness.ExtraCall && d.Channel == harness.ChannelHTTP && isWrite(d) && s.downstream(d) != fed
		}) {
			if first, ok := s.original(s.at(i)); ok && (fed || mayBeDone(first.Status())) {
				again = append(again, i)
			}
		}
		for _, g := range s.grouped(again) {
			if list := s.stillOpen(g.list); len(list) > 0 {
				s.claimDuplicates(list)
			}
		}
	}
}

// mayBeDone reports whether a call with that answer may have done its work. One that was plainly refused has not; its
// repetition follows from the refusal.
func mayBeDone(status int) bool {
	return status < 400 || slices.Contains([]int{408, 502, 503, 504}, status)
}

// original is an earlier call of the candidate that the extra one repeats.
func (s *state) original(d *harness.Difference) (first harness.Exchange, found bool) {
	x := s.now(d)
	for _, o := range s.after.bySlot[slotOf(d)] {
		if o.ID == x.ID {
			break
		}
		if o.Session == x.Session && o.Request.Head.Get(harness.FieldPath) == x.Request.Head.Get(harness.FieldPath) &&
			o.Request.Body.Size() == x.Request.Body.Size() && o.Request.Body.Digest() == x.Request.Body.Digest() {
			return o, true
		}
	}
	return first, false
}

func (s *state) claimDuplicates(again []int) {
	d := s.at(again[0])
	roots := s.sessions(again)
	f := s.sized(again)
	f.Verdict, f.Hit, f.Of, f.Unit = harness.Review, s.hits(again), len(s.before.bySlot[slotOf(d)]), "calls"
	f.Source = s.side(d.From) + ": " + d.Operation
	f.Sentence = fmt.Sprintf("%s to %s is sent twice with the same content (%d of %s).", d.Operation, s.side(d.To), len(again), count(f.Of, "call"))
	f.NextStep = "Let the receiver recognise a message that it has seen by its identifier, or send a key with it that makes a second one harmless."
	retried := s.retried(again)
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
func (s *state) retried(again []int) []int {
	first := map[string]bool{}
	for _, i := range again {
		x, _ := s.original(s.at(i))
		first[x.ID] = true
	}
	return s.refusals(func(_ *harness.Difference, now harness.Exchange) bool { return first[now.ID] })
}
