package replay

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// place is what a candidate must share with the exchange that it replaces.
type place struct{ channel, operation string }

func placeOf(x *harness.Exchange) place { return place{x.Channel, x.Operation()} }

// Substitute returns the baseline in which the exchanges of the candidate take the place of the recorded ones. A
// candidate takes the place of the first recorded exchange that shares session, channel and operation and is not yet
// replaced; it keeps the ID, session and time of what it replaces. When the session has no such exchange left, the
// candidate is appended to it. A candidate whose session is empty or unknown to the baseline matches by channel and
// operation in any session; without a session and without a match it is appended to the session without a name, or to
// the only one. One that finds no place is an error: it would be left out in silence otherwise.
func Substitute(baseline, candidate Sessions) (Sessions, error) {
	out := slices.Clone(baseline)
	free := make([]map[place][]int, len(out)) // for each session the positions that are not yet replaced
	index := map[string]int{}
	for i := range out {
		out[i].Exchanges = slices.Clone(out[i].Exchanges)
		index[out[i].Name] = i
		free[i] = map[place][]int{}
		for j := range out[i].Exchanges {
			p := placeOf(&out[i].Exchanges[j])
			free[i][p] = append(free[i][p], j)
		}
	}
	for _, session := range candidate {
		for _, x := range session.Exchanges {
			i, known := index[session.Name]
			known = known && session.Name != ""
			if !known {
				i = firstFree(free, placeOf(&x))
			}
			if i < 0 && session.Name == "" {
				i = unnamed(out)
			}
			if i < 0 {
				return nil, harness.Usage(fmt.Errorf("place candidate exchange %s (%s): no session of the baseline has an exchange like it left", x.ID, x.Operation()),
					"give the candidate the session of the recorded exchange that it replaces")
			}
			out[i].put(x, free[i])
		}
	}
	return out, nil
}

// unnamed is the session that exchanges without a session belong to: the one without a name, else the only one.
func unnamed(sessions Sessions) int {
	if len(sessions) == 1 {
		return 0
	}
	return slices.IndexFunc(sessions, func(s Session) bool { return s.Name == "" })
}

func firstFree(free []map[place][]int, p place) int {
	return slices.IndexFunc(free, func(f map[place][]int) bool { return len(f[p]) > 0 })
}

// put replaces the first free exchange of the same place, or appends.
func (s *Session) put(x harness.Exchange, free map[place][]int) {
	p := placeOf(&x)
	x.Session = s.Name
	if at := free[p]; len(at) > 0 {
		was := s.Exchanges[at[0]]
		x.ID, x.At = was.ID, was.At
		s.Exchanges[at[0]], free[p] = x, at[1:]
		return
	}
	x.ID = ""
	s.Exchanges = append(s.Exchanges, x)
}
