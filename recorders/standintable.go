package recorders

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders/database"
)

// standInTables is a SQLite database with the rows that a system had when its recording began: those that were seen, and
// what changed ones were before. It lies in the scratch folder; what is done to it goes with that.
func standInTables(rec harness.Recording, system string, o StandInOptions) (*Serving, error) {
	gave, _, err := crossed(rec, harness.ChannelTable, system)
	if err != nil || len(gave) == 0 {
		return nil, err
	}
	tables, err := tablesOf(gave)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(o.Scratch, "rows.db")
	source := database.FileURL(file)
	ctx := context.Background() // a file of this machine
	db, err := database.Open(ctx, database.Source{URL: source, Write: true})
	if err != nil {
		return nil, err
	}
	rows := 0
	for _, t := range tables {
		rows += len(t.rows)
		err = errors.Join(err, t.write(ctx, db))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	run := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	serving := begin(source, run, func() (Account, error) {
		return Account{Notes: []string{fmt.Sprintf("%s in %s from the beginning of the recording", harness.Count(rows, "row"), harness.Count(len(tables), "table"))}}, nil
	})
	serving.File = file
	return serving, nil
}

// tableOf is a table as it was when the recording began.
type tableOf struct {
	name    string
	columns []string
	key     []string
	whole   map[string]bool // columns that hold whole numbers only
	seen    map[string]bool // keys of rows
	rows    []map[string]*string
}

// tablesOf takes the tables out of what was recorded, in the order in which they came. The schema of a name is left out.
func tablesOf(gave []harness.Exchange) ([]*tableOf, error) {
	var tables []*tableOf
	for _, x := range gave {
		name := x.Request.Head.Get(harness.FieldTable)
		name = name[strings.LastIndexByte(name, '.')+1:]
		at := slices.IndexFunc(tables, func(t *tableOf) bool { return t.name == name })
		if at < 0 {
			at = len(tables)
			tables = append(tables, &tableOf{name: name, whole: map[string]bool{}, seen: map[string]bool{}})
		}
		body, err := x.Request.Body.Bytes()
		if err != nil {
			return nil, fmt.Errorf("read exchange %s: %w", x.ID, err)
		}
		doc, err := payload.ParseJSON(body)
		if err != nil {
			return nil, fmt.Errorf("read exchange %s: %w", x.ID, err)
		}
		for change := range doc.Root().Children() {
			tables[at].look(change)
		}
	}
	return tables, nil
}

// look takes what a change tells of the beginning.
func (t *tableOf) look(change payload.Node) {
	key := string(change.Member("key").Raw())
	if t.seen[key] {
		return // it was changed before
	}
	t.seen[key] = true
	for member := range change.Member("key").Children() {
		if t.rows == nil && !slices.Contains(t.key, member.Name()) {
			t.key = append(t.key, member.Name())
		}
	}
	for _, side := range []payload.Node{change.Member("row"), change.Member("was")} {
		for member := range side.Children() {
			t.column(member)
		}
	}
	before := change.Member("was")
	if change.Member("change").Text() == "existing" {
		before = change.Member("row")
	}
	if before.IsZero() {
		return // it was inserted later
	}
	row := map[string]*string{}
	for member := range before.Children() {
		if member.Kind() != harness.KindNull {
			text := member.Text()
			row[member.Name()] = &text
		}
	}
	t.rows = append(t.rows, row)
}

func (t *tableOf) column(member payload.Node) {
	name := member.Name()
	whole := member.Kind() == harness.KindNull || member.Kind() == harness.KindNumber && !strings.ContainsAny(member.Text(), ".eE")
	if !slices.Contains(t.columns, name) {
		t.columns = append(t.columns, name)
		t.whole[name] = true
	}
	t.whole[name] = t.whole[name] && whole
}

// write makes the table. Columns of whole numbers hold numbers; all others hold what was recorded as text, so that 3.50
// stays 3.50.
func (t *tableOf) write(ctx context.Context, db *database.DB) error {
	defined := make([]string, 0, len(t.columns)+1)
	for _, name := range t.columns {
		kind := "TEXT"
		if t.whole[name] {
			kind = "INTEGER"
		}
		defined = append(defined, quotedName(name)+" "+kind)
	}
	if len(t.key) > 0 && !slices.ContainsFunc(t.key, func(k string) bool { return !slices.Contains(t.columns, k) }) {
		names := make([]string, len(t.key))
		for i, k := range t.key {
			names[i] = quotedName(k)
		}
		defined = append(defined, "PRIMARY KEY ("+strings.Join(names, ", ")+")")
	}
	if err := db.Run(ctx, "CREATE TABLE "+quotedName(t.name)+" ("+strings.Join(defined, ", ")+")"); err != nil {
		return fmt.Errorf("make table %s: %w", t.name, err)
	}
	rows := make([][]*string, len(t.rows))
	for i, row := range t.rows {
		for _, name := range t.columns {
			rows[i] = append(rows[i], row[name])
		}
	}
	if err := db.Insert(ctx, t.name, t.columns, rows); err != nil {
		return fmt.Errorf("fill table %s: %w", t.name, err)
	}
	return nil
}

func quotedName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
