package target

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
)

// templateLanguage is mappings as Go templates (text/template), for flat files and any other text. The dot is the decoded
// payload: a table is a list of rows. Numbers print as they were written. A name that a row does not have is an error.
var templateLanguage = language{
	noun: "template", specs: func(s harness.TargetSpec) []harness.MappingSpec { return s.Template }, writes: true, compile: compileTemplate,
}

// form is a compiled template. It is cloned for each payload, because its functions know the payload.
type form struct {
	spec   harness.MappingSpec
	source string
	tmpl   *template.Template
	tables map[string]*lookup
}

// tickName is a function that the reader of templates puts into every loop.
const tickName = "rehearse_tick"

var errSkip = errors.New("hands nothing over")

func compileTemplate(spec harness.MappingSpec, source []byte, tables []namedTable, _ io.Writer) (evaluator, error) {
	f := &form{spec: spec, source: string(source), tables: map[string]*lookup{}}
	for _, t := range tables {
		l, err := t.by(nil, time.UTC)
		if err != nil {
			return nil, err
		}
		f.tables[t.name] = l
	}
	known := f.functions(context.Background(), input{Exchange: &harness.Exchange{}})
	var err error
	f.tmpl, err = template.New(spec.Program).Option("missingkey=error").Funcs(known).Parse(f.source)
	if err != nil {
		return nil, harness.Usage(plainTemplateError(err), "beside those of Go templates the functions are "+strings.Join(functionNames(known), ", "))
	}
	for _, t := range f.tmpl.Templates() {
		if t.Tree != nil && t.Root != nil {
			tick(t.Root)
		}
	}
	return f, nil
}

func functionNames(known template.FuncMap) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(name string) bool { return name == tickName })
}

// tick puts a call of the function of that name at the beginning of the list and of every list below it, so that a
// template that never ends can be stopped.
func tick(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			tick(n.List)
			tick(n.ElseList)
		case *parse.IfNode:
			tick(n.List)
			tick(n.ElseList)
		case *parse.WithNode:
			tick(n.List)
			tick(n.ElseList)
		}
	}
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(tickName)}}
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{call}}
	list.Nodes = append([]parse.Node{&parse.ActionNode{NodeType: parse.NodeAction, Pipe: pipe}}, list.Nodes...)
}

func (f *form) evaluate(ctx context.Context, in input) ([]byte, bool, error) {
	value, err := in.value()
	if err != nil {
		return nil, false, err
	}
	tmpl, err := f.tmpl.Clone()
	if err != nil {
		return nil, false, fmt.Errorf("copy template %s: %w", f.spec.Program, err)
	}
	out := &capped{most: maxOutput}
	err = tmpl.Funcs(f.functions(ctx, in)).Execute(out, value)
	switch {
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case errors.Is(err, errSkip):
		return nil, true, nil
	case out.over:
		return nil, false, fmt.Errorf("%s: the output is larger than %d bytes", f.spec.Program, maxOutput)
	case err != nil:
		return nil, false, plainTemplateError(err)
	}
	return append([]byte{}, out.kept.Bytes()...), false, nil
}

// plainTemplateError is an error of the template engine that begins with file and line.
func plainTemplateError(err error) error {
	text, found := strings.CutPrefix(err.Error(), "template: ")
	if !found {
		return err
	}
	return fmt.Errorf("%s%w", text, quiet{err})
}

// quiet keeps an error in the chain of another one whose text says it all.
type quiet struct{ error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.error }

// detail leaves out what is quoted: what the engine shows in angle brackets is the source.
func (f *form) detail(err error) string { return withoutValues(err, f.source+f.spec.Program, inQuotes) }

// functions are what templates can call, for one payload.
func (f *form) functions(ctx context.Context, in input) template.FuncMap {
	return template.FuncMap{
		tickName:   func() (string, error) { return "", ctx.Err() },
		"before":   beforeText,
		"csv":      csvCell,
		"date":     writeDate,
		"decimal":  writeDecimal,
		"default":  orDefault,
		"fail":     func(text string) (string, error) { return "", errors.New(text) },
		"head":     func(name string) string { return in.Request.Head.Get(name) },
		"join":     joinCells,
		"json":     func(value any) (string, error) { b, err := gojq.Marshal(value); return string(b), err },
		"lookup":   func(words ...any) (string, error) { return f.look(in.now, words) },
		"lower":    func(value any) (string, error) { return onText(value, strings.ToLower) },
		"name":     func() string { return in.Request.Head.Get(harness.FieldName) },
		"now":      func() string { return in.now.Format(time.RFC3339) },
		"padleft":  func(width int, fill string, value any) (string, error) { return pad(width, fill, value, true) },
		"padright": func(width int, fill string, value any) (string, error) { return pad(width, fill, value, false) },
		"replace": func(old, with string, value any) (string, error) {
			return onText(value, func(s string) string { return strings.ReplaceAll(s, old, with) })
		},
		"session": func() string { return in.Session },
		"skip":    func() (string, error) { return "", errSkip },
		"sortby":  sortBy,
		"sum":     sumOf,
		"trim":    func(value any) (string, error) { return onText(value, strings.TrimSpace) },
		"upper":   func(value any) (string, error) { return onText(value, strings.ToUpper) },
		"xml":     xmlText,
	}
}

