package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
)

// minOverlap is the share of values that a renamed field must have in common with its old self.
const minOverlap = 0.9

// match is a field that is gone and one that came, which can be the same.
type match struct {
	gone, came group
	share      float64
	alike      int // words that the two names have in common
}

// detectRenamed pairs a field that is gone with one that came in the same parent and carries the same values. The best
// pairs come first: more values in common, then a likeness of the names.
func detectRenamed(s *state) {
	gone := s.uncrowded(s.groups(func(d *harness.Difference) bool { return d.Class == harness.Removed && isField(d) }))
	came := map[siblings][]group{}
	for _, g := range s.uncrowded(s.groups(func(d *harness.Difference) bool { return d.Class == harness.Added && isField(d) })) {
		came[s.parentOf(g)] = append(came[s.parentOf(g)], g)
	}
	gone = slices.DeleteFunc(gone, func(g group) bool { return len(came[s.parentOf(g)]) == 0 })
	s.loadSets(s.before, gone)
	var matches []match
	for _, g := range gone {
		others := came[s.parentOf(g)]
		s.loadSets(s.after, others)
		for _, c := range others {
			if m := s.match(g, c); m.share >= minOverlap {
				matches = append(matches, m)
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(b.alike, a.alike))
	})
	for _, m := range matches {
		if s.open[m.gone.list[0]] && s.open[m.came.list[0]] {
			s.claimRename(m)
		}
	}
}

// loadSets reads the values at the places of the groups, each slot once.
func (s *state) loadSets(ix *index, groups []group) {
	patterns := map[slot][]harness.Path{}
	for _, g := range groups {
		patterns[g.slot] = append(patterns[g.slot], s.at(g.list[0]).Pattern)
	}
	for _, g := range groups {
		if s.err == nil {
			s.note(ix.load(g.slot, patterns[g.slot]))
			delete(patterns, g.slot)
		}
	}
}

// match weighs whether two fields are one. Few different values are evidence only together with a likeness of names:
// two columns that are always 0 have nothing in common.
func (s *state) match(gone, came group) match {
	old, now := s.at(gone.list[0]).Pattern, s.at(came.list[0]).Pattern
	a, b := s.before.set(gone.slot, old), s.after.set(came.slot, now)
	m := match{gone: gone, came: came, alike: commonWords(old.Leaf(), now.Leaf())}
	if len(a.counts) >= 3 || m.alike > 0 {
		m.share = a.overlap(b)
	}
	return m
}

// commonWords counts the words that two names share.
func commonWords(a, b string) int {
	words, n := wordsOfName(b), 0
	for _, w := range wordsOfName(a) {
		if slices.Contains(words, w) {
			n++
		}
	}
	return n
}

// wordsOfName splits start_term, start-term and startTerm into lower-case words.
func wordsOfName(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if lower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func (s *state) claimRename(m match) {
	d := s.at(m.gone.list[0])
	old, now := fieldName(d), fieldName(s.at(m.came.list[0]))
	f := s.sized(m.gone.list)
	f.Hit = s.hits(m.gone.list)
	f.Sentence = fmt.Sprintf("%q looks renamed to %q in %s of %s (%s, same values).", old, now, d.Operation, s.side(answerer(d)), s.share(m.gone.list))
	f.NextStep = fmt.Sprintf("Read %q in the mapping, or both names while the two releases run side by side; ask %s whether more fields were renamed.", now, s.side(answerer(d)))
	if s.downstream(d) {
		f.Verdict = harness.Breaking // the receiver knows the old name only
		f.Effects = append(f.Effects, fmt.Sprintf("%s looks for %q and does not find it.", s.side(receiver(d)), old))
		f.NextStep = fmt.Sprintf("Write %q again in the mapping, or agree on %q with %s.", old, now, s.side(receiver(d)))
	}
	f.Proof, f.Cause = s.renameCause(m)
	own := s.take(slices.Concat(m.gone.list, m.came.list))
	c := s.consequences(m.gone.list)
	if c.harm {
		f.Verdict = harness.Breaking
	}
	c.addTo(&f)
	s.claim(f, append(own, c.list...))
}
