// Package database opens databases of several kinds, and reads and writes their tables in their own words: every value as
// the database prints it, so that 3.50 stays 3.50 and NULL is not the empty text. It is the one place where drivers live.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Source says which database is opened, and how.
type Source struct {
	URL      string // postgres://USER@HOST/DATABASE, mysql://USER@HOST/DATABASE or sqlite:FILE, without a password
	Password string
	Write    bool // tables are written, too; a file of SQLite is made when it is missing

	// Dial connects to a server; nil is the network itself. Names are not looked up before.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DB is an open database with one connection.
type DB struct {
	*sql.DB
	engine *engine
}

// engine is one row of the table of databases.
type engine struct {
	scheme string
	form   string // of the source, for people
	open   func(u *url.URL, s Source) (*sql.DB, error)
	quote  string // what stands around an identifier

	isolation  sql.IsolationLevel
	statements []string // at the beginning of each transaction that reads

	tables     string // names the tables of the database, one a row
	columns    func(ctx context.Context, tx *sql.Tx, name string) ([]Column, error)
	expression func(quoted string, c Column) string // yields the value as it is recorded

	placeholder func(n int) string // of the nth value of a statement, from 1
	text        string             // type of a column that holds any text
	dialect     dialect
	named       func(u *url.URL, name string) // makes u the source of another database of the same server; nil: there is no server
	forced      string                        // makes a database go although somebody is connected to it
	place       func(err error) (offset int, message string)
}

// engines is the table of databases.
var engines = []*engine{&postgres, &mysql, &sqlite}

// Column of a table.
type Column struct {
	Name    string
	Kind    Kind
	Primary int // place in the primary key, from 1; 0: not in it
}

// Kind says how a value is written.
type Kind int

// Kinds of values.
const (
	Text Kind = iota
	Number
	Boolean
	Binary
)

// Forms are the ways to write a source.
func Forms() []string {
	var forms []string
	for _, e := range engines {
		forms = append(forms, e.form)
	}
	return forms
}

// Check says what is wrong with a source, without connecting to it.
func Check(source string) error {
	_, _, err := engineOf(source)
	return err
}

func engineOf(source string) (*engine, *url.URL, error) {
	u, err := url.Parse(source)
	for _, e := range engines {
		if err != nil || u.Scheme != e.scheme {
			continue
		}
		if err := harness.WithoutPassword("open database", u, "apart, as env:NAME or as a file"); err != nil {
			return nil, nil, err
		}
		return e, u, nil
	}
	return nil, nil, harness.Usage(fmt.Errorf("open database: %q is not a database", source), "write it as "+strings.Join(Forms(), ", "))
}

// Open connects to a database and asks it something. The error is a [harness.Problem].
func Open(ctx context.Context, s Source) (*DB, error) {
	e, u, err := engineOf(s.URL)
	if err != nil {
		return nil, err
	}
	return e.connect(ctx, u, s)
}

func (e *engine) connect(ctx context.Context, u *url.URL, s Source) (*DB, error) {
	db, err := e.open(u, s)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("open database %s: %w", u, err), "write it as "+e.form)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(unreached(u.String(), err), db.Close())
	}
	return &DB{db, e}, nil
}

// unreached keeps the class and the hint of what a guard says.
func unreached(source string, err error) error {
	err = fmt.Errorf("reach database %s: %w", source, err)
	if harness.HintOf(err) != "" || harness.ClassOf(err) != harness.ClassUsage {
		return err
	}
	return harness.CannotRun(err, "check that the database runs, and that the user may use it")
}

// Tables names the tables of the database.
func (d *DB) Tables(ctx context.Context) ([]string, error) {
	rows, err := d.QueryContext(ctx, d.engine.tables)
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

// Look begins a transaction in which tables are read as of one moment.
func (d *DB) Look(ctx context.Context) (*sql.Tx, error) {
	e := d.engine
	tx, err := d.BeginTx(ctx, &sql.TxOptions{Isolation: e.isolation, ReadOnly: e.isolation != sql.LevelDefault})
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

// Quoted writes a name as an identifier, each part of it.
func (d *DB) Quoted(name string) string {
	quote := d.engine.quote
	parts := strings.Split(name, ".")
	for i, part := range parts {
		parts[i] = quote + strings.ReplaceAll(part, quote, quote+quote) + quote
	}
	return strings.Join(parts, ".")
}

// Columns are the columns of a table or view in their order; none when there is none of that name.
func (d *DB) Columns(ctx context.Context, tx *sql.Tx, name string) ([]Column, error) {
	return d.engine.columns(ctx, tx, name)
}

// Rows reads the rows of a table in the order of the columns at the places of the key. It hands each row to take, which must
// not keep it.
func (d *DB) Rows(ctx context.Context, tx *sql.Tx, name string, columns []Column, key []int, take func(values []any) error) error {
	var selected, sorted []string
	for _, c := range columns {
		selected = append(selected, d.engine.expression(d.engine.column(c.Name), c))
	}
	for _, i := range key {
		sorted = append(sorted, d.engine.column(columns[i].Name))
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(selected, ", ")+" FROM "+d.Quoted(name)+" ORDER BY "+strings.Join(sorted, ", "))
	if err != nil {
		return err
	}
	defer rows.Close()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := take(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// column writes the name of a column: a dot in it is part of the name.
func (e *engine) column(name string) string {
	return e.quote + strings.ReplaceAll(name, e.quote, e.quote+e.quote) + e.quote
}

// ColumnNames lists the names for people.
func ColumnNames(columns []Column) string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// KeyOf returns the places of the columns that tell rows apart: those that are named, else the primary key, else all. Named
// says whether there is a key at all.
func KeyOf(columns []Column, names []string) (places []int, named bool, err error) {
	for _, name := range names {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil, false, harness.Usage(fmt.Errorf("it has no column %s", name), "columns are "+ColumnNames(columns))
		}
		places = append(places, i)
	}
	if len(places) > 0 {
		return places, true, nil
	}
	for i, c := range columns {
		if c.Primary > 0 {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return columns[a].Primary - columns[b].Primary })
	if len(places) > 0 {
		return places, true, nil
	}
	for i := range columns {
		places = append(places, i)
	}
	return places, false, nil
}
