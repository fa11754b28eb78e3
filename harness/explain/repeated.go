package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// detectRepeated claims records that stand twice now, as they are or with other values under one key, those that do not
// stand twice any more, and members of one name in a JSON object.
func detectRepeated(s *state) {
	s.detectRepeatedMembers()
	for _, class := range []harness.ChangeClass{harness.Added, harness.Removed} {
		for _, sent := range []bool{false, true} {
			for _, g := range s.groups(func(d *harness.Difference) bool { return isRecord(d) && d.Class == class && s.downstream(d) == sent }) {
				s.claimRepeated(g)
			}
		}
	}
}

// repeats is the records that stand more than once on the side that has more of them, by their kind.
type repeats struct {
	equal, conflicting []int    // differences
	key                []string // names of the members that identify
	keys               []string // of the conflicting ones, as text
	has                map[string]bool
}

// repeatsIn sorts the records that are on one side only: whether their like is there once more, or another one with the
// same key. A key counts that tells all records of the other side apart.
func (s *state) repeatsIn(g group) repeats {
	d := s.at(g.list[0])
	t := s.tablesOf(d)
	more, fewer := t.is, t.was
	if d.Class == harness.Removed {
		more, fewer = t.was, t.is
	}
	key := businessKey(fewer)
	copies, sharing := map[content]int{}, map[string]int{}
	for row := range more.all {
		fields := fieldsOf(row)
		copies[contentOf(fields)]++
		if text := keyText(fields, key); text != "" {
			sharing[text]++
		}
	}
	before := map[content]int{}
	for row := range fewer.all {
		before[contentOf(fieldsOf(row))]++
	}
	r := repeats{key: key, has: map[string]bool{}}
	for _, i := range g.list {
		fields := slices.Concat(s.at(i).Is.Fields, s.at(i).Was.Fields)
		text := keyText(fields, key)
		switch whole := contentOf(fields); {
		case copies[whole] > 1 && copies[whole] > before[whole]:
			r.equal = append(r.equal, i)
		case text != "" && sharing[text] > 1:
			r.conflicting = append(r.conflicting, i)
			if !r.has[text] {
				r.has[text] = true
				r.keys = append(r.keys, text)
			}
		}
	}
	return r
}

// claimRepeated claims what stands more than once at one place of all messages: one finding for the records that are equal
// and one for those that share a key.
func (s *state) claimRepeated(g group) {
	var conflicts []repeats
	var equal []int
	for _, one := range partition(g.list, func(i int) string { return s.at(i).Exchange + "\x00" + tableOf(s.at(i).Path).String() }) {
		r := s.repeatsIn(group{g.slot, one})
		if equal = append(equal, r.equal...); len(r.conflicting) > 0 {
			conflicts = append(conflicts, r)
		}
	}
	if len(conflicts) > 0 {
		s.claimConflicts(conflicts)
	}
	if equal = s.stillOpen(equal); len(equal) > 0 {
		s.claimEqual(equal)
	}
}

// claimConflicts claims the records that share a key with another one, in one list or in several.
func (s *state) claimConflicts(all []repeats) {
	var own, records []int
	var keys []string
	for _, r := range all {
		own, records, keys = append(own, s.withChanges(r)...), append(records, r.conflicting...), append(keys, r.keys...)
	}
	d := s.at(records[0])
	f := s.sized(records)
	f.Count, f.Of, f.Unit, f.Hit = len(keys), 0, "keys", s.hits(records)
	f.Sentence = fmt.Sprintf("%s in %s from %s stands more than once with different values: %s.", count(len(keys), "key"), d.Operation, s.side(answerer(d)), listSome(keys, maxSamples))
	f.Verdict, f.NextStep = harness.Breaking, "Ask which of the records holds, and for one record for each key; until then the order of the rows decides."
	if d.Class == harness.Removed {
		f.Sentence = fmt.Sprintf("%s in %s from %s stood more than once with different values and stands once now: %s.", count(len(keys), "key"), d.Operation, s.side(answerer(d)), listSome(keys, maxSamples))
		f.Verdict, f.NextStep = harness.Review, "Check that the record that stayed is the one that receivers went by."
	}
	f.Effects = s.valuesUnder(d, all[0])
	s.finishRepeated(f, own)
}

// claimEqual claims the records that stand there once more as they are.
func (s *state) claimEqual(records []int) {
	d := s.at(records[0])
	f := s.sized(records)
	f.Hit, f.Of, f.Verdict = s.hits(records), 0, harness.Review
	f.Sentence = fmt.Sprintf("%s of %s from %s %s there once more, the same in every value.", count(len(records), unitOf(d)), d.Operation, s.side(answerer(d)), isOrAre(len(records)))
	f.NextStep = "Harmless where records are stored by key; a receiver that adds up or counts takes them twice."
	if d.Class == harness.Removed {
		f.Verdict = harness.Benign
		f.Sentence = fmt.Sprintf("%s of %s from %s that stood twice, the same in every value, %s there once now.", count(len(records), unitOf(d)), d.Operation, s.side(answerer(d)), isOrAre(len(records)))
		f.NextStep = "Nothing to do, unless a receiver adds up or counts the records."
	}
	s.finishRepeated(f, records)
}

