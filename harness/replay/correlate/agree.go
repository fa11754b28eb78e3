package correlate

import "github.com/rehearse-dev/rehearse/harness"

// Short numbers that no name explains are links when they move together: in one session an answer gives 7 at a place and
// a later request has 7 at another, in the next session both are 12, and so on, without an exception.

// fewestValues are the different numbers that must have moved together.
const fewestValues = 3

// route is a place of answers and a place of requests.
type route struct{ fromOperation, from, toOperation, to string }

// agreement is how often a request had the number of the answer.
type agreement struct {
	values map[string]bool
	count  int
}

// agreements are what moves together, and how often each place of a request holds a number at all.
type agreements struct {
	routes map[route]*agreement
	takers map[[2]string]int
}

// tally counts where the short numbers of a request stood in the answers of its session.
func (m *miner) tally(i int, x *harness.Exchange) error {
	return m.eachAsked(x, func(l *leaf) bool {
		if isDigits(l.text) && describe(l.text).class == small && l.role() != plain {
			m.tallyLeaf(i, l)
		}
		return true
	})
}

func (m *miner) tallyLeaf(i int, l *leaf) {
	to := l.at().String()
	m.agree.takers[[2]string{m.operations[i], to}]++
	c := m.candidates[l.text]
	if c == nil {
		return
	}
	counted := map[route]bool{}
	for _, mk := range c.bySession[m.exchanges[i].Session] {
		r := route{m.operations[mk.exchange], mk.at.String(), m.operations[i], to}
		if mk.inList || counted[r] || !m.isAnswered(mk.exchange, i) {
			continue
		}
		counted[r] = true
		a := m.agree.routes[r]
		if a == nil {
			a = &agreement{values: map[string]bool{}}
			m.agree.routes[r] = a
		}
		a.count++
		if len(a.values) < fewestValues {
			a.values[l.text] = true
		}
	}
}

// movesWith reports whether the place of the request always holds the number of the maker's place.
func (m *miner) movesWith(mk *maker, i int, l *leaf) bool {
	if mk.inList || len(m.agree.routes) == 0 {
		return false
	}
	to := l.at().String()
	a := m.agree.routes[route{m.operations[mk.exchange], mk.at.String(), m.operations[i], to}]
	return a != nil && len(a.values) >= fewestValues && a.count == m.agree.takers[[2]string{m.operations[i], to}]
}
