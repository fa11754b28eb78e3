package target

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

const (
	sqlSetup = "CREATE TABLE status (code varchar(10) PRIMARY KEY, lms varchar(10));\nINSERT INTO status VALUES ('RE', 'active'), ('AU', NULL), ('WL', '');\n" +
		"CREATE TABLE enrolments (id varchar(20) PRIMARY KEY, status varchar(10), credits numeric(20,2) NOT NULL);\nINSERT INTO enrolments VALUES ('H0', 'old', 1);\n"
	sqlMapping = "-- registrations → enrolments\nINSERT INTO enrolments SELECT r.id, s.lms, CAST(r.credits AS decimal(20,2)) FROM registrations r JOIN status s ON s.code = r.rsts;\n" +
		"DELETE FROM enrolments WHERE id = 'H0';\n"
	registered = "id,rsts,credits\nH3,WL,0.10\nH1,RE,3.50\nH2,AU,123456789012345678.05\n"
)

// sqlSpec is the mapping with one dump in each format, and the changes of its table.
func sqlSpec(source, password string) harness.SQLSpec {
	return harness.SQLSpec{
		Source: source, Password: password, Setup: []string{"setup.sql"}, Load: []harness.SQLLoad{{From: "registrations-{}.csv", Table: "registrations"}}, Run: []string{"map.sql"}, To: "lms",
		Dump: []harness.SQLDump{
			{Table: "enrolments", Output: "enrolments.csv"},
			{Query: "SELECT status, count(*) AS n FROM enrolments GROUP BY status;", Key: []string{"n", "status"}, Output: "totals.ndjson", To: "log"},
			{Query: "SELECT id, credits FROM enrolments WHERE id <> 'H3'", Output: "credits.json"},
		},
		Tables: []string{"enrolments"},
	}
}

// sqlRun feeds a file to the scripts, and returns operation and content or fault of everything that was handed over.
func sqlRun(t *testing.T, env harness.StageEnv, spec harness.SQLSpec, mapping string) string {
	t.Helper()
	write(t, env, map[string]string{"setup.sql": sqlSetup, "map.sql": mapping})
	stage := start(t, harness.TargetSpec{SQL: &spec}, env)
	var b strings.Builder
	for _, x := range feed(t, stage, drop("registrations-20261005.csv", registered), drop("other.csv", "a\n1\n"))[2:] {
		if b.WriteString(x.To + " " + x.Operation() + "\n"); x.Fault != nil {
			b.WriteString(x.Fault.Kind + ": " + x.Fault.Detail + "\n")
			continue
		}
		b.WriteString(text(t, x.Request))
	}
	return b.String()
}

// sqlWant is what every database makes of it; big is how it prints the second number.
func sqlWant(first, big, small string) string {
	changes := `{"change":"inserted","key":{"id":"H1"},"row":{"id":"H1","status":"active","credits":` + first + `}},
{"change":"inserted","key":{"id":"H2"},"row":{"id":"H2","status":null,"credits":` + big + `}},
{"change":"inserted","key":{"id":"H3"},"row":{"id":"H3","status":"","credits":` + small + `}},
`
	return "lms enrolments.csv\nid,status,credits\nH1,active," + first + "\nH2,," + big + "\nH3,\"\"," + small + "\n" +
		"log totals.ndjson\nTOTALS" +
		"lms credits.json\n[\n{\"id\":\"H1\",\"credits\":" + first + "},\n{\"id\":\"H2\",\"credits\":" + big + "}\n]\n" +
		"lms enrolments\n[\n" + changes
}

func checkSQL(t *testing.T, got, first, big, small, was string) {
	t.Helper()
	want := sqlWant(first, big, small) + `{"change":"deleted","key":{"id":"H0"},"was":{"id":"H0","status":"old","credits":` + was + "}}\n]\n"
	i, j := strings.Index(got, "{\"status\""), strings.Index(got, "lms credits.json")
	if i < 0 || j < 0 {
		t.Fatalf("no totals: %s", got)
	}
	totals := strings.Split(strings.TrimSpace(got[i:j]), "\n")
	if diff := cmp.Diff(3, len(totals)); diff != "" || !strings.Contains(got[i:j], `{"status":null,"n":1}`) || !strings.Contains(got[i:j], `{"status":"","n":1}`) {
		t.Errorf("totals: %s", got[i:j])
	}
	if diff := cmp.Diff(want, got[:i]+"TOTALS"+got[j:]); diff != "" {
		t.Error(diff)
	}
}

