package diff

import (
	"github.com/rehearse-dev/rehearse/harness"
)

// pairing is two exchanges that belong together; one of them is nil when its partner is missing.
type pairing struct{ was, is *harness.Exchange }

// slot is what exchanges must agree in to be paired.
type slot struct{ session, channel, from, to, operation string }

func slotOf(x *harness.Exchange, session string) slot {
	return slot{session, x.Channel, x.From, x.To, x.Operation()}
}

// pair joins the exchanges of both sides in the order of the baseline; what is extra follows in its own order.
// Sessions pair by name; sessions of other names pair in order of appearance when they begin with the same operation.
// Within a slot, equal requests pair first, then requests to the same path, then the rest in order.
func pair(was, is []harness.Exchange) []pairing {
	rename := matchSessions(was, is)
	candidates := map[slot][]*harness.Exchange{}
	for i := range is {
		s := slotOf(&is[i], rename[is[i].Session])
		candidates[s] = append(candidates[s], &is[i])
	}
	partner := make(map[*harness.Exchange]*harness.Exchange, len(was))
	taken := make(map[*harness.Exchange]bool, len(is))
	for _, same := range []func(a, b *harness.Exchange) bool{sameRequest, samePath, anyRequest} {
		for i := range was {
			a := &was[i]
			if partner[a] != nil {
				continue
			}
			s := slotOf(a, a.Session)
			for _, b := range candidates[s] {
				if !taken[b] && same(a, b) {
					partner[a], taken[b] = b, true
					break
				}
			}
			candidates[s] = dropTaken(candidates[s], taken)
		}
	}
	pairs := make([]pairing, 0, len(was))
	for i := range was {
		pairs = append(pairs, pairing{&was[i], partner[&was[i]]})
	}
	for i := range is {
		if !taken[&is[i]] {
			pairs = append(pairs, pairing{nil, &is[i]})
		}
	}
	return pairs
}

// dropTaken shortens the list from its front, so that many equal requests do not cost a search each.
func dropTaken(list []*harness.Exchange, taken map[*harness.Exchange]bool) []*harness.Exchange {
	for len(list) > 0 && taken[list[0]] {
		list = list[1:]
	}
	return list
}

func sameRequest(a, b *harness.Exchange) bool {
	return samePath(a, b) && a.Request.Body.Digest() == b.Request.Body.Digest()
}

func samePath(a, b *harness.Exchange) bool { return callText(a) == callText(b) }

func anyRequest(_, _ *harness.Exchange) bool { return true }

// matchSessions returns the baseline's name for each session of the candidate.
func matchSessions(was, is []harness.Exchange) map[string]string {
	known := firstOperations(was)
	names := map[string]string{}
	var strangers []string
	for _, s := range firstOperations(is).order {
		if _, ok := known.operation[s]; ok {
			names[s] = s
		} else {
			strangers = append(strangers, s)
		}
	}
	if len(strangers) == 0 {
		return names
	}
	candidate := firstOperations(is)
	for _, s := range known.order {
		if _, matched := names[s]; matched || len(strangers) == 0 {
			continue
		}
		if known.operation[s] == candidate.operation[strangers[0]] {
			names[strangers[0]] = s
			strangers = strangers[1:]
		}
	}
	for _, s := range strangers {
		names[s] = s
	}
	return names
}

// sessionIndex is the sessions of a recording in order, each with its first operation.
type sessionIndex struct {
	order     []string
	operation map[string]string
}

func firstOperations(xs []harness.Exchange) sessionIndex {
	index := sessionIndex{operation: map[string]string{}}
	for i := range xs {
		if s := xs[i].Session; index.operation[s] == "" {
			index.order = append(index.order, s)
			index.operation[s] = xs[i].Operation()
		}
	}
	return index
}
