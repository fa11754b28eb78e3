package sftp

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

// batch has OpenSSH's client do what a job would.
func batch(t *testing.T, addr net.Addr, dir, identity string, commands ...string) {
	t.Helper()
	script := filepath.Join(dir, "batch")
	put(t, script, strings.Join(commands, "\n")+"\n")
	_, port, _ := net.SplitHostPort(addr.String())
	args := []string{"-b", script, "-P", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"}
	if identity != "" {
		args = append(args, "-i", identity)
	}
	cmd := exec.CommandContext(t.Context(), recordtest.Program(t, "sftp", "/usr/lib/openssh"), append(args, "loader@127.0.0.1")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sftp: %v\n%s", err, out)
	}
}

func TestOpenSSHDeliversAndFetches(t *testing.T) {
	dir, job := t.TempDir(), t.TempDir()
	put(t, filepath.Join(dir, "out", "grades.csv"), strings.Repeat("CRN,GRADE\n", 30_000))
	put(t, filepath.Join(job, "roster.csv"), strings.Repeat("H00417,Park\n", 30_000))
	r := start(t, &Tap{Dir: dir})
	batch(t, r.addr, job, "",
		"mkdir in", "put -p roster.csv in/roster.csv.part", "rename in/roster.csv.part in/roster.csv",
		"get out/grades.csv", "ls -l in", "rm out/grades.csv")
	fetched, err := os.ReadFile(filepath.Join(job, "grades.csv"))
	if err != nil || len(fetched) != 300_000 {
		t.Fatalf("fetched %d bytes, %v", len(fetched), err)
	}
	recordtest.Must(t, r.stop())
	all := r.exchanges()
	if len(all) != 2 {
		t.Fatalf("%d exchanges, want 2", len(all))
	}
	down, up := all[0], all[1]
	for _, tt := range []struct {
		x          harness.Exchange
		from, name string
		size       int64
	}{{down, "sis", "out/grades.csv", 300_000}, {up, "vendor", "in/roster.csv", 360_000}} {
		if tt.x.From != tt.from || tt.x.Request.Head.Get(harness.FieldName) != tt.name || tt.x.Request.Body.Size() != tt.size || tt.x.Fault != nil {
			t.Errorf("exchange from %s: %v, %d bytes, %v; want %s of %d bytes from %s", tt.x.From, tt.x.Request.Head, tt.x.Request.Body.Size(), tt.x.Fault, tt.name, tt.size, tt.from)
		}
	}
	if !up.Request.Head.Has(harness.FieldModified) {
		t.Error("the modification time that put -p set is lost")
	}
}

// server starts a real OpenSSH server that serves SFTP to whoever has the key, and returns how a proxy reaches it.
func server(t *testing.T) (up *Upstream, home string) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	recordtest.Must(t, os.MkdirAll("/run/sshd", 0o755)) // where it separates its privileges
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"host", "client"} {
		if out, err := exec.CommandContext(t.Context(), recordtest.Program(t, "ssh-keygen", "/usr/lib/openssh"), "-q", "-t", "ed25519", "-N", "", "-f", file(name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	public, err := os.ReadFile(file("client.pub"))
	recordtest.Must(t, err)
	put(t, file("accepted"), string(public))
	port := recordtest.FreePort(t)
	put(t, file("config"), fmt.Sprintf(`ListenAddress 127.0.0.1:%s
HostKey %s
AuthorizedKeysFile %s
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
PidFile none
Subsystem sftp internal-sftp -d %s
`, port, file("host"), file("accepted"), home))
	cmd := exec.CommandContext(t.Context(), recordtest.Program(t, "sshd", "/usr/lib/openssh"), "-D", "-e", "-f", file("config"))
	log, err := os.Create(file("log"))
	recordtest.Must(t, err)
	cmd.Stderr = log
	recordtest.Must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
		log.Close()        //nolint:errcheck // written by the server
		if text, err := os.ReadFile(file("log")); t.Failed() && err == nil {
			t.Logf("server: %s", text)
		}
	})
	awaitPort(t, port)
	host, err := os.ReadFile(file("host.pub"))
	recordtest.Must(t, err)
	put(t, file("known"), fmt.Sprintf("[127.0.0.1]:%s %s", port, host))
	up = &Upstream{Address: net.JoinHostPort("127.0.0.1", port), User: "root"}
	up.HostKeys, err = KnownHosts(file("known"))
	recordtest.Must(t, err)
	private, err := os.ReadFile(file("client"))
	recordtest.Must(t, err)
	up.Identity, err = LoadIdentity(private)
	recordtest.Must(t, err)
	return up, home
}

