package sftp

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	wire "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

var _ harness.Recorder = (*Tap)(nil)

const (
	never    = time.Hour // an upload does not settle within a test
	patience = 20 * time.Second
)

// tapped is a Tap that runs.
type tapped struct {
	*Tap
	t    *testing.T
	addr net.Addr
	mem  *harness.Memory
	stop func() error
}

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func start(t *testing.T, tap *Tap) *tapped {
	t.Helper()
	tap.From, tap.To, tap.HostKey = "vendor", "sis", newKey(t)
	if tap.Settle == 0 {
		tap.Settle = never
	}
	addr, err := tap.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mem := harness.NewMemory(harness.Manifest{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tap.Record(ctx, mem) }()
	r := &tapped{Tap: tap, t: t, addr: addr, mem: mem}
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("Record does not end")
		}
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// client logs in and returns a client, and the connection below it.
func (r *tapped) client(auth ...ssh.AuthMethod) (*wire.Client, *ssh.Client, error) {
	conn, err := ssh.Dial("tcp", r.addr.String(), &ssh.ClientConfig{User: "loader", Auth: auth, HostKeyCallback: ssh.FixedHostKey(r.HostKey.PublicKey())})
	if err != nil {
		return nil, nil, err
	}
	c, err := wire.NewClient(conn)
	return c, conn, err
}

func (r *tapped) mustClient(auth ...ssh.AuthMethod) (*wire.Client, *ssh.Client) {
	r.t.Helper()
	c, conn, err := r.client(auth...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close(); conn.Close() })
	return c, conn
}

// said is one exchange in a line: direction, name, content, fault.
func said(x harness.Exchange) string {
	content, _ := x.Request.Body.Bytes()
	line := fmt.Sprintf("%s %s>%s %s %q", x.Session, x.From, x.To, x.Request.Head.Get(harness.FieldName), content)
	if x.Fault != nil {
		line += " " + x.Fault.Kind + ": " + x.Fault.Detail
	}
	return line
}

func (r *tapped) exchanges() []harness.Exchange {
	r.t.Helper()
	all, err := harness.Collect(r.mem)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *tapped) expect(why string, want ...string) {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, x := range r.exchanges() {
		got = append(got, said(x))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s: exchanges (-want +got):\n%s", why, diff)
	}
}

