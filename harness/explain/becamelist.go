package explain

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// becameList reports whether the place is one of several XML elements of a name that occurred at most once in each
// parent of the other side.
func (s *state) becameList(d *harness.Difference) bool {
	once := s.before
	if d.Class == harness.Removed {
		once = s.after
	}
	k := slotOf(d)
	name := d.Pattern[:len(d.Pattern)-1].Leaf()
	for _, x := range once.bySlot[k] {
		r := s.read(x)
		if format, err := r.format(d.Path[0].Name); err != nil || format != "xml" {
			s.note(err)
			return false
		}
		doc, err := r.doc(d.Path[0].Name)
		if s.note(err); err != nil {
			return false
		}
		most := 0
		visit(doc.Root(), d.Pattern[2:len(d.Pattern)-2], func(parent payload.Node) { most = max(most, len(membersNamed(parent, name))) })
		if most > 1 {
			return false
		}
	}
	return len(once.bySlot[k]) > 0
}

func (s *state) claimBecameList(elements []int) {
	list := s.take(elements)
	d := s.at(list[0])
	name := d.Pattern[:len(d.Pattern)-1].Leaf()
	f := s.sized(list)
	f.Hit = s.hits(list)
	f.Sentence = fmt.Sprintf("%q in %s from %s occurs more than once now where it occurred once at most (%s).", name, d.Operation, s.side(answerer(d)), count(len(list), "place"))
	f.Effects = []string{"Converters from XML make a list of what occurs more than once: a reader of a single value fails or takes the first."}
	f.NextStep = "Read the element as a list in the mapping, also where there is one."
	if d.Class == harness.Removed {
		f.Sentence = fmt.Sprintf("%q in %s from %s occurs once at most now where it occurred more than once (%s).", name, d.Operation, s.side(answerer(d)), count(len(list), "place"))
		f.Effects = []string{"Converters from XML make a single value of what occurs once: a reader of a list fails."}
	}
	s.kind.Kind, s.kind.Title = "F04", "type changed"
	s.claimWithEffects(f, list)
}
