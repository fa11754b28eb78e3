package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// fileTable is a file without a partner, column by column.
type fileTable struct {
	call     int // its difference
	exchange harness.Exchange
	names    []string
	columns  map[string][]string // the values of all rows
	rows     int
}

// Limits for comparing the columns of files that have no partner.
const (
	maxFileTables = 60  // on one side
	maxColumns    = 200 // of one file
)

// fileTables reads the files of a class that are tables.
func (s *state) fileTables(class harness.ChangeClass) []*fileTable {
	index := s.before
	if class == harness.ExtraCall {
		index = s.after
	}
	var all []*fileTable
	for _, i := range s.unclaimed(func(d *harness.Difference) bool { return d.Channel == harness.ChannelFile && d.Class == class }) {
		if len(all) == maxFileTables {
			break
		}
		t := &fileTable{call: i, exchange: index.byID[s.at(i).Exchange], columns: map[string][]string{}}
		rows := s.rowsAt(t.exchange, harness.PathOf(harness.Name("request"), harness.Name("body")))
		if t.fill(rows) {
			all = append(all, t)
		}
	}
	return all
}

func (t *fileTable) fill(rows rows) bool {
	if rows.n == 0 || rows.first().Kind() != harness.KindObject {
		return false
	}
	t.names = namesOf(rows.first())
	if len(t.names) > maxColumns {
		return false
	}
	t.rows = rows.n
	n := 0
	for row := range rows.all {
		for _, f := range fieldsOf(row) {
			if len(t.columns[f.Name]) == n {
				t.columns[f.Name] = append(t.columns[f.Name], f.Value)
			}
		}
		for _, name := range t.names {
			if len(t.columns[name]) == n {
				t.columns[name] = append(t.columns[name], "") // a row that is too short
			}
		}
		n++
	}
	return true
}

// layoutMatch is the evidence that a file carries the records of another one.
type layoutMatch struct {
	a, b    *fileTable
	key     [2]string   // the columns that the records were joined by
	columns [][2]string // further columns that hold the same values
	joined  int         // records of a that are in b
}

// matchLayouts joins the records of two files by columns that identify them, or, where there are none, by all columns
// that hold the same values. At least half of the records of the smaller one must be in both, and a second column must agree: numbers that
// count from 1 agree by chance.
func matchLayouts(a, b *fileTable) (layoutMatch, bool) {
	const enough = 3
	best := layoutMatch{a: a, b: b}
	for _, x := range a.names {
		rows, unique := a.byValue(x)
		if !unique {
			continue
		}
		for _, y := range b.names {
			others, unique := b.byValue(y)
			if !unique {
				continue
			}
			var pairs [][2]int
			for v, i := range rows {
				if j, ok := others[v]; ok {
					pairs = append(pairs, [2]int{i, j})
				}
			}
			if len(pairs) < enough || 2*len(pairs) < min(a.rows, b.rows) {
				continue
			}
			m := layoutMatch{a: a, b: b, key: [2]string{x, y}, joined: len(pairs)}
			m.addColumns(pairs)
			if len(m.columns) > 0 && (cmp.Or(cmp.Compare(m.joined, best.joined), cmp.Compare(len(m.columns), len(best.columns)))) > 0 {
				best = m
			}
		}
	}
	if best.joined == 0 {
		best = matchRows(a, b)
	}
	return best, best.joined >= enough && 2*best.joined >= min(a.rows, b.rows)
}

// again joins a further file by the columns of the match: those that both files have must agree, two at least.
func (m layoutMatch) again(a *fileTable) (layoutMatch, bool) {
	if m.key[0] == "" || a.columns[m.key[0]] == nil {
		return m, false
	}
	out := layoutMatch{a: a, b: m.b, key: m.key}
	for _, c := range m.columns {
		if a.columns[c[0]] != nil {
			out.columns = append(out.columns, c)
		}
	}
	rows, unique := m.b.byValue(m.key[1])
	for i, v := range a.columns[m.key[0]] {
		j, found := rows[v]
		for _, c := range out.columns {
			found = found && strings.EqualFold(a.columns[c[0]][i], m.b.columns[c[1]][j])
		}
		if found {
			out.joined++
		}
	}
	return out, unique && len(out.columns) >= 2 && out.joined > 0 && 2*out.joined >= a.rows
}

