package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// What becomes of codes that no row translates.
const (
	missingFails = "fail"  // the exchange has a fault
	missingEmpty = "empty" // they have no translation: null, an empty cell
	missingKeeps = "keep"  // they stand for themselves
)

// newCrosswalk makes a target of code tables that are tested by themselves: codes in, translations out, by the rows that hold on the
// day of the frozen clock.
//
// Codes are taken from the records of a table, of an array of objects or of NDJSON, from one object, from one scalar, or
// from the query of a request without a body. Records give one output record each, which holds the codes and their
// translation; one object gives the translation alone; one scalar gives a scalar where there is one column.
func newCrosswalk(spec harness.TargetSpec) (harness.Target, error) {
	for _, s := range spec.Crosswalk {
		if err := checkCrosswalk(s); err != nil {
			return nil, err
		}
	}
	return translator{spec.System, func(env harness.StageEnv) ([]translation, error) {
		var all []translation
		for _, s := range spec.Crosswalk {
			t, err := newTranslating(s, env)
			if err != nil {
				return nil, err
			}
			all = append(all, translation{evaluator: t, label: s.Table, from: s.From, encoding: s.Encoding, to: s.To, output: s.Output, end: t.end})
		}
		return all, nil
	}}, nil
}

func checkCrosswalk(s harness.CrosswalkSpec) error {
	if s.Table == "" {
		return harness.Usage(errors.New("a crosswalk names no table"), "write table: the CSV file below the workspace")
	}
	if len(s.Keys) > maxKeys {
		return harness.Usage(fmt.Errorf("crosswalk %s has more than %d keys", s.Table, maxKeys), "")
	}
	if s.Missing == missingKeeps && len(s.Keys) > 1 {
		return harness.Usage(fmt.Errorf("crosswalk %s keeps codes of several keys", s.Table), "write missing: fail or missing: empty")
	}
	if err := checkFrom(s.From); err != nil {
		return err
	}
	if err := checkOutput(s.To, s.Output); err != nil {
		return err
	}
	return checkFormat(s.Output, []string{"known when the table is read"})
}

func describeCrosswalk(spec harness.TargetSpec) string {
	var tables []string
	for _, s := range spec.Crosswalk {
		tables = append(tables, s.Table)
	}
	return "crosswalk" + inFolder(tables)
}

// codeTranslator translates by one table, and counts what it met.
type codeTranslator struct {
	spec   harness.CrosswalkSpec
	lookup *lookup
	fields []string // of the records, one for each key
	values []string
	zone   *time.Location
	log    io.Writer
	day    string

	mu      sync.Mutex
	used    map[int]bool // lines
	missing map[string]*missed
}

// missed is codes that no row translates.
type missed struct {
	codes []string
	count int
	first string // exchange
}

// newTranslating reads the table. What cannot be meant is an error, what should be looked at goes to the log.
func newTranslating(s harness.CrosswalkSpec, env harness.StageEnv) (*codeTranslator, error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read zone of crosswalk %s: %w", s.Table, err), "write it like America/Chicago")
	}
	table, err := readTable(env.Root, s.Table)
	if err != nil {
		return nil, err
	}
	t := &codeTranslator{spec: s, values: s.Values, zone: zone, log: env.Log, used: map[int]bool{}, missing: map[string]*missed{}}
	var keys []string
	for _, key := range s.Keys {
		keys = append(keys, key.Column)
		t.fields = append(t.fields, cmp.Or(key.Field, key.Column))
	}
	if t.lookup, err = table.by(keys, zone); err != nil {
		return nil, err
	}
	if len(s.Keys) == 0 {
		t.fields = t.lookup.keys
	}
	if len(t.values) == 0 {
		t.values = t.lookup.values()
	}
	for _, name := range t.values {
		if !slices.Contains(t.lookup.columns, name) {
			return nil, harness.Usage(fmt.Errorf("read crosswalk %s: it has no column %s", s.Table, name), "columns are "+strings.Join(t.lookup.columns, ", "))
		}
	}
	if err := t.lookup.faults(t.values); err != nil {
		return nil, err
	}
	if !env.Now.IsZero() {
		t.day = env.Now.In(zone).Format(time.DateOnly)
		for _, r := range t.lookup.remarks(t.day) {
			t.note(r)
		}
	}
	return t, nil
}

func (t *codeTranslator) note(r remark) {
	if t.log != nil {
		fmt.Fprintf(t.log, "%s:%d: note: %s\n", t.lookup.file, r.line, started.Printable(r.text)) //nolint:errcheck // a log
	}
}

