package table

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/database"
)

// read reads the rows of a table in the order of its key. Room is how many bytes may still be held.
func (r *Recorder) read(ctx context.Context, tx *sql.Tx, t *table, room *int64) (*snapshot, error) {
	columns, err := r.db.Columns(ctx, tx, t.name)
	if err != nil {
		return nil, unread("table "+t.name, err)
	}
	if len(columns) == 0 {
		return nil, harness.Usage(fmt.Errorf("read table %s: there is none of that name, or the user may not see it", t.name), "write the name with its schema, such as sis.registrations")
	}
	key, named, err := database.KeyOf(columns, t.key)
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", t.name, err)
	}
	if t.key = nil; named {
		for _, i := range key {
			t.key = append(t.key, columns[i].Name)
		}
	}
	s := &snapshot{table: t, rows: map[string]string{}}
	all := make([]int, len(columns))
	for i := range all {
		all[i] = i
	}
	var refused error
	err = r.db.Rows(ctx, tx, t.name, columns, key, func(values []any) error {
		row, id := database.Object(columns, values, all), database.Object(columns, values, key)
		if *room -= int64(len(row) + len(id)); *room < 0 {
			refused = harness.Usage(fmt.Errorf("read table %s: the rows are more text than is held", t.name), "record fewer tables, or raise --max-memory")
			return refused
		}
		refused = s.add(id, row, !named)
		return refused
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, unread("table "+t.name, err)
	}
	return s, nil
}
