package database

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite reads a database file. Values have the type that each has, not that of their column, so that bytes are bytes.
var sqlite = engine{
	scheme: "sqlite", form: "sqlite:FILE", quote: `"`,
	open:      openSQLite,
	isolation: sql.LevelDefault,
	tables:    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1`,
	columns: func(ctx context.Context, tx *sql.Tx, name string) ([]Column, error) {
		return scanColumns(tx.QueryContext(ctx, `SELECT name, 3, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid`, name))
	},
	// The sign changes nothing, but keeps the driver from reading texts of columns that are named like dates as moments.
	expression: func(quoted string, _ Column) string { return "+" + quoted },

	placeholder: func(int) string { return "?" },
	text:        "TEXT",
	dialect:     dialect{triggers: true},
	place:       func(err error) (int, string) { return 0, err.Error() },
}

// FileURL is the source of a database in a file: sqlite:///tmp/rows.db. The file is absolute.
func FileURL(file string) string {
	path := filepath.ToSlash(file)
	if filepath.VolumeName(file) != "" {
		path = "/" + path
	}
	return "sqlite://" + (&url.URL{Path: path}).EscapedPath()
}

// fileOf is the file that a source names: sqlite:FILE, or sqlite:///FILE.
func fileOf(u *url.URL) string {
	file := strings.TrimPrefix(u.Opaque+u.Path, "//")
	if rest, ok := strings.CutPrefix(file, "/"); ok && filepath.VolumeName(filepath.FromSlash(rest)) != "" {
		return rest
	}
	return file
}

// openSQLite opens a file. For reading it must be there: else an empty one would be made.
func openSQLite(u *url.URL, s Source) (*sql.DB, error) {
	file := fileOf(u)
	if file == "" {
		return nil, errors.New("the name of the file is missing")
	}
	mode := "rwc"
	if !s.Write {
		mode = "ro"
		if _, err := os.Stat(file); err != nil {
			return nil, err
		}
	}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode="+mode+"&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)")
}
