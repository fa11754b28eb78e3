package target

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/database"
	"github.com/rehearse-dev/rehearse/recorders/table"
)

// dump writes a table or a query as a file: the rows in the order of the key, every value as the database prints it. In a CSV
// file NULL is an empty cell and the empty text is "".
func (w *sqlWork) dump(ctx context.Context, d harness.SQLDump, number int) ([]byte, error) {
	name := d.Table
	if d.Query != "" {
		name = "rehearse_dump_" + strconv.Itoa(number+1)
		if err := w.db.View(ctx, name, d.Query); err != nil {
			return nil, err
		}
	}
	tx, err := w.db.Look(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	columns, err := w.db.Columns(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("there is no table %s", name)
	}
	key, _, err := database.KeyOf(columns, d.Key)
	if err != nil {
		return nil, err
	}
	out := &dumped{format: path.Ext(d.Output), columns: columns}
	if d.Lines {
		out.format = formatLines
		if out.line = slices.IndexFunc(columns, func(c database.Column) bool { return c.Name == "line" }); out.line < 0 {
			return nil, fmt.Errorf("%s has no column line", name)
		}
	}
	out.begin()
	if err := w.db.Rows(ctx, tx, name, columns, key, out.row); err != nil {
		return nil, err
	}
	return out.end(), nil
}

// formatLines is a file that is no table.
const formatLines = "lines"

// dumped is a file that is being written.
type dumped struct {
	format  string // extension of its name, or formatLines
	line    int    // column whose texts are the lines
	columns []database.Column
	b       bytes.Buffer
	rows    int
}

func (o *dumped) begin() {
	if o.format == ".csv" {
		names := make([]string, len(o.columns))
		for i, c := range o.columns {
			names[i] = c.Name
		}
		writeRow(&o.b, names)
	}
}

func (o *dumped) row(values []any) error {
	switch o.format {
	case ".csv":
		o.cells(values)
	case formatLines:
		text, _ := database.Cell(values[o.line], o.columns[o.line].Kind)
		o.b.WriteString(text + "\n")
	default:
		if o.format == ".json" {
			o.b.WriteString(map[bool]string{true: "[\n", false: ",\n"}[o.rows == 0])
		}
		places := make([]int, len(o.columns))
		for i := range places {
			places[i] = i
		}
		o.b.WriteString(database.Object(o.columns, values, places))
		if o.format == ".ndjson" {
			o.b.WriteByte('\n')
		}
	}
	if o.rows++; o.b.Len() > maxOutput {
		return fmt.Errorf("the output is larger than %d bytes", maxOutput)
	}
	return nil
}

func (o *dumped) cells(values []any) {
	for i, value := range values {
		if i > 0 {
			o.b.WriteByte(',')
		}
		text, null := database.Cell(value, o.columns[i].Kind)
		if text == "" && !null {
			text = `""`
		} else {
			text = quotedCell(text)
		}
		o.b.WriteString(text)
	}
	o.b.WriteByte('\n')
}

func (o *dumped) end() []byte {
	if o.format == ".json" {
		o.b.WriteString(map[bool]string{true: "[]\n", false: "\n]\n"}[o.rows == 0])
	}
	return o.b.Bytes()
}

// watch looks at the tables whose changes are handed over; nil when there are none.
func (w *sqlWork) watch(ctx context.Context) (*table.Recorder, error) {
	if len(w.spec.Tables) == 0 {
		return nil, nil
	}
	r := &table.Recorder{
		Source: w.db.Source.URL, Password: w.db.Source.Password, Dial: w.db.Source.Dial, Tables: w.spec.Tables, Keys: w.spec.Keys, From: w.system, To: w.spec.To,
	}
	return r, r.Open(ctx)
}

// tell puts what changed in the tables, as of the session. When a script failed, the tables that it was to change have the
// fault.
func (w *sqlWork) tell(ctx context.Context, changes *table.Recorder, fault *harness.Fault, sink harness.Sink) error {
	if changes == nil {
		return nil
	}
	seen := harness.NewMemory(harness.Manifest{})
	over, cancel := context.WithCancel(ctx)
	cancel() // one last look is all there is to do
	if err := changes.Record(over, seen); err != nil {
		return err
	}
	told, err := harness.Collect(seen)
	if err != nil {
		return err
	}
	if fault != nil {
		told = nil
		for _, name := range w.spec.Tables {
			told = append(told, harness.Exchange{
				Channel: harness.ChannelTable, From: w.system, To: w.spec.To, Fault: fault,
				Request: harness.Message{Head: harness.Head{{Name: harness.FieldTable, Value: name}}, Media: "application/json"},
			})
		}
	}
	var failed error
	for _, x := range told {
		x.ID, x.Session, x.At, x.Took = "", w.first.Session, clock(w.env, w.first), 0
		failed = cmp.Or(failed, sink.Put(x))
	}
	return errors.Join(failed)
}
