package correlate

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// Kind is links of one kind: the same operations and places, whatever the exchanges and the positions in lists. It is
// written as a scenario pins or denies it.
type Kind struct {
	From, To  harness.PinnedPlace
	Transform string
	Links     int
	Score     float64 // the lowest
	Sample    Link    // the one with the lowest score
}

// Kinds sums the links up, by what gives the values, in order of first appearance.
func (p *Plan) Kinds() []Kind {
	type identity struct{ fromOperation, from, toOperation, to, transform string }
	at := map[identity]int{}
	order := map[[2]string]int{} // of what gives values
	var kinds []Kind
	var givers []int
	for _, l := range p.Links {
		from, to := l.From.Path.Pattern(), l.To.Path
		if len(to) > 2 && to[1].Name == "body" {
			to = to.Pattern()
		}
		giver := [2]string{l.From.Operation, from.String()}
		id := identity{giver[0], giver[1], l.To.Operation, to.String(), l.Transform}
		i, known := at[id]
		if !known {
			if _, known := order[giver]; !known {
				order[giver] = len(order)
			}
			i = len(kinds)
			at[id], givers = i, append(givers, order[giver])
			kinds = append(kinds, Kind{harness.PinnedPlace{Operation: l.From.Operation, At: from}, harness.PinnedPlace{Operation: l.To.Operation, At: to}, l.Transform, 0, l.Score, l})
		}
		kinds[i].Links++
		if l.Score < kinds[i].Score {
			kinds[i].Score, kinds[i].Sample = l.Score, l
		}
	}
	places := make([]int, len(kinds))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(givers[a], givers[b]) })
	sorted := make([]Kind, len(kinds))
	for i, at := range places {
		sorted[i] = kinds[at]
	}
	return sorted
}
