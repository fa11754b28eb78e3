package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// group is differences that share a slot, a pattern and a class.
type group struct {
	slot slot
	list []int
}

// numberGroups gives each difference the number of its slot, pattern and class, so that they are compared once.
func (s *state) numberGroups() {
	type key struct {
		slot    slot
		pattern string
		class   harness.ChangeClass
	}
	numbers := map[key]int{}
	s.group = make([]int, len(s.open))
	for i := range s.group {
		d := s.at(i)
		k := key{slotOf(d), d.Pattern.String(), d.Class}
		n, ok := numbers[k]
		if !ok {
			n = len(numbers)
			numbers[k] = n
		}
		s.group[i] = n
	}
}

// grouped sorts the given differences into groups, in order of first appearance.
func (s *state) grouped(list []int) []group {
	var out []group
	for _, same := range partition(list, func(i int) int { return s.group[i] }) {
		out = append(out, group{slot: slotOf(s.at(same[0])), list: same})
	}
	return out
}

// groups sorts the open differences for which keep holds into groups.
func (s *state) groups(keep func(*harness.Difference) bool) []group {
	return s.grouped(s.unclaimed(keep))
}

// unclaimed returns the indexes of open differences for which keep holds, in order. Answers of calls that fail now are
// left out: what an error page says is a consequence of its status, never a cause.
func (s *state) unclaimed(keep func(*harness.Difference) bool) []int {
	var list []int
	for i, open := range s.open {
		if open && !s.facts.held[i] && keep(s.at(i)) {
			list = append(list, i)
		}
	}
	return list
}

// bySlot joins the groups of each slot, in order of first appearance.
func bySlot(groups []group) []group {
	var out []group
	for _, same := range partition(groups, func(g group) slot { return g.slot }) {
		out = append(out, group{slot: same[0].slot, list: indexesOf(same)})
	}
	return out
}

// alikeBy sorts the differences of groups by a text, and then by group, in order of first appearance.
func alikeBy(groups []group, text func(int) string) [][]group {
	var parts []group
	for _, g := range groups {
		parts = append(parts, splitBy(g, text)...)
	}
	return partition(parts, func(part group) string { return text(part.list[0]) })
}

// splitBy sorts the differences of a group by a text, in order of first appearance.
func splitBy(g group, text func(int) string) []group {
	var out []group
	for _, list := range partition(g.list, text) {
		out = append(out, group{slot: g.slot, list: list})
	}
	return out
}

// maxSiblings is the most fields of one parent that are looked at one by one. An object in which more differ is a map
// whose names are data; comparing all with all would say nothing, slowly.
const maxSiblings = 200

// siblings is a parent: the fields that differ below it, by class.
type siblings struct {
	slot   slot
	parent string
}

func (s *state) parentOf(g group) siblings {
	p := s.at(g.list[0]).Pattern
	return siblings{g.slot, p[:len(p)-1].String()}
}

// uncrowded drops the groups whose parent has more than maxSiblings of them.
func (s *state) uncrowded(groups []group) []group {
	n := map[siblings]int{}
	parents := make([]siblings, len(groups))
	for i, g := range groups {
		parents[i] = s.parentOf(g)
		n[parents[i]]++
	}
	var kept []group
	for i, g := range groups {
		if n[parents[i]] <= maxSiblings {
			kept = append(kept, g)
		}
	}
	return kept
}

// facts finds failing and missing calls, and changed values, without a look at every difference.
type facts struct {
	held    []bool           // by index of difference: it lies in an answer that turned bad
	answers map[string][]int // exchange whose answer turned bad → the differences in that answer
	failing map[string][]int // session → status differences that turned bad
	missing map[string][]int // session → calls that are not made any more
	extra   map[string][]int // session → calls that were not made before
	within  map[string][]int // exchange → its differences, calls aside
	inside  []int            // places at which an answer of success tells an error now
	loose   holders          // places outside of records with a key, by the value that they lost
	keyed   holders          // places in records with a key
	total   int              // failing and missing calls in all sessions
}

