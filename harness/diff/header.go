package diff

import (
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// header compares the first rows of two tables. A name that is only spelled in another way is a difference of form of
// its column, with the rows as its count; the returned table has the spelling of the baseline, so that its rows are
// compared as those of one column. The order of the columns that both tables have is a fact, too.
func (c *comparer) header(at bodyPlace, a, b *payload.Doc) *payload.Doc {
	h := headersOf(a, b)
	c.columns(at, h, a.Root().Len())
	return h.b
}

// headers is the names of the columns of two tables.
type headers struct {
	was, is   []string
	respelled map[string]string // names of the baseline that are spelled in another way
	b         *payload.Doc      // the candidate with the names of the baseline
}

func headersOf(a, b *payload.Doc) headers {
	h := headers{was: a.Columns(), is: b.Columns(), b: b}
	if slices.Equal(h.was, h.is) || a.Root().Len() == 0 || b.Root().Len() == 0 {
		return headers{b: b}
	}
	if h.respelled = respellings(h.was, h.is); len(h.respelled) > 0 {
		h.b = withNames(b, h.respelled)
		h.is = h.b.Columns()
	}
	return h
}

// columns states how the columns of a table with that many rows are spelled and ordered.
func (c *comparer) columns(place bodyPlace, h headers, rows int) {
	for _, name := range h.was {
		if now, ok := h.respelled[name]; ok {
			from := len(c.out.Differences)
			c.emit(place.body.Child(harness.Each()).Child(harness.Name(name)), harness.Reformed, textValue(name), textValue(now))
			for i := range c.out.Differences[from:] {
				c.out.Differences[from+i].Count = max(1, rows)
			}
		}
	}
	if x, y := common(h.was, h.is), common(h.is, h.was); !slices.Equal(x, y) {
		at := place.form.Child(harness.Name("column order"))
		c.emit(at, harness.Reformed, textValue(strings.Join(x, ", ")), textValue(strings.Join(y, ", ")))
	}
}

// respellings pairs the names that are gone with those that came and consist of the same letters and digits, where that
// is unambiguous on both sides.
func respellings(was, is []string) map[string]string {
	gone, came := byFold(missing(was, is)), byFold(missing(is, was))
	pairs := map[string]string{}
	for fold, names := range gone {
		if others := came[fold]; fold != "" && len(names) == 1 && len(others) == 1 {
			pairs[names[0]] = others[0]
		}
	}
	return pairs
}

func byFold(names []string) map[string][]string {
	m := map[string][]string{}
	for _, name := range names {
		fold := foldName(name)
		m[fold] = append(m[fold], name)
	}
	return m
}

// foldName keeps the letters and digits of a name, in lower case.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// missing is the names that the other list lacks.
func missing(names, other []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(other, name) })
}

// common is the names that the other list has, too.
func common(names, other []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(other, name) })
}

// withNames is the table with the old names of the baseline. A table that cannot be written again stays as it is.
func withNames(d *payload.Doc, respelled map[string]string) *payload.Doc {
	old := make(map[string]string, len(respelled))
	for was, is := range respelled {
		old[is] = was
	}
	var edits []payload.Edit
	for row := range d.Root().Children() {
		for cell := range row.Children() {
			if was, ok := old[cell.Name()]; ok {
				edits = append(edits, payload.Edit{Node: cell, Name: true, Text: was})
			}
		}
		if len(edits) == len(old) {
			break
		}
		edits = edits[:0] // a row that lacks a column has no name to edit
	}
	if source, err := d.Rewrite(edits); err == nil && len(edits) > 0 {
		if again, err := payload.ParseCSV(source); err == nil {
			return again
		}
	}
	return d
}