// finishRepeated follows the records into what the target hands on: records of the same key there, of the same class.
func (s *state) finishRepeated(f harness.Finding, records []int) {
	s.take(records)
	own := slices.Clone(records)
	d := s.at(records[0])
	if key := businessKey(s.tablesOf(d).was); !s.downstream(d) && key != nil {
		var follow []int
		for _, i := range records {
			follow = append(follow, s.output().of(d.Session, picked(slices.Concat(s.at(i).Is.Fields, s.at(i).Was.Fields), key))...)
		}
		follow = slices.DeleteFunc(follow, func(j int) bool { return !isRecord(s.at(j)) || s.at(j).Class != d.Class })
		for _, g := range s.grouped(s.take(follow)) {
			o := s.at(g.list[0])
			f.Effects = append(f.Effects, fmt.Sprintf("%s to %s follows: %s.", o.Operation, s.side(receiver(o)), count(len(g.list), unitOf(o))))
			f.Target = append(f.Target, s.place(receiver(o), o))
			own = append(own, g.list...)
		}
	}
	c := s.consequences(own)
	c.addTo(&f)
	s.kind.Kind, s.kind.Title = "F23", "keys repeated"
	s.claim(f, append(own, c.list...))
}

// picked is the fields of the names.
func picked(fields []harness.Field, names []string) []harness.Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f harness.Field) bool { return !slices.Contains(names, f.Name) })
}

// withChanges adds the changes of the records with these keys: which of the two records was paired with the old one is
// chance, as long as the old one is still there.
func (s *state) withChanges(r repeats) []int {
	d := s.at(r.conflicting[0])
	t := s.tablesOf(d)
	same, other := t.was, t.is
	if d.Class == harness.Removed {
		same, other = t.is, t.was
	}
	there := map[content]bool{}
	for row := range other.all {
		there[contentOf(fieldsOf(row))] = true
	}
	kept := map[string]bool{} // keys whose record of the other side is still there as it was
	for row := range same.all {
		fields := fieldsOf(row)
		if text := keyText(fields, r.key); r.has[text] && there[contentOf(fields)] {
			kept[text] = true
		}
	}
	return slices.Concat(r.conflicting, s.unclaimed(func(o *harness.Difference) bool {
		return o.Exchange == d.Exchange && o.Class == harness.Changed && o.Record != "" && kept[keyText(keysOf(o.Path), r.key)]
	}))
}

// valuesUnder shows what stands under the first key.
func (s *state) valuesUnder(d *harness.Difference, r repeats) []string {
	t := s.tablesOf(d)
	rows := t.is
	if d.Class == harness.Removed {
		rows = t.was
	}
	var first []harness.Field
	var values []string
	for row := range rows.all {
		fields := fieldsOf(row)
		if keyText(fields, r.key) != r.keys[0] {
			continue
		}
		if first == nil {
			first = fields
			continue
		}
		for i, f := range fields {
			if i < len(first) && first[i].Name == f.Name && first[i].Value != f.Value {
				values = append(values, fmt.Sprintf("%s %s and %s", f.Name, first[i].Value, f.Value))
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Under %s stand %s.", r.keys[0], listSome(values, maxSamples))}
}

// detectRepeatedMembers claims members that came or went beside another one of their name in a JSON object.
func (s *state) detectRepeatedMembers() {
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return inBody(d) && isElement(d) && (d.Class == harness.Added || d.Class == harness.Removed) && isMemberOfBody(d.Path[:len(d.Path)-1])
	}) {
		d := s.at(g.list[0])
		if s.becameList(d) {
			s.claimBecameList(g.list)
		}
		if !s.open[g.list[0]] || !s.isRepeatedMember(d) {
			continue
		}
		list := s.take(g.list)
		f := s.sized(list)
		name := d.Pattern[:len(d.Pattern)-1].Leaf()
		f.Unit, f.Hit = plural("call"), s.hits(list)
		f.Verdict, f.Sentence = harness.Breaking, fmt.Sprintf("%q stands more than once in one object in %s from %s (%s): %s beside the one before.", name, d.Operation, s.side(answerer(d)), count(len(list), "place"), inWords(d.Is))
		f.NextStep = "Ask for one member of the name: readers differ in whether the first or the last one counts."
		if d.Class == harness.Removed {
			f.Verdict, f.Sentence = harness.Review, fmt.Sprintf("%q stood more than once in one object in %s from %s and stands once now (%s).", name, d.Operation, s.side(answerer(d)), count(len(list), "place"))
			f.NextStep = "Check that the member that stayed is the one that readers went by."
		}
		s.kind.Kind, s.kind.Title = "F23", "members repeated"
		s.claimWithEffects(f, list)
	}
}

// isMemberOfBody reports whether the place is a member by name within a body; the body itself is none.
func isMemberOfBody(p harness.Path) bool { return len(p) > 2 && p[len(p)-1].Kind == harness.StepName }

// isRepeatedMember reports whether the path leads to one of several members of a name in an object, not to an element of
// an array.
func (s *state) isRepeatedMember(d *harness.Difference) bool {
	x := s.before.byID[d.Exchange]
	if d.Class == harness.Added {
		x, _ = s.partner(d.Exchange)
	}
	r := s.read(x)
	doc, err := r.doc(d.Path[0].Name)
	if s.note(err); err != nil || doc.Format != "json" {
		return false
	}
	same := membersNamed(doc.Root().At(d.Path[2:len(d.Path)-2]), d.Path[len(d.Path)-2].Name)
	return len(same) > 1 && same[0].IsScalar()
}
