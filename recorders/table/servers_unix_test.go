//go:build unix

package table

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program finds a program of a database server's.
func program(t *testing.T, names ...string) string {
	t.Helper()
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	dirs = append(append(dirs, filepath.SplitList(os.Getenv("PATH"))...), "/usr/sbin")
	for _, name := range names {
		for _, dir := range dirs {
			file := filepath.Join(dir, name)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return file
			}
		}
	}
	t.Skipf("none of %v is installed", names)
	return ""
}

// place is a folder of the server's own, and the account that it runs under: servers refuse to run as root.
type place struct {
	dir     string
	account *syscall.Credential // nil: whoever runs the test
}

func placeOf(t *testing.T, name string) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := place{dir: dir}
	if os.Getuid() != 0 {
		return p
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	p.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p place) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
	return cmd
}

func (p place) run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := p.command(t, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// serve starts a server, and ends it with the test.
func (p place) serve(t *testing.T, end os.Signal, name string, args ...string) {
	t.Helper()
	cmd := p.command(t, name, args...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(end) //nolint:errcheck // it may have ended
		cmd.Wait()              //nolint:errcheck // it was told to end
		log.Close()             //nolint:errcheck // written by the server
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("server: %s", text)
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// reached opens a database and waits until it answers.
func reached(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return db
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func openPostgres(t *testing.T) *database {
	t.Helper()
	initdb, server := program(t, "initdb"), program(t, "postgres")
	p := placeOf(t, "postgres")
	word := filepath.Join(p.dir, "password")
	if err := os.WriteFile(word, []byte("hurons\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	data, port := filepath.Join(p.dir, "data"), freePort(t)
	p.run(t, initdb, "-D", data, "-U", "loader", "-A", "scram-sha-256", "--pwfile", word, "-N", "-E", "UTF8", "--locale=C")
	p.serve(t, syscall.SIGQUIT, server, "-D", data, "-h", "127.0.0.1", "-p", port, "-k", p.dir, "-F")
	db := reached(t, "pgx", "postgres://loader:hurons@127.0.0.1:"+port+"/postgres")
	return &database{source: "postgres://loader@127.0.0.1:" + port + "/postgres", password: "hurons", db: db}
}

func TestPostgreSQL(t *testing.T) {
	d := openPostgres(t)
	d.do(t, `CREATE SCHEMA sis`,
		`CREATE TABLE sis.registrations (crn int, student text, credits numeric(5,2), gpa double precision, active boolean, taken timestamptz, photo bytea,
			more jsonb, note varchar, PRIMARY KEY (student, crn))`,
		`INSERT INTO sis.registrations VALUES (417, 'H417', 3.50, 0.1, true, '2026-09-01 08:00+02', '\x00ff', '{"a": 1.0}', NULL), (9, 'H418', 'NaN', 1e300, false, NULL, NULL, NULL, '')`,
		`CREATE TABLE quiet (id int PRIMARY KEY)`)
	r := start(t, &Recorder{Source: d.source, Password: d.password, Existing: true})
	d.do(t, `SET TIME ZONE 'Asia/Tokyo'`, `UPDATE sis.registrations SET credits = 4.00 WHERE student = 'H417'`, `DELETE FROM sis.registrations WHERE student = 'H418'`)
	const was = `{"crn":417,"student":"H417","credits":3.50,"gpa":0.1,"active":true,"taken":"2026-09-01 06:00:00+00","photo":"\\x00ff","more":"{\"a\": 1.0}","note":null}`
	want := `look-1 sis>lms sis.registrations
[
{"change":"existing","key":{"student":"H417","crn":417},"row":` + was + `},
{"change":"existing","key":{"student":"H418","crn":9},"row":{"crn":9,"student":"H418","credits":"NaN","gpa":1e+300,"active":false,"taken":null,"photo":null,"more":null,"note":""}}
]
look-2 sis>lms sis.registrations
[
{"change":"updated","key":{"student":"H417","crn":417},"was":` + was + `,"row":{"crn":417,"student":"H417","credits":4.00,"gpa":0.1,"active":true,"taken":"2026-09-01 06:00:00+00","photo":"\\x00ff","more":"{\"a\": 1.0}","note":null}},
{"change":"deleted","key":{"student":"H418","crn":9},"was":{"crn":9,"student":"H418","credits":"NaN","gpa":1e+300,"active":false,"taken":null,"photo":null,"more":null,"note":""}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// Tables that are written together are seen together: each look is of one moment.
func TestALookIsOfOneMoment(t *testing.T) {
	d := openPostgres(t)
	d.do(t, `CREATE TABLE a (n int PRIMARY KEY)`, `CREATE TABLE b (n int PRIMARY KEY)`, `INSERT INTO a VALUES (-1)`, `INSERT INTO b VALUES (-1)`)
	r := &Recorder{Source: d.source, Password: d.password}
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.db.Close()
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ { // each statement writes both
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if _, err := d.db.Exec(fmt.Sprintf(`WITH x AS (UPDATE a SET n = %d) UPDATE b SET n = %d`, n, n)); err != nil {
				ended <- err
				return
			}
		}
	}()
	seen := map[string]bool{}
	for deadline := time.Now().Add(patience); len(seen) < 20 && time.Now().Before(deadline); {
		all, err := r.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a, b := all["public.a"].order, all["public.b"].order
		if !slices.Equal(a, b) {
			t.Fatalf("a look saw %s in one table and %s in the other", a, b)
		}
		seen[a[0]] = true
	}
	close(stop)
	if err := <-ended; err != nil || len(seen) < 20 {
		t.Fatalf("%d different looks while rows came, %v", len(seen), err)
	}
}

func openMariaDB(t *testing.T) *database {
	t.Helper()
	install, server := program(t, "mariadb-install-db", "mysql_install_db"), program(t, "mariadbd", "mysqld")
	p := placeOf(t, "mysql")
	data, port, socket := filepath.Join(p.dir, "data"), freePort(t), filepath.Join(p.dir, "socket")
	p.run(t, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	p.serve(t, syscall.SIGTERM, server, "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+port, "--socket="+socket, "--pid-file="+filepath.Join(p.dir, "pid"))
	root := reached(t, "mysql", "root@unix("+socket+")/mysql")
	d := &database{source: "mysql://loader@127.0.0.1:" + port + "/sis", password: "hurons", db: root}
	d.do(t, `CREATE DATABASE sis`, `CREATE USER loader@127.0.0.1 IDENTIFIED BY 'hurons'`, `GRANT SELECT ON sis.* TO loader@127.0.0.1`)
	return d
}

func TestMariaDB(t *testing.T) {
	d := openMariaDB(t)
	d.do(t, "CREATE TABLE sis.`registrations` (crn int, student varchar(20), credits decimal(5,2), taken timestamp NULL, photo blob, PRIMARY KEY (student, crn)) ENGINE=InnoDB",
		`SET time_zone = '+02:00'`,
		`INSERT INTO sis.registrations VALUES (417, 'H417', 3.50, '2026-09-01 08:00:00', x'00ff'), (9, 'H418', 0.10, NULL, NULL)`)
	r := start(t, &Recorder{Source: d.source, Password: d.password})
	d.do(t, `UPDATE sis.registrations SET credits = 4.00 WHERE student = 'H417'`, `DELETE FROM sis.registrations WHERE student = 'H418'`)
	want := `look-1 sis>lms registrations
[
{"change":"updated","key":{"student":"H417","crn":417},"was":{"crn":417,"student":"H417","credits":3.50,"taken":"2026-09-01 06:00:00","photo":"00ff"},"row":{"crn":417,"student":"H417","credits":4.00,"taken":"2026-09-01 06:00:00","photo":"00ff"}},
{"change":"deleted","key":{"student":"H418","crn":9},"was":{"crn":9,"student":"H418","credits":0.10,"taken":null,"photo":null}}
]
`
	if diff := cmp.Diff(want, r.told()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
