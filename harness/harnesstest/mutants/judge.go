package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/explain"
)

// result is what became of one mutant.
type result struct {
	mutant      *mutant
	changes     []outcome
	findings    []harness.Finding
	differences int
	swallowed   []string
	wrongProofs []string
	falseOnes   []string
	rest        int // differences in F00
}

// outcome is what became of one planted change.
type outcome struct {
	*planted
	differences  int // in the mutant
	seen         bool
	found, named bool
	rare         bool // too few different values for any rule: it must be shown, not explained
	kind         string
	lies         []string // where its differences lie, for the reader of a failure
}

var clock = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)

func compare(before, after []harness.Exchange) (*harness.Comparison, error) {
	return diff.Recordings(harness.NewMemory(harness.Manifest{}, before...), harness.NewMemory(harness.Manifest{}, after...), diff.Options{Now: clock})
}

// silent counts the findings of a world against itself.
func silent(w *world) (int, error) {
	c, err := compare(w.exchanges, w.exchanges)
	if err != nil {
		return 0, err
	}
	list, err := findings(w, c)
	return len(list), err
}

func findings(w *world, c *harness.Comparison) ([]harness.Finding, error) {
	return explain.Findings(explain.Case{
		Comparison: c, Scenario: harness.Scenario{Target: harness.TargetSpec{System: w.target}}, Now: clock,
		Integration: harness.Integration{Reads: "name"},
	})
}

// judge plants each change alone for its truth, then all together, and explains.
func judge(m *mutant) (*result, error) {
	r := &result{mutant: m}
	all := m.world.exchanges
	for _, p := range m.planted {
		p.hit, p.alone = map[spotKey]bool{}, true
		alone, err := p.apply(m.world.exchanges)
		p.alone = false
		if err != nil {
			return nil, err
		}
		c, err := compare(m.world.exchanges, alone)
		if err != nil {
			return nil, err
		}
		p.truth, p.loose = map[string]bool{}, map[string]bool{}
		for i := range c.Differences {
			p.truth[exact(&c.Differences[i])], p.loose[general(&c.Differences[i])] = true, true
		}
		r.changes = append(r.changes, outcome{planted: p, seen: len(c.Differences) > 0 || equal(m.world.exchanges, alone), rare: p.isRare(c.Differences)})
		if all, err = p.apply(all); err != nil {
			return nil, err
		}
	}
	c, err := compare(m.world.exchanges, all)
	if err != nil {
		return nil, err
	}
	r.differences = len(c.Differences)
	if r.findings, err = findings(m.world, c); err != nil {
		return nil, err
	}
	r.score()
	return r, nil
}

// equal reports whether a change left every byte as it was, so that there is nothing to be seen.
func equal(a, b []harness.Exchange) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if fmt.Sprint(a[i].Request.Head, a[i].Response.Head) != fmt.Sprint(b[i].Request.Head, b[i].Response.Head) ||
			a[i].Request.Body.Digest() != b[i].Request.Body.Digest() || a[i].Response.Body.Digest() != b[i].Response.Body.Digest() {
			return false
		}
	}
	return true
}

// isRare holds for changes of fewer than five places, and for changed values of which fewer than three are different: what
// made them cannot be known.
func (p *planted) isRare(list []harness.Difference) bool {
	places, values := 0, map[string]bool{}
	for _, d := range list {
		places += d.Count
		values[d.Was.Text] = true
	}
	return places < 5 || p.op.level == onValues && p.op.kinds[0] != "F01" && len(values) < 3
}

// isTally holds for totals, counts and numbers of an envelope that do not agree any more: they follow from whatever
// changed what they speak of.
func isTally(d *harness.Difference) bool {
	return len(d.Path) > 1 && d.Path[1].Name == "form" && slices.Contains([]string{"totals", "counts", "control numbers"}, d.Path.Leaf())
}

// exact names the place of a difference, general the same for all records.
func exact(d *harness.Difference) string {
	return strings.TrimSuffix(d.Exchange, "-again") + " " + d.Path.String()
}

func general(d *harness.Difference) string { return d.Operation + " " + d.Pattern.String() }

