package explain

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/severity"
)

// detectAdded claims fields that came. What the target reads by name is harmless on the way in; what the target sends
// must be known to the receiver.
func detectAdded(s *state) {
	added := s.groups(func(d *harness.Difference) bool { return d.Class == harness.Added && isField(d) })
	for _, places := range s.byField(added, func(d *harness.Difference) string { return string(d.Is.Kind) }) {
		g := places[0]
		d := s.at(g.list[0])
		f := s.sized(g.list)
		f.Sentence = fmt.Sprintf("%q was added to %s of %s (%s).", fieldName(d), d.Operation, s.side(answerer(d)), s.share(g.list))
		moves, last := s.movesColumns(d)
		switch {
		case s.downstream(d):
			f.NextStep = fmt.Sprintf("Ask %s whether it accepts the field.", s.side(receiver(d)))
		case moves:
			f.Verdict = harness.Breaking // seen: columns moved
			f.Effects = []string{"The integration reads this table by position: every column behind the new one moves."}
			f.NextStep = "Move the reader to names, or ask for the old layout."
		case last:
			s.level(&f, g.list, func(c *severity.Change) { c.ByPosition = true })
			f.Effects = []string{"The integration reads this table by position; the new column is the last one, so that no other moves."}
			f.NextStep = "Check that the reader accepts longer rows, or move it to names."
		default:
			f.Effects = []string{"The integration reads fields by name and does not know this one."}
			f.NextStep = "Nothing to do. Decide whether the new field is of use."
		}
		f.Effects = append(f.Effects, s.alsoIn(places[1:])...)
		f.Proof, f.Cause = s.presenceCause("added", fmt.Sprintf("%q came", fieldName(d)), places)
		s.claim(f, indexesOf(places))
	}
}

// movesColumns says what a column that came or went means for a reader by position: whether columns that are on both
// sides stand behind it, or whether it is the last one. Both are false when nobody reads by position.
func (s *state) movesColumns(d *harness.Difference) (moves, last bool) {
	if s.Integration.Reads != "position" || d.Path[1].Name != "body" || s.downstream(d) {
		return false, false
	}
	was, err := s.before.columns(slotOf(d), d.Path[0].Name)
	s.note(err)
	is, err := s.after.columns(slotOf(d), d.Path[0].Name)
	s.note(err)
	mine, other := is, was
	if d.Class == harness.Removed {
		mine, other = was, is
	}
	at := slices.Index(mine, d.Path.Leaf())
	if at < 0 || len(other) == 0 {
		return false, false
	}
	moves = slices.ContainsFunc(mine[at+1:], func(name string) bool { return slices.Contains(other, name) })
	return moves, !moves
}

// addQuietEffects says of each harmless addition that nothing followed from it, when that is so: no unexplained
// difference lies in what the target hands on.
func (s *state) addQuietEffects() {
	for _, f := range s.findings {
		if f.Kind == "F00" && slices.ContainsFunc(f.Differences, func(d harness.Difference) bool { return s.downstream(&d) }) {
			return
		}
	}
	for i := range s.findings {
		if f := &s.findings[i]; f.Kind == "F13" && f.Verdict == harness.Benign {
			f.Effects = append(f.Effects, "No effect on the output: every difference there has another cause.")
		}
	}
}

