package table

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite reads a database file. Values have the type that each has, not that of their column, so that bytes are bytes.
var sqlite = engine{
	scheme: "sqlite", driver: "sqlite", form: "sqlite:FILE", quote: `"`,
	dsn: func(u *url.URL, _ string) (string, error) {
		file := strings.TrimPrefix(u.Opaque+u.Path, "//")
		if file == "" {
			return "", errors.New("the name of the file is missing")
		}
		if _, err := os.Stat(file); err != nil { // else an empty one would be made
			return "", err
		}
		return "file:" + (&url.URL{Path: file}).EscapedPath() + "?mode=ro&_pragma=busy_timeout(10000)", nil
	},
	isolation: sql.LevelDefault,
	tables:    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1`,
	columns: func(ctx context.Context, tx *sql.Tx, name string) ([]column, error) {
		return scanColumns(tx.QueryContext(ctx, `SELECT name, 3, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid`, name))
	},
	// The sign changes nothing, but keeps the driver from reading texts of columns that are named like dates as moments.
	expression: func(quoted string, _ column) string { return "+" + quoted },
}
