package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// occurrence is one value of the baseline at a place that is looked at.
type occurrence struct {
	diff int // index of the difference that says what became of it; -1 when it did not change
	was  harness.Value
	is   harness.Value
	name string // of the field
	// record is the scalar members of the records that the value lies in, innermost first, and the features of its
	// exchange; the value itself is none of them.
	record func() []harness.Field
}

// features is the record with the value itself, which a condition may be about.
func (o occurrence) features() []harness.Field {
	return append([]harness.Field{{Name: o.name, Value: o.was.Text}}, o.record()...)
}

// changes is the differences of the comparison by place and exchange, of every class.
type changes map[place]map[string][]int

// variants is the patterns that lead along the same names, by these names. Elements of XML that stand alone have no step
// of their own, so that what comes once in one record and twice in the next one has two patterns.
type variants map[place][]string

// changesAt returns the index of all differences, which is made once.
func (s *state) changesAt() changes {
	if s.changes == nil {
		s.changes, s.variants = changes{}, variants{}
		for i := range s.open {
			d := s.at(i)
			k := place{slotOf(d), d.Pattern.String()}
			if s.changes[k] == nil {
				s.changes[k] = map[string][]int{}
				names := place{k.slot, namesAlong(d.Pattern)}
				s.variants[names] = append(s.variants[names], k.pattern)
			}
			s.changes[k][d.Exchange] = append(s.changes[k][d.Exchange], i)
		}
	}
	return s.changes
}

// namesAlong is the pattern without its steps into lists.
func namesAlong(p harness.Path) string {
	return slices.DeleteFunc(slices.Clone(p), harness.Step.IsElement).String()
}

