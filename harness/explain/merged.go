package explain

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// exchangedIDs is one pair of identifiers, and where the second took the place of the first.
type exchangedIDs struct {
	was, is string
	moves   []move
}

// detectMerged claims two identifiers that became one, or one that became two: everything of the one stands under the
// other now. Where a person has several records that a merge joins, each must be found again under the other identifier.
func detectMerged(s *state) {
	var merges, splits []exchangedIDs
	for _, e := range s.exchanged() {
		switch gone, known := s.isNowhere(e), s.wasKnown(e); {
		case gone && known:
			merges = append(merges, e)
		case !gone && !known:
			splits = append(splits, e)
		}
	}
	const mergedNext = "Ask who owns the records whether the two are one, then check that each receiver moves its data to the one that stays: some delete the old account with all that belongs to it."
	const splitNext = "Ask who owns the records whether these were two all along, then check which data receivers keep under which of them."
	byKey, rows := s.recordsByKey(), rowTexts{}
	s.claimExchanges("records merged", "Looks like a merge", mergedNext, merges, func(e exchangedIDs) []int { return s.recordsOf(byKey[e.was], harness.Removed, e, rows) })
	s.claimExchanges("records split", "Looks like a split", splitNext, splits, func(e exchangedIDs) []int { return s.recordsOf(byKey[e.is], harness.Added, e, rows) })
	s.detectMergeMarks()
}

// recordsByKey is the open records on one side only, by each value of their keys.
func (s *state) recordsByKey() map[string][]int {
	byKey := map[string][]int{}
	for _, i := range s.unclaimed(isRecord) {
		for _, k := range keysOf(s.at(i).Path) {
			byKey[k.Value] = append(byKey[k.Value], i)
		}
	}
	return byKey
}

// exchanged sorts the moves by their two identifiers, in order of first appearance.
func (s *state) exchanged() []exchangedIDs {
	var list []exchangedIDs
	for _, same := range partition(slices.Concat(s.moves(), s.changedIDs()), func(m move) [2]string { return [2]string{m.was, m.is} }) {
		list = append(list, exchangedIDs{same[0].was, same[0].is, same})
	}
	return list
}

// isNowhere reports whether the first identifier is nowhere any more.
func (s *state) isNowhere(e exchangedIDs) bool {
	return !slices.ContainsFunc(e.moves, func(m move) bool { return s.holds(s.after, m, m.was) })
}

// wasKnown reports whether the second identifier was there before.
func (s *state) wasKnown(e exchangedIDs) bool {
	return slices.ContainsFunc(e.moves, func(m move) bool { return s.holds(s.before, m, m.is) })
}

// minExchanged is how many differences must say that identifiers were exchanged: a pair of records that moved, or one
// change, says nothing without a second one. A whole record must be among them: references alone change for many reasons.
const minExchanged = 3

// claimExchanges makes one finding of all identifiers that were exchanged in one way, with the records beside.
func (s *state) claimExchanges(title, looks, next string, exchanges []exchangedIDs, beside func(exchangedIDs) []int) {
	var own []int
	var kept []exchangedIDs
	for _, e := range exchanges {
		list := s.take(slices.Concat(movedBy(e), beside(e)))
		if len(list) < minExchanged || !slices.ContainsFunc(list, func(i int) bool { return isRecord(s.at(i)) }) {
			for _, i := range list {
				s.open[i] = true
			}
			continue
		}
		own, kept = append(own, list...), append(kept, e)
	}
	if len(own) > 0 {
		s.claimExchange(title, looks, kept, own, next)
	}
}

func movedBy(e exchangedIDs) []int {
	var list []int
	for _, m := range e.moves {
		list = append(list, m.list...)
	}
	return list
}

// recordsOf is the given records of a class that the identifier alone is the key of, and those that have their like under
// the other identifier.
func (s *state) recordsOf(records []int, class harness.ChangeClass, e exchangedIDs, rows rowTexts) []int {
	sessions := s.sessions(movedBy(e))
	var list []int
	for _, i := range records {
		d := s.at(i)
		if d.Class == class && s.open[i] && slices.Contains(sessions, d.Session) && (len(keysOf(d.Path)) == 1 || class == harness.Removed && s.isAbsorbed(d, e, rows)) {
			list = append(list, i)
		}
	}
	return list
}

