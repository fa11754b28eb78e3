package target

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Columns of a crosswalk that say on which days a row holds, both included; an empty cell is no limit.
const (
	columnFrom = "valid_from"
	columnTo   = "valid_to"
)

// maxKeys is the most key columns of a crosswalk: each doubles the rows that a default can stand in.
const maxKeys = 6

// lookup translates codes by a crosswalk. It is safe for concurrent use.
type lookup struct {
	file    string
	keys    []string // columns that hold the codes
	columns []string // all columns
	rows    []codeRow
	index   map[string][]int // places in rows, by the codes

	mu    sync.Mutex
	wider map[int]*lookup // the same by its first columns, by how many; made when they are asked for
}

// codeRow is one row of a crosswalk.
type codeRow struct {
	line     int
	cells    []string // in the order of the columns
	codes    []string
	from, to string // days, such as 2026-08-01; empty: no limit
}

// by makes a lookup by the key columns, the first one unless some are named. The error names every row with a date that
// is none.
func (t codeTable) by(keys []string, zone *time.Location) (*lookup, error) {
	l := &lookup{file: t.file, keys: keys, columns: t.doc.Columns(), index: map[string][]int{}}
	if len(l.columns) == 0 {
		return nil, harness.Usage(fmt.Errorf("read crosswalk %s: it has no columns", t.file), "its first row names them")
	}
	if len(keys) == 0 {
		l.keys = l.columns[:1]
	}
	for _, name := range l.keys {
		if !slices.Contains(l.columns, name) {
			return nil, harness.Usage(fmt.Errorf("read crosswalk %s: it has no column %s", t.file, name), "columns are "+strings.Join(l.columns, ", "))
		}
	}
	var wrong []error
	for line, node := range t.rows() {
		row := codeRow{line: line, cells: make([]string, len(l.columns))}
		for cell := range node.Children() {
			if i := slices.Index(l.columns, cell.Name()); i >= 0 {
				row.cells[i] = cell.Text()
			}
		}
		for _, name := range l.keys {
			row.codes = append(row.codes, l.cell(&row, name))
		}
		for column, into := range map[string]*string{columnFrom: &row.from, columnTo: &row.to} {
			day, err := dayOf(l.cell(&row, column), zone)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s:%d: %s: %w", t.file, line, column, err))
			}
			*into = day
		}
		l.index[joined(row.codes)] = append(l.index[joined(row.codes)], len(l.rows))
		l.rows = append(l.rows, row)
	}
	if len(wrong) > 0 {
		return nil, harness.Usage(errors.Join(wrong...), "write days as 2026-08-31, 20260831 or 8/31/2026")
	}
	return l, nil
}

func joined(codes []string) string { return strings.Join(codes, "\x00") }

// cell is the text in a column of a row; empty when there is no such column.
func (l *lookup) cell(row *codeRow, column string) string {
	if i := slices.Index(l.columns, column); i >= 0 {
		return row.cells[i]
	}
	return ""
}

// dayLayouts are the ways to write a day in a crosswalk; the last is what spreadsheets of the United States write.
var dayLayouts = []string{time.DateOnly, "20060102", time.RFC3339, "1/2/2006"}

func dayOf(text string, zone *time.Location) (string, error) {
	if text = strings.TrimSpace(text); text == "" {
		return "", nil
	}
	for _, layout := range dayLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			if layout == time.RFC3339 {
				at = at.In(zone)
			}
			return at.Format(time.DateOnly), nil
		}
	}
	return "", fmt.Errorf("%q is not a day", text)
}

// holds reports whether the row holds on a day.
func (r *codeRow) holds(day string) bool {
	return r.from <= day && (r.to == "" || day <= r.to)
}

// find returns the row that translates the codes on a day, or nil. A row with the code itself goes before a row *, and
// among rows with some of the codes the one that has the code in the earlier key column. Of rows that are alike the first
// one counts.
func (l *lookup) find(codes []string, day string) *codeRow {
	wanted := make([]string, len(codes))
	for defaults := range 1 << len(codes) { // the last key column is the lowest bit
		for i, code := range codes {
			wanted[i] = code
			if defaults>>(len(codes)-1-i)&1 == 1 {
				wanted[i] = anyCode
			}
		}
		for _, i := range l.index[joined(wanted)] {
			if l.rows[i].holds(day) {
				return &l.rows[i]
			}
		}
	}
	return nil
}

// values are the columns that hold translations: all but the keys and the days.
func (l *lookup) values() []string {
	return slices.DeleteFunc(slices.Clone(l.columns), func(name string) bool {
		return name == columnFrom || name == columnTo || slices.Contains(l.keys, name)
	})
}

// remark is something about a row that people should look at.
type remark struct {
	line int
	text string
}

