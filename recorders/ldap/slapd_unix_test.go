//go:build unix

package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/recorders/authority"
	"github.com/rehearse-dev/rehearse/recorders/internal/recordtest"
)

const base = "dc=harrowlake,dc=example"

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile DIR/pid
TLSCertificateFile DIR/cert.pem
TLSCertificateKeyFile DIR/key.pem
database mdb
maxsize 10485760
suffix "dc=harrowlake,dc=example"
rootdn "cn=admin,dc=harrowlake,dc=example"
rootpw hurons
directory DIR/data
`

const tree = `dn: dc=harrowlake,dc=example
objectClass: domain
dc: harrowlake

dn: ou=people,dc=harrowlake,dc=example
objectClass: organizationalUnit
ou: people
`

const hana = `dn: uid=hpark,ou=people,dc=harrowlake,dc=example
objectClass: inetOrgPerson
uid: hpark
cn: Hana Park
sn: Park
mail: hana.park@harrowlake.example
userPassword: canary-add
jpegPhoto:: /9j/4AAQ
`

// server is a slapd that runs.
type server struct {
	plain, secured string // addresses
	roots          *x509.CertPool
	rootsFile      string
	auth           *authority.Authority
}

func startSlapd(t *testing.T) server {
	t.Helper()
	daemon := recordtest.Program(t, "slapd")
	dir := t.TempDir()
	recordtest.Must(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	auth, _, err := authority.Open(filepath.Join(dir, "authority"), []string{"127.0.0.1"}, time.Now)
	recordtest.Must(t, err)
	leaf, err := auth.Leaf("127.0.0.1")
	recordtest.Must(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	recordtest.Must(t, err)
	recordtest.Must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	recordtest.Must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}), 0o600))
	conf := filepath.Join(dir, "slapd.conf")
	recordtest.Must(t, os.WriteFile(conf, []byte(strings.ReplaceAll(slapdConf, "DIR", dir)), 0o600))
	s := server{plain: freeAddress(t), secured: freeAddress(t), roots: x509.NewCertPool(), rootsFile: auth.File, auth: auth}
	s.roots.AddCert(auth.Certificate())
	cmd := exec.Command(daemon, "-f", conf, "-h", "ldap://"+s.plain+" ldaps://"+s.secured, "-d", "0")
	out, err := os.Create(filepath.Join(dir, "log"))
	recordtest.Must(t, err)
	cmd.Stdout, cmd.Stderr = out, out
	recordtest.Must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
		cmd.Wait()                       //nolint:errcheck // it was told to end
		out.Close()                      //nolint:errcheck // written by the server
		if text, err := os.ReadFile(out.Name()); t.Failed() && err == nil {
			t.Logf("slapd: %s", text)
		}
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.secured)
		if err == nil {
			conn.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("slapd does not answer: %v", err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	recordtest.Must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// tool runs one of OpenLDAP's tools, and wants an exit code of it.
func tool(t *testing.T, s server, code int, stdin, url, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(recordtest.Program(t, name), append([]string{"-x", "-H", url}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+s.rootsFile)
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s: exit code %d (%v), want %d\n%s", name, got, err, code, out)
	}
	return string(out)
}

var admin = []string{"-D", "cn=admin," + base, "-w", "hurons"}

func with(args ...string) []string { return append(args, admin...) }

func TestRealDirectoryIsRecorded(t *testing.T) {
	s := startSlapd(t)
	tool(t, s, 0, tree, "ldap://"+s.plain, "ldapadd", admin...)
	r := start(t, &Tap{Upstream: Upstream{Address: s.plain}})
	url, who := "ldap://"+r.addr, "uid=hpark,ou=people,"+base
	tool(t, s, 0, hana, url, "ldapadd", admin...)
	tool(t, s, 0, "dn: "+who+"\nchangetype: modify\nreplace: mail\nmail: hp@harrowlake.example\n-\nadd: title\ntitle: Dean\n", url, "ldapmodify", admin...)
	found := tool(t, s, 0, "", url, "ldapsearch", with("-LLL", "-b", base, "(&(uid=hp*k)(!(cn=x\\2ay)))", "mail", "title", "jpegPhoto")...)
	if direct := tool(t, s, 0, "", "ldap://"+s.plain, "ldapsearch", with("-LLL", "-b", base, "(uid=hpark)", "mail", "title", "jpegPhoto")...); found != direct {
		t.Errorf("through the tap:\n%s\ndirect:\n%s", found, direct)
	}
	tool(t, s, 6, "", url, "ldapcompare", append(admin, who, "sn:Park")...)
	tool(t, s, 0, "", url, "ldappasswd", append(admin, "-s", "canary-new", who)...)
	tool(t, s, 0, "", url, "ldapwhoami", "-D", who, "-w", "canary-new")
	tool(t, s, 49, "", url, "ldapwhoami", "-D", who, "-w", "canary-wrong")
	tool(t, s, 0, "", url, "ldapmodrdn", append(admin, "-r", who, "uid=hana")...)
	tool(t, s, 0, "", url, "ldapdelete", append(admin, "uid=hana,ou=people,"+base)...)
	tool(t, s, 32, "", url, "ldapdelete", append(admin, "uid=hana,ou=people,"+base)...)
	const adminBind = "BIND cn=admin,dc=harrowlake,dc=example auth=simple | 0"
	want := []string{
		adminBind,
		"ADD " + who + ` {"objectClass":["inetOrgPerson"],"uid":["hpark"],"cn":["Hana Park"],"sn":["Park"],"mail":["hana.park@harrowlake.example"],"userPassword":[{"withheld":true}],"jpegPhoto":[{"base64":"/9j/4AAQ"}]} | 0`,
		adminBind,
		"MODIFY " + who + ` [{"replace":{"mail":["hp@harrowlake.example"]}},{"add":{"title":["Dean"]}}] | 0`,
		adminBind,
		"SEARCH " + base + ` scope=sub deref=never filter=(&(uid=hp*k)(!(cn=x\2ay))) attribute=mail attribute=title attribute=jpegPhoto | 0 [{"dn":"` + who + `","jpegPhoto":[{"base64":"/9j/4AAQ"}],"mail":["hp@harrowlake.example"],"title":["Dean"]}]`,
		adminBind,
		"COMPARE " + who + ` {"sn":["Park"]} | 6`,
		adminBind,
		"EXTENDED 1.3.6.1.4.1.4203.1.11.1 {\"value\":{\"withheld\":true}} | 0",
		"BIND " + who + " auth=simple | 0",
		"EXTENDED 1.3.6.1.4.1.4203.1.11.3 | 0 {\"value\":\"dn:" + who + "\"}",
		"BIND " + who + " auth=simple | 49",
		adminBind,
		"MODIFYDN " + who + " new-rdn=uid=hana delete-old-rdn=true | 0",
		adminBind,
		"DELETE uid=hana,ou=people," + base + " | 0",
		adminBind,
		"DELETE uid=hana,ou=people," + base + " | 32 matched-dn=ou=people," + base,
	}
	got := r.told()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"hurons", "canary"} {
		if strings.Contains(fmt.Sprint(got), secret) {
			t.Errorf("%s was recorded", secret)
		}
	}
}

func TestBothSidesSpeakTLS(t *testing.T) {
	s := startSlapd(t)
	tool(t, s, 0, tree, "ldap://"+s.plain, "ldapadd", admin...)
	trusting := &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}
	for _, tt := range []struct {
		why    string
		up     Upstream
		secure *tls.Config
		scheme string
		code   int
		args   []string
	}{
		{"LDAPS behind", Upstream{Address: s.secured, TLS: trusting}, nil, "ldap://", 0, nil},
		{"StartTLS behind", Upstream{Address: s.plain, TLS: trusting, StartTLS: true}, nil, "ldap://", 0, nil},
		{"LDAPS in front", Upstream{Address: s.plain}, s.auth.Config(), "ldaps://", 0, nil},
		{"StartTLS in front", Upstream{Address: s.plain}, s.auth.Config(), "ldap://", 0, []string{"-ZZ"}},
		{"the tap has no certificate", Upstream{Address: s.plain}, nil, "ldap://", 1, []string{"-ZZ"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			r := start(t, &Tap{Upstream: tt.up, Secure: tt.secure})
			tool(t, s, tt.code, "", tt.scheme+r.addr, "ldapsearch", with(append(tt.args, "-LLL", "-b", base, "-s", "base", "(objectClass=*)", "dc")...)...)
			var want []string
			if tt.code == 0 {
				want = []string{"BIND cn=admin," + base + " auth=simple | 0", "SEARCH " + base + ` scope=base deref=never filter=(objectClass=*) attribute=dc | 0 [{"dn":"` + base + `","dc":["harrowlake"]}]`}
			}
			if diff := cmp.Diff(want, r.told()); diff != "" {
				t.Errorf("exchanges (-want +got):\n%s", diff)
			}
		})
	}
	if err := (&Upstream{Address: s.secured, TLS: &tls.Config{ServerName: "127.0.0.1", RootCAs: x509.NewCertPool()}}).Reach(); err == nil {
		t.Error("a certificate that nobody signed was accepted")
	}
}