// rowTexts is the contents of the candidate's tables, by exchange and place, so that each is read once.
type rowTexts map[string]map[content]bool

// isAbsorbed reports whether the candidate has the record under the other identifier, as it had before.
func (s *state) isAbsorbed(d *harness.Difference, e exchangedIDs, rows rowTexts) bool {
	k := d.Exchange + " " + tableOf(d.Path).String()
	if rows[k] == nil {
		rows[k] = map[content]bool{}
		for row := range s.tablesOf(d).is.all {
			rows[k][contentOf(fieldsOf(row))] = true
		}
	}
	fields := slices.Clone(d.Was.Fields)
	for i := range fields {
		if fields[i].Value == e.was {
			fields[i].Value = e.is
		}
	}
	return rows[k][contentOf(fields)]
}

func (s *state) claimExchange(title, looks string, exchanges []exchangedIDs, own []int, next string) {
	var pairs []string
	var moved []int
	partOf := map[int]bool{}
	for _, e := range exchanges {
		pairs = append(pairs, e.was+" → "+e.is)
		for _, m := range e.moves {
			moved = append(moved, m.list[0])
			for _, i := range m.list {
				partOf[i] = true
			}
		}
	}
	ended := slices.DeleteFunc(slices.Clone(own), func(i int) bool { return partOf[i] })
	moved = slices.Concat(s.whichSide(moved, false), s.whichSide(moved, true))
	groups := s.grouped(moved)
	first := s.at(groups[0].list[0])
	f := s.sized(groups[0].list)
	f.Count, f.Of, f.Hit = len(groups[0].list), s.population(first), s.hits(own)
	f.Sentence = fmt.Sprintf("%s: %s (%d of %s of %s from %s moved).", looks, listSome(pairs, maxSamples), f.Count, count(f.Of, unitOf(first)), first.Operation, s.side(answerer(first)))
	for _, g := range groups[1:] {
		d := s.at(g.list[0])
		f.Effects = append(f.Effects, fmt.Sprintf("%s of %s to %s moved with them.", count(len(g.list), unitOf(d)), d.Operation, s.side(receiver(d))))
		f.Target = append(f.Target, s.place(receiver(d), d))
	}
	for _, g := range s.grouped(ended) {
		d := s.at(g.list[0])
		verb := "has no record of it any more"
		if d.Class == harness.Added {
			verb = "has a new record for it"
		}
		f.Effects = append(f.Effects, fmt.Sprintf("%s from %s %s (%s).", d.Operation, s.side(answerer(d)), verb, count(len(g.list), unitOf(d))))
	}
	f.Proof = "The records are alike in everything but the identifier, and each was found again under the other one."
	f.NextStep = next
	s.kind.Kind, s.kind.Title = "F36", title
	s.claimWithEffects(f, own)
}

// whichSide is those of the differences that lie in what the target hands on, or those that do not.
func (s *state) whichSide(list []int, sent bool) []int {
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return s.downstream(s.at(i)) != sent })
}

// mergeMarks is what people write into a name when two records are one.
var mergeMarks = regexp.MustCompile(`(?i)\b(multiple id|duplicate (id|record|of)|do not use|merged? (with|into|to)|use id|see id)\b`)

// detectMergeMarks claims names that became a mark of a merge.
func (s *state) detectMergeMarks() {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && mergeMarks.MatchString(d.Is.Text) && !mergeMarks.MatchString(d.Was.Text)
	}) {
		list := s.take(g.list)
		if len(list) == 0 {
			continue
		}
		d := s.at(list[0])
		f := s.sized(list)
		f.Hit = s.hits(list)
		f.Sentence = fmt.Sprintf("%q in %s from %s holds a mark of a merge where a name was (%s), such as %q.", fieldName(d), d.Operation, s.side(answerer(d)), s.share(list), short(d.Is.Text))
		f.NextStep = "Ask who owns the records which of them stays, and leave the other one out of the feed; receivers show the mark as a name."
		s.kind.Kind, s.kind.Title = "F36", "records merged"
		s.claimWithEffects(f, list)
	}
}