// faults are the rows that cannot be meant: they end before they begin, or translate what another row translates
// otherwise on the same day. The error names every one of them with its line.
func (l *lookup) faults(values []string) error {
	var wrong []error
	for i := range l.rows {
		row := &l.rows[i]
		if row.to != "" && row.to < row.from {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s never holds: it ends on %s and begins on %s", l.file, row.line, l.named(row), row.to, row.from))
			continue
		}
		if before := l.before(i); before != nil && !l.alike(before, row, values) {
			days := ""
			if before.from+before.to+row.from+row.to != "" {
				days = "; their days overlap"
			}
			wrong = append(wrong, fmt.Errorf("%s:%d: %s is translated otherwise in line %d%s", l.file, row.line, l.named(row), before.line, days))
		}
	}
	if len(wrong) > 0 {
		return harness.Usage(errors.Join(wrong...), "correct the rows that are listed: which of them counts would depend on who reads the table")
	}
	return nil
}

// before is the first row above that has the same codes on a common day.
func (l *lookup) before(place int) *codeRow {
	row := &l.rows[place]
	for _, i := range l.index[joined(row.codes)] {
		other := &l.rows[i]
		if i < place && (row.to == "" || other.from <= row.to) && (other.to == "" || row.from <= other.to) {
			return other
		}
	}
	return nil
}

func (l *lookup) alike(a, b *codeRow, values []string) bool {
	return !slices.ContainsFunc(values, func(name string) bool { return l.cell(a, name) != l.cell(b, name) })
}

// named is the codes of a row for people: sis_code "RE".
func (l *lookup) named(row *codeRow) string { return namedCodes(l.keys, row.codes) }

func namedCodes(keys, codes []string) string {
	parts := make([]string, len(keys))
	for i, key := range keys {
		parts[i] = fmt.Sprintf("%s %q", key, codes[i])
	}
	return strings.Join(parts, ", ")
}

// remarks are what may be meant but should be looked at, on a day, in the order of the lines.
func (l *lookup) remarks(day string) []remark {
	var list []remark
	folded := map[string]*codeRow{}
	for i := range l.rows {
		row := &l.rows[i]
		note := func(format string, args ...any) {
			list = append(list, remark{row.line, fmt.Sprintf(format, args...)})
		}
		if strings.Join(row.cells, "") == "" {
			note("the row is blank")
			continue
		}
		if before := l.before(i); before != nil {
			note("%s repeats line %d, and is never reached", l.named(row), before.line)
		}
		switch {
		case row.to != "" && row.to < day:
			note("%s held until %s", l.named(row), row.to)
		case row.from > day:
			note("%s holds from %s on", l.named(row), row.from)
		}
		fold := strings.ToLower(strings.TrimSpace(joined(row.codes)))
		other := folded[fold]
		switch {
		case slices.ContainsFunc(row.codes, func(code string) bool { return strings.TrimSpace(code) != code }):
			note("%s has spaces around it, which count", l.named(row))
		case other != nil && joined(other.codes) != joined(row.codes):
			note("%s differs from line %d in upper and lower case only", l.named(row), other.line)
		}
		folded[fold] = cmp.Or(other, row)
	}
	return list
}

// lookIn finds the row for codes in the table of that name: the codes are those of its first columns, and the day is that
// of now in UTC.
func lookIn(tables map[string]*lookup, name string, codes []string, now time.Time) (*lookup, *codeRow, error) {
	l, known := tables[name]
	if !known {
		return nil, nil, fmt.Errorf("lookup: there is no crosswalk %q; known: %s", name, orNone(strings.Join(slices.Sorted(maps.Keys(tables)), ", ")))
	}
	l, err := l.byFirst(len(codes))
	if err != nil {
		return nil, nil, err
	}
	return l, l.find(codes, now.Format(time.DateOnly)), nil
}

// byFirst is the same table with its first n columns as keys.
func (l *lookup) byFirst(n int) (*lookup, error) {
	if n == len(l.keys) {
		return l, nil
	}
	if n > min(maxKeys, len(l.columns)) {
		return nil, fmt.Errorf("lookup: %d codes are more than %s has columns for", n, l.file)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wider[n] != nil {
		return l.wider[n], nil
	}
	wide := &lookup{file: l.file, keys: l.columns[:n], columns: l.columns, rows: slices.Clone(l.rows), index: map[string][]int{}}
	for i := range wide.rows {
		wide.rows[i].codes = wide.rows[i].cells[:n]
		key := joined(wide.rows[i].codes)
		wide.index[key] = append(wide.index[key], i)
	}
	if l.wider == nil {
		l.wider = map[int]*lookup{}
	}
	l.wider[n] = wide
	return wide, nil
}
