package explain

import "fmt"

// sameField reports whether two places are fields of one name from one system.
func (s *state) sameField(a, b group) bool {
	d, e := s.at(a.list[0]), s.at(b.list[0])
	return d.Pattern.Leaf() == e.Pattern.Leaf() && answerer(d) == answerer(e)
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
