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
		return
	}
	c.list(at, elements(a), elements(b))
}

// list aligns elements and compares what belongs together.
func (c *comparer) list(at harness.Path, was, is []payload.Node) {
	before, pairs := len(c.out.Differences), 0
	guide := c.rules.guide(c.place.Operation, at)
	switch key := c.keyOf(at, guide, was, is, minOverlap); {
	case guide != nil && guide.Compare == "set":
		c.set(at, was, is)
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

// countsTables reports whether the size of a table at the place is noted even if it is the same on both sides: in files,
// where volumes matter, but not for the lists within each record.
func (c *comparer) countsTables(at harness.Path) bool {
	return c.place.Channel == harness.ChannelFile && !slices.ContainsFunc(at, harness.Step.IsElement)
}

// records notes the size of a table on both sides.
func (c *comparer) records(at harness.Path, was, is int) {
	c.out.Records = append(c.out.Records, harness.RecordCount{
		Session: c.place.Session, Operation: c.place.Operation, From: c.place.From, To: c.place.To, Path: at, Was: was, Is: is,
	})
}

// keyOf decides which members identify the elements: those that a rule names, else inferred ones, else none.
func (c *comparer) keyOf(at harness.Path, guide *compiledRule, was, is []payload.Node, overlap float64) []string {
	where := c.place.Operation + " " + at.Pattern().String()
	if guide != nil {
		if guide.Compare == "keyed" {
			c.notes.add(alignedByRule(where, guide))
			return guide.Key
		}
		return nil
	}
	key := inferKey(was, is, overlap)
	if key != nil {
		c.notes.add(alignedByInference(where, key))
	}
	return key
}

// keyed pairs elements by the texts of their key members, and returns how many pairs there are.
func (c *comparer) keyed(at harness.Path, key []string, was, is []payload.Node) (pairs int) {
	al := c.alignKeyed(at, key, was, is)
	if al.repeated > 0 {
		c.notes.add(repeatedNote(c.place.Operation, at, al.repeated))
	}
	for _, p := range al.pairs {
		c.record(at, key, was[p.was], is[p.is], p.was)
	}
	for _, i := range al.removed {
		c.emit(at.Child(stepOf(key, was[i], i)), harness.Removed, recordValue(was[i]), harness.Value{Kind: harness.KindAbsent})
	}
	for _, i := range al.added {
		c.emit(at.Child(stepOf(key, is[i], i)), harness.Added, harness.Value{Kind: harness.KindAbsent}, recordValue(is[i]))
	}
	if n := movedCount(al.pairs); n > 0 {
		c.emitMoved(at, n, len(al.pairs))
	}
	return len(al.pairs)
}

// alignKeyed says which elements of two lists belong together by their key.
func (c *comparer) alignKeyed(at harness.Path, key []string, was, is []payload.Node) alignment {
	al := alignByKey(key, was, is)
	al.joinKeyless(key, was, is, c.sumOf(at.Child(harness.Each())))
	return al
}

// record compares two elements that belong together; the path carries the key of the baseline, or its place i.
func (c *comparer) record(at harness.Path, key []string, a, b payload.Node, i int) {
	if payload.SameSource(a, b) {
		return
	}
	c.value(at.Child(stepOf(key, a, i)), a, b)
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

func (c *comparer) emitMoved(at harness.Path, moved, of int) {
	d := len(c.out.Differences)
	c.emit(at.Child(harness.Each()), harness.Moved,
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d records in order", of)},
		harness.Value{Kind: harness.KindArray, Text: fmt.Sprintf("%d of them in another place", moved)})
	if len(c.out.Differences) > d {
		c.out.Differences[d].Count = moved
	}
}

// set compares elements as a multiset.
func (c *comparer) set(at harness.Path, was, is []payload.Node) {
	left := map[[32]byte][]int{}
	for i, e := range is {
		d := payload.CanonicalDigest(e)
		left[d] = append(left[d], i)
	}
	for i, e := range was {
		d := payload.CanonicalDigest(e)
		if len(left[d]) > 0 {
			left[d] = left[d][1:]
			continue
		}
		c.emit(at.Child(harness.Index(i)), harness.Removed, recordValue(e), harness.Value{Kind: harness.KindAbsent})
	}
	for i, e := range is {
		d := payload.CanonicalDigest(e)
		if len(left[d]) > 0 && left[d][0] == i {
			left[d] = left[d][1:]
			c.emit(at.Child(harness.Index(i)), harness.Added, harness.Value{Kind: harness.KindAbsent}, recordValue(e))
		}
	}
}

// sumOf makes the sum by which elements at the place count as equal. What rules take away does not enter it, so that
// noise cannot hide which elements belong together.
func (c *comparer) sumOf(at harness.Path) func(payload.Node) payload.Sum {
	h := payload.NewHasher()
	noisy := c.rules.noiseBelow(c.place.Operation, at)
	if len(noisy) == 0 {
		return h.Sum
	}
	skip := func(p harness.Path) bool {
		return slices.ContainsFunc(noisy, func(r *compiledRule) bool { return r.At.Match(p) })
	}
	return func(n payload.Node) payload.Sum { return h.SumWithout(n, at, skip) }
}

// sequence aligns elements in order; what is left in a gap is paired by likeness. It returns how many pairs there are.
func (c *comparer) sequence(at harness.Path, was, is []payload.Node) (pairs int) {
	al, exact := alignBySequence(was, is, c.sumOf(at.Child(harness.Each())))
	if !exact {
		c.notes.add(fmt.Sprintf("%s %s: more than %d edits; records were aligned by the ones that occur once, the rest by likeness", c.place.Operation, at.Pattern(), maxEdits))
	}
	for _, p := range al.pairs {
		c.value(at.Child(harness.Index(p.was)), was[p.was], is[p.is])
	}
	for _, i := range al.removed {
		c.emit(at.Child(harness.Index(i)), harness.Removed, recordValue(was[i]), harness.Value{Kind: harness.KindAbsent})
	}
	for _, i := range al.added {
		c.emit(at.Child(harness.Index(i)), harness.Added, harness.Value{Kind: harness.KindAbsent}, recordValue(is[i]))
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
		ok = len(d.Path) == len(at)+2 && (d.Class == harness.Added || d.Class == harness.Removed)
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
