package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// readValue reads a payload as the value that a program gets.
func readValue(media, name string, source []byte) (any, error) {
	if media == "application/x-ndjson" || mediaOfName(name) == "application/x-ndjson" {
		return readLinesValue(source)
	}
	format := payload.FormatOf(media, name, source)
	if format.Name != "json" && format.Name != "csv" {
		return nil, fmt.Errorf("read input: %s is not JSON, NDJSON or a table", format.Name)
	}
	doc, err := format.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	return valueOf(doc.Root()), nil
}

// readLinesValue reads a JSON value on each line that is not blank.
func readLinesValue(source []byte) (any, error) {
	values := []any{}
	number := 0
	for line := range bytes.Lines(source) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		doc, err := payload.ParseJSON(line)
		if err != nil {
			return nil, fmt.Errorf("read input line %d: %w", number, err)
		}
		values = append(values, valueOf(doc.Root()))
	}
	return values, nil
}

// valueOf is the node as gojq takes it: numbers keep their digits, of duplicate members the last one counts, as in jq.
func valueOf(n payload.Node) any {
	switch n.Kind() {
	case harness.KindBool:
		return n.Text() == "true"
	case harness.KindNumber:
		return json.Number(n.Text())
	case harness.KindString, harness.KindBytes:
		return n.Text()
	case harness.KindArray:
		values := make([]any, 0, n.Len())
		for c := range n.Children() {
			values = append(values, valueOf(c))
		}
		return values
	case harness.KindObject:
		members := make(map[string]any, n.Len())
		for c := range n.Children() {
			members[c.Name()] = valueOf(c)
		}
		return members
	}
	return nil
}

// writer is one output format of a mapping.
type writer struct {
	columns bool // the format needs declared columns
	// write renders what the program yielded; none means that nothing is handed over.
	write func(values []any, spec harness.MappingSpec) (output []byte, none bool, err error)
}

// writers by extension.
var writers = map[string]writer{
	".json":   {write: writeJSON},
	".ndjson": {write: writeNDJSON},
	".csv":    {columns: true, write: writeCSV},
}

// writerOf picks by the extension; an answer, which has no name, is JSON.
func writerOf(output string) writer {
	if output == "" {
		return writers[".json"]
	}
	return writers[path.Ext(output)]
}

// writeJSON writes the one value compact; a file ends with a line feed.
func writeJSON(values []any, spec harness.MappingSpec) ([]byte, bool, error) {
	if len(values) == 0 {
		return []byte{}, true, nil
	}
	if len(values) > 1 {
		return nil, false, fmt.Errorf("the program yields %d values, a JSON output is one: collect them with [ ]", len(values))
	}
	b, err := gojq.Marshal(values[0])
	if err != nil {
		return nil, false, err
	}
	if spec.Output != "" {
		b = append(b, '\n')
	}
	return sized(b)
}

// sized refuses an output above the limit.
func sized(b []byte) ([]byte, bool, error) {
	if len(b) > maxOutput {
		return nil, false, fmt.Errorf("the output is larger than %d bytes", maxOutput)
	}
	return b, false, nil
}

// elements are the rows of a table or the lines of NDJSON: the elements of the one array, or the values themselves.
func elements(values []any) []any {
	if len(values) == 1 {
		if array, ok := values[0].([]any); ok {
			return array
		}
	}
	return values
}

func writeNDJSON(values []any, _ harness.MappingSpec) ([]byte, bool, error) {
	b := []byte{}
	for _, v := range elements(values) {
		line, err := gojq.Marshal(v)
		if err != nil {
			return nil, false, err
		}
		b = append(append(b, line...), '\n')
	}
	return sized(b)
}

// writeCSV writes a header row and a row for each object, with quotes where RFC 4180 needs them and line feeds. A
// member that is no column would be lost and is an error.
func writeCSV(values []any, spec harness.MappingSpec) ([]byte, bool, error) {
	var b bytes.Buffer
	writeRow(&b, spec.Columns)
	cells := make([]string, len(spec.Columns))
	for i, v := range elements(values) {
		row, ok := v.(map[string]any)
		if !ok {
			return nil, false, fmt.Errorf("row %d is not an object but %s", i+1, gojq.TypeOf(v))
		}
		used := 0
		for c, column := range spec.Columns {
			member, has := row[column]
			if has {
				used++
			}
			text, err := cellText(member)
			if err != nil {
				return nil, false, fmt.Errorf("row %d column %s: %w", i+1, column, err)
			}
			cells[c] = text
		}
		if used < len(row) {
			return nil, false, fmt.Errorf("row %d has the member %s, which is no column", i+1, strayMember(row, spec.Columns))
		}
		writeRow(&b, cells)
	}
	return sized(b.Bytes())
}

func strayMember(row map[string]any, columns []string) string {
	stray := []string{}
	for name := range row {
		if !slices.Contains(columns, name) {
			stray = append(stray, name)
		}
	}
	return slices.Min(stray)
}

// cellText is a scalar as text: a number by its digits, null empty.
func cellText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []any, map[string]any:
		return "", errors.New("a cell cannot hold an " + gojq.TypeOf(v))
	}
	b, err := gojq.Marshal(v)
	return string(b), err
}

func writeRow(b *bytes.Buffer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		if cell == "" && len(cells) == 1 { // a lone empty cell would be a blank line
			cell = `""`
		} else {
			cell = quotedCell(cell)
		}
		b.WriteString(cell)
	}
	b.WriteByte('\n')
}

// quotedCell quotes where RFC 4180 needs it.
func quotedCell(text string) string {
	if strings.ContainsAny(text, "\",\r\n") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// jsonNumber is a number as JSON writes it (RFC 8259).
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)
