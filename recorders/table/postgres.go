package table

import (
	"context"
	"database/sql"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// postgres reads every value as the text that PostgreSQL prints for it.
var postgres = engine{
	scheme: "postgres", driver: "pgx", form: "postgres://USER@HOST/DATABASE", quote: `"`,
	dsn: func(u *url.URL, password string) (string, error) {
		to := *u
		if password != "" {
			to.User = url.UserPassword(u.User.Username(), password)
		}
		return to.String(), nil
	},
	isolation:  sql.LevelRepeatableRead,
	statements: []string{"SET LOCAL TIME ZONE 'UTC'", "SET LOCAL DateStyle = ISO", "SET LOCAL IntervalStyle = iso_8601", "SET LOCAL bytea_output = hex", "SET LOCAL extra_float_digits = 1"},
	tables: `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		AND n.nspname !~ '^pg_' ORDER BY 1`,
	columns: func(ctx context.Context, tx *sql.Tx, name string) ([]column, error) {
		return scanColumns(tx.QueryContext(ctx, `SELECT a.attname, CASE WHEN t.typcategory = 'N' THEN 1 WHEN t.typcategory = 'B' THEN 2 ELSE 0 END,
			coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
			FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
			WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, name))
	},
	expression: func(quoted string, _ column) string { return quoted + "::text" },
}

// scanColumns reads name, kind and place in the primary key.
func scanColumns(rows *sql.Rows, err error) ([]column, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.primary); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
