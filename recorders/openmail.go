package recorders

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/smtp"
)

// MailOptions of the recorder of mails.
type MailOptions struct {
	TLS      bool   // clients may speak TLS to the tap, by STARTTLS
	StartTLS bool   // the tap speaks TLS to the real server, by STARTTLS
	Trust    string // file of the certificates that the real server is verified with, PEM; empty: those of the system
}

// mailSink is the source that delivers to nobody.
const mailSink = "sink"

// mailPorts are the ports of the schemes.
var mailPorts = map[string]string{"smtp": "25", "smtps": "465"}

func openMail(o LiveOptions) (harness.Recorder, string, error) {
	tap := &smtp.Tap{From: o.From, To: o.To}
	var err error
	if o.Source != mailSink {
		if tap.Relay, err = mailRelay(o); err != nil {
			return nil, "", err
		}
	} else if o.Mail.StartTLS {
		return nil, "", harness.Usage(errors.New("record mail: a sink has no server to speak TLS to"), "leave out --start-tls, or name the server")
	}
	trust := ""
	if o.Mail.TLS {
		host, _, _ := net.SplitHostPort(o.Listen) //nolint:errcheck // Listen tells about an address of wrong form
		if tap.Secure, trust, err = Secure(named(host)); err != nil {
			return nil, "", err
		}
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	if tap.Relay == nil {
		return tap, fmt.Sprintf("smtp://%s takes every mail and delivers it to nobody%s", addr, trust), nil
	}
	return tap, fmt.Sprintf("smtp://%s stands in front of %s%s", addr, o.Source, trust), nil
}

func mailRelay(o LiveOptions) (*smtp.Relay, error) {
	u, err := url.Parse(o.Source)
	if err != nil || mailPorts[u.Scheme] == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, harness.Usage(fmt.Errorf("record mail: %q is not the address of a server", o.Source), "write it as smtp://HOST[:PORT] or smtps://HOST[:PORT], or name sink")
	}
	if u.Scheme == "smtps" && o.Mail.StartTLS {
		return nil, harness.Usage(fmt.Errorf("record mail: %s speaks TLS from the beginning", o.Source), "leave out --start-tls, or write smtp://")
	}
	port := u.Port()
	if port == "" {
		port = mailPorts[u.Scheme]
	}
	relay := &smtp.Relay{Address: net.JoinHostPort(u.Hostname(), port), StartTLS: o.Mail.StartTLS}
	if u.Scheme == "smtps" || o.Mail.StartTLS {
		if relay.TLS, err = upstreamTLS(HTTPOptions{Trust: o.Mail.Trust}); err != nil {
			return nil, err
		}
		relay.TLS.ServerName = u.Hostname()
	}
	return relay, nil
}