func awaitPort(t *testing.T, port string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not listen: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestProxyInFrontOfARealServer(t *testing.T) {
	up, home := server(t)
	put(t, filepath.Join(home, "grades.csv"), strings.Repeat("CRN,GRADE\n", 30_000))
	job := t.TempDir()
	put(t, filepath.Join(job, "roster.csv"), strings.Repeat("H00417,Park\n", 30_000))
	recordtest.Must(t, up.Reach())
	r := start(t, &Tap{Upstream: up})
	batch(t, r.addr, job, "",
		"put roster.csv roster.part", "rename roster.part roster.csv", "get grades.csv", "rm grades.csv", "mkdir done", "ls")
	recordtest.Must(t, r.stop())
	delivered, err := os.ReadFile(filepath.Join(home, "roster.csv"))
	if err != nil || len(delivered) != 360_000 {
		t.Fatalf("the server has %d bytes, %v", len(delivered), err)
	}
	if _, err := os.Stat(filepath.Join(home, "grades.csv")); err == nil {
		t.Error("the server still has what the job removed")
	}
	all := r.exchanges()
	if len(all) != 2 {
		t.Fatalf("%d exchanges, want 2", len(all))
	}
	up2, err := all[1].Request.Body.Bytes()
	recordtest.Must(t, err)
	if string(up2) != string(delivered) || all[1].Fault != nil || all[0].Fault != nil || all[0].Request.Body.Size() != 300_000 {
		t.Errorf("recorded %s and %s, which is not what crossed", said(all[0])[:60], said(all[1])[:60])
	}
	if name := all[1].Request.Head.Get(harness.FieldName); name != "roster.csv" {
		t.Errorf("the upload is named %s", name)
	}
}

func TestProxyKnowsTheRealServer(t *testing.T) {
	up, _ := server(t)
	good := *up
	for _, tt := range []struct {
		why, want string
		change    func(u *Upstream)
		class     harness.Class
	}{
		{"another host key", "another one than the known one", func(u *Upstream) {
			u.HostKeys, _ = KnownHosts(knownAs(t, u.Address, newKey(t).PublicKey()))
		}, harness.ClassRefused},
		{"a host that is not known", "its host key is not known", func(u *Upstream) {
			u.HostKeys, _ = KnownHosts(knownAs(t, "192.0.2.1:22", newKey(t).PublicKey()))
		}, harness.ClassCannotRun},
		{"an identity that is not accepted", "log in at", func(u *Upstream) { u.Identity = newKey(t) }, harness.ClassCannotRun},
		{"nobody listens", "check the address", func(u *Upstream) { u.Address = "127.0.0.1:" + recordtest.FreePort(t) }, harness.ClassCannotRun},
	} {
		u := good
		tt.change(&u)
		err := u.Reach()
		if err == nil || harness.ClassOf(err) != tt.class || !strings.Contains(err.Error()+hintOf(err), tt.want) {
			t.Errorf("%s: error %v of class %v, want %q of class %v", tt.why, err, harness.ClassOf(err), tt.want, tt.class)
		}
	}
	good.Identity = nil
	if err := good.Reach(); err != nil {
		t.Errorf("without an identity the server counts as reached: %v", err)
	}
}

func hintOf(err error) string {
	if p, ok := err.(*harness.Problem); ok {
		return " " + p.Hint
	}
	return ""
}

func knownAs(t *testing.T, address string, key ssh.PublicKey) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known")
	host, port, err := net.SplitHostPort(address)
	recordtest.Must(t, err)
	put(t, file, fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(key)))
	return file
}