// byValue finds the rows by the value of a column, and whether it identifies them: no value is empty or there twice.
func (t *fileTable) byValue(column string) (map[string]int, bool) {
	rows := make(map[string]int, t.rows)
	for i, v := range t.columns[column] {
		if _, twice := rows[v]; twice || v == "" {
			return nil, false
		}
		rows[v] = i
	}
	return rows, len(rows) > 0
}

// addColumns pairs the columns that agree in the joined records, in the order of the old file.
func (m *layoutMatch) addColumns(pairs [][2]int) {
	taken := map[string]bool{m.key[1]: true}
	for _, x := range m.a.names {
		if x == m.key[0] {
			continue
		}
		found, likeness := "", -1
		for _, y := range m.b.names {
			if !taken[y] && agree(m.a.columns[x], m.b.columns[y], pairs) && commonWords(x, y) > likeness {
				found, likeness = y, commonWords(x, y)
			}
		}
		if found != "" {
			taken[found] = true
			m.columns = append(m.columns, [2]string{x, found})
		}
	}
}

// agree reports whether two columns hold the same values in the joined records, letter case aside, and more than two
// different ones.
func agree(was, is []string, pairs [][2]int) bool {
	same, filled := 0, 0
	distinct := map[string]bool{}
	for _, p := range pairs {
		v := was[p[0]]
		if v == "" {
			continue
		}
		filled++
		if strings.EqualFold(v, is[p[1]]) {
			same++
			distinct[v] = true
		}
	}
	return len(distinct) > 2 && float64(same) >= minOverlap*float64(filled)
}

// matchRows joins the records by at least two columns whose values are all in a column of the other file.
func matchRows(a, b *fileTable) layoutMatch {
	m := layoutMatch{a: a, b: b}
	taken := map[string]bool{}
	for _, x := range a.names {
		for _, y := range b.names {
			if !taken[y] && holdsAll(b.columns[y], a.columns[x]) {
				taken[y] = true
				m.columns = append(m.columns, [2]string{x, y})
				break
			}
		}
	}
	if len(m.columns) < 2 {
		return m
	}
	rows := map[string]int{}
	row := func(t *fileTable, side, i int) string {
		var parts []string
		for _, c := range m.columns {
			parts = append(parts, t.columns[c[side]][i])
		}
		return strings.Join(parts, "\x00")
	}
	for i := range b.rows {
		rows[row(b, 1, i)]++
	}
	for i := range a.rows {
		if text := row(a, 0, i); rows[text] > 0 {
			rows[text]--
			m.joined++
		}
	}
	return m
}

// holdsAll reports whether the values of a column, at least three different ones, are nearly all in the other column.
func holdsAll(values, wanted []string) bool {
	known, distinct := setOf(values), setOf(wanted)
	n := 0
	for v := range distinct.counts {
		if v != "" && known.counts[v] > 0 {
			n++
		}
	}
	return n >= 3 && float64(n) >= minOverlap*float64(filledValues(distinct))
}

// sentences says how many records were found again, which columns carry the same values, and what has no counterpart.
func (m layoutMatch) sentences() []string {
	was, is := m.a.exchange.Operation(), m.b.exchange.Operation()
	pairs := slices.Clone(m.columns)
	if m.key[0] != "" {
		pairs = append([][2]string{m.key}, pairs...)
	}
	var names []string
	left := slices.Clone(m.a.names)
	for _, p := range pairs {
		names = append(names, fmt.Sprintf("%q → %q", p[0], p[1]))
		left = slices.DeleteFunc(left, func(name string) bool { return name == p[0] })
	}
	out := []string{fmt.Sprintf("%d of %s of %s are in %s: %s.", m.joined, count(m.a.rows, "row"), was, is, listSome(names, 8))}
	if len(left) > 0 {
		for i := range left {
			left[i] = fmt.Sprintf("%q", left[i])
		}
		out = append(out, fmt.Sprintf("Without a counterpart from %s: %s.", was, listSome(left, 6)))
	}
	return out
}
