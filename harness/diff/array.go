package diff

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// array compares two arrays.
func (c *comparer) array(at harness.Path, a, b payload.Node) {
	if c.countsTables(at) && isTable(a) || isTable(a) && isTable(b) && a.Len() != b.Len() {
		c.records(at, a.Len(), b.Len())
	}
	if payload.SameSource(a, b) {
		c.rules.guide(c.place.Operation, at)
		c.unchanged(at, a)
		return
	}
	c.list(at, elements(a), elements(b))
}

// list aligns elements and compares what belongs together.
func (c *comparer) list(at harness.Path, was, is []payload.Node) {
	var pairs int
	before := len(c.out.Differences)
	guide := c.rules.guide(c.place.Operation, at)
	switch key := c.keyOf(at, guide, was, is); {
	case guide != nil && guide.Compare == "set":
		pairs = c.set(at, was, is)
	case key != nil:
		pairs = c.keyed(at, key, was, is)
	default:
		pairs = c.sequence(at, was, is)
	}
	c.collapse(at, before, pairs)
}

func elements(n payload.Node) []payload.Node {
	list := make([]payload.Node, 0, n.Len())
	for e := range n.Children() {
		list = append(list, e)
	}
	return list
}

// isTable reports whether the node is an array that begins with a record.
func isTable(n payload.Node) bool {
	return n.Kind() == harness.KindArray && n.Element(0).Kind() == harness.KindObject
}

// countsTables reports whether the size of a table at the place is noted even if it is the same on both sides: on
// channels where volumes matter, but not for the lists within each record.
func (c *comparer) countsTables(at harness.Path) bool {
	return harness.KindOfChannel(c.place.Channel).Volumes && !slices.ContainsFunc(at, harness.Step.IsElement)
}

// records notes the size of a table on both sides.
func (c *comparer) records(at harness.Path, was, is int) {
	c.out.Records = append(c.out.Records, harness.RecordCount{
		Session: c.place.Session, Operation: c.place.Operation, From: c.place.From, To: c.place.To, Path: at, Was: was, Is: is,
	})
}

// keyed pairs elements by the texts of their key members. The first element of a key is named by it; others and those
// without a key by their place. It returns how many pairs there are, as set and sequence do.
func (c *comparer) keyed(at harness.Path, key []string, was, is []payload.Node) (pairs int) {
	al := alignByKey(key, was, is, c.keyless(at))
	if n := al.repeated(); n > 0 {
		c.notes.add(repeatedNote(c.place.Operation, at, n))
	}
	side := func(nodes []payload.Node, again map[int]bool) steps {
		return func(i int) harness.Step {
			if again[i] {
				return harness.Index(i)
			}
			return stepOf(key, nodes[i], i)
		}
	}
	c.aligned(at, al, was, is, side(was, al.again[0]), side(is, al.again[1]))
	if n := movedCount(al.pairs); n > 0 {
		c.emitMoved(at, n, len(al.pairs), "records")
	}
	return len(al.pairs)
}

// stepOf is the step to an element: its key, or its index when it has none.
func stepOf(key []string, n payload.Node, i int) harness.Step {
	fields := make([]harness.Field, 0, len(key))
	for _, name := range key {
		m := n.At(memberPath(name))
		if m.IsZero() {
			return harness.Index(i)
		}
		fields = append(fields, harness.Field{Name: name, Value: m.Text()})
	}
	return harness.Keyed(fields...)
}

// steps names the step to the i-th element of one side.
type steps func(i int) harness.Step

// aligned states what an alignment found: changes within pairs, in the order of the baseline, then what went and came.
func (c *comparer) aligned(at harness.Path, al alignment, was, is []payload.Node, stepWas, stepIs steps) {
	correlates := c.rules.correlates(c.place.Operation, at.Child(harness.Each()))
	for _, p := range al.pairs {
		if correlates || !payload.SameSource(was[p.was], is[p.is]) { // a path is made only where it is of use
			c.value(at.Child(stepWas(p.was)), was[p.was], is[p.is])
		}
	}
	for _, i := range al.removed {
		c.emit(at.Child(stepWas(i)), harness.Removed, recordValue(was[i]), harness.Value{Kind: harness.KindAbsent})
	}
	for _, i := range al.added {
		c.emit(at.Child(stepIs(i)), harness.Added, harness.Value{Kind: harness.KindAbsent}, recordValue(is[i]))
	}
}