// end tells what the recording says about the table: rows that nothing used, and codes that it lacks.
func (t *codeTranslator) end() {
	if t.log == nil {
		return
	}
	for i := range t.lookup.rows {
		row := &t.lookup.rows[i]
		if !t.used[row.line] && row.holds(t.day) && t.lookup.before(i) == nil {
			t.note(remark{row.line, t.lookup.named(row) + " is unused: nothing that was fed has it"})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.missing)) {
		m := t.missing[key]
		t.note(remark{1, fmt.Sprintf("no row for %s: missing for %d records, first in exchange %s", namedCodes(t.lookup.keys, m.codes), m.count, m.first)})
	}
}

func (t *codeTranslator) detail(err error) string { return started.Printable(err.Error()) }

func (t *codeTranslator) evaluate(ctx context.Context, in input) ([]byte, bool, error) {
	value, err := t.read(in)
	if err != nil {
		return nil, false, err
	}
	day := in.now.In(t.zone).Format(time.DateOnly)
	columns := append(slices.Clone(t.fields), t.values...)
	records, many := value.([]any)
	if !many {
		translated, err := t.one(value, in.ID, day)
		if err != nil {
			return nil, false, err
		}
		return writerOf(t.spec.Output).write([]any{translated}, harness.MappingSpec{Output: t.spec.Output, Columns: columns})
	}
	out := []any{}
	told := map[string]bool{}
	for i, record := range records {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		codes, err := t.codes(record)
		if err != nil {
			return nil, false, fmt.Errorf("record %d: %w", i+1, err)
		}
		key := joined(codes)
		if t.spec.Distinct && told[key] {
			continue
		}
		told[key] = true
		translated, err := t.translate(codes, in.ID, day)
		if err != nil {
			return nil, false, fmt.Errorf("record %d: %w", i+1, err)
		}
		for n, field := range t.fields {
			translated[field] = codes[n]
		}
		out = append(out, translated)
	}
	return writerOf(t.spec.Output).write([]any{out}, harness.MappingSpec{Output: t.spec.Output, Columns: columns})
}

// read is the payload, or the query of a request without one.
func (t *codeTranslator) read(in input) (any, error) {
	_, query, has := strings.Cut(in.Request.Head.Get(harness.FieldPath), "?")
	if len(in.body) > 0 || !has {
		if format := payload.FormatOf(in.Request.Media, in.Request.Head.Get(harness.FieldName), in.body); format.Name == "text" {
			return strings.TrimRight(string(in.body), "\r\n"), nil
		}
		return in.value()
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("read input: the query is none")
	}
	object := map[string]any{}
	for name := range values {
		object[name] = values.Get(name)
	}
	return object, nil
}

// one translates what is no list.
func (t *codeTranslator) one(value any, exchange, day string) (any, error) {
	codes, err := t.codes(value)
	if err != nil {
		return nil, err
	}
	translated, err := t.translate(codes, exchange, day)
	if _, isObject := value.(map[string]any); err != nil || isObject || len(t.values) > 1 {
		return translated, err
	}
	return translated[t.values[0]], nil
}

// codes are the codes of a record, or the record itself where it is a scalar.
func (t *codeTranslator) codes(record any) ([]string, error) {
	object, isObject := record.(map[string]any)
	if !isObject && len(t.fields) == 1 {
		object = map[string]any{t.fields[0]: record}
	}
	codes := make([]string, len(t.fields))
	for i, field := range t.fields {
		value, has := object[field]
		if !has {
			return nil, fmt.Errorf("it has no field %s", field)
		}
		text, err := cellText(value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", field, err)
		}
		codes[i] = text
	}
	return codes, nil
}

// translate is the translation of codes by column.
func (t *codeTranslator) translate(codes []string, exchange, day string) (map[string]any, error) {
	out := map[string]any{}
	row := t.lookup.find(codes, day)
	t.mu.Lock()
	defer t.mu.Unlock()
	if row != nil {
		t.used[row.line] = true
		for _, name := range t.values {
			out[name] = t.lookup.cell(row, name)
		}
		return out, nil
	}
	key := joined(codes)
	if t.missing[key] == nil {
		t.missing[key] = &missed{codes: codes, first: exchange}
	}
	t.missing[key].count++
	if t.spec.Missing == "" || t.spec.Missing == missingFails {
		return nil, fmt.Errorf("no row of the crosswalk holds for its %s on %s", strings.Join(t.fields, ", "), day)
	}
	for _, name := range t.values {
		out[name] = nil
		if t.spec.Missing == missingKeeps {
			out[name] = codes[0]
		}
	}
	return out, nil
}
