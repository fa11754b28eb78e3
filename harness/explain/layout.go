package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// sheet is a table of an operation whose columns have other names now.
type sheet struct {
	slot    slot
	half    string
	was, is []string         // the headers
	renames []columnRename   // each column at most once
	columns map[string][]int // class and column → its open differences
	records []int            // open differences that are whole records
}

// columnRename is a column of the old header that is one of the new header by its values.
type columnRename struct {
	was, is string
	share   float64 // of the values that both have in common
	alike   int     // words that the two names have in common
	apart   int     // how far it moved within the header
	strong  bool    // believed by itself; otherwise only where another table has the same pair of names
}

// detectLayout claims columns that are named otherwise where that is more than one column of one aligned table: the same
// pair of names in several tables is one cause, and so are names that changed together and left no record aligned.
func detectLayout(s *state) {
	sheets := s.sheets()
	for _, t := range sheets {
		s.matchColumns(t)
	}
	proven := map[[2]string]bool{}
	for _, t := range sheets {
		for _, r := range t.renames {
			proven[[2]string{r.was, r.is}] = proven[[2]string{r.was, r.is}] || r.strong
		}
	}
	var aligned []*sheet
	unaligned := map[string][]int{}
	var order []string
	for _, t := range sheets {
		t.renames = slices.DeleteFunc(t.renames, func(r columnRename) bool { return !proven[[2]string{r.was, r.is}] })
		list := s.sameUnderNewNames(t)
		if list == nil {
			aligned = append(aligned, t)
			continue
		}
		names := t.slot.from + "\x00" + t.slot.to + "\x00" + t.newNames()
		if unaligned[names] == nil {
			order = append(order, names)
		}
		unaligned[names] = append(unaligned[names], list...)
	}
	for _, names := range order {
		s.claimOtherNames(names[strings.LastIndexByte(names, 0)+1:], unaligned[names])
	}
	s.claimAligned(aligned)
}

// sheets gathers the tables that lost columns and got others, in order of appearance.
func (s *state) sheets() []*sheet {
	type key struct {
		slot slot
		half string
	}
	var all []*sheet
	at := map[key]*sheet{}
	for _, i := range s.unclaimed(inRootTable) {
		d := s.at(i)
		k := key{slotOf(d), d.Path[0].Name}
		t := at[k]
		if t == nil {
			t = &sheet{slot: k.slot, half: k.half, columns: map[string][]int{}}
			at[k] = t
			all = append(all, t)
		}
		if isRecord(d) {
			t.records = append(t.records, i)
		} else if len(d.Pattern) == 4 {
			name := string(d.Class) + " " + d.Pattern[3].Name
			t.columns[name] = append(t.columns[name], i)
		}
	}
	return slices.DeleteFunc(all, func(t *sheet) bool {
		var err error
		t.was, err = s.before.columns(t.slot, t.half)
		s.note(err)
		t.is, err = s.after.columns(t.slot, t.half)
		s.note(err)
		gone, came := onlyIn(t.was, t.is), onlyIn(t.is, t.was)
		return len(gone) == 0 || len(came) == 0 || len(gone) > maxSiblings || len(came) > maxSiblings
	})
}

// inRootTable reports whether the difference lies in a body that is a list of records.
func inRootTable(d *harness.Difference) bool {
	return len(d.Pattern) > 2 && d.Pattern[1].Name == "body" && d.Pattern[2].Kind == harness.StepEach
}

// onlyIn is the names of the first list that the other one lacks.
func onlyIn(names, other []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(other, n) })
}

// matchColumns pairs the columns that are gone with those that came, by their values; the best pairs first.
func (s *state) matchColumns(t *sheet) {
	gone, came := onlyIn(t.was, t.is), onlyIn(t.is, t.was)
	inPlace := len(t.was) == len(t.is) && !slices.ContainsFunc(gone, func(name string) bool {
		return slices.Contains(t.was, t.is[slices.Index(t.was, name)])
	})
	s.note(s.before.load(t.slot, t.patterns(gone)))
	s.note(s.after.load(t.slot, t.patterns(came)))
	if s.err != nil {
		return
	}
	var all []columnRename
	for _, old := range gone {
		for _, name := range came {
			r := columnRename{was: old, is: name, alike: commonWords(old, name), apart: distance(slices.Index(t.was, old), slices.Index(t.is, name))}
			if r.weigh(s.before.set(t.slot, t.pattern(old)), s.after.set(t.slot, t.pattern(name)), inPlace && r.apart == 0); r.share >= minOverlap {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b columnRename) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.apart, b.apart), cmp.Compare(b.alike, a.alike))
	})
	taken := map[string]bool{}
	for _, r := range all {
		if !taken["-"+r.was] && !taken["+"+r.is] {
			taken["-"+r.was], taken["+"+r.is] = true, true
			t.renames = append(t.renames, r)
		}
	}
	slices.SortFunc(t.renames, func(a, b columnRename) int {
		return cmp.Compare(slices.Index(t.was, a.was), slices.Index(t.was, b.was))
	})
}

