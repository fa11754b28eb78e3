package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

// sftpFlags adds the flags of the SFTP recorder, and returns what reads the files and secrets that they name.
func sftpFlags(a *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	var password, upstreamPassword, identity string
	set.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	set.DurationVar(&o.Settle, "settle", 2*time.Second, "`time` for which an upload may still be renamed before it is finished")
	aboveZero(set, "settle", &o.Settle)
	set.StringVar(&o.SFTP.HostKey, "host-key", "", "`file` of the key by which clients know this server; without one a key in your configuration folder, made on first use")
	set.StringVar(&o.SFTP.Keys, "accept-keys", "", "`file` of public keys that may log in, as in authorized_keys")
	set.StringVar(&password, "accept-password", "", "password that may log in: a `file`, env:NAME or fd:NUMBER")
	set.StringVar(&identity, "identity", "", "private key for the real server: a `file`, env:NAME or fd:NUMBER")
	set.StringVar(&upstreamPassword, "upstream-password", "", "password for the real server: a `file`, env:NAME or fd:NUMBER; without it and --identity the client's")
	set.StringVar(&o.SFTP.Known, "known-hosts", "", "`file` of host keys that the real server may have (default ~/.ssh/known_hosts)")
	return func() error {
		if err := defaultFile(&o.SFTP.HostKey, os.UserConfigDir, "rehearse", "sftp-host-key"); err != nil {
			return err
		}
		if err := defaultFile(&o.SFTP.Known, os.UserHomeDir, ".ssh", "known_hosts"); err != nil {
			return err
		}
		var err error
		if o.SFTP.Password, err = a.password(password); err != nil {
			return err
		}
		if o.SFTP.UpstreamPassword, err = a.password(upstreamPassword); err != nil || identity == "" {
			return err
		}
		o.SFTP.Identity, err = harness.ReadSecret(identity, a.getenv, "name a private key without a passphrase")
		return err
	}
}

// defaultFile sets the name of a file that nobody named: below a folder of the user's.
func defaultFile(file *string, folder func() (string, error), below ...string) error {
	if *file != "" {
		return nil
	}
	dir, err := folder()
	if err != nil {
		return harness.Usage(err, "set HOME, or name the file")
	}
	*file = filepath.Join(append([]string{dir}, below...)...)
	return nil
}

// password reads a password by reference, without the end of its line; no reference, no password.
func (a *app) password(reference string) (string, error) {
	if reference == "" {
		return "", nil
	}
	text, err := harness.ReadSecret(reference, a.getenv, "name a file of mode 0600, env:NAME or fd:NUMBER")
	return strings.TrimRight(string(text), "\r\n"), err
}
