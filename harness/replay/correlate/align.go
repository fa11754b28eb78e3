package correlate

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// aligner finds the places of a recorded document in a live one. It looks through each list once for each member that may
// tell its elements apart.
type aligner struct {
	recorded, live payload.Node
	values         *Values
	seen           map[lookup]map[string]int
}

// lookup is a member of the elements of a list.
type lookup struct {
	list  payload.Node
	below string
}

// twice is the index of a text that more than one element has.
const twice = -1

// align follows a path of the recorded document in the live one. In a list it takes the element that holds the live value
// of what the recorded element holds, or else the one that agrees with it in a text that no other element has, or else the
// one at the same position.
func (a *aligner) align(path harness.Path) harness.Path {
	out := slices.Clone(path)
	was, is := a.recorded, a.live
	for i, step := range path {
		one := harness.PathOf(step)
		if step.Kind == harness.StepIndex && was.Kind() == harness.KindArray && is.Kind() == harness.KindArray {
			at := a.partner(was, is, step.Index, path[i+1:])
			out[i] = harness.Index(at)
			was, is = was.Element(step.Index), is.Element(at)
			continue
		}
		was, is = was.At(one), is.At(one)
	}
	return out
}

// partner is the index of the live element for a recorded one; rest leads on to the value itself.
func (a *aligner) partner(was, is payload.Node, index int, rest harness.Path) int {
	element := was.Element(index)
	if element.IsScalar() {
		return index
	}
	value := rest.String()
	for below, n := range element.Leaves() {
		if !n.IsScalar() || below.String() == value {
			continue
		}
		text := n.Text()
		if live, ok := a.values.renamedTo(text); ok {
			text = live
		} else if describe(text).class == never || a.elements(was, below)[text] == twice {
			continue
		}
		if at, known := a.elements(is, below)[text]; known && at != twice {
			return at
		}
	}
	return index
}

// elements are the indexes of a list by the text of one member.
func (a *aligner) elements(list payload.Node, below harness.Path) map[string]int {
	key := lookup{list, below.String()}
	if of, known := a.seen[key]; known {
		return of
	}
	of, i := map[string]int{}, 0
	for c := range list.Children() {
		if m := c.At(below); m.IsScalar() {
			text := m.Text()
			if _, known := of[text]; known {
				of[text] = twice
			} else {
				of[text] = i
			}
		}
		i++
	}
	a.seen[key] = of
	return of
}

// renamedTo is the live value of a recorded text that is known already.
func (v *Values) renamedTo(recorded string) (string, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.known(recorded)
}
