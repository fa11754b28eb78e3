package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// sameField reports whether two places are fields of one name from one system.
func (s *state) sameField(a, b group) bool {
	d, e := s.at(a.list[0]), s.at(b.list[0])
	return d.Pattern.Leaf() == e.Pattern.Leaf() && answerer(d) == answerer(e)
}

// byField gathers the groups of one field: of one name, from one system, and alike in what mark says of them. Tables that
// are read by position stay apart, because each has its own columns.
func (s *state) byField(groups []group, mark func(*harness.Difference) string) [][]group {
	type key struct{ leaf, from, class, mark string }
	var out [][]group
	where := map[key]int{}
	for _, g := range groups {
		d := s.at(g.list[0])
		k := key{d.Pattern.Leaf(), answerer(d), string(d.Class), mark(d)}
		n, ok := where[k]
		if !ok || s.Integration.Reads == "position" {
			n = len(out)
			where[k] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], g)
	}
	return out
}

// maxPlaces is how many further places a finding names.
const maxPlaces = 5

// alsoIn says where else the cause shows.
func (s *state) alsoIn(places []group) []string {
	var effects []string
	for n, g := range places {
		if n == maxPlaces {
			effects = append(effects, fmt.Sprintf("The same in %s more.", count(len(places)-n, "place")))
			break
		}
		d := s.at(g.list[0])
		effects = append(effects, fmt.Sprintf("The same in %s of %s (%s).", fieldName(d), d.Operation, s.share(g.list)))
	}
	return effects
}

// all is the differences of the places.
func (s *state) all(places []group) []int {
	var list []int
	for _, g := range places {
		list = append(list, g.list...)
	}
	return list
}

// takePlaces closes what is open of the places, and drops those of which nothing is.
func (s *state) takePlaces(places []group) []group {
	var open []group
	for _, g := range places {
		if list := s.take(g.list); len(list) > 0 {
			open = append(open, group{g.slot, list})
		}
	}
	return open
}
