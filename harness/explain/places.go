package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// fieldKey is what the places of one field have in common: their name, and the system that writes it.
type fieldKey struct{ leaf, from string }

func (s *state) keyOfField(g group) fieldKey { return s.keyOf(g.list[0]) }

func (s *state) keyOf(i int) fieldKey {
	d := s.at(i)
	return fieldKey{leafOf(d), answerer(d)}
}

// leafOf is the name of a field wherever it stands. The text of an XML element with attributes has the name of the
// element, too.
func leafOf(d *harness.Difference) string {
	leaf := d.Pattern.Leaf()
	if n := len(d.Pattern); leaf == elementText && n > 1 {
		leaf = d.Pattern[:n-1].Leaf() + leaf
	}
	return leaf
}

const elementText = "#text"

// byField gathers the groups of one field: of one name, from one system, and alike in what mark says of them. Tables that
// are read by position stay apart, because each has its own columns.
func (s *state) byField(groups []group, mark func(*harness.Difference) string) [][]group {
	type key struct {
		field       fieldKey
		class, mark string
		apart       int
	}
	apart := 0
	return partition(groups, func(g group) key {
		if s.Integration.Reads == "position" {
			apart++
		}
		d := s.at(g.list[0])
		return key{s.keyOfField(g), string(d.Class), mark(d), apart}
	})
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

// alsoAt adds a further place, in what a system receives, to a finding.
func (s *state) alsoAt(f *harness.Finding, list []int) {
	d := s.at(list[0])
	f.Effects = append(f.Effects, fmt.Sprintf("The same in %s of %s to %s (%s).", fieldName(d), d.Operation, s.side(receiver(d)), s.share(list)))
	f.Target = append(f.Target, s.place(receiver(d), d))
}

// indexesOf is the differences of the places.
func indexesOf(places []group) []int {
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
