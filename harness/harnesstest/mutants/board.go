package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// tally is the score of one operator.
type tally struct {
	planted, unseen int
	found           int // of those planted
	common, named   int // those with enough values for a rule, and those of them that were found and named rightly
	differences     int
}

// board is the score of a run.
type board struct {
	mutants, findings, differences, rest int
	swallowed, wrongProofs, falseOnes    int
	silent                               int // findings of worlds against themselves
	operators                            map[string]*tally
}

func newBoard() *board { return &board{operators: map[string]*tally{}} }

func (b *board) add(r *result) {
	b.mutants++
	b.findings += len(r.findings)
	b.differences += r.differences
	b.rest += r.rest
	b.swallowed += len(r.swallowed)
	b.wrongProofs += len(r.wrongProofs)
	b.falseOnes += len(r.falseOnes)
	for _, c := range r.changes {
		t := b.operators[c.op.name]
		if t == nil {
			t = &tally{}
			b.operators[c.op.name] = t
		}
		if !c.seen {
			t.unseen++
		}
		if c.differences == 0 {
			continue
		}
		t.planted++
		t.differences += c.differences
		if c.found {
			t.found++
		}
		if !c.rare {
			t.common++
			if c.found && c.named {
				t.named++
			}
		}
	}
}

// total is the sum over the operators.
func (b *board) total() tally {
	var sum tally
	for _, t := range b.operators {
		sum.add(t)
	}
	return sum
}

func percent(n, of int) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// byKind is the sum over the operators of each kind of the catalogue, and their names in the order of the table.
func (b *board) byKind() (kinds map[string]*tally, names map[string][]string) {
	kinds, names = map[string]*tally{}, map[string][]string{}
	for _, o := range operators {
		t := b.operators[o.name]
		if t == nil {
			continue
		}
		k := o.kinds[0]
		if kinds[k] == nil {
			kinds[k] = &tally{}
		}
		kinds[k].add(t)
		names[k] = append(names[k], o.name)
	}
	return kinds, names
}

func (t *tally) add(o *tally) {
	t.planted += o.planted
	t.unseen += o.unseen
	t.found += o.found
	t.common += o.common
	t.named += o.named
	t.differences += o.differences
}

// print writes three Markdown tables: the scores, the kinds and the operators.
func (b *board) print(out io.Writer) {
	sum := b.total()
	fmt.Fprintf(out, "| planted changes | %d in %d mutants, %d differences |\n|---|---:|\n", sum.planted, b.mutants, b.differences)
	for _, row := range []struct{ what, figure string }{
		{"found: one finding holds the change and nothing else", percent(sum.found, sum.planted)},
		{"found and named, where there are values enough for a rule", percent(sum.named, sum.common)},
		{"findings for each change", fmt.Sprintf("%.2f", float64(b.findings)/float64(max(sum.planted, 1)))},
		{"changes that no difference shows", fmt.Sprint(sum.unseen)},
		{"differences of one change in the finding of another", fmt.Sprint(b.swallowed)},
		{"wrong proofs", fmt.Sprint(b.wrongProofs)},
		{"false findings", percent(b.falseOnes, max(b.findings, 1))},
		{"findings of a world against itself", fmt.Sprint(b.silent)},
		{"differences left unexplained (F00)", percent(b.rest, b.differences)},
	} {
		fmt.Fprintf(out, "| %s | %s |\n", row.what, row.figure)
	}
	kinds, names := b.byKind()
	fmt.Fprintf(out, "\n| kind | changes | planted | found | named |\n|---|---|---:|---:|---:|\n")
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t := kinds[k]
		fmt.Fprintf(out, "| %s | %s | %d | %s | %s |\n", k, strings.Join(names[k], ", "), t.planted, percent(t.found, t.planted), percent(t.named, t.common))
	}
	fmt.Fprintf(out, "\n| change | kinds | planted | found | named |\n|---|---|---:|---:|---:|\n")
	for _, name := range slices.SortedFunc(maps.Keys(b.operators), func(a, c string) int { return cmp.Compare(orderOf(a), orderOf(c)) }) {
		t := b.operators[name]
		fmt.Fprintf(out, "| %s | %s | %d | %s | %s |\n", name, operators[orderOf(name)].kinds[0], t.planted, percent(t.found, t.planted), percent(t.named, t.common))
	}
}

func orderOf(name string) int {
	return slices.IndexFunc(operators, func(o operator) bool { return o.name == name })
}
