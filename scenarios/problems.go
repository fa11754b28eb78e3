package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Problem is one thing to correct in a file.
type Problem struct {
	File   string // relative to the workspace where it lies below it, with slashes
	Line   int    // from 1; 0: the file as a whole
	Column int    // in characters from 1
	Text   string

	Missing bool // the file is right: the recording that it names is still to be made
}

// Error writes the problem as file:line:column: text, in one line and with escapes for what a terminal would obey.
func (p Problem) Error() string {
	if p.Line == 0 {
		return printable(p.File + ": " + p.Text)
	}
	return printable(fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text))
}

func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}

// Problems are all things to correct in a file, and in the files that it names, in reading order.
type Problems []Problem

// Error writes one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds what a hostile or wholly mistaken file can print.
const maxProblems = 100

func (ps *Problems) add(file string, at place, format string, args ...any) {
	*ps = append(*ps, Problem{File: file, Line: at.line, Column: at.column, Text: fmt.Sprintf(format, args...)})
}

// OnlyMissing reports whether recordings that are still to be made are all that there is to correct.
func (ps Problems) OnlyMissing() bool {
	return !slices.ContainsFunc(ps, func(p Problem) bool { return !p.Missing })
}

// err returns nil, or the problems as an error of usage. Files keep the order in which they were read.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	order := map[string]int{}
	for _, p := range ps {
		if _, seen := order[p.File]; !seen {
			order[p.File] = len(order)
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more := len(ps) - maxProblems; more > 0 {
		last := ps[maxProblems-1]
		ps = append(ps[:maxProblems:maxProblems], Problem{File: last.File, Text: fmt.Sprintf("and %d more problems", more)})
	}
	return harness.Usage(ps, "correct the places that are listed; an editor that knows the schema in the first line shows them while you type")
}

// place is where something stands in a file; the zero place is the file as a whole.
type place struct{ line, column int }

// quoted writes text from a file for a message: escaped, and cut when it is long.
func quoted(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
