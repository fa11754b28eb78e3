package sftp

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	wire "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/rehearse-dev/rehearse/harness"
)

// dialTime is how long the real server may take until it has let us in.
const dialTime = 20 * time.Second

// Upstream is the real server behind a proxy.
type Upstream struct {
	Address  string     // HOST:PORT
	User     string     // that the proxy logs in as; empty: the client's
	Identity ssh.Signer // by which it logs in; nil: by password
	Password string     // with which it logs in; empty: the client's
	HostKeys ssh.HostKeyCallback
}

// KnownHosts verifies host keys by a file in the form of OpenSSH's known_hosts.
func KnownHosts(file string) (ssh.HostKeyCallback, error) {
	check, err := knownhosts.New(file)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read known hosts: %w", err), "write the server's key there: ssh-keyscan HOST >> "+file+", and compare it with what its owner says")
	}
	return check, nil
}

// LoadIdentity reads a private key without a passphrase.
func LoadIdentity(text []byte) (ssh.Signer, error) {
	key, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, harness.Usage(errors.New("read identity: the key is protected by a passphrase"), "use a key of its own for recordings, without a passphrase")
	case err != nil:
		return nil, harness.Usage(fmt.Errorf("read identity: %w", err), "name a private key in the form of OpenSSH or PEM")
	}
	return key, nil
}

func (u *Upstream) close() error { return nil }

// login logs in at the real server. What the proxy has of its own comes before what the client gave.
func (u *Upstream) login(l Login, user string, password []byte, key ssh.PublicKey) (files, error) {
	known := key != nil && l.accepts(key) || password != nil && l.acceptsPassword(password)
	var method ssh.AuthMethod
	switch {
	case u.hasOwn() && !known && !l.isOpen():
		return nil, errLogin
	case u.Identity != nil:
		method = ssh.PublicKeys(u.Identity)
	case u.Password != "":
		method = ssh.Password(u.Password)
	case password != nil:
		method = ssh.Password(string(password))
	default:
		return nil, errLogin // a key of the client's cannot be used for another connection
	}
	client, err := ssh.Dial("tcp", u.Address, &ssh.ClientConfig{
		User: cmp.Or(u.User, user), Auth: []ssh.AuthMethod{method}, HostKeyCallback: u.HostKeys, Timeout: dialTime,
		HostKeyAlgorithms: u.algorithms(),
	})
	if err != nil {
		return nil, err
	}
	session, err := wire.NewClient(client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &remote{session, client}, nil
}

func (u *Upstream) hasOwn() bool { return u.Identity != nil || u.Password != "" }

// algorithms are those of the host keys that are known: a server that has others too would else offer one of which the
// file knows nothing.
func (u *Upstream) algorithms() []string {
	err := u.HostKeys(u.Address, &net.TCPAddr{}, noKey{})
	var mismatch *knownhosts.KeyError
	if !errors.As(err, &mismatch) {
		return nil
	}
	var names []string
	for _, want := range mismatch.Want {
		switch kind := want.Key.Type(); kind {
		case ssh.KeyAlgoRSA:
			names = append(names, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			names = append(names, kind)
		}
	}
	return names
}

// noKey is known by nobody.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errLogin }

// Reach logs in once, so that a wrong address, host key or identity is said before a client comes. Without an identity
// and a password of its own only the address and the host key can be tried.
func (u *Upstream) Reach() error {
	session, err := u.login(Login{}, u.User, []byte(u.Password), nil)
	var key *knownhosts.KeyError
	switch {
	case err == nil:
		return session.Close()
	case errors.As(err, &key) && len(key.Want) == 0:
		return harness.CannotRun(fmt.Errorf("reach %s: its host key is not known", u.Address), "write it into the file of known hosts, after its owner told you what it is")
	case errors.As(err, &key):
		return harness.Refused(fmt.Errorf("reach %s: its host key is another one than the known one", u.Address), "somebody may stand in between: ask the server's owner before you correct "+key.Want[0].String())
	case !u.hasOwn() && isRefusedLogin(err):
		return nil
	case isRefusedLogin(err):
		return harness.CannotRun(fmt.Errorf("log in at %s: %w", u.Address, err), "check the user, the identity and the password")
	}
	return harness.CannotRun(fmt.Errorf("reach %s: %w", u.Address, err), "check the address, and that the server runs")
}

// isRefusedLogin reports whether the server was reached and known, and let nobody in. The library has no type for it.
func isRefusedLogin(err error) bool { return strings.Contains(err.Error(), "unable to authenticate") }

// remote is the files of the real server, over a connection of the client's own.
type remote struct {
	*wire.Client
	conn *ssh.Client
}

func (r *remote) Close() error {
	err := r.Client.Close()
	r.conn.Close() //nolint:errcheck // the session is over
	return err
}

func (r *remote) open(name string, flags int) (file, error) { return r.OpenFile(name, flags) }
func (r *remote) stat(name string) (fs.FileInfo, error)     { return r.Stat(name) }
func (r *remote) lstat(name string) (fs.FileInfo, error)    { return r.Lstat(name) }
func (r *remote) list(name string) ([]fs.FileInfo, error)   { return r.ReadDir(name) }
func (r *remote) readLink(name string) (string, error)      { return r.ReadLink(name) }
func (r *remote) realPath(name string) (string, error)      { return r.RealPath(name) }
func (r *remote) remove(name string) error                  { return r.Client.Remove(name) }
func (r *remote) removeFolder(name string) error            { return r.RemoveDirectory(name) }
func (r *remote) makeFolder(name string) error              { return r.Mkdir(name) }

func (r *remote) rename(from, to string, replace bool) error {
	if replace {
		return r.PosixRename(from, to)
	}
	return r.Rename(from, to)
}

func (r *remote) link(from, to string, symbolic bool) error {
	if symbolic {
		return r.Symlink(from, to)
	}
	return r.Link(from, to)
}

func (r *remote) set(name string, a attributes) error {
	var errs []error
	if a.size != nil {
		errs = append(errs, r.Truncate(name, *a.size))
	}
	if a.mode != nil {
		errs = append(errs, r.Chmod(name, *a.mode))
	}
	if a.modified != nil {
		errs = append(errs, r.Chtimes(name, *a.accessed, *a.modified))
	}
	return errors.Join(errs...)
}
