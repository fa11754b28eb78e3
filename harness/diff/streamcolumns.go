package diff

import (
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// wholeColumns counts the differences in columns that came or went as a whole, instead of keeping one for each row of a
// table that does not fit into memory.
type wholeColumns struct {
	at    harness.Path
	names map[string]bool // of columns that one side alone has
	found map[wholeColumn]*columnCount
}

type wholeColumn struct {
	name  string
	class harness.ChangeClass
}

type columnCount struct{ first, rows int } // index of the difference that stands for all, and how many rows it stands for

// stateColumns states the pairs, columns that came or went in all of them as one fact each. Where a column turns out to
// be missing from some rows only, each row counts, as in a table held whole.
func (s *streaming) stateColumns(m *matching) error {
	columns, err := s.wholeColumns()
	if err != nil {
		return err
	}
	start := s.c.save()
	if err := s.statePairs(m, columns); err != nil {
		return err
	}
	if columns.collapse(s.c.out, max(m.pairs, 2)) {
		return nil
	}
	s.c.restore(start)
	return s.statePairs(m, &wholeColumns{})
}

func (s *streaming) wholeColumns() (*wholeColumns, error) {
	columns := &wholeColumns{at: s.at, names: map[string]bool{}, found: map[wholeColumn]*columnCount{}}
	for _, r := range s.format {
		if len(r.Shared()) == 0 {
			continue
		}
		doc, err := r.Doc(r.Shared())
		if err != nil {
			return nil, err
		}
		for c := range doc.Root().Element(0).Children() {
			columns.names[c.Name()] = !columns.names[c.Name()]
		}
	}
	return columns, nil
}

// count drops all but the first difference of each column.
func (w *wholeColumns) count(out *harness.Comparison, from int) {
	kept := out.Differences[:from]
	for _, d := range out.Differences[from:] {
		name := d.Path.Leaf()
		if len(d.Path) != len(w.at)+2 || d.Class != harness.Added && d.Class != harness.Removed || !w.names[name] {
			kept = append(kept, d)
			continue
		}
		column := wholeColumn{name, d.Class}
		if found := w.found[column]; found != nil {
			found.rows++
			continue
		}
		w.found[column] = &columnCount{len(kept), 1}
		kept = append(kept, d)
	}
	out.Differences = kept
}

// collapse lets the first difference stand for all; it reports false when a column did not change in all rows.
func (w *wholeColumns) collapse(out *harness.Comparison, rows int) bool {
	for _, found := range w.found {
		if found.rows < rows {
			return false
		}
	}
	for _, found := range w.found {
		d := &out.Differences[found.first]
		d.Path, d.Record, d.Count = d.Pattern, "", found.rows
	}
	return true
}

// saved is what a comparison has stated so far.
type saved struct {
	differences, records int
	forms                []harness.Difference
	formOf               map[string]int
	notes                noteCounter
	rules                []compiledRule
}

func (c *comparer) save() saved {
	s := saved{len(c.out.Differences), len(c.out.Records), slices.Clone(c.forms), maps.Clone(c.formOf), noteCounter{slices.Clone(c.notes.order), maps.Clone(c.notes.counts)}, nil}
	for _, r := range c.rules.rules {
		s.rules = append(s.rules, *r)
	}
	return s
}

func (c *comparer) restore(s saved) {
	c.out.Differences, c.out.Records = c.out.Differences[:s.differences], c.out.Records[:s.records]
	c.forms, c.formOf, c.notes = s.forms, s.formOf, s.notes
	for i := range s.rules {
		*c.rules.rules[i] = s.rules[i]
	}
}
