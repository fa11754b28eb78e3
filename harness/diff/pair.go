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

// anyVersion is the slot of all releases of the interface.
func (s slot) anyVersion() slot {
	s.operation = harness.WithoutVersion(s.operation)
	return s
}

// pair joins the exchanges of both sides in the order of the baseline; what is extra follows in its own order.
// Sessions pair by name; sessions of other names pair in order of appearance when they begin with the same operation.
// Within a slot, equal requests pair first, then requests to the same path, then the rest in order. What is left pairs
// with the same operation of another release of the interface, in order, and files pair with files of other names that
// hold mostly the same lines.
func pair(was, is []harness.Exchange) []pairing {
	m := matcher{was: was, is: is, rename: matchSessions(was, is),
		partner: make(map[*harness.Exchange]*harness.Exchange, len(was)), taken: make(map[*harness.Exchange]bool, len(is))}
	exact := func(s slot) slot { return s }
	m.join(exact, sameRequest, samePath, anyRequest)
	if len(m.taken) < len(is) && len(m.taken) < len(was) {
		m.join(slot.anyVersion, anyRequest)
		m.joinRenamedFiles()
	}
	pairs := make([]pairing, 0, len(was))
	for i := range was {
		pairs = append(pairs, pairing{&was[i], m.partner[&was[i]]})
	}
	for i := range is {
		if !m.taken[&is[i]] {
			pairs = append(pairs, pairing{nil, &is[i]})
		}
	}
	return pairs
}

// matcher joins the exchanges of two sides one by one.
type matcher struct {
	was, is []harness.Exchange
	rename  map[string]string // the baseline's name of each session of the candidate
	partner map[*harness.Exchange]*harness.Exchange
	taken   map[*harness.Exchange]bool
}

// join pairs what is left within each slot, by one likeness after the other.
func (m *matcher) join(general func(slot) slot, likeness ...func(a, b *harness.Exchange) bool) {
	candidates := map[slot][]*harness.Exchange{}
	for i := range m.is {
		if b := &m.is[i]; !m.taken[b] {
			s := general(slotOf(b, m.rename[b.Session]))
			candidates[s] = append(candidates[s], b)
		}
	}
	for _, same := range likeness {
		for i := range m.was {
			a := &m.was[i]
			if m.partner[a] != nil {
				continue
			}
			s := general(slotOf(a, a.Session))
			for _, b := range candidates[s] {
				if !m.taken[b] && same(a, b) {
					m.partner[a], m.taken[b] = b, true
					break
				}
			}
			candidates[s] = dropTaken(candidates[s], m.taken)
		}
	}
}

// partners is the pairs by ID.
func partners(pairs []pairing) map[string]string {
	ids := make(map[string]string, len(pairs))
	for _, p := range pairs {
		if p.was != nil && p.is != nil {
			ids[p.was.ID] = p.is.ID
		}
	}
	return ids
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

func samePath(a, b *harness.Exchange) bool { return a.Title() == b.Title() }

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

// sessionIndex is the sessions of a recording in order, each with its first operation, versions aside.
type sessionIndex struct {
	order     []string
	operation map[string]string
}

func firstOperations(xs []harness.Exchange) sessionIndex {
	index := sessionIndex{operation: map[string]string{}}
	for i := range xs {
		if s := xs[i].Session; index.operation[s] == "" {
			index.order = append(index.order, s)
			index.operation[s] = harness.WithoutVersion(xs[i].Operation())
		}
	}
	return index
}