// detectRemoved claims fields that are gone, and fields that are emptied.
func detectRemoved(s *state) {
	gone := func(d *harness.Difference) bool {
		return isField(d) && (d.Class == harness.Removed || isEmpty(d.Is) && !isEmpty(d.Was) && !d.Was.IsAbsent())
	}
	for _, places := range s.byField(s.groups(gone), func(d *harness.Difference) string { return inWords(d.Is) }) {
		places = s.takePlaces(places) // an earlier cause may have brought some along
		if len(places) == 0 {
			continue
		}
		list := places[0].list
		d := s.at(list[0])
		verb := "is gone from"
		if d.Class != harness.Removed {
			verb = "is " + inWords(d.Is) + " now in"
		}
		f := s.sized(list)
		f.Hit = s.hits(list)
		f.Sentence = fmt.Sprintf("%q %s %s of %s (%s).", fieldName(d), verb, d.Operation, s.side(answerer(d)), s.share(list))
		f.NextStep = "Find out who reads the field; ask for it back or take it out of the mapping."
		if moves, _ := s.movesColumns(d); moves && d.Class == harness.Removed {
			f.Verdict = harness.Breaking
			f.Effects = []string{"The integration reads this table by position: every column behind the lost one moves."}
		}
		if d.Class == harness.Removed {
			f.Proof, f.Cause = s.presenceCause("removed", fmt.Sprintf("%q is gone", fieldName(d)), places)
		}
		f.Effects, list = append(f.Effects, s.alsoIn(places[1:])...), indexesOf(places)
		c := s.consequences(list)
		if c.harm {
			f.Verdict = harness.Breaking
		}
		c.addTo(&f)
		s.claim(f, append(list, c.list...))
	}
}

func isEmpty(v harness.Value) bool {
	return v.Kind == harness.KindNull || v.Kind == harness.KindString && v.Text == ""
}

// detectRetyped claims values of another type. Null is no type: a value that came in its place is none of these.
func detectRetyped(s *state) {
	var retyped []group
	for _, g := range s.groups(func(d *harness.Difference) bool {
		return d.Class == harness.Retyped && isPlace(d) && d.Was.Kind != harness.KindNull
	}) {
		for _, list := range s.byTypes(g.list) {
			retyped = append(retyped, group{g.slot, list})
		}
	}
	for _, places := range s.byField(retyped, func(d *harness.Difference) string { return string(d.Was.Kind + d.Is.Kind) }) {
		if places = s.takePlaces(places); len(places) > 0 {
			s.claimRetyped(places)
		}
	}
}

func (s *state) claimRetyped(places []group) {
	list := places[0].list
	d := s.at(list[0])
	f := s.sized(list)
	f.Sentence = fmt.Sprintf("%q in %s from %s is now %s instead of %s (%s).",
		fieldName(d), d.Operation, s.side(answerer(d)), kindWord(d.Is), kindWord(d.Was), s.share(list))
	f.NextStep = "Convert the type in the mapping, or ask for the old one; readers with strict types refuse it."
	f.Effects, list = append(typeEffects(d), s.alsoIn(places[1:])...), indexesOf(places)
	f.Hit = s.hits(list)
	s.claimWithEffects(f, list)
}

// effectsOfTypes is what a change of type does to readers, by the two types; %s is the new value.
var effectsOfTypes = []struct {
	was, is harness.ValueKind // empty: any
	effect  string
}{
	{harness.KindBool, harness.KindString, "The text %q counts as true in many languages: a switch-off may be ignored."},
	{harness.KindBool, harness.KindNumber, "A reader that wants true or false refuses the number %s, or takes it for true."},
	{harness.KindString, harness.KindNumber, "A number such as %s cannot keep leading zeros, and long ones lose digits in some readers."},
	{harness.KindNumber, harness.KindString, "Texts such as %q sort and add up as texts, not as numbers."},
	{"", harness.KindArray, "Converters from XML make a list of what occurs more than once: %s."},
	{harness.KindArray, "", "Converters from XML make a single value of a list with one element: %s."},
}

func typeEffects(d *harness.Difference) []string {
	for _, e := range effectsOfTypes {
		if (e.was == "" || e.was == d.Was.Kind) && (e.is == "" || e.is == d.Is.Kind) {
			return []string{fmt.Sprintf(e.effect, short(d.Is.Text))}
		}
	}
	return nil
}

var kindWords = map[harness.ValueKind]string{
	harness.KindNull: "null", harness.KindBool: "true or false", harness.KindNumber: "a number", harness.KindString: "text",
	harness.KindArray: "a list", harness.KindObject: "an object", harness.KindBytes: "binary data",
}

func kindWord(v harness.Value) string { return kindWords[v.Kind] }
