//go:build unix

// Package databasetest starts real database servers on loopback for tests: each in a folder of its own, under the account that the
// server wants, and ended with the test. A server that is not installed fails the test.
package databasetest

import (
	"database/sql"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/rehearse-dev/rehearse/recorders/database" // the drivers
)

// Server is a running server.
type Server struct {
	Source, Password string  // of the user loader
	DB               *sql.DB // as a user who may do everything
}

// Do runs statements.
func (s *Server) Do(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.DB.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// program finds a program of a database server's.
func program(t testing.TB, names ...string) string {
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
	t.Fatalf("none of %v is installed", names)
	return ""
}

// place is a folder of the server's own, and the account that it runs under: servers refuse to run as root.
type place struct {
	dir     string
	account *syscall.Credential // nil: whoever runs the test
}

func placeOf(t testing.TB, name string) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "database")
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

func (p place) command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "TMPDIR="+p.dir) // a folder that the account may write
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
	return cmd
}

func (p place) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := p.command(t, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// serve starts a server, and ends it with the test.
func (p place) serve(t testing.TB, end os.Signal, name string, args ...string) {
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

// freePort is a port that nobody uses, and that the system gives to nobody who asks for any: it stays free until the server
// takes it.
func freePort(t testing.TB) string {
	t.Helper()
	const from, to = 20_000, 32_000 // below what Linux and macOS give
	for {
		port := strconv.Itoa(from + rand.IntN(to-from))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close() //nolint:errcheck // nothing was accepted
			return port
		}
	}
}

// reached opens a database and waits until it answers.
func reached(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return db
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// Postgres starts PostgreSQL with a user loader who may do everything.
func Postgres(t testing.TB) *Server {
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
	return &Server{Source: "postgres://loader@127.0.0.1:" + port + "/postgres", Password: "hurons", DB: db}
}

// MariaDB starts MariaDB with a database sis, which the user loader may read.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	install, server := program(t, "mariadb-install-db", "mysql_install_db"), program(t, "mariadbd", "mysqld")
	p := placeOf(t, "mysql")
	data, port, socket := filepath.Join(p.dir, "data"), freePort(t), filepath.Join(p.dir, "socket")
	p.run(t, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	p.serve(t, syscall.SIGTERM, server, "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+port, "--socket="+socket, "--pid-file="+filepath.Join(p.dir, "pid"))
	root := reached(t, "mysql", "root@unix("+socket+")/mysql")
	d := &Server{Source: "mysql://loader@127.0.0.1:" + port + "/sis", Password: "hurons", DB: root}
	d.Do(t, `CREATE DATABASE sis`, `CREATE USER loader@127.0.0.1 IDENTIFIED BY 'hurons'`, `GRANT SELECT ON sis.* TO loader@127.0.0.1`)
	return d
}
