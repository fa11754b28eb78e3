package database

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"

	driver "github.com/go-sql-driver/mysql"
)

// mysql reads MySQL and MariaDB. Values come as the text of the server's own protocol.
var mysql = engine{
	scheme: "mysql", form: "mysql://USER@HOST/DATABASE", quote: "`",
	open:      openMySQL,
	isolation: sql.LevelRepeatableRead,
	tables: `SELECT table_name FROM information_schema.tables
		WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY 1`,
	columns: func(ctx context.Context, tx *sql.Tx, name string) ([]Column, error) {
		schema, plain, ok := strings.Cut(name, ".")
		if !ok {
			schema, plain = "", name
		}
		return scanColumns(tx.QueryContext(ctx, `SELECT c.column_name,
			CASE WHEN c.data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'year') THEN 1
				WHEN c.data_type IN ('binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'bit', 'geometry') THEN 3 ELSE 0 END,
			coalesce(k.ordinal_position, 0)
			FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k
			ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
			WHERE c.table_schema = coalesce(nullif(?, ''), database()) AND c.table_name = ? ORDER BY c.ordinal_position`, schema, plain))
	},
	statements: []string{"SET time_zone = '+00:00'"},
	expression: func(quoted string, _ Column) string { return quoted },

	placeholder: func(int) string { return "?" },
	text:        "longtext",
	dialect:     dialect{backslashes: true, hashes: true, delimiters: true},
	named:       func(u *url.URL, name string) { u.Path = "/" + name },
	place:       func(err error) (int, string) { return 0, err.Error() },
}

func openMySQL(u *url.URL, s Source) (*sql.DB, error) {
	c := driver.NewConfig()
	c.User, c.Passwd, c.DBName = u.User.Username(), s.Password, strings.TrimPrefix(u.Path, "/")
	if c.DBName == "" {
		return nil, errors.New("the name of the database is missing")
	}
	c.Net, c.Addr = "tcp", u.Host
	if socket := u.Query().Get("socket"); socket != "" {
		c.Net, c.Addr = "unix", socket
	} else if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.TLSConfig = u.Query().Get("tls")
	if s.Dial != nil {
		c.DialFunc = s.Dial
	}
	connector, err := driver.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
