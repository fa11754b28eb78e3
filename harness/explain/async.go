package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Members and words by which an answer says that the work is not done yet, in lower case.
var (
	ticketNames  = []string{"jobid", "job_id", "taskid", "task_id", "operationid", "operation_id", "statusurl", "status_url", "pollurl", "poll_url"}
	pendingWords = []string{"queued", "pending", "processing", "accepted", "in_progress", "inprogress", "running", "submitted"}
)

// detectAccepted finds calls that are answered 202 with a place to ask at later, instead of with the result.
func detectAccepted(s *state) {
	s.claimDeferred(func(d *harness.Difference) bool {
		return isAnswer(d) && headField(d) == harness.FieldStatus && d.Is.Text == "202" && d.Was.Text < "300"
	})
}

// detectDeferred finds calls that are answered with the number of a job instead of with the result, under the same
// status.
func detectDeferred(s *state) {
	s.claimDeferred(func(d *harness.Difference) bool {
		return isAnswer(d) && inBody(d) && d.Was.IsAbsent() && len(d.Path) == 3 && slices.Contains(ticketNames, strings.ToLower(d.Path.Leaf()))
	})
}

func (s *state) claimDeferred(sign func(*harness.Difference) bool) {
	for _, g := range s.groups(sign) {
		list := slices.DeleteFunc(slices.Clone(g.list), func(i int) bool { return !s.open[i] || !s.isDeferred(s.at(i)) })
		if len(list) > 0 {
			s.claimDeferral(list)
		}
	}
}

// isDeferred reports whether the answer that holds the sign says that it is not done, or holds nothing of what it held
// before. A number of a job beside the result is no more than a new field.
func (s *state) isDeferred(d *harness.Difference) bool {
	x := s.now(d)
	if x.Response.Head.Has("Location") && x.Status() == 202 {
		return true
	}
	for _, i := range s.facts.within[d.Exchange] {
		o := s.at(i)
		if s.open[i] && isAnswer(o) && inBody(o) && slices.Contains(pendingWords, strings.ToLower(o.Is.Text)) {
			return true
		}
	}
	return s.sharesNothing(s.before.byID[d.Exchange], x)
}

// sharesNothing reports whether the objects of both answers have no member in common.
func (s *state) sharesNothing(was, is harness.Exchange) bool {
	old, now := s.read(was), s.read(is)
	a, err := old.doc("response")
	s.note(err)
	b, errNow := now.doc("response")
	s.note(errNow)
	if s.err != nil || a.Root().Kind() != harness.KindObject || a.Root().Len() == 0 {
		return false
	}
	for n := range a.Root().Children() {
		if !b.Root().Member(n.Name()).IsZero() {
			return false
		}
	}
	return true
}

func (s *state) claimDeferral(list []int) {
	d := s.at(list[0])
	x := s.now(d)
	f := s.sized(list)
	f.Verdict, f.Hit, f.Unit = harness.Review, s.hits(list), "calls"
	f.Sentence = fmt.Sprintf("%s of %s does not answer with the result any more, but with a job to ask for later (%s).", d.Operation, s.side(d.To), s.share(list))
	if x.Status() == 202 {
		f.Sentence = fmt.Sprintf("%s of %s only accepts the call now (202) and gives the result later (%s).", d.Operation, s.side(d.To), s.share(list))
	}
	f.NextStep = "Let the caller ask at the place that the answer names until the work is done, with a limit, before it goes on."
	follow := s.followed(list)
	own := s.take(slices.Concat(s.answersWhole(list), follow))
	if len(follow) > 0 {
		f.Effects = append(f.Effects, fmt.Sprintf("The target asks for the result (%s more).", count(len(follow), "call")))
	} else {
		f.Effects = append(f.Effects, "The target never asks for the result.")
	}
	c := s.consequences(own)
	if c.harm {
		f.Verdict = harness.Breaking
	}
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}
