package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// planted is one change: an operator at its sites, for a part of the records.
type planted struct {
	op    *operator
	sites []*site // one, or all of one name; empty for operators on messages
	slot  slot
	rate  float64 // share of the places
	when  *condition
	salt  uint64

	at    *site            // the site at work
	hit   map[spotKey]bool // the places that it changes when it is alone
	alone bool             // whether places are noted
	truth map[string]bool  // keys of the differences that it makes alone
	loose map[string]bool  // the same without keys and indexes
}

// spotKey is one value in one half of an exchange, by its offset in the source.
type spotKey struct {
	exchange string
	half     int
	offset   int
}

// touch notes a place that is about to change.
func (p *planted) touch(id string, offset int) {
	if p.alone {
		p.hit[spotKey{id, p.at.half, offset}] = true
	}
}

// condition restricts a change to records whose member has that text.
type condition struct{ name, text string }

func (p *planted) site() *site { return p.at }

func (p *planted) String() string {
	s := p.op.name
	for i, at := range p.sites {
		if i == 0 {
			s += fmt.Sprintf(" at %s %s.%s", at.slot.operation, halfNames[at.half], at.pattern)
		}
	}
	if len(p.sites) > 1 {
		s += fmt.Sprintf(" and %d more sites", len(p.sites)-1)
	}
	if len(p.sites) == 0 {
		s += " at " + p.slot.operation
	}
	if p.rate < 1 {
		s += fmt.Sprintf(", %.2f %%", 100*p.rate)
	}
	if p.when != nil {
		s += fmt.Sprintf(", when %s = %s", p.when.name, p.when.text)
	}
	return s
}

// selects decides about one place, always alike. text reads a member beside the place.
func (p *planted) selects(id string, ordinal int, text func(name string) string) bool {
	if p.when != nil && (text == nil || text(p.when.name) != p.when.text) {
		return false
	}
	return p.rate >= 1 || float64(p.number(id, ordinal)>>11)/float64(1<<53) < p.rate
}

