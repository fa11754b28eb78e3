//go:build unix

package target

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/database/databasetest"
)

// left wants that no database of a run is left.
func left(t *testing.T, server *databasetest.Server, query string) {
	t.Helper()
	var n int
	if err := server.DB.QueryRow(query).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d databases are left, %v", n, err)
	}
}

func TestSQLInPostgreSQL(t *testing.T) {
	server := databasetest.Postgres(t)
	t.Setenv("SQL_PASSWORD", server.Password)
	const databases = `SELECT count(*) FROM pg_database WHERE datname LIKE 'rehearse%'`
	spec := sqlSpec(server.Source, "env:SQL_PASSWORD")
	checkSQL(t, sqlRun(t, testEnv(t), spec, sqlMapping), "3.50", "123456789012345678.05", "0.10", "1.00")
	left(t, server, databases)

	spec.Dump, spec.Tables = spec.Dump[:1], nil
	got := sqlRun(t, testEnv(t), spec, "-- é\nSELECT 'é',\n  nope FROM status;")
	if want := "lms enrolments.csv\nfailed: map.sql:3:3: column \"nope\" does not exist (SQLSTATE 42703)\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got = sqlRun(t, testEnv(t), spec, "INSERT INTO enrolments SELECT id, 'x', rsts::numeric FROM registrations;")
	if want := "lms enrolments.csv\nfailed: map.sql:1:1: invalid input syntax for type numeric: … (SQLSTATE 22P02)\n"; got != want {
		t.Errorf("a value gets into the report: %s, want %s", got, want)
	}
	left(t, server, databases)

	t.Setenv("SQL_PASSWORD", "wrong")
	err := sqlFails(t, spec)
	if harness.ClassOf(err) != harness.ClassCannotRun || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
	server.Do(t, `CREATE ROLE reader LOGIN PASSWORD 'hurons'`)
	t.Setenv("SQL_PASSWORD", "hurons")
	spec.Source = strings.Replace(spec.Source, "loader@", "reader@", 1)
	if err := sqlFails(t, spec); harness.ClassOf(err) != harness.ClassCannotRun || !strings.Contains(harness.HintOf(err), "right to make databases") {
		t.Errorf("a user who may not make databases: %v", err)
	}
}

func sqlFails(t *testing.T, spec harness.SQLSpec) error {
	t.Helper()
	env := testEnv(t)
	write(t, env, map[string]string{"setup.sql": sqlSetup, "map.sql": sqlMapping})
	stage := start(t, harness.TargetSpec{SQL: &spec}, env)
	err := stage.Feed(t.Context(), []harness.Exchange{drop("registrations-20261005.csv", registered)}, harness.NewMemory(harness.Manifest{}))
	if err == nil {
		t.Fatal("no error")
	}
	return err
}

func TestSQLInMariaDB(t *testing.T) {
	server := databasetest.MariaDB(t)
	server.Do(t, "GRANT ALL ON `rehearse\\_%`.* TO loader@127.0.0.1")
	t.Setenv("SQL_PASSWORD", server.Password)
	spec := sqlSpec(server.Source, "env:SQL_PASSWORD")
	checkSQL(t, sqlRun(t, testEnv(t), spec, sqlMapping), "3.50", "123456789012345678.05", "0.10", "1.00")
	spec.Dump, spec.Tables = spec.Dump[:1], nil
	got := sqlRun(t, testEnv(t), spec, "SELECT 1;\nDELIMITER //\nCREATE PROCEDURE p() BEGIN INSERT INTO status VALUES ('RE', 'x'); END//\nDELIMITER ;\nCALL p();\n")
	if !strings.HasPrefix(got, "lms enrolments.csv\nfailed: map.sql:5:1: Error 1062 (23000): Duplicate entry 'RE' for key ") && !strings.HasPrefix(got, "lms enrolments.csv\nfailed: map.sql:5:1: Error 1062 (23000): Duplicate entry … for key ") {
		t.Error(got)
	}
	left(t, server, "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'rehearse%'")
}
