package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// detectRekeyed claims records that are the same but for their identifier, which is another one for many of them: the
// form of the identifiers changed, or they were given out anew. Fields elsewhere that hold the new identifiers where the
// old ones stood belong to it.
func detectRekeyed(s *state) {
	s.claimRekeyings(slices.DeleteFunc(s.moves(), func(m move) bool {
		return !m.alone // another record may have left, and a stranger come
	}))
}

// detectReissued claims fields of records that stayed and hold another identifier, by no rule.
func detectReissued(s *state) {
	s.claimRekeyings(slices.DeleteFunc(s.changedIDs(), func(m move) bool {
		return idRank(m.field.Leaf()) > slices.Index(idWords, "nr") // codes and addresses change by themselves
	}))
}

// claimRekeyings claims the moves, field by field; fields with the same rule are one finding.
func (s *state) claimRekeyings(moves []move) {
	byField := map[string][]move{}
	var order []string
	for _, m := range moves {
		k := fmt.Sprint(m.slot) + m.field.String()
		if byField[k] == nil {
			order = append(order, k)
		}
		byField[k] = append(byField[k], m)
	}
	var found []rekeying
	for _, k := range order {
		if r, ok := s.rekeyingOf(byField[k]); ok {
			found = append(found, r)
		}
	}
	for len(found) > 0 {
		same := func(r rekeying) bool { return r.text == found[0].text }
		var alike []rekeying
		for _, r := range found {
			if same(r) {
				alike = append(alike, r)
			}
		}
		s.claimRekeyed(alike)
		found = slices.DeleteFunc(found, same)
	}
}

// rekeying is the identifiers of one field that changed, with the rule by which they did.
type rekeying struct {
	text  string // the rule in words
	moves []move
}

// minRekeyed is how many records must have another identifier.
const minRekeyed = 3

// rekeyingOf says by which rule the identifiers of a field changed. Without one they are new, as long as none of the old
// ones is there any more.
func (s *state) rekeyingOf(moves []move) (rekeying, bool) {
	var pairs []infer.Pair
	for _, m := range moves {
		pairs = append(pairs, infer.Pair{Was: harness.Value{Kind: harness.KindString, Text: m.was}, Is: harness.Value{Kind: harness.KindString, Text: m.is}})
	}
	if len(moves) < minRekeyed {
		return rekeying{}, false
	}
	if rule, ok := infer.Infer(pairs, infer.Options{}); ok {
		kept := slices.DeleteFunc(slices.Clone(moves), func(m move) bool {
			return !rule.Explains(infer.Pair{Was: harness.Value{Kind: harness.KindString, Text: m.was}, Is: harness.Value{Kind: harness.KindString, Text: m.is}})
		})
		return rekeying{rule.Text, kept}, len(kept) >= minRekeyed
	}
	times := map[string]int{}
	for _, m := range moves {
		times[m.is]++
	}
	fresh := slices.DeleteFunc(slices.Clone(moves), func(m move) bool {
		return times[m.is] > 1 || s.holds(s.before, m, m.is) || s.holds(s.after, m, m.was)
	})
	// A few new identifiers among many that stayed are other things, not a new way to name the same ones.
	return rekeying{"each has another identifier, by no rule", fresh}, len(fresh) >= minRekeyed && 2*len(fresh) >= s.population(s.at(moves[0].list[0]))
}

func (s *state) claimRekeyed(list []rekeying) {
	var own []int
	var f harness.Finding
	for n, r := range list {
		var gone, all []int
		for _, m := range r.moves {
			gone, all = append(gone, m.list[0]), append(all, m.list...)
		}
		d := s.at(gone[0])
		name := r.moves[0].field.Leaf()
		if n == 0 {
			f = s.sized(gone)
			f.Hit = s.hits(gone)
			f.Sentence = fmt.Sprintf("The identifiers in %s of %s from %s changed, the records did not: %s, such as %s → %s (%s).",
				name, d.Operation, s.side(answerer(d)), r.text, r.moves[0].was, r.moves[0].is, s.share(gone))
		} else {
			f.Effects = append(f.Effects, fmt.Sprintf("The same in %s of %s to %s (%s).", name, d.Operation, s.side(receiver(d)), s.share(gone)))
			f.Target = append(f.Target, s.place(receiver(d), d))
		}
		own = append(own, s.take(all)...)
	}
	for _, g := range s.grouped(s.take(s.referring(list))) {
		d := s.at(g.list[0])
		f.Effects = append(f.Effects, fmt.Sprintf("%s of %s to %s holds the new identifiers (%s).", fieldName(d), d.Operation, s.side(receiver(d)), s.share(g.list)))
		f.Target = append(f.Target, s.place(receiver(d), d))
		own = append(own, g.list...)
	}
	f.Proof = "Each record is alike in everything but the identifier, and no other record is like it."
	f.NextStep = "Ask whether the identifiers are meant to change. Receivers take the records for new ones and the old ones for gone, until a table of old and new ones is loaded there first."
	s.claimWithEffects(f, own)
}

// referring is the fields that sound like identifiers and hold the new ones where the old ones stood.
func (s *state) referring(list []rekeying) []int {
	became := map[string]string{}
	for _, r := range list {
		for _, m := range r.moves {
			became[m.was] = m.is
		}
	}
	return s.unclaimed(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && idRank(d.Path.Leaf()) >= 0 && d.Is.Text != "" && became[d.Was.Text] == d.Is.Text
	})
}
