package main

import (
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/recorders"
)

// ldapFlags adds the flags of the recorder of a directory.
func ldapFlags(_ *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	set.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	set.BoolVar(&o.LDAP.TLS, "tls", false, "clients may speak TLS to the tap, at once or by StartTLS; see rehearse doctor tls")
	set.BoolVar(&o.LDAP.StartTLS, "start-tls", false, "speak TLS to the directory, by StartTLS")
	set.StringVar(&o.LDAP.Trust, "upstream-ca", "", "`file` of the certificates that the directory is verified with, instead of the system's")
	return nil
}
