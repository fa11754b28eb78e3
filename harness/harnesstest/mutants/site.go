package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// slot is the exchanges of one operation.
type slot struct{ from, to, channel, operation string }

func slotOf(x *harness.Exchange) slot { return slot{x.From, x.To, x.Channel, x.Operation()} }

// handedOn reports whether an operator changes what the target says in the slot: calls are its own, answers are not.
func (s slot) handedOn(op *operator) bool {
	if s.channel == harness.ChannelFile || op.requests {
		return s.from == target
	}
	return s.to == target
}

// site is one place in one half of the exchanges of a slot: a scalar, or an array of records.
type site struct {
	slot    slot
	half    int
	pattern string // from the body on
	format  string
	values  map[string]int // distinct texts of a scalar, and how often each occurs
	kinds   map[harness.ValueKind]int
	n       int      // places, or records of a table
	parent  []string // names of the scalar members beside it
}

// author is the system that writes the message.
func (s *site) author() string { return []string{s.slot.from, s.slot.to}[s.half] }

func (s *site) leaf() string { return s.pattern[strings.LastIndexByte(s.pattern, '.')+1:] }

// only reports whether every value is of the kind.
func (s *site) only(k harness.ValueKind) bool { return s.kinds[k] == s.n }

// every reports whether at least nine of ten values fit; rare other ones are left alone by the operators.
func (s *site) every(fits func(text string) bool) bool {
	hit := 0
	for text, n := range s.values {
		if fits(text) {
			hit += n
		}
	}
	return s.n > 0 && 10*hit >= 9*s.n
}

// spot is one occurrence of a site.
type spot struct {
	exchange string
	ordinal  int // among the spots of the site in the exchange, from 0
	node     payload.Node
	parent   payload.Node
}

// Formats whose trees are looked at.
var formats = []string{"json", "csv", "xml", "fixed", "x12", "hl7v2", "bai2"}

// survey finds the sites, tables and slots of a world, in a stable order.
func (w *world) survey() error {
	scalars, tables, slots := map[string]*site{}, map[string]*site{}, map[slot]bool{}
	for i := range w.exchanges {
		x := &w.exchanges[i]
		slots[slotOf(x)] = true
		for half, m := range halves(x) {
			doc, err := payload.Of(*m)
			if err != nil {
				return err
			}
			if !slices.Contains(formats, doc.Format) || m.Body.Size() == 0 || doc.Fact("malformed") != "" {
				continue
			}
			walk(doc.Root(), payload.Node{}, nil, func(path harness.Path, n, parent payload.Node) {
				into := scalars
				if !n.IsScalar() {
					if into = tables; n.Kind() != harness.KindArray || n.Element(0).Kind() != harness.KindObject {
						return
					}
				}
				key := slotOf(x).operation + "\x00" + halfNames[half] + "\x00" + path.String()
				s := into[key]
				if s == nil {
					s = &site{slot: slotOf(x), half: half, pattern: path.String(), format: doc.Format, values: map[string]int{}, kinds: map[harness.ValueKind]int{}}
					into[key] = s
				}
				s.count(n, parent)
			})
		}
	}
	w.sites, w.tables = sorted(scalars), sorted(tables)
	for s := range slots {
		w.slots = append(w.slots, s)
	}
	slices.SortFunc(w.slots, func(a, b slot) int { return strings.Compare(a.operation, b.operation) })
	return nil
}

func (s *site) count(n, parent payload.Node) {
	if !n.IsScalar() {
		s.n += n.Len()
		return
	}
	s.n++
	s.values[n.Text()]++
	s.kinds[n.Kind()]++
	if len(s.parent) == 0 && parent.Kind() == harness.KindObject {
		for c := range parent.Children() {
			if c.IsScalar() && c.Name() != n.Name() {
				s.parent = append(s.parent, c.Name())
			}
		}
	}
}

func sorted(index map[string]*site) []*site {
	var list []*site
	for _, s := range index {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *site) int {
		return cmp.Or(strings.Compare(a.slot.operation, b.slot.operation), cmp.Compare(a.half, b.half), strings.Compare(a.pattern, b.pattern))
	})
	return list
}

// walk visits every node with its pattern and parent.
func walk(n, parent payload.Node, path harness.Path, visit func(harness.Path, payload.Node, payload.Node)) {
	if path == nil {
		path = harness.PathOf(harness.Name("body"))
	}
	visit(path, n, parent)
	for c := range n.Children() {
		step := harness.Each()
		if n.Kind() == harness.KindObject {
			step = harness.Name(c.Name())
		}
		walk(c, n, path.Child(step), visit)
	}
}

// spots calls visit for each occurrence of the site in the document of an exchange.
func (s *site) spots(id string, doc *payload.Doc, visit func(spot)) {
	i := 0
	walk(doc.Root(), payload.Node{}, nil, func(path harness.Path, n, parent payload.Node) {
		if path.String() == s.pattern && n.IsScalar() {
			visit(spot{id, i, n, parent})
			i++
		}
	})
}