// look is lookup TABLE CODE … COLUMN: the cell in the last named column, empty when no row holds.
func (f *form) look(now time.Time, words []any) (string, error) {
	if len(words) < 3 {
		return "", errors.New("lookup: want a crosswalk, a code and a column")
	}
	texts := make([]string, len(words))
	for i, word := range words {
		text, err := cellText(word)
		if err != nil {
			return "", fmt.Errorf("lookup: %w", err)
		}
		texts[i] = text
	}
	column := texts[len(texts)-1]
	l, row, err := lookIn(f.tables, texts[0], texts[1:len(texts)-1], now)
	if err != nil {
		return "", err
	}
	if !slices.Contains(l.columns, column) {
		return "", fmt.Errorf("lookup: the crosswalk %s has no column %q", texts[0], column)
	}
	if row == nil {
		return "", nil
	}
	return l.cell(row, column), nil
}

func onText(value any, change func(string) string) (string, error) {
	text, err := cellText(value)
	return change(text), err
}

func csvCell(value any) (string, error) { return onText(value, quotedCell) }

// joinCells writes the fields of a row that are named, as CSV cells with a separator between them.
func joinCells(separator string, row any, names ...string) (string, error) {
	members, ok := row.(map[string]any)
	if !ok {
		return "", errors.New("join: want a separator, a row and names of its fields")
	}
	cells := make([]string, len(names))
	for i, name := range names {
		value, has := members[name]
		if !has {
			return "", fmt.Errorf("join: the row has no field %q", name)
		}
		cell, err := csvCell(value)
		if err != nil {
			return "", fmt.Errorf("join: field %q: %w", name, err)
		}
		cells[i] = cell
	}
	return strings.Join(cells, separator), nil
}

func xmlText(value any) (string, error) {
	text, err := cellText(value)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = xml.EscapeText(&b, []byte(text))
	return b.String(), err
}

// orDefault is the value, or the other one when it is null or empty: default OTHER VALUE.
func orDefault(other, value any) any {
	if value == nil || value == "" {
		return other
	}
	return value
}

// maxWidth bounds a padded field, in characters.
const maxWidth = 1 << 16

// pad fills a text up to a width in characters. One that is longer is an error: cut off, it would be another value.
func pad(width int, fill string, value any, left bool) (string, error) {
	text, err := cellText(value)
	if err != nil {
		return "", err
	}
	missing := width - utf8.RuneCountInString(text)
	switch {
	case width > maxWidth || utf8.RuneCountInString(fill) != 1:
		return "", fmt.Errorf("pad: want a width of at most %d and one character to fill with", maxWidth)
	case missing < 0:
		return "", fmt.Errorf("pad: the value is %d characters longer than the field of %d", -missing, width)
	case left:
		return strings.Repeat(fill, missing) + text, nil
	}
	return text + strings.Repeat(fill, missing), nil
}

// momentLayouts are the ways in which payloads write moments and days.
var momentLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly, "20060102", "1/2/2006"}

// writeDate writes a moment in a layout of Go, such as 01/02/2006.
func writeDate(layout string, value any) (string, error) {
	text, err := cellText(value)
	if err != nil || text == "" {
		return "", err
	}
	for _, known := range momentLayouts {
		if at, err := time.Parse(known, text); err == nil {
			return at.Format(layout), nil
		}
	}
	return "", errors.New("date: the value is no moment such as 2026-08-31 or 2026-08-31T08:00:00Z")
}

// writeDecimal writes a number with so many places after the point, rounded half up, exactly.
func writeDecimal(places int, value any) (string, error) {
	if err := checkRounding(places, roundHalfUp); err != nil {
		return "", fmt.Errorf("decimal: %w", err)
	}
	text, err := cellText(value)
	if err != nil {
		return "", err
	}
	d, err := parseDecimal(text)
	if err != nil {
		return "", errors.New("decimal: the value is not a decimal number")
	}
	return d.round(places, roundHalfUp).text, nil
}