func TestSQLInSQLite(t *testing.T) {
	env := testEnv(t)
	got := sqlRun(t, env, sqlSpec("", ""), sqlMapping)
	checkSQL(t, got, "3.5", "123456789012345680", "0.1", "1") // SQLite has no decimals: numbers in numeric columns are floating point
	spec := sqlSpec("sqlite", "")
	spec.Setup, spec.Dump, spec.Tables = nil, []harness.SQLDump{{Query: "SELECT id, credits FROM registrations", Output: "r.csv"}}, nil
	got = sqlRun(t, env, spec, "SELECT 1")
	if want := "lms r.csv\nid,credits\nH1,3.50\nH2,123456789012345678.05\nH3,0.10\n"; got != want {
		t.Errorf("texts stay as they are: %s, want %s", got, want)
	}
}

func TestSQLLoads(t *testing.T) {
	empty := ""
	for _, tt := range []struct {
		why  string
		fed  harness.Exchange
		null *string
		want string
	}{
		{"an empty cell is the empty text", drop("r.csv", "a,b\n1,\n"), nil, "a,b\n1,\"\"\n"},
		{"an empty cell is NULL", drop("r.csv", "a,b\n1,\n"), &empty, "a,b\n1,\n"},
		{"null and missing members", drop("r.json", `[{"a":9007199254740993,"b":null},{"b":"","c":{"x":1.0}}]`), nil, "a,b,c\n,\"\",\"{\"\"x\"\":1.0}\"\n9007199254740993,,\n"},
		{"changes of a table", harness.Exchange{ID: "1", Session: "s", Channel: harness.ChannelTable, From: "sis", To: "hubline", Request: harness.Message{
			Head: harness.Head{{Name: harness.FieldTable, Value: "r"}}, Media: "application/json",
			Body: harness.BytesBody([]byte(`[{"change":"inserted","key":{"a":1},"row":{"a":1}},{"change":"deleted","key":{"a":2},"was":{"a":2}}]`)),
		}}, nil, "a\n1\n"},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"map.sql": "SELECT 1"})
		stage := start(t, harness.TargetSpec{SQL: &harness.SQLSpec{
			Load: []harness.SQLLoad{{From: "r*", Table: "t", Null: tt.null}}, Run: []string{"map.sql"}, Dump: []harness.SQLDump{{Table: "t", Output: "t.csv"}}, To: "lms",
		}}, env)
		xs := feed(t, stage, tt.fed)
		if got := text(t, xs[1].Request); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// A script that fails is an outcome, with its place and without values.
func TestSQLScriptsThatFail(t *testing.T) {
	for _, tt := range []struct{ mapping, want string }{
		{"SELECT 1;\n\n  INSERT INTO status VALUES ('RE', 'x');", "lms enrolments.csv\nfailed: map.sql:3:3: constraint failed: UNIQUE constraint failed: status.code (1555)\n"},
		{"SELECT 1;\nSELECT nope FROM status", "lms enrolments.csv\nfailed: map.sql:2:1: SQL logic error: no such column: nope (1)\n"},
		{"DROP TABLE enrolments", "lms enrolments.csv\nfailed: dump enrolments.csv: there is no table enrolments\n"},
	} {
		var log bytes.Buffer
		env := testEnv(t)
		env.Log = &log
		spec := sqlSpec("", "")
		spec.Dump, spec.Tables = spec.Dump[:1], nil
		if got := sqlRun(t, env, spec, tt.mapping); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	env := testEnv(t)
	spec := sqlSpec("", "") // nothing is set up or loaded: all the time is that of the script
	spec.Setup, spec.Load, spec.Tables, spec.Dump, spec.Timeout = nil, nil, nil, spec.Dump[:1], harness.Duration(time.Second)
	if got := sqlRun(t, env, spec, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n"); !strings.HasPrefix(got, "lms enrolments.csv\ntimeout: the scripts did not end within 1s\n") {
		t.Errorf("an endless script: %s", got)
	}
}

func TestSQLThatCannotRun(t *testing.T) {
	for _, tt := range []struct {
		why  string
		spec harness.SQLSpec
	}{
		{"no script", harness.SQLSpec{Dump: []harness.SQLDump{{Table: "t", Output: "t.csv"}}}},
		{"nothing to hand over", harness.SQLSpec{Run: []string{"map.sql"}}},
		{"table and query", harness.SQLSpec{Run: []string{"map.sql"}, Dump: []harness.SQLDump{{Table: "t", Query: "SELECT 1", Output: "t.csv"}}}},
		{"no format", harness.SQLSpec{Run: []string{"map.sql"}, Dump: []harness.SQLDump{{Table: "t", Output: "t.xml"}}}},
		{"a password in the source", harness.SQLSpec{Source: "postgres://u:secret@127.0.0.1/x", Run: []string{"map.sql"}, Tables: []string{"t"}}},
		{"no database", harness.SQLSpec{Source: "oracle://u@127.0.0.1/x", Run: []string{"map.sql"}, Tables: []string{"t"}}},
	} {
		if _, err := New(harness.TargetSpec{SQL: &tt.spec}); err == nil || harness.HintOf(err) == "" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
	session := []harness.Exchange{drop("r.csv", "a\n1\n")}
	for _, tt := range []struct {
		why, source string
		class       harness.Class
	}{
		{"nobody listens", "postgres://loader@127.0.0.1:1/x", harness.ClassCannotRun},
		{"another host is refused before it is asked", "postgres://loader@db.sis.example/x", harness.ClassRefused},
		{"also by another database", "mysql://loader@db.sis.example/x", harness.ClassRefused},
		{"a file that is there", "sqlite:/etc/hosts", harness.ClassUsage},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"map.sql": "SELECT 1"})
		stage := start(t, harness.TargetSpec{SQL: &harness.SQLSpec{Source: tt.source, Run: []string{"map.sql"}, Tables: []string{"t"}}}, env)
		err := stage.Feed(t.Context(), session, harness.NewMemory(harness.Manifest{}))
		if harness.ClassOf(err) != tt.class || err == nil || harness.HintOf(err) == "" {
			t.Errorf("%s: class %v of %v", tt.why, harness.ClassOf(err), err)
		}
	}
}

