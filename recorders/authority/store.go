package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Files of an authority in its folder.
const (
	certFile = "ca.pem"
	keyFile  = "ca-key.pem"
	lockFile = "ca.lock"
)

// Dir is where the authority of this user lies: in the configuration folder.
func Dir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", harness.Usage(fmt.Errorf("find the folder of the certificate authority: %w", err), "set HOME, or XDG_CONFIG_HOME")
	}
	return filepath.Join(dir, "rehearse", "ca"), nil
}

// Open returns the authority in the folder, limited to the hosts and those that it had before, and says whether its
// certificate is new, so that clients must be told to trust it. It is made when there is none, or when it is about to
// end. Processes that open at the same time get the same one.
func Open(dir string, hosts []string, now func() time.Time) (a *Authority, fresh bool, err error) {
	hosts, err = canonical(hosts)
	if err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, harness.Usage(fmt.Errorf("make the certificate authority: %w", err), "make the configuration folder writable")
	}
	unlock, err := lock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	a, err = Load(dir, now)
	switch {
	case errors.Is(err, errNone) || err == nil && !now().Add(renewBefore).Before(a.cert.NotAfter):
		a, err = create(dir, hosts, now)
		return a, true, err
	case err != nil:
		return nil, false, err
	}
	for _, host := range hosts {
		if !a.covers(host) {
			a, err = reissue(dir, a.key, append(a.Hosts(), hosts...), now)
			return a, true, err
		}
	}
	return a, false, nil
}

// Load reads the authority in the folder. An authority whose key others can read is refused.
func Load(dir string, now func() time.Time) (*Authority, error) {
	keyBlock, err := readPEM(filepath.Join(dir, keyFile), true)
	if err != nil {
		return nil, err
	}
	certBlock, err := readPEM(filepath.Join(dir, certFile), false)
	if err != nil {
		return nil, err
	}
	parsed, keyErr := x509.ParsePKCS8PrivateKey(keyBlock)
	key, _ := parsed.(*ecdsa.PrivateKey)
	cert, certErr := x509.ParseCertificate(certBlock)
	if keyErr != nil || certErr != nil || key == nil || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, harness.Usage(fmt.Errorf("read the certificate authority in %s: its key and certificate do not belong together", dir), "`rehearse doctor ca remove` makes room for a new one")
	}
	return &Authority{File: filepath.Join(dir, certFile), cert: cert, key: key, now: now}, nil
}

// Remove deletes the authority. What it signed is worthless from then on, as soon as clients are not told to trust it.
func Remove(dir string) error {
	err := errors.Join(os.Remove(filepath.Join(dir, keyFile)), os.Remove(filepath.Join(dir, certFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return harness.Usage(fmt.Errorf("remove the certificate authority in %s: %w", dir, errNone), "nothing is to be done")
	}
	return err
}

// readPEM reads the one block of a file; private ones must be readable by their owner only.
func readPEM(file string, private bool) ([]byte, error) {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, harness.Usage(fmt.Errorf("read the certificate authority in %s: %w", filepath.Dir(file), errNone), "`rehearse record http --tls` and `rehearse record proxy` make one")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, harness.Refused(fmt.Errorf("read %s: it is not a regular file", file), "somebody put something else there: remove it")
	case private && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, harness.Refused(fmt.Errorf("read %s: others can read it too (mode %04o)", file, info.Mode().Perm()), "chmod 600 "+file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, harness.Usage(fmt.Errorf("read %s: not one PEM block", file), "`rehearse doctor ca remove` makes room for a new one")
	}
	return block.Bytes, nil
}

// create makes a new key and its certificate.
func create(dir string, hosts []string, now func() time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := publish(filepath.Join(dir, keyFile), 0o600, "PRIVATE KEY", der); err != nil {
		return nil, err
	}
	return reissue(dir, key, hosts, now)
}

// reissue writes a certificate for the key and returns the authority.
func reissue(dir string, key *ecdsa.PrivateKey, hosts []string, now func() time.Time) (*Authority, error) {
	hosts, err := canonical(hosts)
	if err != nil {
		return nil, err
	}
	der, err := issue(key, hosts, now())
	if err != nil {
		return nil, err
	}
	if err := publish(filepath.Join(dir, certFile), 0o644, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return Load(dir, now)
}

// publish writes a file whole: a new file beside it, synced, then renamed.
func publish(file string, mode os.FileMode, kind string, der []byte) error {
	partial := file + ".new"
	os.Remove(partial) //nolint:errcheck // left by a process that was killed; the lock is ours
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return harness.Usage(fmt.Errorf("write the certificate authority: %w", err), "make the configuration folder writable")
	}
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the certificate authority: %w", err), os.Remove(partial))
	}
	return os.Rename(partial, file)
}

// Waiting for another process that makes the authority at this moment.
const (
	lockPatience = 10 * time.Second
	lockStep     = 10 * time.Millisecond
)

// lock keeps other processes out until unlock is called. The lock of a process that was killed is broken when it is
// older than the patience.
func lock(file string) (unlock func(), err error) {
	for begin := time.Now(); ; time.Sleep(lockStep) {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return func() { f.Close(); os.Remove(file) }, nil //nolint:errcheck // a lock that stays is broken by its age
		}
		info, statErr := os.Stat(file)
		switch {
		case !errors.Is(err, fs.ErrExist):
			return nil, harness.Usage(fmt.Errorf("make the certificate authority: %w", err), "make the configuration folder writable")
		case statErr == nil && time.Since(info.ModTime()) > lockPatience:
			os.Remove(file) //nolint:errcheck // whoever removed it first has the same in mind
		case time.Since(begin) > 2*lockPatience:
			return nil, harness.CannotRun(fmt.Errorf("make the certificate authority: %s is held by another process", file), "end that process, or remove the file")
		}
	}
}
