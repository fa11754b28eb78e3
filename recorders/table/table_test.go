package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var _ harness.Recorder = (*Recorder)(nil)

const patience = time.Minute

// testDB is one that a test may write.
type testDB struct {
	source, password string
	db               *sql.DB
}

func (d *testDB) do(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := d.db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// running is a recorder that runs.
type running struct {
	*Recorder
	t    *testing.T
	mem  *harness.Memory
	stop func() error
}

func start(t *testing.T, r *Recorder) *running {
	t.Helper()
	r.From, r.To = "sis", "lms"
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Record(ctx, mem) }()
	return &running{r, t, mem, func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	}}
}

// told is what was recorded: the session and name of each exchange, and its body.
func (r *running) told() string {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatal(err)
	}
	all, err := harness.Collect(r.mem)
	if err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	for _, x := range all {
		body, err := x.Request.Body.Bytes()
		if err != nil {
			r.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s>%s %s\n%s", x.Session, x.From, x.To, x.Title(), body)
	}
	return b.String()
}

func openSQLite(t *testing.T) *testDB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sis 2026.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d := &testDB{source: "sqlite:" + file, db: db}
	d.do(t, "PRAGMA journal_mode = WAL")
	return d
}

func TestChangesOfKeyedRows(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE registrations (student TEXT, crn INTEGER, status TEXT, credits NUMERIC, photo BLOB, taken DATETIME, PRIMARY KEY (crn, student))`,
		`INSERT INTO registrations VALUES ('H417', 2, 'RE', 3.5, x'00ff', '2026-09-01 08:00:00'), ('H418', 10, 'RE', 3, NULL, NULL), ('H419', 10, 'RE', 0.1, x'41', '')`,
		`CREATE TABLE quiet (id INTEGER PRIMARY KEY)`)
	r := start(t, &Recorder{Source: d.source})
	d.do(t, `UPDATE registrations SET status = 'DR <&"' WHERE student = 'H418'`, `DELETE FROM registrations WHERE student = 'H419'`,
		`INSERT INTO registrations VALUES ('H420', 3, 'RE', 9007199254740993, x'', 'soon')`)
	want := `look-1 sis>lms registrations
[
{"change":"inserted","key":{"crn":3,"student":"H420"},"row":{"student":"H420","crn":3,"status":"RE","credits":9007199254740993,"photo":"","taken":"soon"}},
{"change":"updated","key":{"crn":10,"student":"H418"},"was":{"student":"H418","crn":10,"status":"RE","credits":3,"photo":null,"taken":null},"row":{"student":"H418","crn":10,"status":"DR <&\"","credits":3,"photo":null,"taken":null}},
{"change":"deleted","key":{"crn":10,"student":"H419"},"was":{"student":"H419","crn":10,"status":"RE","credits":0.1,"photo":"41","taken":""}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestExistingRowsAndSeveralLooks(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE codes (code TEXT PRIMARY KEY)`, `INSERT INTO codes VALUES ('RE')`)
	r := start(t, &Recorder{Source: d.source, Tables: []string{"codes"}, Existing: true, Every: 5 * time.Millisecond})
	for n, code := range []string{"RH", "RW"} {
		d.do(t, `INSERT INTO codes VALUES ('`+code+`')`)
		for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Seen < n+2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("code %s was not seen", code)
			}
		}
	}
	want := `look-1 sis>lms codes
[
{"change":"existing","key":{"code":"RE"},"row":{"code":"RE"}}
]
look-2 sis>lms codes
[
{"change":"inserted","key":{"code":"RH"},"row":{"code":"RH"}}
]
look-3 sis>lms codes
[
{"change":"inserted","key":{"code":"RW"},"row":{"code":"RW"}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestRowsWithoutAPrimaryKey(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE log (line TEXT)`, `INSERT INTO log VALUES ('a'), ('a'), ('b')`)
	r := start(t, &Recorder{Source: d.source})
	d.do(t, `INSERT INTO log VALUES ('a')`, `UPDATE log SET line = 'c' WHERE line = 'b'`)
	want := `look-1 sis>lms log
[
{"change":"inserted","key":{"line":"a","#":3},"row":{"line":"a"}},
{"change":"inserted","key":{"line":"c"},"row":{"line":"c"}},
{"change":"deleted","key":{"line":"b"},"was":{"line":"b"}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestNothingChanged(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE codes (code TEXT PRIMARY KEY)`, `INSERT INTO codes VALUES ('RE')`)
	if got := start(t, &Recorder{Source: d.source}).told(); got != "" {
		t.Errorf("told %s", got)
	}
}

func TestWhatCannotBeRecordedIsSaid(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE codes (code TEXT, name TEXT)`, `INSERT INTO codes VALUES ('RE', 'a'), ('RE', 'b')`)
	empty := openSQLite(t)
	for _, tt := range []struct {
		why   string
		r     *Recorder
		want  string
		class harness.Class
	}{
		{"another database", &Recorder{Source: "oracle://sis/prod"}, "is not a database", harness.ClassUsage},
		{"a password on the command line", &Recorder{Source: "postgres://loader:hurons@127.0.0.1/sis"}, "a password stands in the source", harness.ClassUsage},
		{"no file", &Recorder{Source: "sqlite:/none/sis.db"}, "no such file", harness.ClassUsage},
		{"no file name", &Recorder{Source: "sqlite:"}, "the name of the file is missing", harness.ClassUsage},
		{"no tables", &Recorder{Source: empty.source}, "there are none", harness.ClassUsage},
		{"no such table", &Recorder{Source: d.source, Tables: []string{"grades"}}, "there is none of that name", harness.ClassUsage},
		{"no such column", &Recorder{Source: d.source, Keys: map[string][]string{"codes": {"id"}}}, "it has no column id", harness.ClassUsage},
		{"a key for a table that is not recorded", &Recorder{Source: d.source, Keys: map[string][]string{"grades": {"id"}}}, "grades, which is not recorded", harness.ClassUsage},
		{"a key that does not tell rows apart", &Recorder{Source: d.source, Keys: map[string][]string{"codes": {"code"}}}, "two rows have the key code", harness.ClassUsage},
		{"too much", &Recorder{Source: d.source, MaxBytes: 40}, "more text than is held", harness.ClassUsage},
		{"nobody listens", &Recorder{Source: "postgres://loader@127.0.0.1:1/sis"}, "reach database postgres://loader@127.0.0.1:1/sis", harness.ClassCannotRun},
		{"nobody listens", &Recorder{Source: "mysql://loader@127.0.0.1:1/sis"}, "reach database mysql://loader@127.0.0.1:1/sis", harness.ClassCannotRun},
		{"no database name", &Recorder{Source: "mysql://loader@127.0.0.1:1"}, "the name of the database is missing", harness.ClassUsage},
	} {
		err := tt.r.Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.ClassOf(err) != tt.class {
			t.Errorf("%s: error %v of class %v, want %q of class %v", tt.why, err, harness.ClassOf(err), tt.want, tt.class)
		} else if strings.Contains(err.Error(), "hurons") {
			t.Errorf("%s: the error holds the password: %v", tt.why, err)
		}
	}
}

func TestALookThatFailsIsCounted(t *testing.T) {
	d := openSQLite(t)
	d.do(t, `CREATE TABLE codes (code TEXT PRIMARY KEY)`)
	r := start(t, &Recorder{Source: d.source, Every: time.Millisecond})
	d.do(t, `DROP TABLE codes`)
	for deadline := time.Now().Add(patience); r.mem.Manifest().Counts.Dropped == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no look was counted as dropped")
		}
	}
	d.do(t, `CREATE TABLE codes (code TEXT PRIMARY KEY)`, `INSERT INTO codes VALUES ('RE')`)
	if got := r.told(); !strings.Contains(got, `{"change":"inserted","key":{"code":"RE"}`) {
		t.Errorf("after a look that failed the next shows what changed; got %q", got)
	}
}