// The guard of the run decides, and is told that the database will be written.
func TestSQLAsksTheGuard(t *testing.T) {
	env := testEnv(t)
	asked := ""
	env.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
		asked = network + " " + address
		return nil, errors.New("not today")
	}
	write(t, env, map[string]string{"map.sql": "SELECT 1"})
	stage := start(t, harness.TargetSpec{SQL: &harness.SQLSpec{Source: "postgres://loader@db.sis.example/x", Run: []string{"map.sql"}, Tables: []string{"t"}}}, env)
	err := stage.Feed(t.Context(), []harness.Exchange{drop("r.csv", "a\n1\n")}, harness.NewMemory(harness.Manifest{}))
	if asked != "tcp db.sis.example:5432" || harness.ClassOf(err) != harness.ClassCannotRun {
		t.Errorf("asked %q, %v", asked, err)
	}
}

// A file that is no table goes in and out line by line, in its order, whatever its bytes are.
func TestSQLLines(t *testing.T) {
	env := testEnv(t)
	feedText := "H first\r\n\n" + strings.Repeat("D a,\"b\"  \n", 10) + "T\n"
	write(t, env, map[string]string{"map.sql": "CREATE VIEW feed AS SELECT number, line FROM lines;"})
	stage := start(t, harness.TargetSpec{SQL: &harness.SQLSpec{
		Load: []harness.SQLLoad{{From: "gl*", Table: "lines", Lines: true}}, Run: []string{"map.sql"}, To: "finance",
		Dump: []harness.SQLDump{{Table: "feed", Key: []string{"number"}, Output: "gl.dat", Lines: true}, {Query: "SELECT number FROM feed", Output: "none.dat", Lines: true}},
	}}, env)
	xs := feed(t, stage, drop("gl.dat", feedText))
	if got := text(t, xs[1].Request); got != feedText {
		t.Errorf("%q, want %q", got, feedText)
	}
	if f := xs[2].Fault; f == nil || !strings.Contains(f.Detail, "has no column line") {
		t.Errorf("a query without lines: %+v", f)
	}
}

// A source in a container of the run is found when the run knows where it listens.
func TestSQLSourceInAContainer(t *testing.T) {
	spec := harness.TargetSpec{SQL: &harness.SQLSpec{Source: "postgres://u@{container.db}/x", Run: []string{"map.sql"}, Tables: []string{"t"}}}
	target, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	env := testEnv(t)
	write(t, env, map[string]string{"map.sql": "SELECT 1"})
	if _, err := target.Start(t.Context(), env); err == nil || !strings.Contains(err.Error(), "{container.db}") {
		t.Errorf("without that container: %v", err)
	}
	env.At = func(name string) (string, bool) { return "127.0.0.1:5432", name == "db" }
	stage, err := target.Start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if got := stage.(*sqlStage).spec.Source; got != "postgres://u@127.0.0.1:5432/x" {
		t.Errorf("source %s", got)
	}
}
