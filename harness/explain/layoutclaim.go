package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// claimOtherNames claims the tables whose columns got the same new names.
func (s *state) claimOtherNames(names string, list []int) {
	d := s.at(list[0])
	f := harness.Finding{Verdict: harness.Review, Count: len(list) / 2, Unit: "rows", Source: s.place(answerer(d), d)}
	for _, g := range s.grouped(list) {
		if o := s.at(g.list[0]); o.Class == harness.Removed {
			f.Of += s.population(o)
		}
	}
	f.Sentence = fmt.Sprintf("Columns of %s from %s are renamed: %s. %d of %s are the same under the new names.",
		listSome(s.operations(list), 6), s.side(answerer(d)), names, f.Count, count(f.Of, unitOf(d)))
	f.NextStep = fmt.Sprintf("Read the new names in the mapping; ask %s whether more columns were renamed.", s.side(answerer(d)))
	s.harmsReader(&f, d, "the old names")
	s.claim(f, list)
}

// harmsReader says what a rename in what the target hands on does to the receiver.
func (s *state) harmsReader(f *harness.Finding, d *harness.Difference, what string) {
	if s.downstream(d) {
		f.Verdict = harness.Breaking
		f.Effects = append(f.Effects, fmt.Sprintf("%s looks for %s and does not find %s.", s.side(receiver(d)), what, itOrThem(what)))
		f.NextStep = fmt.Sprintf("Write %s again in the mapping, or agree on the new layout with %s.", what, s.side(receiver(d)))
	}
}

func itOrThem(what string) string {
	if strings.HasPrefix(what, `"`) {
		return "it"
	}
	return "them"
}

// claimAligned claims each pair of names with all tables that have it. One pair in one table that is plain from its values
// alone is left to the detector of renamed fields.
func (s *state) claimAligned(sheets []*sheet) {
	type pair struct{ from, to, was, is string }
	in := map[pair][]*sheet{}
	var order []pair
	share := map[pair]float64{}
	for _, t := range sheets {
		for _, r := range t.renames {
			if gone, came := t.places(r); len(gone) == 0 || len(came) == 0 {
				continue
			}
			p := pair{t.slot.from, t.slot.to, r.was, r.is}
			if in[p] == nil {
				order = append(order, p)
			}
			in[p] = append(in[p], t)
			share[p] = s.before.set(t.slot, t.pattern(r.was)).overlap(s.after.set(t.slot, t.pattern(r.is)))
		}
	}
	lists := map[pair][]int{}
	order = slices.DeleteFunc(order, func(p pair) bool {
		return len(in[p]) == 1 && share[p] >= minOverlap && s.isPlain(in[p][0], p.was, p.is)
	})
	for _, p := range order { // all columns first, so that no rename is taken for what follows from another one
		for _, t := range in[p] {
			gone, came := t.places(columnRename{was: p.was, is: p.is})
			lists[p] = append(lists[p], s.take(slices.Concat(gone, came))...)
		}
	}
	for _, p := range order {
		if len(lists[p]) > 0 {
			s.claimPair(p.was, p.is, lists[p])
		}
	}
}

// isPlain reports whether the detector of renamed fields sees the rename, too.
func (s *state) isPlain(t *sheet, was, is string) bool {
	return len(s.before.set(t.slot, t.pattern(was)).counts) >= 3 || commonWords(was, is) > 0
}

// claimPair claims one pair of names in all its tables.
func (s *state) claimPair(was, is string, list []int) {
	d := s.at(list[0])
	var files []string
	rows := 0
	for _, i := range list {
		o := s.at(i)
		if o.Class == harness.Removed {
			rows += o.Count
		}
		if !slices.Contains(files, o.Operation) {
			files = append(files, o.Operation)
		}
	}
	f := s.sized(list)
	f.Count, f.Of = rows, 0
	if len(files) == 1 {
		f.Of = s.population(d)
	}
	f.Sentence = fmt.Sprintf("%q looks renamed to %q in %s of %s (%s, same values).", was, is, listSome(files, 6), s.side(answerer(d)), count(rows, unitOf(d)))
	f.NextStep = fmt.Sprintf("Read %q in the mapping, or both names while the two layouts run side by side; ask %s whether more fields were renamed.", is, s.side(answerer(d)))
	s.harmsReader(&f, d, fmt.Sprintf("%q", was))
	var gone []int
	for _, i := range list {
		if s.at(i).Class == harness.Removed {
			gone = append(gone, i)
		}
	}
	if s.downstream(d) { // what the target hands on has no consequence in what else it hands on
		s.claim(f, list)
		return
	}
	c := s.consequences(gone)
	if len(c.list) > 0 {
		f.Verdict = harness.Breaking
	}
	c.addTo(&f)
	s.claim(f, append(list, c.list...))
}
