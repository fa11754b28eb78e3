package main

import (
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/recorders"
)

// mailFlags adds the flags of the recorder of mails.
func mailFlags(_ *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error) {
	set.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	set.BoolVar(&o.Mail.TLS, "tls", false, "clients may speak TLS to the tap, by STARTTLS; see rehearse doctor tls")
	set.BoolVar(&o.Mail.StartTLS, "start-tls", false, "speak TLS to the real server, by STARTTLS")
	set.StringVar(&o.Mail.Trust, "upstream-ca", "", "`file` of the certificates that the real server is verified with, instead of the system's")
	return nil
}
