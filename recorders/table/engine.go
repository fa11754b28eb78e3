package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// engine is one row of the table of databases.
type engine struct {
	scheme string
	driver string
	form   string // of the source, for people
	dsn    func(u *url.URL, password string) (string, error)
	quote  string // what stands around an identifier

	isolation  sql.IsolationLevel
	statements []string // at the beginning of each transaction

	tables     string // names the tables of the database, one a row
	columns    func(ctx context.Context, tx *sql.Tx, name string) ([]column, error)
	expression func(quoted string, c column) string // yields the value as it is recorded
}

// engines is the table of databases.
var engines = []*engine{&postgres, &mysql, &sqlite}

// column of a table.
type column struct {
	name    string
	kind    kind
	primary int // place in the primary key, from 1; 0: not in it
}

// kind says how a value is written.
type kind int

const (
	text kind = iota
	number
	boolean
	binary
)

// connect opens a database and asks it something.
func connect(ctx context.Context, source, password string) (*engine, *sql.DB, error) {
	var forms []string
	u, err := url.Parse(source)
	for _, e := range engines {
		forms = append(forms, e.form)
		if err != nil || u.Scheme != e.scheme {
			continue
		}
		if _, has := u.User.Password(); has {
			return nil, nil, harness.Usage(errors.New("record tables: a password stands in the source"),
				"name it with --password env:NAME: command lines are seen by other users and kept in histories")
		}
		dsn, err := e.dsn(u, password)
		if err != nil {
			return nil, nil, harness.Usage(fmt.Errorf("record tables of %s: %w", source, err), "write it as "+e.form)
		}
		db, err := sql.Open(e.driver, dsn)
		if err != nil {
			return nil, nil, harness.Usage(fmt.Errorf("record tables of %s: %w", source, err), "write it as "+e.form)
		}
		db.SetMaxOpenConns(1)
		if err := db.PingContext(ctx); err != nil {
			return nil, nil, errors.Join(unread(source, err), db.Close())
		}
		return e, db, nil
	}
	return nil, nil, harness.Usage(fmt.Errorf("record tables: %q is not a database", source), "write it as "+strings.Join(forms, ", "))
}

// all names the tables of the database.
func (e *engine) all(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, e.tables)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func (e *engine) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: e.isolation, ReadOnly: e.isolation != sql.LevelDefault})
	if err != nil {
		return nil, err
	}
	for _, statement := range e.statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	return tx, nil
}

// quoted writes a name as an identifier, each part of it.
func (e *engine) quoted(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		parts[i] = e.quote + strings.ReplaceAll(part, e.quote, e.quote+e.quote) + e.quote
	}
	return strings.Join(parts, ".")
}

// read reads the rows of a table in the order of its key. Room is how many bytes may still be held.
func (e *engine) read(ctx context.Context, tx *sql.Tx, t *table, room *int64) (*snapshot, error) {
	columns, err := e.columns(ctx, tx, t.name)
	if err != nil {
		return nil, unread("table "+t.name, err)
	}
	if len(columns) == 0 {
		return nil, harness.Usage(fmt.Errorf("read table %s: there is none of that name, or the user may not see it", t.name), "write the name with its schema, such as sis.registrations")
	}
	key, err := t.keyOf(columns)
	if err != nil {
		return nil, err
	}
	var selected, sorted []string
	for _, c := range columns {
		selected = append(selected, e.expression(e.quoted(c.name), c))
	}
	for _, i := range key {
		sorted = append(sorted, e.quoted(columns[i].name))
	}
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + e.quoted(t.name) + " ORDER BY " + strings.Join(sorted, ", ")
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, unread("table "+t.name, err)
	}
	defer rows.Close()
	return t.snapshot(rows, columns, key, room)
}

// keyOf returns the places of the columns that tell rows apart: those that were named, the primary key, or all.
func (t *table) keyOf(columns []column) ([]int, error) {
	var key []int
	for _, name := range t.key {
		i := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		if i < 0 {
			return nil, harness.Usage(fmt.Errorf("read table %s: it has no column %s", t.name, name), "columns are "+columnNames(columns))
		}
		key = append(key, i)
	}
	if len(key) > 0 {
		return key, nil
	}
	for i, c := range columns {
		if c.primary > 0 {
			key = append(key, i)
		}
	}
	slices.SortFunc(key, func(a, b int) int { return columns[a].primary - columns[b].primary })
	if len(key) > 0 {
		for _, i := range key {
			t.key = append(t.key, columns[i].name)
		}
		return key, nil
	}
	for i := range columns {
		key = append(key, i)
	}
	return key, nil
}

func columnNames(columns []column) string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func (t *table) snapshot(rows *sql.Rows, columns []column, key []int, room *int64) (*snapshot, error) {
	s := &snapshot{table: t, rows: map[string]string{}}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	all := make([]int, len(columns))
	for i := range all {
		all[i] = i
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, unread("table "+t.name, err)
		}
		row, id := object(columns, values, all), object(columns, values, key)
		if *room -= int64(len(row) + len(id)); *room < 0 {
			return nil, harness.Usage(fmt.Errorf("read table %s: the rows are more text than is held", t.name), "record fewer tables, or raise --max-memory")
		}
		if err := s.add(id, row, len(t.key) == 0); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unread("table "+t.name, err)
	}
	return s, nil
}
