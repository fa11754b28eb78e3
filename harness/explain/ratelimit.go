package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// isLimitField reports whether servers say in a header field of that name how many calls they allow, or allow still.
func isLimitField(name string) bool {
	return strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit") || name == "retry-after"
}

// isLimit reports whether the field says how many calls are allowed at all; others count what is left.
func isLimit(name string) bool {
	return isLimitField(name) && name != "retry-after" &&
		!strings.Contains(name, "remaining") && !strings.Contains(name, "reset") && !strings.Contains(name, "used")
}

// detectRateLimit finds servers that allow fewer calls than before: they say so in their headers, or refuse calls.
func detectRateLimit(s *state) {
	lowered := s.unclaimed(func(d *harness.Difference) bool {
		return isAnswer(d) && isLimit(headField(d)) && fewer(d.Was.Text, d.Is.Text)
	})
	refused := s.refusals(isOverLimit)
	for _, list := range s.bySystem(slices.Concat(refused, lowered)) {
		s.claimRateLimit(list)
	}
}

// isOverLimit reports whether a call was refused because there were too many.
func isOverLimit(d *harness.Difference, now harness.Exchange) bool {
	head := now.Response.Head
	switch d.Is.Text {
	case "429":
		return true
	case "403", "503":
		return head.Has("Retry-After") || head.Get("X-RateLimit-Remaining") == "0"
	}
	return false
}

// fewer reports whether both texts begin with a number and the second is the smaller one.
func fewer(was, is string) bool {
	a, okA := firstNumber(was)
	b, okB := firstNumber(is)
	return okA && okB && b < a
}

func firstNumber(text string) (int, bool) {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	n, err := strconv.Atoi(text[:end])
	return n, err == nil
}

func (s *state) claimRateLimit(list []int) {
	system := answerer(s.at(list[0]))
	var refused []int
	limit := ""
	for _, i := range list {
		if d := s.at(i); turnedBad(d) {
			refused = append(refused, i)
		} else if limit == "" {
			limit = fmt.Sprintf("allows %s calls instead of %s (%s)", d.Is.Text, d.Was.Text, d.Path[2].Name)
		}
	}
	f := s.sized(list)
	f.Verdict, f.Unit, f.Of = harness.Review, "calls", s.before.callsTo(system)
	f.Source = s.side(system)
	f.NextStep = "Count the calls of a busy day, with all integrations that share the account, and hold them against the new limit."
	headers := s.unclaimed(func(d *harness.Difference) bool {
		return answerer(d) == system && isAnswer(d) && isLimitField(headField(d))
	})
	own := s.take(slices.Concat(headers, list))
	if len(refused) == 0 {
		f.Count = len(list)
		f.Sentence = fmt.Sprintf("%s %s.", s.side(system), limit)
		f.Effects = []string{fmt.Sprintf("This recording makes %s to it, none of them is refused.", count(f.Of, "call"))}
		s.claim(f, own)
		return
	}
	f.Count = len(refused)
	f.Verdict, f.Hit = harness.Breaking, s.hits(refused)
	f.Sentence = fmt.Sprintf("%s refuses %d of %s as too many (%s)%s.", s.side(system), len(refused), count(f.Of, "call"), s.valuesNow(refused), s.fromCall(system, refused[0]))
	if limit != "" {
		f.Sentence = strings.TrimSuffix(f.Sentence, ".") + "; it " + limit + "."
	}
	if first := s.now(s.at(refused[0])); first.Response.Head.Has("Retry-After") {
		f.Effects = append(f.Effects, fmt.Sprintf("It asks to wait first (Retry-After: %s).", short(first.Response.Head.Get("Retry-After"))))
	}
	f.NextStep = "Wait as the answer says and repeat the call, or spread the calls; a run that goes faster than the recorded pace meets the limit sooner."
	own = append(own, s.answersOf(refused)...)
	calls := s.otherCalls(s.sessions(refused), true)
	if s.repeated(refused, calls.list) {
		f.Verdict = harness.Review
		f.Effects = append(f.Effects, "The target repeats every refused call, and is answered then.")
	}
	calls.addTo(&f)
	s.claim(f, append(own, calls.list...))
}

// fromCall says at which call to the system the refusals begin.
func (s *state) fromCall(system string, refused int) string {
	first, n := s.now(s.at(refused)).ID, 0
	for _, id := range s.after.order {
		if x := s.after.byID[id]; x.To == system && x.Channel == harness.ChannelHTTP {
			n++
		}
		if id == first {
			return fmt.Sprintf(", from call %d on", n)
		}
	}
	return ""
}

// repeated reports whether each failing call was made again with success, and none is missing.
func (s *state) repeated(failing, others []int) bool {
	again := 0
	for _, i := range others {
		d := s.at(i)
		if d.Class == harness.MissingCall {
			return false
		}
		if x := s.now(d); x.Status() < 400 && slotOf(d) == slotOf(s.at(failing[0])) {
			again++
		}
	}
	return again >= len(failing)
}