// number is a hash of the place that differs from change to change.
func (p *planted) number(id string, ordinal int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %d", p.salt, strings.TrimSuffix(id, "-again"), ordinal)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// mutant is a world with planted changes.
type mutant struct {
	world   *world
	seed    uint64
	planted []*planted
}

// plant draws the changes of a seed; nil when nothing fits.
func plant(w *world, seed uint64, only string) *mutant {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	m := &mutant{world: w, seed: seed}
	side := sides[r.IntN(len(sides))]
	wanted := 1 + int(math.Floor(5*math.Pow(r.Float64(), 2)))
	for tries := 0; len(m.planted) < wanted && tries < 200; tries++ {
		op := &operators[r.IntN(len(operators))]
		if !strings.HasPrefix(op.name, only) || slices.ContainsFunc(m.planted, func(p *planted) bool { return p.op == op }) {
			continue
		}
		if p := draw(w, op, side, r); p != nil && m.admits(p) {
			m.planted = append(m.planted, p)
		}
	}
	slices.SortStableFunc(m.planted, func(a, b *planted) int { return int(a.op.level) - int(b.op.level) })
	if len(m.planted) == 0 {
		return nil
	}
	return m
}

// sides tells what comes to the target from what it hands on. A mutant changes one of them: a change of what comes in and
// another one of what is made of it cannot be told from cause and consequence.
var sides = []bool{false, false, true}

// draw places an operator on a side; nil when it fits nowhere.
func draw(w *world, op *operator, handedOn bool, r *rand.Rand) *planted {
	p := &planted{op: op, rate: 1, salt: r.Uint64()}
	if op.level == onMessage {
		fit := slices.DeleteFunc(slices.Clone(w.slots), func(s slot) bool { return !op.slot(w, s) || s.handedOn(op) != handedOn })
		if len(fit) == 0 {
			return nil
		}
		p.slot = fit[r.IntN(len(fit))]
		if !op.whole && r.IntN(3) > 0 {
			p.rate = 0.1 + 0.8*r.Float64()
		}
		return p
	}
	list := w.sites
	if op.level == onTables {
		list = w.tables
	}
	fit := slices.DeleteFunc(slices.Clone(list), func(s *site) bool { return !op.fits(s) || s.author() == target != handedOn })
	if len(fit) == 0 {
		return nil
	}
	at := fit[r.IntN(len(fit))]
	p.sites = []*site{at}
	if op.level == onValues && len(at.leaf()) > 2 && r.IntN(4) == 0 {
		p.sites = slices.DeleteFunc(fit, func(s *site) bool { return s.leaf() != at.leaf() })
	}
	if op.whole || op.level == onMembers && at.format == "csv" && op.name == "removed" {
		return p
	}
	switch r.IntN(5) {
	case 0, 1:
		p.rate = max(math.Pow(10, -4*r.Float64()), 1.2/float64(at.n))
	case 2:
		p.when = conditionFor(w, at, r)
	}
	return p
}

// conditionFor picks a member beside the site that tells records apart.
func conditionFor(w *world, at *site, r *rand.Rand) *condition {
	var found []condition
	for _, s := range w.sites {
		if s.slot != at.slot || s.half != at.half || s.leaf() == at.leaf() || !slices.Contains(at.parent, s.leaf()) || len(s.values) < 2 || len(s.values) > 8 || s.n != at.n {
			continue
		}
		if strings.TrimSuffix(s.pattern, s.leaf()) != strings.TrimSuffix(at.pattern, at.leaf()) {
			continue
		}
		for text, n := range s.values {
			if text != "" && 10*n >= s.n && 10*n <= 8*s.n {
				found = append(found, condition{s.leaf(), text})
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b condition) int { return strings.Compare(a.name+a.text, b.name+b.text) })
	return &found[r.IntN(len(found))]
}

// admits reports whether the change can stand beside the others: not on what another one decides by, and whole messages
// alone in their slot. Calls that fail or lack in most sessions stand alone: they could follow from anything else.
func (m *mutant) admits(p *planted) bool {
	for _, q := range m.planted {
		if (p.op.level == onMessage || q.op.level == onMessage) && p.where() == q.where() {
			return false
		}
		if p.op.calls && p.rate >= 0.35 || q.op.calls && q.rate >= 0.35 {
			return false
		}
		if p.decidesBy(q) || q.decidesBy(p) {
			return false
		}
		if p.op.level != onValues && q.op.level != onValues && p.where() == q.where() {
			return false
		}
	}
	return true
}

func (p *planted) where() slot {
	if len(p.sites) > 0 {
		return p.sites[0].slot
	}
	return p.slot
}

func (p *planted) decidesBy(q *planted) bool {
	return p.when != nil && slices.ContainsFunc(q.sites, func(s *site) bool { return s.leaf() == p.when.name })
}

// apply makes the change in a copy of the exchanges.
func (p *planted) apply(list []harness.Exchange) ([]harness.Exchange, error) {
	if p.op.level == onMessage {
		return p.op.message(p, list), nil
	}
	out := slices.Clone(list)
	for i := range out {
		for half, m := range halves(&out[i]) {
			sites := slices.DeleteFunc(slices.Clone(p.sites), func(at *site) bool { return at.half != half || slotOf(&out[i]) != at.slot })
			if len(sites) == 0 {
				continue
			}
			if err := p.change(&out[i], m, sites); err != nil {
				return nil, fmt.Errorf("plant %s in %s: %w", p, out[i].ID, err)
			}
		}
	}
	return out, nil
}

// change rewrites one message at the sites that lie in it.
func (p *planted) change(x *harness.Exchange, m *harness.Message, sites []*site) error {
	p.at = sites[0]
	doc, err := payload.Of(*m)
	if err != nil || m.Body.Size() == 0 || doc.Format != p.at.format || doc.Fact("malformed") != "" {
		return err
	}
	if p.op.level != onValues {
		root := grow(doc.Root())
		p.op.tree(p, x.ID, root, doc)
		if text, ok := spell(root, doc); ok && m.Head.Get("Content-Encoding") == "" {
			m.Body = harness.BytesBody(text)
		}
		return nil
	}
	edits := p.edits(x.ID, doc, sites)
	if len(edits) == 0 {
		return nil
	}
	text, err := doc.Rewrite(edits)
	if err != nil {
		return nil // a text that the format cannot spell stays
	}
	changed := *m
	changed.Body = harness.BytesBody(text)
	if again, err := payload.Of(changed); err != nil || again.Fact("malformed") != "" {
		return err // so does one that no reader of the file can find: a file that is broken is another change than this one
	}
	for _, e := range edits {
		p.touch(x.ID, e.Node.Offset())
	}
	*m = changed
	return nil
}

// edits are the new values of the document at all sites: the places of one must not move under those of another.
func (p *planted) edits(id string, doc *payload.Doc, sites []*site) []payload.Edit {
	var edits []payload.Edit
	for _, at := range sites {
		at.spots(id, doc, func(s spot) {
			if !p.selects(s.exchange, s.ordinal, func(name string) string { return s.parent.Member(name).Text() }) || s.node.Text() == "" {
				return
			}
			is := p.op.value(s.node.Text(), p.number(s.exchange, s.ordinal))
			if is != s.node.Text() && (doc.Format != "fixed" || len(is) <= len(s.node.Text())) {
				edits = append(edits, payload.Edit{Node: s.node, Text: is})
			}
		})
	}
	return edits
}
