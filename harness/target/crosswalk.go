package target

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// anyCode is the code of the row that catches every other code.
const anyCode = "*"

// Crosswalks reads the code tables of a specification, those of its mappings first, as the explanation needs them:
// the codes are those of the first column, or of the first
// key of a crosswalk that is tested by itself, each with its first line. Tables come in the order of the mappings and of
// their names; one that several mappings use is there for each name once. Files are relative to root and stay below it.
func Crosswalks(spec harness.TargetSpec, root string) ([]harness.Crosswalk, error) {
	var tables []harness.Crosswalk
	seen := map[tableUse]bool{}
	for _, u := range tableUses(spec) {
		if seen[u] {
			continue
		}
		seen[u] = true
		t, err := readTable(root, u.file)
		if err != nil {
			return nil, err
		}
		table := t.codes(u.column)
		table.Name, table.File = u.name, u.file
		tables = append(tables, table)
	}
	return tables, nil
}

// tableUse is one table under the name by which a mapping knows it, and the column of its codes: empty is the first.
type tableUse struct{ name, file, column string }

func tableUses(spec harness.TargetSpec) []tableUse {
	var uses []tableUse
	named := func(files map[string]string) {
		for _, name := range crosswalkNames(files) {
			uses = append(uses, tableUse{name: strings.TrimPrefix(name, "$"), file: files[name]})
		}
	}
	for _, s := range spec.Mappings() {
		named(s.Crosswalks)
	}
	for _, s := range spec.Crosswalk {
		u := tableUse{name: strings.TrimSuffix(path.Base(s.Table), path.Ext(s.Table)), file: s.Table}
		if len(s.Keys) > 0 {
			u.column = s.Keys[0].Column
		}
		uses = append(uses, u)
	}
	named(spec.Crosswalks)
	return uses
}

func crosswalkNames(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// codeTable is a crosswalk as it was read.
type codeTable struct {
	file string
	doc  *payload.Doc
}

func readTable(root, file string) (codeTable, error) {
	source, err := readBelow(root, file, maxCrosswalk)
	if err != nil {
		return codeTable{}, harness.Usage(fmt.Errorf("read crosswalk: %w", err), "paths are relative to the workspace and stay below it")
	}
	doc, err := payload.ParseCSV(source)
	if err != nil {
		return codeTable{}, harness.Usage(fmt.Errorf("read crosswalk %s: %w", file, err), "")
	}
	return codeTable{file, doc}, nil
}

// value is the table as mappings compute with it: an array of row objects.
func (t codeTable) value() any { return valueOf(t.doc.Root()) }

// rows yields each row with its line, from 1. The line is counted from the start of the row before, so that a table is
// passed over once.
func (t codeTable) rows() iter.Seq2[int, payload.Node] {
	return func(yield func(int, payload.Node) bool) {
		line, at := 1, 0
		for row := range t.doc.Root().Children() {
			line += bytes.Count(t.doc.Source[at:row.Offset()], []byte{'\n'})
			at = row.Offset()
			if !yield(line, row) {
				return
			}
		}
	}
}

// codes reads a column; empty is the first.
func (t codeTable) codes(column string) harness.Crosswalk {
	table := harness.Crosswalk{Codes: map[string]int{}}
	for line, row := range t.rows() {
		for cell := range row.Children() {
			if column != "" && cell.Name() != column {
				continue
			}
			table.Column = cell.Name()
			code := cell.Text()
			if _, known := table.Codes[code]; !known && code != anyCode {
				table.Codes[code] = line
			}
			table.Default = table.Default || code == anyCode
			break
		}
	}
	return table
}
