package database

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres reads every value as the text that PostgreSQL prints for it.
var postgres = engine{
	scheme: "postgres", form: "postgres://USER@HOST/DATABASE", quote: `"`,
	open:       openPostgres,
	isolation:  sql.LevelRepeatableRead,
	statements: []string{"SET LOCAL TIME ZONE 'UTC'", "SET LOCAL DateStyle = ISO", "SET LOCAL IntervalStyle = iso_8601", "SET LOCAL bytea_output = hex", "SET LOCAL extra_float_digits = 1"},
	tables: `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		AND n.nspname !~ '^pg_' ORDER BY 1`,
	columns: func(ctx context.Context, tx *sql.Tx, name string) ([]Column, error) {
		return scanColumns(tx.QueryContext(ctx, `SELECT a.attname, CASE WHEN t.typcategory = 'N' THEN 1 WHEN t.typcategory = 'B' THEN 2 ELSE 0 END,
			coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
			FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
			WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, name))
	},
	expression: func(quoted string, _ Column) string { return quoted + "::text" },

	placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
	text:        "text",
	dialect:     dialect{dollars: true},
	forced:      " WITH (FORCE)",
	named:       func(u *url.URL, name string) { u.Path = "/" + name },
	place: func(err error) (int, string) {
		failed, ok := errors.AsType[*pgconn.PgError](err)
		if !ok {
			return 0, err.Error()
		}
		return max(0, int(failed.Position)-1), failed.Message + " (SQLSTATE " + failed.Code + ")"
	},
}

func openPostgres(u *url.URL, s Source) (*sql.DB, error) {
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, err
	}
	if s.Password != "" {
		config.Password = s.Password
	}
	if s.Dial != nil { // whoever dials looks names up, too
		config.DialFunc = s.Dial
		config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	}
	return stdlib.OpenDB(*config), nil
}

// scanColumns reads name, kind and place in the primary key.
func scanColumns(rows *sql.Rows, err error) ([]Column, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Column
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Kind, &c.Primary); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
