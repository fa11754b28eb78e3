package harness

import (
	"slices"
	"time"
)

// Timeline is the order in which exchanges happened, as their indexes: that of the moments at which they began, within a
// session never another one than the given. Of those at one moment the order is the given one. Replays send in this order,
// and mocks answer in it who does not say its session.
func Timeline(list []Exchange) []int {
	last := map[string]time.Time{} // of each session
	began, order := make([]time.Time, len(list)), make([]int, len(list))
	for i := range list {
		x := &list[i]
		if x.At.After(last[x.Session]) {
			last[x.Session] = x.At
		}
		began[i], order[i] = last[x.Session], i
	}
	slices.SortStableFunc(order, func(a, b int) int { return began[a].Compare(began[b]) })
	return order
}
