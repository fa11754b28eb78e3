package recorders

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/ldap"
)

// LDAPOptions of the recorder of a directory.
type LDAPOptions struct {
	TLS      bool   // clients may speak TLS to the tap
	StartTLS bool   // the tap speaks TLS to the directory, by StartTLS
	Trust    string // file of the certificates that the directory is verified with, PEM; empty: those of the system
}

// ldapPorts are the ports of the schemes.
var ldapPorts = map[string]string{"ldap": "389", "ldaps": "636"}

func openLDAP(o LiveOptions) (harness.Recorder, string, error) {
	u, err := url.Parse(o.Source)
	if err != nil || ldapPorts[u.Scheme] == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, "", harness.Usage(fmt.Errorf("record ldap: %q is not the address of a directory", o.Source), "write it as ldap://HOST[:PORT] or ldaps://HOST[:PORT]")
	}
	if u.Scheme == "ldaps" && o.LDAP.StartTLS {
		return nil, "", harness.Usage(fmt.Errorf("record ldap: %s speaks TLS from the beginning", o.Source), "leave out --start-tls, or write ldap://")
	}
	port := u.Port()
	if port == "" {
		port = ldapPorts[u.Scheme]
	}
	tap := &ldap.Tap{From: o.From, To: o.To, Upstream: ldap.Upstream{Address: net.JoinHostPort(u.Hostname(), port), StartTLS: o.LDAP.StartTLS}}
	if u.Scheme == "ldaps" || o.LDAP.StartTLS {
		if tap.Upstream.TLS, err = upstreamTLS(HTTPOptions{Trust: o.LDAP.Trust}); err != nil {
			return nil, "", err
		}
		tap.Upstream.TLS.ServerName = u.Hostname()
	}
	trust := ""
	if o.LDAP.TLS {
		host, _, _ := net.SplitHostPort(o.Listen) //nolint:errcheck // Listen tells about an address of wrong form
		if tap.Secure, trust, err = Secure(append(named(host), u.Hostname())); err != nil {
			return nil, "", err
		}
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	return tap, fmt.Sprintf("ldap://%s stands in front of %s%s", addr, o.Source, trust), nil
}
