package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectFailing claims answers that turned from success to an error without a cause that is known, one finding for
// each operation and status. The calls that are missing in the same sessions belong to the first of them.
func detectFailing(s *state) {
	var statuses []int
	for i, open := range s.open {
		if open && s.facts.held[i] && turnedBad(s.at(i)) {
			statuses = append(statuses, i)
		}
	}
	for _, g := range s.grouped(statuses) {
		byStatus := map[string][]int{}
		for _, i := range g.list {
			text := s.at(i).Was.Text + " → " + s.at(i).Is.Text
			byStatus[text] = append(byStatus[text], i)
		}
		var texts []string
		for text := range byStatus {
			texts = append(texts, text)
		}
		slices.Sort(texts)
		for _, text := range texts {
			s.claimFailing(byStatus[text])
		}
	}
}

func (s *state) claimFailing(statuses []int) {
	d := s.at(statuses[0])
	var answers []int
	for _, i := range statuses {
		answers = append(answers, s.facts.answers[s.at(i).Exchange]...)
	}
	answers = s.take(answers)
	f := s.sized(statuses)
	f.Hit = s.hits(statuses)
	f.Sentence = fmt.Sprintf("%s fails: %s answers %s instead of %s (%s)%s; no cause was found.",
		d.Operation, s.side(answerer(d)), d.Is.Text, d.Was.Text, s.share(statuses), s.complaint(answers))
	f.NextStep = fmt.Sprintf("Read what %s answers in the samples, and look for its cause in the log of that system.", s.side(answerer(d)))
	calls := s.toldByTarget(d, statuses)
	calls.join(s.otherCalls(s.sessions(statuses), true))
	calls.addTo(&f)
	s.claim(f, append(answers, calls.list...))
}

// toldByTarget is the answers in which the target tells behind success that a call of its own failed.
func (s *state) toldByTarget(failed *harness.Difference, statuses []int) consequence {
	self := s.Scenario.Target.System
	if failed.From != self {
		return consequence{}
	}
	sessions := s.sessions(statuses)
	var told []int
	for _, i := range s.stillOpen(slices.Clone(s.facts.inside)) {
		if _, same := slices.BinarySearch(sessions, s.at(i).Session); same && s.at(i).To == self {
			told = append(told, i)
		}
	}
	return s.failedAnswers(s.regular(sessions, told))
}
