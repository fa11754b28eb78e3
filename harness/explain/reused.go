package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// traits are the words in the names of fields that tell people apart, by what they are about.
var traits = []struct {
	about string
	words []string
}{
	{"birth", []string{"birth", "born", "dob", "birthdate", "birthday", "bday"}},
	{"last", []string{"last", "family", "surname", "lastname"}},
	{"first", []string{"first", "given", "forename", "firstname", "pref"}},
	{"name", []string{"name", "displayname", "fullname"}},
	{"contact", []string{"email", "mail", "phone", "mobile", "street", "address", "zip", "city"}},
	{"other", []string{"sex", "gender", "ssn", "citizenship"}},
}

// traitOf says what the field tells about a person; it is empty for other fields.
func traitOf(name string) string {
	words := wordsOfName(name)
	for _, t := range traits {
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(t.words, w) }) {
			return t.about
		}
	}
	return ""
}

// maxReused is the share of records in which an identifier can be another person's: more is another format, not people.
const maxReused = 0.2

// detectReused claims identifiers that stand for another person now: the record has the same key and another birth date
// and name.
func detectReused(s *state) {
	type person struct {
		exchange, record string
	}
	fields, changed := map[person][]int{}, map[string]bool{}
	var order []person
	for i := range s.open {
		if d := s.at(i); d.Class == harness.Changed || d.Class == harness.Retyped {
			changed[d.Exchange+" "+d.Path.String()] = true
		}
	}
	for _, i := range s.unclaimed(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && d.Was.Kind == harness.KindString && traitOf(d.Path.Leaf()) != "" && isOther(d.Was.Text, d.Is.Text)
	}) {
		p := person{s.at(i).Exchange, recordPath(s.at(i).Path)}
		if fields[p] == nil {
			order = append(order, p)
		}
		fields[p] = append(fields[p], i)
	}
	bySlot := map[slot][]int{}
	people := map[slot]int{}
	var slots []slot
	for _, p := range order {
		list := fields[p]
		if k := slotOf(s.at(list[0])); s.isOtherPerson(list) && s.keepsID(list[0], changed) {
			if bySlot[k] == nil {
				slots = append(slots, k)
			}
			bySlot[k] = append(bySlot[k], list...)
			people[k]++
		}
	}
	s.claimReused(slots, bySlot, people)
}

// recordPath is the path of the record that the field lies in: up to the innermost element, or the whole body.
func recordPath(p harness.Path) string {
	for i := len(p) - 1; i > 1; i-- {
		if p[i].Kind != harness.StepName {
			return p[:i+1].String()
		}
	}
	return p[:2].String()
}

// isOther reports whether a text is another one, not the old one in another writing: its letters and digits differ, in
// whatever order they stand.
func isOther(was, is string) bool { return is != "" && was != "" && letters(was) != letters(is) }

// letters is the letters and digits of a text, in lower case, sorted.
func letters(text string) string {
	runes := []rune(foldedLetters(text))
	slices.Sort(runes)
	return string(runes)
}

func foldedLetters(text string) string {
	return strings.Join(wordsOfName(strings.ToLower(text)), "")
}

// isOtherPerson reports whether birth date and name changed together, or both names.
func (s *state) isOtherPerson(list []int) bool {
	changed := map[string]bool{}
	for _, i := range list {
		changed[traitOf(s.at(i).Path.Leaf())] = true
	}
	return changed["birth"] && (changed["last"] || changed["first"] || changed["name"]) || changed["last"] && changed["first"] && changed["contact"]
}

// keepsID reports whether the record has a field that identifies it and did not change.
func (s *state) keepsID(i int, changed map[string]bool) bool {
	d := s.at(i)
	if len(keysOf(d.Path)) > 0 {
		return true
	}
	r := s.read(s.before.byID[d.Exchange])
	doc, err := r.doc(d.Path[0].Name)
	if s.note(err); err != nil {
		return false
	}
	for at := len(d.Path) - 1; at >= 2; at-- {
		for _, f := range fieldsOf(doc.Root().At(d.Path[2:at])) {
			place := d.Exchange + " " + d.Path[:at].Child(harness.Name(f.Name)).String()
			if idRank(f.Name) >= 0 && traitOf(f.Name) == "" && !changed[place] {
				return true
			}
		}
	}
	return false
}

func (s *state) claimReused(slots []slot, bySlot map[slot][]int, people map[slot]int) {
	var own []int
	var f harness.Finding
	for _, k := range slots {
		d := s.at(bySlot[k][0])
		of := s.population(d)
		if n := people[k]; n > 1 && float64(n) > maxReused*float64(of) {
			continue
		}
		list := s.take(bySlot[k])
		if len(own) == 0 {
			f = s.sized(list)
			f.Count, f.Of, f.Hit = people[k], of, s.hits(list)
			f.Sentence = fmt.Sprintf("The same identifier stands for another person in %s from %s: %s changed together (%d of %s).",
				d.Operation, s.side(answerer(d)), s.fieldsIn(list), people[k], count(of, unitOf(d)))
		} else {
			f.Effects = append(f.Effects, fmt.Sprintf("The same in %s to %s: %s changed together (%d of %s).", d.Operation, s.side(receiver(d)), s.fieldsIn(list), people[k], count(of, unitOf(d))))
			f.Target = append(f.Target, s.place(receiver(d), d))
		}
		own = append(own, list...)
	}
	if len(own) == 0 {
		return
	}
	f.Effects = append(f.Effects, "Privacy: receivers that know the identifier show the new person the data of the old one.")
	f.NextStep = "Ask who owns the identifiers whether one was given out again; stop the feed for these records until the receivers have a new account."
	s.claimWithEffects(f, own)
}

// fieldsIn names the fields of the differences.
func (s *state) fieldsIn(changes []int) string {
	var names []string
	for _, i := range changes {
		if name := fieldName(s.at(i)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return listSome(names, 6)
}