func distance(a, b int) int { return max(a-b, b-a) }

// filledValues counts the different values that are not empty.
func filledValues(set *valueSet) int {
	n := len(set.counts)
	if set.counts[""] > 0 {
		n--
	}
	return n
}

// weigh says how much two columns have in common. Where rows were lost, the values that are left must be those of
// before; that counts with many values or a likeness of the names only. A column that stands where the old one stood,
// in a header that is otherwise the same, needs no more than the same values.
func (r *columnRename) weigh(old, now *valueSet, samePlace bool) {
	const many = 10
	common, distinct := 0, 0
	for text, n := range old.counts {
		if m := min(n, now.counts[text]); m > 0 && text != "" {
			common += m
			distinct++
		}
	}
	was, is := old.total-old.counts[""], now.total-now.counts[""]
	if common == 0 || old.counts[""] > 0 && now.counts[""] == 0 {
		return
	}
	if r.share = float64(common) / float64(max(was, is)); r.share < minOverlap && (distinct >= many || r.alike > 0) {
		r.share = float64(common) / float64(min(was, is))
	}
	if r.share < minOverlap && r.alike > 1 { // names that share two words need the same values only, however often
		r.share = float64(distinct) / float64(min(filledValues(old), filledValues(now)))
	}
	r.strong = distinct >= 3 || r.alike > 0 || samePlace
}

func (t *sheet) pattern(column string) harness.Path {
	return harness.PathOf(harness.Name(t.half), harness.Name("body"), harness.Each(), harness.Name(column))
}

func (t *sheet) patterns(columns []string) []harness.Path {
	var list []harness.Path
	for _, c := range columns {
		list = append(list, t.pattern(c))
	}
	return list
}

// places is the open differences of both columns of a rename.
func (t *sheet) places(r columnRename) (gone, came []int) {
	return t.columns[string(harness.Removed)+" "+r.was], t.columns[string(harness.Added)+" "+r.is]
}

// sameUnderNewNames takes the records of a table that look gone and new because the columns that tell them apart have
// other names: under the new names they are the same. Nothing is taken where records were aligned.
func (s *state) sameUnderNewNames(t *sheet) []int {
	if len(t.renames) == 0 || len(t.records) < 2 {
		return nil
	}
	old, now := map[string]string{}, map[string]bool{}
	for _, name := range t.was {
		old[name] = name
	}
	for _, r := range t.renames {
		if gone, _ := t.places(r); len(gone) > 0 {
			return nil
		}
		old[r.was] = r.is
	}
	for _, name := range old {
		now[name] = slices.Contains(t.is, name)
	}
	came := map[string][]int{}
	for _, i := range t.records {
		if d := s.at(i); d.Class == harness.Added {
			row := rowText(d.Is.Fields, func(name string) string { return name }, now)
			came[row] = append(came[row], i)
		}
	}
	var list []int
	for _, i := range t.records {
		d := s.at(i)
		if d.Class != harness.Removed {
			continue
		}
		row := rowText(d.Was.Fields, func(name string) string { return old[name] }, now)
		if others := came[row]; len(others) > 0 {
			list = append(list, i, others[0])
			came[row] = others[1:]
		}
	}
	return s.take(list)
}

// newNames writes the renames for people.
func (t *sheet) newNames() string {
	var names []string
	for _, r := range t.renames {
		names = append(names, fmt.Sprintf("%q → %q", r.was, r.is))
	}
	return listSome(names, 6)
}

// rowText is the values of a record below the names that both sides have.
func rowText(fields []harness.Field, renamed func(string) string, known map[string]bool) string {
	var parts []string
	for _, f := range fields {
		if name := renamed(f.Name); known[name] {
			parts = append(parts, name+"\x00"+f.Value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x01")
}
