package diff

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// order states that calls came in another order. Only calls of one session to the same place are compared, for others
// have nothing to do with one another; readers change nothing, and calls that overlap in time have no order.
func (c *comparer) order(pairs []pairing, is []harness.Exchange) {
	place := make(map[*harness.Exchange]int, len(is))
	for i := range is {
		place[&is[i]] = i
	}
	groups := map[slot][]pairing{}
	var slots []slot
	for _, p := range pairs {
		if p.was == nil || p.is == nil || !hasOrder(p.was) {
			continue
		}
		s := slotOf(p.was, p.was.Session)
		s.operation = p.was.Title()
		if groups[s] == nil {
			slots = append(slots, s)
		}
		groups[s] = append(groups[s], p)
	}
	for _, s := range slots {
		c.orderOf(groups[s], place)
	}
}

// hasOrder reports whether the moment of the exchange matters: it hands something on.
func hasOrder(x *harness.Exchange) bool {
	switch x.Request.Head.Get(harness.FieldMethod) {
	case "", "GET", "HEAD", "OPTIONS":
		return false
	}
	return x.Channel == harness.ChannelHTTP
}

func (c *comparer) orderOf(group []pairing, place map[*harness.Exchange]int) {
	indexes := make([]indexPair, len(group))
	for i, p := range group {
		indexes[i] = indexPair{i, place[p.is]}
	}
	moved := movedCount(indexes)
	if moved == 0 {
		return
	}
	first := firstMoved(indexes)
	if overlaps(group[first].was, group[first+1].was) || overlaps(group[first].is, group[first+1].is) {
		c.notes.add(fmt.Sprintf("%s: calls at the same time came in another order, which was not compared", group[first].was.Operation()))
		return
	}
	c.begin(group[first].was)
	before := len(c.out.Differences)
	c.emit(harness.PathOf(harness.Name("call")), harness.Moved,
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d calls in order", len(group))},
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d of them at another time", moved)})
	if len(c.out.Differences) > before {
		c.out.Differences[before].Count = moved
	}
}

// firstMoved is the first pair that stands behind the one that follows it in the baseline.
func firstMoved(indexes []indexPair) int {
	for i := range len(indexes) - 1 {
		if indexes[i].is > indexes[i+1].is {
			return i
		}
	}
	return 0
}

// overlaps reports whether one call began before the other had ended.
func overlaps(a, b *harness.Exchange) bool {
	if b.At.Before(a.At) {
		a, b = b, a
	}
	return a.At.Add(a.Took).After(b.At)
}