// gatherFacts indexes what is open now.
func (s *state) gatherFacts() {
	f := &facts{
		held: make([]bool, len(s.open)), answers: map[string][]int{}, within: map[string][]int{}, failing: map[string][]int{}, missing: map[string][]int{},
		extra: map[string][]int{}, loose: holders{}, keyed: holders{},
	}
	bad := map[string]bool{}
	for i := range s.open {
		d := s.at(i)
		if d.Class != harness.ExtraCall { // its number is one of the other recording
			f.within[d.Exchange] = append(f.within[d.Exchange], i)
		}
		if turnedBad(d) {
			bad[d.Exchange] = true
		}
	}
	for i, open := range s.open {
		d := s.at(i)
		inside := !bad[d.Exchange] && s.failsInside(d)
		switch {
		case turnedBad(d) || inside:
			if inside {
				bad[d.Exchange] = true // an answer fails once, however often it says so
				f.inside = append(f.inside, i)
			}
			f.total++
			f.failing[d.Session] = append(f.failing[d.Session], i)
			if open {
				f.answers[d.Exchange] = nil
			}
		case d.Class == harness.MissingCall:
			f.total++
			f.missing[d.Session] = append(f.missing[d.Session], i)
		case d.Class == harness.ExtraCall:
			f.extra[d.Session] = append(f.extra[d.Session], i)
		}
	}
	for i, open := range s.open {
		d := s.at(i)
		if _, bad := f.answers[d.Exchange]; open && bad && isAnswer(d) {
			f.held[i] = true
			f.answers[d.Exchange] = append(f.answers[d.Exchange], i)
		} else if open && losesValue(d) && d.Session != "" {
			f.addHolder(i, d)
		}
	}
	s.facts = f
}

// holders finds places by session, slot and the value that they held.
type holders map[string]map[slot]map[string][]int

func (f *facts) addHolder(i int, d *harness.Difference) {
	index := f.loose
	if len(keysOf(d.Path)) > 0 {
		index = f.keyed
	}
	slots := index[d.Session]
	if slots == nil {
		slots = map[slot]map[string][]int{}
		index[d.Session] = slots
	}
	k := slotOf(d)
	if slots[k] == nil {
		slots[k] = map[string][]int{}
	}
	slots[k][d.Was.Text] = append(slots[k][d.Was.Text], i)
}

// holders returns the places of other operations in the session of the cause that held the text and lost it. A cause in
// a record with a key is joined with other records by that key, not by the text alone.
func (f *facts) holders(cause *harness.Difference, text string, keyed bool) []int {
	var list []int
	for _, index := range []holders{f.loose, f.keyed} {
		for k, texts := range index[cause.Session] {
			if k != slotOf(cause) {
				list = append(list, texts[text]...)
			}
		}
		if keyed {
			break
		}
	}
	return list
}

// losesValue reports whether a place in a body does not hold its value any more.
func losesValue(d *harness.Difference) bool {
	return inBody(d) && d.Was.Text != "" && d.Is.Text != d.Was.Text
}

// turnedBad reports whether the difference is a status that turned from success to an error.
func turnedBad(d *harness.Difference) bool {
	return len(d.Path) == 3 && isAnswer(d) && d.Path[2].Name == harness.FieldStatus && d.Class == harness.Changed &&
		len(d.Was.Text) == 3 && d.Was.Text < "400" && len(d.Is.Text) == 3 && d.Is.Text >= "400"
}

// sessions is the sessions of the differences, sorted; exchanges without a session belong to none.
func (s *state) sessions(list []int) []string {
	set := map[string]bool{}
	for _, i := range list {
		if name := s.at(i).Session; name != "" {
			set[name] = true
		}
	}
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// within gathers the indexes of the sessions.
func within(index map[string][]int, sessions []string) []int {
	var list []int
	for _, name := range sessions {
		list = append(list, index[name]...)
	}
	return list
}