// eachOccurrence yields the values of the baseline at the patterns of a slot, in one pass over its exchanges: those that
// differ now and those that do not. What lies in a call, record or container that is gone or another one now is left
// out: nothing is known about it.
func (s *state) eachOccurrence(k slot, patterns []harness.Path, yield func(n int, o occurrence)) error {
	at := s.changesAt()
	order := map[string]int{} // session → calls of this slot so far
	for _, x := range s.before.bySlot[k] {
		order[x.Session]++
		if s.isGone(k, x.ID) {
			continue
		}
		r := s.read(x)
		features := onceFeatures(x, order[x.Session])
		streams := map[*streamed][]*visitor{}
		for n, pattern := range patterns {
			v := &visitor{state: s, pattern: pattern, joins: joinsOf(s, at, k, pattern, x.ID), features: features, yield: func(o occurrence) { yield(n, o) }}
			if len(pattern) == 3 && pattern[1].Name == "head" {
				v.head(x)
				continue
			}
			if len(pattern) < 3 || pattern[1].Name != "body" {
				continue
			}
			l, err := r.list(pattern[0].Name)
			if err != nil {
				return err
			}
			if l != nil {
				streams[l] = append(streams[l], v)
				continue
			}
			doc, err := r.doc(pattern[0].Name)
			if err != nil {
				return err
			}
			v.visit(doc.Root(), 2, trail{}, nil)
		}
		for l, visitors := range streams {
			if err := l.walk(visitors); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk lets visitors see each record in one pass. A visitor that would not go down from the list, or whose pattern leads
// to a member of it, sees none.
func (l *streamed) walk(visitors []*visitor) error {
	visitors = slices.DeleteFunc(visitors, func(v *visitor) bool {
		return v.joins.around[2][""] || v.pattern[2].Kind == harness.StepName
	})
	i := 0
	for n, err := range l.records() {
		if err != nil {
			return err
		}
		for _, v := range visitors {
			v.visit(n, 3, trail{}.into(elementKey(v.joins.names[2], n, i)), nil)
		}
		i++
	}
	return nil
}

// isGone reports whether the exchange has no partner in the candidate.
func (s *state) isGone(k slot, exchange string) bool {
	for _, i := range s.changesAt()[place{k, ""}][exchange] {
		if s.at(i).Class == harness.MissingCall {
			return true
		}
	}
	return false
}

// joins finds the differences of one exchange along a pattern: those at its end, and those around it, by the keys of
// the records on the way.
type joins struct {
	names  [][]string       // by step of the pattern: the members that tell elements apart
	leaf   map[string][]int // keys → differences at the place itself
	lone   map[string]bool  // keys of differences of its variants
	around []map[string]bool
}

// trail is the keys of the elements on the way to a value: all of them, and without those of elements that stand alone.
type trail struct{ key, bare string }

func (t trail) into(key string) trail { return trail{t.key + key, t.bare + key} }

func joinsOf(s *state, at changes, k slot, pattern harness.Path, exchange string) joins {
	j := joins{names: make([][]string, len(pattern)), leaf: map[string][]int{}, lone: map[string]bool{}, around: make([]map[string]bool, len(pattern))}
	own := at[place{k, pattern.String()}][exchange]
	for _, i := range own {
		j.learnNames(s.at(i).Path)
	}
	for depth := 2; depth < len(pattern); depth++ {
		for _, i := range at[place{k, pattern[:depth].String()}][exchange] {
			if c := s.at(i).Class; c == harness.Moved || c == harness.Reformed {
				continue
			}
			j.learnNames(s.at(i).Path)
			if j.around[depth] == nil {
				j.around[depth] = map[string]bool{}
			}
			j.around[depth][keysAlong(s.at(i).Path)] = true
		}
	}
	for _, i := range own {
		key := keysAlong(s.at(i).Path)
		j.leaf[key] = append(j.leaf[key], i)
	}
	for _, other := range s.variants[place{k, namesAlong(pattern)}] {
		if other == pattern.String() {
			continue
		}
		for _, i := range at[place{k, other}][exchange] {
			j.lone[keysAlong(s.at(i).Path)] = true
		}
	}
	return j
}

func (j *joins) learnNames(p harness.Path) {
	for depth, step := range p {
		if step.Kind == harness.StepKey && depth < len(j.names) && j.names[depth] == nil {
			for _, f := range step.Keys {
				j.names[depth] = append(j.names[depth], f.Name)
			}
		}
	}
}

// keysAlong is the keys of the elements on a concrete path.
func keysAlong(p harness.Path) string {
	var b strings.Builder
	for _, step := range p {
		switch step.Kind {
		case harness.StepKey:
			for _, f := range step.Keys {
				b.WriteString("\x01" + f.Value)
			}
		case harness.StepIndex:
			b.WriteString("\x02" + strconv.Itoa(step.Index))
		default:
			continue
		}
		b.WriteByte(0)
	}
	return b.String()
}

// elementKey is the same for an element that is met on the way.
func elementKey(names []string, n payload.Node, i int) string {
	var b strings.Builder
	for _, name := range names {
		m := n.Member(name)
		if m.IsZero() && strings.ContainsAny(name, ".[") {
			if p, err := harness.ParsePath(name); err == nil {
				m = n.At(p)
			}
		}
		if m.IsZero() {
			names = nil
			break
		}
		b.WriteString("\x01" + m.Text())
	}
	if len(names) == 0 {
		return "\x02" + strconv.Itoa(i) + "\x00"
	}
	return b.String() + "\x00"
}

// visitor walks one document along one pattern.
type visitor struct {
	*state
	pattern  harness.Path
	joins    joins
	features func() []harness.Field
	yield    func(occurrence)
}

// visit goes down from a node at the depth of the pattern. around is the objects on the way, outermost first. Of members
// that share a name where the pattern knows of one, nothing is yielded: they have another pattern.
func (v *visitor) visit(n payload.Node, depth int, way trail, around []payload.Node) {
	switch {
	case n.IsZero() || depth < len(v.pattern) && v.joins.around[depth][way.key]:
		return
	case depth == len(v.pattern):
		v.leaf(n, way, around)
		return
	}
	if n.Kind() == harness.KindObject {
		around = append(around[:len(around):len(around)], n)
	}
	if list := repeated(n, v.pattern[depth:]); list != nil {
		for i, c := range list {
			next := way.into(elementKey(v.joins.names[depth+1], c, i))
			if len(list) == 1 {
				next.bare = way.bare
			}
			v.visit(c, depth+2, next, around)
		}
		return
	}
	if step := v.pattern[depth]; step.Kind == harness.StepName {
		if n.Format() != "xml" || len(membersNamed(n, step.Name)) <= 1 {
			v.visit(n.Member(step.Name), depth+1, way, around)
		}
		return
	}
	if n.Kind() != harness.KindArray {
		return
	}
	i := 0
	for c := range n.Children() {
		v.visit(c, depth+1, way.into(elementKey(v.joins.names[depth], c, i)), around)
		i++
	}
}

func (v *visitor) leaf(n payload.Node, way trail, around []payload.Node) {
	was := harness.Value{Kind: n.Kind()}
	if n.IsScalar() {
		was.Text = n.Text()
	}
	o := v.matched(was, way.key)
	if o.diff < 0 && way.bare != way.key && v.joins.lone[way.bare] {
		return // it changed, and stands under another pattern
	}
	o.record = func() []harness.Field { return append(membersOf(around, n), v.features()...) }
	v.yield(o)
}

// matched takes the difference of the place with that key and value, when there is one.
func (v *visitor) matched(was harness.Value, key string) occurrence {
	o := occurrence{diff: -1, was: was, is: was, name: v.pattern.Leaf()}
	list := v.joins.leaf[key]
	for n, i := range list {
		d := v.at(i)
		if d.Class == harness.Reformed && d.Was.Text == d.Is.Text || d.Was.Kind != was.Kind || d.Was.Text != was.Text && was.Kind != harness.KindArray && was.Kind != harness.KindObject {
			continue
		}
		v.joins.leaf[key] = append(list[:n:n], list[n+1:]...)
		o.diff, o.was, o.is = i, d.Was, d.Is
		return o
	}
	return o
}

// head yields the values of a header or pseudo-field.
func (v *visitor) head(x harness.Exchange) {
	m := x.Request
	if v.pattern[0].Name == "response" {
		m = x.Response
	}
	for _, text := range m.Head.Values(v.pattern[2].Name) {
		o := v.matched(harness.Value{Kind: harness.KindString, Text: text}, "")
		o.record = v.features
		v.yield(o)
	}
}

// maxMember is the longest member, in bytes, that counts as a property of its record.
const maxMember = 200

// membersOf is the scalar members of the objects, innermost first; of members with one name the innermost.
func membersOf(around []payload.Node, self payload.Node) []harness.Field {
	var fields []harness.Field
	seen := map[string]bool{}
	for i := len(around) - 1; i >= 0; i-- {
		for m := range around[i].Children() {
			if name := m.Name(); m.IsScalar() && m != self && !seen[name] && len(m.Raw()) <= maxMember {
				seen[name] = true
				fields = append(fields, harness.Field{Name: name, Value: m.Text()})
			}
		}
	}
	return fields
}
