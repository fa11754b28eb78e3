package explain

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// headField is the lower-case name of the header field in which the difference lies, empty outside of heads.
func headField(d *harness.Difference) string {
	if len(d.Path) < 3 || d.Path[1].Name != "head" {
		return ""
	}
	return strings.ToLower(d.Path[2].Name)
}

// isPseudo reports whether the difference lies in a field that stands beside the headers, such as the status.
func isPseudo(d *harness.Difference) bool { return strings.HasPrefix(headField(d), ":") }

// inAnswerHead reports whether the difference lies in that header field of an answer.
func inAnswerHead(d *harness.Difference, name string) bool {
	return isAnswer(d) && headField(d) == name
}

// refusals is the statuses that turned bad for which keep holds, and that nobody has claimed.
func (s *state) refusals(keep func(d *harness.Difference, now harness.Exchange) bool) []int {
	var list []int
	for i, open := range s.open {
		if d := s.at(i); open && s.facts.held[i] && turnedBad(d) && keep(d, s.now(d)) {
			list = append(list, i)
		}
	}
	return list
}

// answersOf takes all that differs in the answers of failing calls.
func (s *state) answersOf(statuses []int) []int {
	var list []int
	for _, i := range statuses {
		list = append(list, s.facts.answers[s.at(i).Exchange]...)
	}
	return s.take(list)
}

// brokenCalls is the finding of calls to one system that break, one difference for each, among all calls to it.
func (s *state) brokenCalls(list []int) harness.Finding {
	to := s.at(list[0]).To
	f := s.sized(list)
	f.Verdict, f.Unit, f.Count, f.Of = harness.Breaking, "calls", len(list), max(s.before.callsTo(to), len(list))
	f.Source, f.Hit = s.side(to), s.hits(list)
	return f
}

// callsTo counts the calls to a system.
func (ix *index) callsTo(system string) int {
	n := 0
	for k, list := range ix.bySlot {
		if k.to == system && k.channel == harness.ChannelHTTP {
			n += len(list)
		}
	}
	return n
}

// maxErrorBody is the most of an error answer that is searched for words.
const maxErrorBody = 64 << 10

// bodyHolds reports whether the body of an answer holds the word; large bodies are no error messages.
func bodyHolds(x harness.Exchange, word string) bool {
	return strings.Contains(string(smallBody(x)), word)
}

// smallBody is the body of an answer, nothing of one that is larger than maxErrorBody or cannot be read.
func smallBody(x harness.Exchange) []byte {
	if x.Response.Body.Size() > maxErrorBody {
		return nil
	}
	body, err := x.Response.Body.Bytes()
	if err != nil {
		return nil
	}
	return body
}
