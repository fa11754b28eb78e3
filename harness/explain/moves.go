package explain

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/infer"
)

// move is one identifier that took the place of another: in a record that is gone and one that came, which are alike in
// everything else, or in a field of a record that stayed.
type move struct {
	slot    slot
	field   harness.Path // pattern of the identifying field
	was, is string
	list    []int
	alone   bool // no other record of the baseline was like it, so that the rest tells it apart
}

// maxAlike is how many records that are alike but for their identifiers are compared all with all.
const maxAlike = 200

// tableKey is one table in the exchanges of one session.
type tableKey struct {
	slot    slot
	session string
	table   string
}

// goneAndCame is the records of one table that are on one side only.
type goneAndCame struct{ gone, came []int }

// strangers is the records that are on one side only, by table, in order of first appearance.
func (s *state) strangers() (order []tableKey, tables map[tableKey]*goneAndCame) {
	tables = map[tableKey]*goneAndCame{}
	for _, i := range s.unclaimed(isRecord) {
		d := s.at(i)
		k := tableKey{slotOf(d), d.Session, tableOf(d.Pattern).String()}
		if tables[k] == nil {
			tables[k] = &goneAndCame{}
			order = append(order, k)
		}
		if d.Class == harness.Removed {
			tables[k].gone = append(tables[k].gone, i)
		} else {
			tables[k].came = append(tables[k].came, i)
		}
	}
	return order, tables
}

// moves finds the identifiers that took the place of others in records that are on one side only. Of the identifying
// fields of a table the one counts that explains most records.
func (s *state) moves() []move {
	var all []move
	order, tables := s.strangers()
	for _, k := range order {
		t := tables[k]
		if len(t.gone) == 0 || len(t.came) == 0 {
			continue
		}
		var best []move
		for _, name := range s.identifying(t.gone[0]) {
			if found := s.movesOf(t, name); len(found) > len(best) {
				best = found
			}
		}
		all = append(all, best...)
	}
	return all
}

// identifying is the names of the fields that can identify a record: those of its key, else those that sound like it.
func (s *state) identifying(i int) []string {
	var names []string
	for _, k := range keysOf(s.at(i).Path) {
		names = append(names, k.Name)
	}
	if len(names) > 0 {
		return names
	}
	for _, f := range s.at(i).Was.Fields {
		if idRank(f.Name) >= 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

// movesOf pairs the records of a table that differ in one field only.
func (s *state) movesOf(t *goneAndCame, name string) []move {
	came := map[string][]int{}
	for _, j := range t.came {
		rest := joined(s.at(j).Is.Fields, name)
		came[rest] = append(came[rest], j)
	}
	alike := map[string]int{}
	for _, i := range t.gone {
		alike[joined(s.at(i).Was.Fields, name)]++
	}
	var found []move
	for _, i := range t.gone {
		d := s.at(i)
		rest := joined(d.Was.Fields, name)
		was, ok := d.Was.Field(name)
		if !ok || len(came[rest]) == 0 || len(came[rest]) > maxAlike {
			continue
		}
		at := slices.IndexFunc(came[rest], func(j int) bool {
			is, ok := s.at(j).Is.Field(name)
			return ok && is != was && isID(was) && isID(is)
		})
		if at < 0 {
			continue
		}
		j := came[rest][at]
		is, _ := s.at(j).Is.Field(name)
		alone := alike[rest] == 1 && len(came[rest]) == 1
		came[rest] = slices.Delete(slices.Clone(came[rest]), at, at+1)
		found = append(found, move{slotOf(d), d.Pattern.Child(harness.Name(name)), was, is, []int{i, j}, alone && rest != ""})
	}
	return found
}

// isID reports whether the text can identify something: it is not empty and no stand-in for nothing.
func isID(text string) bool {
	return infer.Nothing(harness.Value{Kind: harness.KindString, Text: text}) == ""
}

// changedIDs is the moves within records that stayed: fields that sound like identifiers and hold another one now.
func (s *state) changedIDs() []move {
	var all []move
	for _, i := range s.unclaimed(func(d *harness.Difference) bool {
		return d.Class == harness.Changed && isField(d) && inBody(d) && idRank(d.Path.Leaf()) >= 0 && isID(d.Was.Text) && isID(d.Is.Text)
	}) {
		d := s.at(i)
		all = append(all, move{slotOf(d), d.Pattern, d.Was.Text, d.Is.Text, []int{i}, true})
	}
	return all
}

// holds reports whether the text stands at the place of the moves on that side.
func (s *state) holds(ix *index, m move, text string) bool {
	s.note(ix.load(m.slot, []harness.Path{m.field}))
	return s.err == nil && ix.set(m.slot, m.field).counts[text] > 0
}