// unitOf names what an array holds.
func unitOf(list []payload.Node) string {
	if len(list) > 0 && list[0].IsScalar() {
		return "values"
	}
	return "records"
}

func (c *comparer) emitMoved(at harness.Path, moved, of int, unit string) {
	d := len(c.out.Differences)
	c.emit(at.Child(harness.Each()), harness.Moved,
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d %s in order", of, unit)},
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d of them in another place", moved)})
	if len(c.out.Differences) > d {
		c.out.Differences[d].Count = moved
	}
}

// set pairs elements whatever their order, equal ones first, and says nothing of moves.
func (c *comparer) set(at harness.Path, was, is []payload.Node) (pairs int) {
	k := c.keyless(at)
	var al alignment
	al.pairs = equalElsewhere(sums(k.sum, was), sums(k.sum, is), al)
	al.close(len(was), len(is))
	m := remnant{keyless: k, was: was, is: is, assigner: assigner{maxEffort}}
	al.pairs = append(al.pairs, m.alike(al.removed, al.added, true)...)
	al.close(len(was), len(is))
	c.aligned(at, al, was, is, harness.Index, harness.Index)
	return len(al.pairs)
}

// keyless says how elements of the array at the place are compared when they have no key. What rules take away does not
// enter, so that noise cannot hide which elements belong together.
func (c *comparer) keyless(at harness.Path) keyless {
	element := at.Child(harness.Each())
	h := payload.NewHasher()
	skip := c.rules.noise(c.place.Operation, element)
	sum := h.Sum
	if skip != nil {
		sum = func(n payload.Node) payload.Sum { return h.SumWithout(n, element, skip) }
	}
	return keyless{sum: sum, profiler: profiler{at: element, skip: skip}, ordered: c.isText}
}

// sequence aligns elements that have no key.
func (c *comparer) sequence(at harness.Path, was, is []payload.Node) (pairs int) {
	al, exact := c.keyless(at).align(was, is)
	if !exact {
		c.notes.add(fmt.Sprintf("%s %s: alignment degraded, because more than %d elements came, went or moved: every difference stated is a true one, but fewer might do", c.place.Operation, at.Pattern(), maxEdits))
	}
	c.aligned(at, al, was, is, harness.Index, harness.Index)
	if n := movedCount(al.pairs); n > 0 {
		c.emitMoved(at, n, len(al.pairs), unitOf(was))
	}
	return len(al.pairs)
}

// collapse turns a member that came or went in every pair of records of the array into one fact with a count.
func (c *comparer) collapse(at harness.Path, from, pairs int) {
	type column struct {
		pattern string
		class   harness.ChangeClass
	}
	columnOf := func(d harness.Difference) (col column, ok bool) {
		ok = len(d.Path) == len(at)+2 && !d.Path[len(at)+1].IsElement() && (d.Class == harness.Added || d.Class == harness.Removed)
		return column{d.Pattern.String(), d.Class}, ok
	}
	counts := map[column]int{}
	fresh := c.out.Differences[from:]
	for _, d := range fresh {
		if col, ok := columnOf(d); ok {
			counts[col]++
		}
	}
	kept := fresh[:0]
	done := map[column]bool{}
	for _, d := range fresh {
		col, ok := columnOf(d)
		if whole := ok && counts[col] >= max(pairs, 2); whole {
			if done[col] {
				continue
			}
			done[col] = true
			d.Path, d.Record, d.Count = d.Pattern, "", counts[col]
		}
		kept = append(kept, d)
	}
	c.out.Differences = c.out.Differences[:from+len(kept)]
}
