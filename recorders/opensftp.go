package recorders

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/sftp"
)

func openSFTP(o LiveOptions) (harness.Recorder, string, error) {
	tap := &sftp.Tap{From: o.From, To: o.To, Settle: o.Settle, Login: sftp.Login{Password: o.SFTP.Password}}
	var err error
	if strings.Contains(o.Source, "://") {
		tap.Upstream, err = sftpUpstream(o)
	} else {
		tap.Dir = o.Source
	}
	if err == nil && o.SFTP.Keys != "" {
		tap.Login.Keys, err = sftp.LoadKeys(o.SFTP.Keys)
	}
	if err == nil {
		tap.HostKey, err = sftp.HostKey(o.SFTP.HostKey)
	}
	if err != nil {
		return nil, "", err
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	return tap, fmt.Sprintf("sftp://%s stands in front of %s, host key %s", addr, o.Source, ssh.FingerprintSHA256(tap.HostKey.PublicKey())), nil
}

func sftpUpstream(o LiveOptions) (*sftp.Upstream, error) {
	u, err := url.Parse(o.Source)
	if err != nil || u.Scheme != "sftp" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, harness.Usage(fmt.Errorf("record sftp: %q is not the address of a server", o.Source), "write it as sftp://[USER@]HOST[:PORT], or name a folder")
	}
	if err := harness.WithoutPassword("record sftp", u, "with --upstream-password env:NAME"); err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	up := &sftp.Upstream{Address: net.JoinHostPort(u.Hostname(), port), User: u.User.Username(), Password: o.SFTP.UpstreamPassword}
	if up.HostKeys, err = sftp.KnownHosts(o.SFTP.Known); err != nil {
		return nil, err
	}
	if o.SFTP.Identity != nil {
		if up.Identity, err = sftp.LoadIdentity(o.SFTP.Identity); err != nil {
			return nil, err
		}
	}
	return up, up.Reach()
}