func write(t testing.TB, c *wire.Client, name, content string, flags int) {
	t.Helper()
	f, err := c.OpenFile(name, flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

const fresh = os.O_WRONLY | os.O_CREATE | os.O_TRUNC

func TestFilesCrossBothWays(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "out", "grades.csv"), "CRN,GRADE\n417,A-\n")
	r := start(t, &Tap{Dir: dir})
	c, _ := r.mustClient()
	write(t, c, "in/../roster.csv", "ID\nH00417\n", fresh)
	f, err := c.Open("/out/grades.csv")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := f.WriteTo(&got); err != nil || got.String() != "CRN,GRADE\n417,A-\n" {
		t.Fatalf("downloaded %q, %v", got.String(), err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.expect("an upload waits for another name, a download does not",
		`conn-1 sis>vendor out/grades.csv "CRN,GRADE\n417,A-\n"`,
		`conn-1 vendor>sis roster.csv "ID\nH00417\n"`)
}

func put(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUploadsAreNamedByTheirLastName(t *testing.T) {
	for _, tt := range []struct {
		why     string
		do      func(t *testing.T, c *wire.Client)
		want    []string
		dropped map[string]int
	}{
		{"renamed into place", func(t *testing.T, c *wire.Client) {
			write(t, c, "roster.csv.part", "a", fresh)
			recordtest.Must(t, c.Rename("roster.csv.part", "roster.csv"))
		}, []string{`conn-1 vendor>sis roster.csv "a"`}, nil},
		{"renamed from a name that does not look unfinished", func(t *testing.T, c *wire.Client) {
			write(t, c, "roster-new", "a", fresh)
			recordtest.Must(t, c.Rename("roster-new", "roster.csv"))
		}, []string{`conn-1 vendor>sis roster.csv "a"`}, nil},
		{"its folder is renamed", func(t *testing.T, c *wire.Client) {
			recordtest.Must(t, c.Mkdir("batch.tmp"))
			write(t, c, "batch.tmp/a.csv", "a", fresh)
			recordtest.Must(t, c.Rename("batch.tmp", "batch-7"))
		}, []string{`conn-1 vendor>sis batch-7/a.csv "a"`}, nil},
		{"never renamed", func(t *testing.T, c *wire.Client) {
			write(t, c, ".roster.csv", "a", fresh)
		}, nil, map[string]int{DropUnfinished: 1}},
		{"put over an older one", func(t *testing.T, c *wire.Client) {
			write(t, c, "roster.csv", "old", fresh)
			write(t, c, "roster.tmp", "new", fresh)
			recordtest.Must(t, c.PosixRename("roster.tmp", "roster.csv"))
		}, []string{`conn-1 vendor>sis roster.csv "old"`, `conn-1 vendor>sis roster.csv "new"`}, nil},
		{"delivered twice", func(t *testing.T, c *wire.Client) {
			write(t, c, "roster.csv", "first", fresh)
			write(t, c, "roster.csv", "second", fresh)
		}, []string{`conn-1 vendor>sis roster.csv "first"`, `conn-1 vendor>sis roster.csv "second"`}, nil},
		{"continued", func(t *testing.T, c *wire.Client) {
			write(t, c, "roster.csv", "abc", fresh)
			f, err := c.OpenFile("roster.csv", os.O_WRONLY)
			recordtest.Must(t, err)
			_, err = f.WriteAt([]byte("def"), 3)
			recordtest.Must(t, err)
			recordtest.Must(t, f.Close())
		}, []string{`conn-1 vendor>sis roster.csv "abcdef"`}, nil},
		{"a file of before is continued", func(t *testing.T, c *wire.Client) {
			write(t, c, "older.csv", " and more", os.O_WRONLY|os.O_APPEND)
		}, []string{`conn-1 vendor>sis older.csv "before and more"`}, nil},
		{"opened and left alone", func(t *testing.T, c *wire.Client) {
			f, err := c.OpenFile("older.csv", os.O_RDWR)
			recordtest.Must(t, err)
			recordtest.Must(t, f.Close())
		}, nil, nil},
		{"an empty file", func(t *testing.T, c *wire.Client) {
			write(t, c, "done.flag", "", fresh)
		}, []string{`conn-1 vendor>sis done.flag ""`}, nil},
		{"cut shorter while it is open", func(t *testing.T, c *wire.Client) {
			f, err := c.OpenFile("roster.csv", fresh)
			recordtest.Must(t, err)
			_, err = f.Write([]byte("abcdef"))
			recordtest.Must(t, err)
			recordtest.Must(t, f.Truncate(4))
			recordtest.Must(t, f.Close())
		}, []string{`conn-1 vendor>sis roster.csv "abcd"`}, nil},
		{"a gap", func(t *testing.T, c *wire.Client) {
			f, err := c.OpenFile("roster.csv", fresh)
			recordtest.Must(t, err)
			_, err = f.WriteAt([]byte("end"), 5)
			recordtest.Must(t, err)
			recordtest.Must(t, f.Close())
		}, []string{`conn-1 vendor>sis roster.csv "\x00\x00\x00\x00\x00end" client-gone: only a part of 8 bytes crossed`}, nil},
	} {
		t.Run(tt.why, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, "older.csv"), "before")
			r := start(t, &Tap{Dir: dir})
			c, _ := r.mustClient()
			tt.do(t, c)
			r.expect(tt.why, tt.want...)
			if diff := cmp.Diff(tt.dropped, r.mem.Manifest().Counts.Reasons); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUploadsSettleByThemselves(t *testing.T) {
	r := start(t, &Tap{Dir: t.TempDir(), Settle: time.Millisecond})
	c, _ := r.mustClient()
	write(t, c, "roster.csv", "a", fresh)
	deadline := time.Now().Add(patience)
	for len(r.exchanges()) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the upload is not recorded while the recording goes on")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestModificationTimesThatClientsSetAreKept(t *testing.T) {
	r := start(t, &Tap{Dir: t.TempDir()})
	c, _ := r.mustClient()
	write(t, c, "roster.csv", "a", fresh)
	when := time.Date(2026, 9, 1, 4, 0, 0, 0, time.UTC)
	recordtest.Must(t, c.Chtimes("roster.csv", when, when))
	recordtest.Must(t, r.stop())
	if got := r.exchanges()[0].Request.Head.Get(harness.FieldModified); got != "2026-09-01T04:00:00Z" {
		t.Errorf("modification time %q", got)
	}
}

func TestWhatDoesNotCrossWholeIsIncomplete(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "long.csv"), strings.Repeat("0123456789", 10_000))
	r := start(t, &Tap{Dir: dir, MaxBody: 8})
	c, conn := r.mustClient()
	f, err := c.OpenFile("roster.csv", fresh)
	recordtest.Must(t, err)
	_, err = f.Write([]byte("half"))
	recordtest.Must(t, err)
	recordtest.Must(t, conn.Close()) // without closing the file

	c, _ = r.mustClient()
	write(t, c, "large.csv", "123456789", fresh)
	g, err := c.Open("long.csv")
	recordtest.Must(t, err)
	_, err = g.Read(make([]byte, 100))
	recordtest.Must(t, err)
	recordtest.Must(t, g.Close())
	recordtest.Must(t, r.stop())
	var got []string
	for _, x := range r.exchanges() {
		got = append(got, said(x))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{
		`conn-1 vendor>sis roster.csv "half" client-gone: the connection ended after 4 bytes`,
		`conn-2 sis>vendor long.csv "01234567" client-gone: only a part of 100000 bytes crossed`,
		`conn-2 vendor>sis large.csv "12345678" truncated: the file has 9 bytes, of which 8 are kept`,
	}, got); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	inside := filepath.Join(dir, "inside")
	put(t, filepath.Join(outside, "secret"), "secret")
	put(t, filepath.Join(inside, "roster.csv"), "a")
	recordtest.Must(t, os.Symlink("../outside", filepath.Join(inside, "link")))
	recordtest.Must(t, os.Symlink(outside, filepath.Join(inside, "absolute")))
	r := start(t, &Tap{Dir: inside})
	c, _ := r.mustClient()
	for _, name := range []string{"../outside/secret", "/../outside/secret", "link/secret", "absolute/secret", "a/../../outside/secret", outside + "/secret", "link/../../outside/secret", "./link/./secret"} {
		if f, err := c.Open(name); err == nil {
			t.Errorf("%s was opened: %s", name, f.Name())
		}
		if f, err := c.OpenFile(name+"2", fresh); err == nil {
			f.Close()
		}
		if err := c.Rename("roster.csv", name); err == nil {
			recordtest.Must(t, c.Rename(name, "roster.csv"))
		}
	}
	if err := c.Symlink("../outside", "mine"); err == nil {
		t.Error("a client made a link")
	}
	if err := c.Link("roster.csv", "mine"); err == nil {
		t.Error("a client made a hard link")
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside holds %v, %v", entries, err)
	}
}

func TestWhoMayLogIn(t *testing.T) {
	mine, other := newKey(t), newKey(t)
	for _, tt := range []struct {
		why   string
		login Login
		auth  []ssh.AuthMethod
		in    bool
	}{
		{"everybody on loopback", Login{}, nil, true},
		{"everybody with a key", Login{}, []ssh.AuthMethod{ssh.PublicKeys(other)}, true},
		{"the key", Login{Keys: []ssh.PublicKey{mine.PublicKey()}}, []ssh.AuthMethod{ssh.PublicKeys(mine)}, true},
		{"the second key", Login{Keys: []ssh.PublicKey{mine.PublicKey()}}, []ssh.AuthMethod{ssh.PublicKeys(other, mine)}, true},
		{"another key", Login{Keys: []ssh.PublicKey{mine.PublicKey()}}, []ssh.AuthMethod{ssh.PublicKeys(other)}, false},
		{"no key", Login{Keys: []ssh.PublicKey{mine.PublicKey()}}, nil, false},
		{"a password where keys are wanted", Login{Keys: []ssh.PublicKey{mine.PublicKey()}}, []ssh.AuthMethod{ssh.Password("")}, false},
		{"the password", Login{Password: "hurons"}, []ssh.AuthMethod{ssh.Password("hurons")}, true},
		{"another password", Login{Password: "hurons"}, []ssh.AuthMethod{ssh.Password("huron")}, false},
		{"the empty password", Login{Password: "hurons"}, []ssh.AuthMethod{ssh.Password("")}, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := start(t, &Tap{Dir: t.TempDir(), Login: tt.login})
			c, _, err := r.client(tt.auth...)
			if (err == nil) != tt.in {
				t.Fatalf("logged in: %v; error %v", err == nil, err)
			}
			if err == nil {
				c.Close()
			}
		})
	}
}

func TestListeningIsRefused(t *testing.T) {
	for _, tt := range []struct {
		why, address string
		tap          *Tap
		want         string
		class        harness.Class
	}{
		{"other machines would get in", "0.0.0.0:0", &Tap{Dir: t.TempDir()}, "nobody needs to log in", harness.ClassUsage},
		{"every interface", ":0", &Tap{Dir: t.TempDir()}, "nobody needs to log in", harness.ClassUsage},
		{"no port", "127.0.0.1", &Tap{Dir: t.TempDir()}, "missing port", harness.ClassUsage},
		{"no folder", "127.0.0.1:0", &Tap{Dir: filepath.Join(t.TempDir(), "none")}, "serve folder", harness.ClassUsage},
	} {
		_, err := tt.tap.Listen(tt.address)
		if err == nil || !strings.Contains(err.Error(), tt.want) || harness.ClassOf(err) != tt.class {
			t.Errorf("%s: error %v of class %v, want %q of class %v", tt.why, err, harness.ClassOf(err), tt.want, tt.class)
		}
	}
}

func TestHostKeyIsMadeOnceAndKeptToItsOwner(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rehearse", "key")
	first, err := HostKey(file)
	recordtest.Must(t, err)
	again, err := HostKey(file)
	recordtest.Must(t, err)
	if !bytes.Equal(first.PublicKey().Marshal(), again.PublicKey().Marshal()) {
		t.Error("the second start has another key")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	put(t, file, "nonsense")
	if _, err := HostKey(file); harness.ClassOf(err) != harness.ClassUsage {
		t.Errorf("a damaged key: %v", err)
	}
}

// A proxy without credentials of its own logs in with the password that the client gave; one that is wrong lets nobody in.
func TestProxyHandsThePasswordOn(t *testing.T) {
	dir := t.TempDir()
	real := start(t, &Tap{Dir: dir, Login: Login{Password: "hurons"}})
	up := &Upstream{Address: real.addr.String(), HostKeys: ssh.FixedHostKey(real.HostKey.PublicKey())}
	r := start(t, &Tap{Upstream: up})
	if _, _, err := r.client(ssh.Password("huron")); err == nil {
		t.Error("a wrong password was let in")
	}
	if _, _, err := r.client(); err == nil {
		t.Error("a client without a password was let in")
	}
	if _, _, err := r.client(ssh.PublicKeys(newKey(t))); err == nil {
		t.Error("a key was let in, though it cannot be handed on")
	}
	c, _ := r.mustClient(ssh.PublicKeys(newKey(t)), ssh.Password("hurons"))
	write(t, c, "roster.csv", "a", fresh)
	if text, err := os.ReadFile(filepath.Join(dir, "roster.csv")); err != nil || string(text) != "a" {
		t.Errorf("the real server got %q, %v", text, err)
	}
	r.expect("once through each", `conn-4 vendor>sis roster.csv "a"`)
}
