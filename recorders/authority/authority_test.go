package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func open(t *testing.T, dir string, hosts ...string) *Authority {
	t.Helper()
	a, _, err := Open(dir, hosts, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trust is what a client knows that was told to trust the authority.
func trust(a *Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	return pool
}

// forged are certificates that the key of the authority signs although its certificate forbids it.
func forged(t *testing.T, a *Authority) map[string][][]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) []byte {
		template.SerialNumber, template.NotBefore, template.NotAfter = serial(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	leaf := func(host string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	}
	sub := &x509.Certificate{Subject: pkix.Name{CommonName: "sub"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	subDER := sign(sub, a.cert, a.key)
	subCert, err := x509.ParseCertificate(subDER)
	if err != nil {
		t.Fatal(err)
	}
	address := &x509.Certificate{Subject: pkix.Name{CommonName: "192.0.2.7"}, IPAddresses: []net.IP{net.ParseIP("192.0.2.7")}}
	return map[string][][]byte{
		"a host that was not named":     {sign(leaf("bank.example"), a.cert, a.key)},
		"an address that was not named": {sign(address, a.cert, a.key)},
		"an authority below it":         {sign(leaf("sis.example"), subCert, key), subDER},
	}
}

func TestClientsTrustTheNamedHostsAndNothingElse(t *testing.T) {
	a := open(t, t.TempDir(), "sis.example", "*.crm.example:8443")
	if d := cmp.Diff([]string{"127.0.0.1", "::1", "crm.example", "localhost", "sis.example"}, a.Hosts()); d != "" {
		t.Error(d)
	}
	verify := func(host string, chain [][]byte) error {
		below := x509.NewCertPool()
		for _, der := range chain[1:] {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			below.AddCert(c)
		}
		leaf, err := x509.ParseCertificate(chain[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: trust(a), Intermediates: below})
		return err
	}
	for _, host := range []string{"sis.example", "api.crm.example", "localhost", "127.0.0.1", "::1"} {
		leaf, err := a.Leaf(host)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(host, leaf.Certificate); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if life := leaf.Leaf.NotAfter.Sub(leaf.Leaf.NotBefore); life > LeafLifetime {
			t.Errorf("%s lives %s", host, life)
		}
		if out := openssl(t, a, leaf.Certificate); !strings.HasSuffix(out, ": OK\n") {
			t.Errorf("OpenSSL refuses %s: %s", host, out)
		}
	}
	for _, host := range []string{"bank.example", "notsis.example", "192.0.2.7", ""} {
		if _, err := a.Leaf(host); err == nil {
			t.Errorf("it signs for %q", host)
		}
	}
	for why, chain := range forged(t, a) {
		if err := verify("", chain); err == nil {
			t.Errorf("Go accepts %s", why)
		}
		if out := openssl(t, a, chain); strings.HasSuffix(out, ": OK\n") {
			t.Errorf("OpenSSL accepts %s", why)
		}
	}
	c := a.Certificate()
	if c.NotAfter.Sub(c.NotBefore) > Lifetime || !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || !c.PermittedDNSDomainsCritical {
		t.Errorf("authority: %s to %s, path length %d, constraints critical %v", c.NotBefore, c.NotAfter, c.MaxPathLen, c.PermittedDNSDomainsCritical)
	}
}

// openssl verifies a chain as OpenSSL does, and returns what it says.
func openssl(t *testing.T, a *Authority, chain [][]byte) string {
	t.Helper()
	file := func(name string, ders [][]byte) string {
		var text []byte
		for _, der := range ders {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	args := []string{"verify", "-x509_strict", "-CAfile", a.File, "-no-CApath", "-no-CAstore"}
	if len(chain) > 1 {
		args = append(args, "-untrusted", file("below.pem", chain[1:]))
	}
	out, err := exec.Command("openssl", append(args, file("leaf.pem", chain[:1]))...).CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // exec returns it as it is
		t.Fatal(err)
	}
	return string(out)
}

func TestServerSpeaksTLSUnderTheNameThatIsAskedFor(t *testing.T) {
	a := open(t, t.TempDir(), "sis.example")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", a.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	for _, c := range []struct {
		why, name string
		trusted   bool
	}{
		{"a named host", "sis.example", true},
		{"upper case", "SIS.example", true},
		{"an address, which clients do not ask for by name", "127.0.0.1", true},
		{"another host", "bank.example", false},
	} {
		conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: trust(a), ServerName: c.name, NextProtos: []string{"h2"}})
		if (err == nil) != c.trusted {
			t.Errorf("%s: %v", c.why, err)
		}
		if err == nil {
			if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
				t.Errorf("%s: speaks %q", c.why, got)
			}
			conn.Close()
		}
	}
	if _, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{ServerName: "sis.example"}); err == nil {
		t.Error("a client that was told nothing trusts the authority")
	}
}

func TestItIsMadeOnceAndRenewedInTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rehearse", "ca")
	var all sync.WaitGroup
	prints := make([]string, 8)
	for i := range prints {
		all.Go(func() {
			a, _, err := Open(dir, nil, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = a.Fingerprint()
		})
	}
	all.Wait()
	if len(slices.Compact(prints)) != 1 {
		t.Errorf("processes that start together made %q", prints)
	}
	more, fresh, err := Open(dir, []string{"sis.example"}, time.Now)
	if err != nil || !fresh || more.Fingerprint() == prints[0] || !slices.Contains(more.Hosts(), "sis.example") {
		t.Fatalf("a host is added: fresh %v, hosts %q, %v", fresh, more.Hosts(), err)
	}
	same, fresh, err := Open(dir, []string{"api.sis.example"}, time.Now)
	if err != nil || fresh || same.Fingerprint() != more.Fingerprint() || !same.key.Equal(more.key) {
		t.Errorf("a host that is covered already: fresh %v, %v", fresh, err)
	}
	later := func() time.Time { return time.Now().Add(Lifetime - renewBefore + time.Hour) }
	next, fresh, err := Open(dir, []string{"sis.example"}, later)
	if err != nil || !fresh || next.key.Equal(more.key) {
		t.Errorf("near its end: fresh %v, the old key %v, %v", fresh, err == nil && next.key.Equal(more.key), err)
	}
	if err := Remove(dir); err != nil {
		t.Error(err)
	}
	if _, err := Load(dir, time.Now); harness.HintOf(err) == "" {
		t.Errorf("removed, and still: %v", err)
	}
	if err := Remove(dir); err == nil {
		t.Error("nothing was removed without a word")
	}
}

func TestKeyIsItsOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has no such modes
	}
	dir := t.TempDir()
	a := open(t, dir)
	key := filepath.Join(dir, keyFile)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key: %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, nil, time.Now); harness.ClassOf(err) != harness.ClassRefused || !strings.Contains(harness.HintOf(err), "chmod 600 "+key) {
		t.Errorf("a key that all can read: %v, hint %q", err, harness.HintOf(err))
	}
	elsewhere := filepath.Join(t.TempDir(), "key.pem")
	if err := os.Rename(key, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, key); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, nil, time.Now); harness.ClassOf(err) != harness.ClassRefused {
		t.Errorf("a key that is a link: %v", err)
	}
	if _, err := canonical([]string{"/etc/passwd"}); err == nil {
		t.Error("a path is taken for a host")
	}
	if err := os.WriteFile(a.File, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPEM(a.File, false); harness.HintOf(err) == "" {
		t.Errorf("a damaged certificate: %v", err)
	}
}
