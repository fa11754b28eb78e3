package target

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// anyCode is the code of the row that catches every other code.
const anyCode = "*"

// Crosswalks reads the code tables of a specification, those of its jq mappings first, as the explanation needs them:
// the codes are those of the first column, each with its first line. Tables come in the order of the mappings and of
// their names; one that several mappings use is there for each name once. Files are relative to root and stay below it.
func Crosswalks(spec harness.TargetSpec, root string) ([]harness.Crosswalk, error) {
	type use struct{ name, file string }
	var tables []harness.Crosswalk
	seen := map[use]bool{}
	named := make([]map[string]string, 0, len(spec.JQ)+1)
	for _, s := range spec.JQ {
		named = append(named, s.Crosswalks)
	}
	for _, files := range append(named, spec.Crosswalks) {
		for _, variable := range crosswalkNames(files) {
			u := use{strings.TrimPrefix(variable, "$"), files[variable]}
			if seen[u] {
				continue
			}
			seen[u] = true
			doc, err := readCrosswalk(root, u.file)
			if err != nil {
				return nil, err
			}
			table := codesOf(doc)
			table.Name, table.File = u.name, u.file
			tables = append(tables, table)
		}
	}
	return tables, nil
}

func crosswalkNames(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

func readCrosswalk(root, file string) (*payload.Doc, error) {
	source, err := readBelow(root, file, maxCrosswalk)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read crosswalk: %w", err), "paths are relative to the workspace and stay below it")
	}
	doc, err := payload.ParseCSV(source)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read crosswalk %s: %w", file, err), "")
	}
	return doc, nil
}

// codesOf reads the first column. The line of a row is counted from the start of the row before, so that a table is
// passed over once.
func codesOf(doc *payload.Doc) harness.Crosswalk {
	table := harness.Crosswalk{Codes: map[string]int{}}
	line, at := 1, 0
	for row := range doc.Root().Children() {
		line += bytes.Count(doc.Source[at:row.Offset()], []byte{'\n'})
		at = row.Offset()
		for cell := range row.Children() {
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
