package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectNotReached finds requests that were repeated in vain: the answer did not come to the state that ended the poll in
// the recording.
func detectNotReached(s *state) {
	for _, g := range s.groups(func(d *harness.Difference) bool { return isNewFault(s, d) && d.Is.Text == harness.FaultNotReached }) {
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Verdict, f.Source = harness.Breaking, s.side(d.To)+" "+d.Operation
		f.Sentence = fmt.Sprintf("%s of %s does not come to its end any more: %s (%s).", d.Operation, s.side(d.To), detailOf(d), s.share(g.list))
		f.NextStep = fmt.Sprintf("Ask %s whether the work is still done, and under which name the end is told now; raise replay.polling.within when it only takes longer.", s.side(d.To))
		s.claim(f, g.list)
	}
}

// mostReasons is how many reasons a finding of requests that were not sent names.
const mostReasons = 3

// detectNotSent joins all requests that could not be made, because an answer before them did not give a value that they
// need: what that answer lacks is a finding of its own, or the first reason here.
func detectNotSent(s *state) {
	list := s.unclaimed(func(d *harness.Difference) bool { return isNotSent(s, d) })
	if len(list) == 0 {
		return
	}
	var reasons []string
	for _, i := range list {
		if reason := detailOf(s.at(i)); len(reasons) < mostReasons && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	d := s.at(list[0])
	f := s.sized(list)
	f.Verdict, f.Unit, f.Source = harness.Breaking, "requests", s.side(d.To)
	f.Sentence = fmt.Sprintf("%s to %s could not be sent, because an answer before did not give what they need: %s.", count(len(list), "request"), s.side(d.To), reasons[0])
	f.Effects = reasons[1:]
	f.NextStep = "Look at the answer that is named first: mend what it lacks, or, when the value is none, deny the link in the scenario under correlate."
	s.claim(f, list)
}

// isNotSent reports whether the request could not be made in this run.
func isNotSent(s *state, d *harness.Difference) bool {
	return isNewFault(s, d) && d.Is.Text == harness.FaultNotSent
}

func detailOf(d *harness.Difference) string {
	text, _ := d.Is.Field("detail")
	return text
}