// owners are the changes to which a difference belongs, as indexes; none for one that came of their interplay.
func (r *result) owners(d *harness.Difference) []int {
	spot, ok, astray := r.mutant.world.spotOf(d)
	if ok {
		var list []int
		for i := range r.changes {
			if r.changes[i].hit[spot] {
				list = append(list, i)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	for _, key := range []struct {
		text string
		of   func(*planted) map[string]bool
		says bool
	}{
		{exact(d), func(p *planted) map[string]bool { return p.truth }, !astray},
		{general(d), func(p *planted) map[string]bool { return p.loose }, true},
	} {
		var list []int
		for i := range r.changes {
			if key.says && key.of(r.changes[i].planted)[key.text] {
				list = append(list, i)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// score compares the findings with the truths.
func (r *result) score() {
	totals := make([]int, len(r.changes))  // differences of each change
	alone := make([]int, len(r.changes))   // those of them that are of no other change
	shared := make([]int, len(r.findings)) // per finding, differences of nobody alone
	held := make([][]int, len(r.findings)) // per finding and change: differences that are the change's
	only := make([][]int, len(r.findings)) // the same, of that change alone
	for f := range r.findings {
		held[f], only[f] = make([]int, len(r.changes)), make([]int, len(r.changes))
		for i := range r.findings[f].Differences {
			if isTally(&r.findings[f].Differences[i]) {
				continue
			}
			owners := r.owners(&r.findings[f].Differences[i])
			for _, o := range owners {
				totals[o]++
				held[f][o]++
			}
			switch len(owners) {
			case 0:
				shared[f]++
			case 1:
				only[f][owners[0]]++
				alone[owners[0]]++
			}
		}
		if r.findings[f].Kind == "F00" {
			r.rest += len(r.findings[f].Differences)
		}
	}
	for i := range r.changes {
		c := &r.changes[i]
		if c.differences = totals[i]; totals[i] == 0 {
			continue
		}
		for f := range r.findings {
			all := sizeOf(&r.findings[f])
			if held[f][i] > 0 {
				c.lies = append(c.lies, fmt.Sprintf("%d of %d in %s, %d of it alone, which holds %d", held[f][i], totals[i], r.findings[f].Kind, only[f][i], all))
			}
			if holdsMost(held[f][i], totals[i], only[f][i], alone[i]) && 100*(held[f][i]+shared[f]) >= 99*all {
				c.found, c.kind = true, r.findings[f].Kind
				c.named = c.named || slices.Contains(c.op.kinds, c.kind)
			}
		}
	}
	for f := range r.findings {
		r.blame(&r.findings[f], held[f], only[f])
	}
}

// holdsMost reports whether a finding holds a change. A value that two changes rewrite is one difference, which one finding
// can hold: a sign that is turned everywhere and, in some records, a factor of a hundred are two findings at best, "sign
// turned" and "times minus a hundred". No more can be asked of a change than what is its alone, where there is any.
func holdsMost(held, total, only, alone int) bool {
	return 100*held >= 95*total || alone > 0 && 100*only >= 95*alone
}

// sizeOf counts the differences that somebody can own.
func sizeOf(f *harness.Finding) int {
	n := 0
	for i := range f.Differences {
		if !isTally(&f.Differences[i]) {
			n++
		}
	}
	return n
}

// blame notes what a finding holds and should not.
func (r *result) blame(f *harness.Finding, held, only []int) {
	first, sum := -1, 0
	for i, n := range held {
		sum += n
		if n > 0 && (first < 0 || n > held[first]) {
			first = i
		}
	}
	if sum == 0 && !slices.ContainsFunc(f.Differences, func(d harness.Difference) bool { return isTally(&d) }) {
		r.falseOnes = append(r.falseOnes, f.Kind+" "+f.Sentence)
		return
	}
	strangers := 0
	for i, n := range only {
		if i != first && n > 0 {
			strangers += n
			if f.Kind != "F00" {
				r.swallowed = append(r.swallowed, fmt.Sprintf("%d differences of %q lie in %s %s", n, r.changes[i].op.name, f.Kind, f.Sentence))
			}
		}
	}
	if strangers > 0 && strings.HasPrefix(f.Proof, "Proven") {
		r.wrongProofs = append(r.wrongProofs, f.Kind+" "+f.Sentence+" "+f.Proof)
	}
}

// tell lists what went wrong.
func (r *result) tell(out io.Writer) {
	var lines []string
	for _, c := range r.changes {
		switch {
		case !c.seen:
			lines = append(lines, "NOT SEEN "+c.String())
		case c.differences == 0:
		case !c.found:
			lines = append(lines, fmt.Sprintf("not found %s (%s)", c.String(), strings.Join(c.lies, "; ")))
		case !c.named && !c.rare:
			lines = append(lines, "named "+c.kind+": "+c.String())
		}
	}
	for _, part := range []struct {
		what string
		list []string
	}{{"SWALLOWED", r.swallowed}, {"WRONG PROOF", r.wrongProofs}, {"FALSE", r.falseOnes}} {
		for _, line := range part.list {
			lines = append(lines, part.what+" "+line)
		}
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(out, "mutant %d of %s: %d differences, %d findings\n", r.mutant.seed, r.mutant.world.name, r.differences, len(r.findings))
	for _, c := range r.changes {
		fmt.Fprintf(out, "    planted: %s (%d differences)\n", c.String(), c.differences)
	}
	for _, f := range r.findings {
		fmt.Fprintf(out, "    finding: %s ×%d %s\n", f.Kind, len(f.Differences), f.Sentence)
	}
	for _, line := range lines {
		fmt.Fprintln(out, "  "+line)
	}
}
