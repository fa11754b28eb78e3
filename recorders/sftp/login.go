package sftp

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
)

// Login says who may log in. The zero value lets everybody in, which is for loopback only; a proxy without an identity
// asks for a password then, because it needs one for the real server.
type Login struct {
	Keys     []ssh.PublicKey // that are accepted
	Password string          // that is accepted
}

var errLogin = errors.New("not known here")

func (l Login) isOpen() bool { return len(l.Keys) == 0 && l.Password == "" }

// check refuses to let everybody in who can reach the machine. Behind a proxy, the real server decides.
func (l Login) check(address string, proxy bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return harness.Usage(fmt.Errorf("record sftp: %w", err), "write the address as HOST:PORT, such as 127.0.0.1:2222")
	}
	ip := net.ParseIP(host)
	if proxy || !l.isOpen() || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return harness.Usage(fmt.Errorf("record sftp: %s can be reached from other machines, and nobody needs to log in", address),
		"name the keys or the password that are accepted, or listen on 127.0.0.1")
}

func (l Login) accepts(key ssh.PublicKey) bool {
	for _, k := range l.Keys {
		if bytes.Equal(k.Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}

func (l Login) acceptsPassword(text []byte) bool {
	return l.Password != "" && subtle.ConstantTimeCompare(text, []byte(l.Password)) == 1
}

// LoadKeys reads a file of public keys, in the form of OpenSSH's authorized_keys.
func LoadKeys(file string) ([]ssh.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read accepted keys: %w", err), "name a file of public keys")
	}
	var keys []ssh.PublicKey
	for n, line := range bytes.Split(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("read accepted keys: %s:%d: %w", file, n+1, err), "write one public key a line, as OpenSSH does")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, harness.Usage(fmt.Errorf("read accepted keys: %s holds none", file), "write one public key a line, as OpenSSH does")
	}
	return keys, nil
}
