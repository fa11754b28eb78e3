package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectErrorText claims what differs in answers that are errors with the same status on both sides: another wording is
// harmless, another code is not, because programs go by it.
func detectErrorText(s *state) {
	for _, list := range s.bySlot(s.unclaimed(s.isInSameError)) {
		s.claimErrorText(list)
	}
}

// isInSameError reports whether the difference lies in the body of an answer that is the same error on both sides.
func (s *state) isInSameError(d *harness.Difference) bool {
	if !isAnswer(d) || len(d.Path) < 2 || d.Path[1].Name == "head" {
		return false
	}
	was, is := s.before.byID[d.Exchange], s.now(d)
	return was.Status() >= 400 && was.Status() == is.Status()
}

// isErrorCode reports whether the place holds what programs tell errors apart by.
func isErrorCode(d *harness.Difference) bool {
	words := wordsOfName(d.Path.Leaf())
	return isPlace(d) && slices.ContainsFunc(words, func(w string) bool { return w == "code" || w == "type" || w == "errorcode" }) ||
		isPlace(d) && strings.EqualFold(d.Path.Leaf(), "error") && !strings.Contains(d.Was.Text, " ")
}

func (s *state) claimErrorText(list []int) {
	d := s.at(list[0])
	answers, code := map[string]bool{}, -1
	for _, i := range list {
		answers[s.at(i).Exchange] = true
		if code < 0 && isErrorCode(s.at(i)) {
			code = i
		}
	}
	x := s.now(d)
	f := s.sized(list)
	f.Verdict, f.Unit, f.Count, f.Of = harness.Benign, "calls", len(answers), len(s.before.bySlot[slotOf(d)])
	f.Sentence = fmt.Sprintf("%s words its error %d to %s in another way (%d of %s); status and code are the same.",
		s.side(d.To), x.Status(), d.Operation, f.Count, count(f.Of, "call"))
	f.NextStep = "Nothing to do, unless a program or a person searches for the old words."
	if code >= 0 {
		o := s.at(code)
		f.Verdict, f.Hit = harness.Review, s.hits(list)
		f.Sentence = fmt.Sprintf("%s gives its error %d to %s another code: %s is %s instead of %s (%d of %s).",
			s.side(d.To), x.Status(), d.Operation, fieldName(o), inWords(o.Is), inWords(o.Was), f.Count, count(f.Of, "call"))
		f.NextStep = "Look for the old code in the integration: retries and special cases go by it."
	}
	s.kind.Title = "error told in another way"
	s.claim(f, list)
}

// failsInside reports whether an answer that says success tells an error now that it did not tell before. The target tells
// it in words or numbers of its own, too, where it failed in part.
func (s *state) failsInside(d *harness.Difference) bool {
	if !isAnswer(d) || !inBody(d) {
		return false
	}
	switch names := d.Path[2:]; {
	case len(names) == 1 && isErrorMember(names[0].Name), d.Path.String() == "response.body.Envelope.Body.Fault":
		return tellsError(d.Is) && !tellsError(d.Was)
	case len(names) == 1 && (names[0].Name == "success" || names[0].Name == "ok"):
		return d.Was.Text == "true" && d.Is.Text == "false"
	case len(names) == 1 && d.To == s.Scenario.Target.System:
		return countsFailures(names[0].Name) && tellsError(d.Is) && !tellsError(d.Was) || saysFailed(d.Is) && !saysFailed(d.Was)
	}
	return false
}

// countsFailures reports whether a member of that name counts or lists what failed.
func countsFailures(name string) bool {
	return slices.ContainsFunc(wordsOfName(name), func(w string) bool { return w == "failed" || w == "failures" || w == "errors" })
}

// saysFailed reports whether a value is a few words that say that something failed, or was done in part.
func saysFailed(v harness.Value) bool {
	const most = 4
	words := wordsOfName(v.Text)
	return v.Kind == harness.KindString && len(words) <= most && slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"failed", "failure", "error", "errors", "partial", "partially", "incomplete"}, w)
	})
}

// detectErrorsInside claims errors that are told behind success and have no cause that is known.
func detectErrorsInside(s *state) {
	for _, g := range s.grouped(s.stillOpen(slices.Clone(s.facts.inside))) {
		list := g.list
		d := s.at(list[0])
		x := s.now(d)
		answers := s.answersOf(list)
		f := s.sized(list)
		f.Verdict, f.Hit = harness.Breaking, s.hits(list)
		f.Sentence = fmt.Sprintf("%s of %s says success (%d) and tells an error inside (%s)%s.",
			d.Operation, s.side(d.To), x.Status(), s.share(list), s.complaint(answers))
		f.NextStep = "Let the caller look into the answer, and look for the cause in the log of that system."
		s.kind.Title = "error behind success"
		calls := s.otherCalls(s.sessions(list), true)
		calls.addTo(&f)
		s.claim(f, append(answers, calls.list...))
	}
}
