package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectDown claims the calls to a system that fails all of them in one way: the connection breaks off, or it answers with
// one error of its own. That is one cause, however many operations it hits.
func detectDown(s *state) {
	var failures []int
	for i, open := range s.open {
		if d := s.at(i); open && (isNewFault(s, d) && !isOfReplay(d.Is.Text) || turnedBad(d) && d.Is.Text >= "500") {
			failures = append(failures, i)
		}
	}
	for _, list := range partition(failures, func(i int) string { return s.at(i).To }) {
		if s.failsAlike(list) {
			s.claimDown(list)
		}
	}
}

// failsAlike reports whether the failures are of several operations, and the system ends each call of this run as it ends
// the first of them.
func (s *state) failsAlike(failures []int) bool {
	d := s.at(failures[0])
	for _, id := range s.before.order {
		x := s.before.byID[id]
		if now, made := s.after.byID[s.Comparison.Partner[id]]; x.To == d.To && made && !s.isUnsent(id) && outcomeOf(&now) != d.Is.Text {
			return false
		}
	}
	return len(s.operationsOf(failures)) > 1
}

// isOfReplay reports whether a fault is one of what a replay wants, not one of the connection.
func isOfReplay(fault string) bool {
	return fault == harness.FaultNotSent || fault == harness.FaultNotReached
}

// outcomeOf is the kind of fault that ended a call, or the status of its answer.
func outcomeOf(x *harness.Exchange) string {
	if x.Fault != nil && !isOfReplay(x.Fault.Kind) {
		return x.Fault.Kind
	}
	return x.Response.Head.Get(harness.FieldStatus)
}

func (s *state) claimDown(failures []int) {
	d := s.at(failures[0])
	system, operations := s.side(d.To), s.operationsOf(failures)
	f := s.brokenCalls(failures)
	own := append(s.take(failures), s.answersOf(failures)...)
	way := fmt.Sprintf("is answered %s%s", d.Is.Text, s.complaint(own))
	f.NextStep = fmt.Sprintf("Read what %s answers in the samples, and look for its cause in the log of that system.", system)
	if isNewFault(s, d) {
		way = fmt.Sprintf("breaks off (%s)", d.Is.Text)
		f.NextStep = fmt.Sprintf("Find out whether %s ran and took connections, look into its log, and repeat the run.", system)
	}
	f.Sentence = fmt.Sprintf("%s fails every call in one way: each of %s %s (%d of %s); no cause was found.",
		system, count(len(operations), "operation"), way, f.Count, count(f.Of, "call"))
	f.Effects = append(f.Effects, fmt.Sprintf("These fail: %s.", listSome(operations, maxFewCodes)))
	calls := s.toldByTarget(d, failures)
	calls.join(s.otherCalls(s.sessions(failures), true))
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}
