package payload

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness/payload/layout"
)

// Promise is what a trailer of a file of fixed width says about the records before it.
type Promise struct {
	Node  Node   // the field of the trailer
	Gives string // what the records give, with the decimals of the field; empty when they cannot be added
	Holds bool
}

// Layout is the layout of a document of fixed width, nil for any other.
func (d *Doc) Layout() *layout.Layout {
	if s, ok := d.syntax.(*fixedSyntax); ok {
		return s.l
	}
	return nil
}

// Promises lists the promises of a document of fixed width whose layout has totals, in the order of the layout's
// totals, then of the file. It reads the source again.
func (d *Doc) Promises() []Promise {
	l := d.Layout()
	if l == nil || len(l.Totals) == 0 {
		return nil
	}
	p := newFixedParser(l, d.Source)
	for _, t := range p.totals {
		t.keeps = true
	}
	if err := p.parse(); err != nil {
		return nil
	}
	var all []Promise
	for _, t := range p.totals {
		for _, m := range t.made {
			all = append(all, Promise{d.Root().Element(m.record - 1).Member(t.t.Field), m.gives, m.holds})
		}
	}
	return all
}

// Mend makes the promises of a changed file of fixed width true again, as far as keeps says for the index of a promise in
// [Doc.Promises]; nil keeps all. Edits that also returns for the file as it is now, if any, are made with them. The file is
// gone over more than once, because totals add up other totals. With an error come the bytes as far as they were mended.
func Mend(l *layout.Layout, changed []byte, keeps func(i int) bool, also func(now *Doc) []Edit) ([]byte, error) {
	const rounds = 3
	for range rounds {
		now, err := ParseFixed(l, changed)
		if err != nil {
			return changed, err
		}
		var edits []Edit
		if also != nil {
			edits = also(now)
		}
		for i, p := range now.Promises() {
			if !p.Holds && p.Gives != "" && (keeps == nil || keeps(i)) {
				edits = append(edits, Edit{Node: p.Node, Text: p.Gives})
			}
		}
		if len(edits) == 0 {
			break
		}
		out, err := now.Rewrite(edits)
		if err != nil {
			return changed, err
		}
		changed = out
	}
	return changed, nil
}

// Held says of the promises of a document which of them hold, by their index: what [Mend] is to keep of a changed one.
func (d *Doc) Held() func(i int) bool {
	was := d.Promises()
	return func(i int) bool { return i < len(was) && was[i].Holds }
}

// IsTotalled reports whether a promise of the document's layout is made in a field of that name, or depends on one.
func (d *Doc) IsTotalled(field string) bool {
	l := d.Layout()
	if l == nil {
		return false
	}
	for _, t := range l.Totals {
		if field == t.Field || t.Where != nil && field == t.Where.Field {
			return true
		}
		for _, sum := range t.Sums {
			if _, name, _ := strings.Cut(sum, "."); name == field {
				return true
			}
		}
	}
	return false
}

// madePromise is a promise in a record, counted from 1.
type madePromise struct {
	record int
	gives  string
	holds  bool
}

func (r *runningTotal) keep(record int, says, total int64, known bool) {
	if !r.keeps {
		return
	}
	m := madePromise{record: record, holds: known && says == total}
	if r.spoiled == "" {
		m.gives = r.number(total)
	}
	r.made = append(r.made, m)
}
