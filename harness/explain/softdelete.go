package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// endings are the words by which a state says that a record is over, by what kind of end it is.
var endings = map[string]string{
	"deleted": "deleted", "delete": "deleted", "removed": "deleted", "dropped": "deleted", "cancelled": "deleted", "canceled": "deleted", "withdrawn": "deleted",
	"terminated": "inactive", "inactive": "inactive", "disabled": "inactive", "suspended": "inactive", "deactivated": "inactive", "closed": "inactive", "archived": "inactive",
}

// flags are the names of members that say by true that a record is over.
var flags = []string{"deleted", "isdeleted", "removed", "isremoved", "inactive", "isinactive", "disabled", "isdisabled", "tombstone", "archived"}

// endOf says what kind of end a field speaks of, empty when of none.
func endOf(name, value string) string {
	plain, text := foldedLetters(name), strings.ToLower(value)
	isTrue, isFalse := text == "true" || text == "1" || text == "y" || text == "yes", text == "false" || text == "0" || text == "n" || text == "no"
	switch {
	case slices.Contains(flags, plain) && isTrue:
		return "deleted"
	case slices.Contains(switches, plain) && isFalse:
		return "inactive"
	case strings.HasSuffix(plain, "status") || strings.HasSuffix(plain, "state") || slices.Contains(switches, plain):
		return endings[text]
	}
	return ""
}

// endOfRecord is the field by which a record says that it is over.
func endOfRecord(fields []harness.Field) (name, value string, ok bool) {
	for _, f := range fields {
		if endOf(f.Name, f.Value) != "" {
			return f.Name, f.Value, true
		}
	}
	return "", "", false
}

// detectSoftDelete claims records that are over and are said in another way: absent before and there with a state that
// says so, or the reverse; and states of ending that took each other's place.
func detectSoftDelete(s *state) {
	for _, class := range []harness.ChangeClass{harness.Removed, harness.Added} {
		s.claimAbsence(class)
	}
	for _, g := range s.groups(func(d *harness.Difference) bool {
		was, is := endOf(d.Path.Leaf(), d.Was.Text), endOf(d.Path.Leaf(), d.Is.Text)
		return d.Class == harness.Changed && isField(d) && inBody(d) && was != "" && is != "" && was != is
	}) {
		list := s.take(g.list)
		if len(list) == 0 {
			continue
		}
		d := s.at(list[0])
		f := s.sized(list)
		f.Hit = s.hits(list)
		f.Sentence = fmt.Sprintf("%q in %s from %s ends records in another way: %s instead of %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), textOf(d.Is), textOf(d.Was), s.share(list))
		f.Effects = []string{"An inactive record keeps its account and its data; a deleted one is taken out."}
		s.finishSoftDelete(f, list)
	}
}

// claimAbsence claims records of a class that say that they are over. What follows from a record that came in is joined
// with it: where the input has no such state of its own, the output tells.
func (s *state) claimAbsence(class harness.ChangeClass) {
	ended := func(i int) bool {
		_, _, ok := endOfRecord(slices.Concat(s.at(i).Was.Fields, s.at(i).Is.Fields))
		return ok
	}
	sent := slices.DeleteFunc(s.unclaimed(func(d *harness.Difference) bool { return isRecord(d) && d.Class == class && s.downstream(d) }), func(i int) bool { return !ended(i) })
	isSent, follows := map[int]bool{}, map[int]bool{}
	for _, j := range sent {
		isSent[j] = true
	}
	var causes, follow []int
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return isRecord(d) && d.Class == class && !s.downstream(d) }) {
		d := s.at(i)
		mine := s.output().of(d.Session, keysOf(d.Path))
		mine = slices.DeleteFunc(slices.Clone(mine), func(j int) bool { return !isSent[j] })
		if len(mine) > 0 || ended(i) {
			causes, follow = append(causes, i), append(follow, mine...)
		}
	}
	for _, j := range follow {
		follows[j] = true
	}
	alone := slices.DeleteFunc(sent, func(j int) bool { return follows[j] })
	for _, g := range slices.DeleteFunc(append(s.grouped(causes), s.grouped(alone)...), func(g group) bool { return s.endsElsewhere(g.list[0]) }) {
		g.list = s.take(g.list)
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Hit = s.hits(g.list)
		own := g.list
		state := s.stateOf(g.list, follow)
		f.Sentence = fmt.Sprintf("%s of %s from %s %s there with %s now: records that are over were left out before.", count(len(own), unitOf(d)), d.Operation, s.side(answerer(d)), isOrAre(len(own)), state)
		f.Effects = []string{"A receiver that looks at the rows alone takes ended records for live ones."}
		if class == harness.Removed {
			f.Sentence = fmt.Sprintf("%s of %s from %s %s left out now: records that are over came with %s before (%s).", count(len(own), unitOf(d)), d.Operation, s.side(answerer(d)), isOrAre(len(own)), state, s.share(own))
			f.Effects = []string{"A receiver that waits for the state to end a record keeps it; one that takes absence for an end cannot tell it from a lost row."}
		}
		if !s.downstream(d) {
			c := s.lostWith(own, func(o *harness.Difference) bool { return isRecord(o) && o.Class == class })
			c.addTo(&f)
			own = append(own, c.list...)
		}
		s.finishSoftDelete(f, own)
	}
}

// endsElsewhere reports whether the side that lacks the record has others that are over: then they are not left out there.
func (s *state) endsElsewhere(i int) bool {
	d := s.at(i)
	t := s.tablesOf(d)
	rows := t.is
	if d.Class == harness.Added {
		rows = t.was
	}
	for row := range rows.all {
		if _, _, over := endOfRecord(fieldsOf(row)); over {
			return true
		}
	}
	return false
}

// stateOf is the states by which the records say that they are over, or those of the outputs that follow from them.
func (s *state) stateOf(records, follow []int) string {
	states := setOf(nil)
	for _, i := range slices.Concat(records, follow) {
		if name, value, ok := endOfRecord(slices.Concat(s.at(i).Was.Fields, s.at(i).Is.Fields)); ok {
			states.add(name + " " + value)
		}
	}
	return listSome(states.sorted(len(states.counts)), maxSamples)
}

func (s *state) finishSoftDelete(f harness.Finding, own []int) {
	f.NextStep = "Agree on one way to say that a record is over, and test it at each receiver with a record that ends."
	s.claimWithEffects(f, own)
}
