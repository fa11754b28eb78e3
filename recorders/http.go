package recorders

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/authority"
	"github.com/rehearse-dev/rehearse/recorders/httptap"
)

// HTTPOptions of the recorders of HTTP.
type HTTPOptions struct {
	TLS      bool           // clients speak TLS to a reverse proxy
	KeepHost bool           // the upstream gets the client's Host
	Trust    string         // file of the certificates that upstreams are verified with, PEM; empty: those of the system
	Insecure []string       // hosts of upstreams that are not verified
	Cert     string         // file of the certificate that upstreams ask for, PEM
	Key      string         // file of its key, PEM
	Allow    []string       // hosts that a forward proxy may reach although they are on this machine or link
	MaxBody  int64          // most bytes kept of one body; 0: the recorder's own choice
	Filter   httptap.Filter // which exchanges are recorded
}

// openTap opens a reverse proxy.
func openTap(o LiveOptions) (harness.Recorder, string, error) {
	upstream, err := url.Parse(o.Source)
	if err != nil || upstream.Host == "" || upstream.Scheme != "http" && upstream.Scheme != "https" {
		return nil, "", harness.Usage(fmt.Errorf("record http: %q is not the URL of an upstream", o.Source), "write it as http://host:port or https://host")
	}
	tap, err := newTap(o)
	if err != nil {
		return nil, "", err
	}
	tap.Upstream, tap.To, tap.KeepHost = upstream, o.To, o.HTTP.KeepHost
	scheme, trust := "http", ""
	if o.HTTP.TLS {
		host, _, _ := net.SplitHostPort(o.Listen) //nolint:errcheck // Listen tells about an address of wrong form
		if tap.Secure, trust, err = Secure(append(named(host), upstream.Hostname())); err != nil {
			return nil, "", err
		}
		scheme = "https"
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	return tap, fmt.Sprintf("%s://%s stands in front of %s%s", scheme, addr, upstream, trust), nil
}

// openProxy opens a forward proxy.
func openProxy(o LiveOptions) (harness.Recorder, string, error) {
	hosts := strings.FieldsFunc(o.Source, func(r rune) bool { return r == ',' || r == ' ' })
	if len(hosts) == 0 {
		return nil, "", harness.Usage(errors.New("record proxy: no host is named"), "name those to record, such as api.vendor.example or *.vendor.example")
	}
	tap, err := newTap(o)
	if err != nil {
		return nil, "", err
	}
	tap.Proxy = &httptap.Proxy{Hosts: hosts, Allow: o.HTTP.Allow}
	if o.To != "" {
		tap.Proxy.System = func(string) string { return o.To }
	}
	var trust string
	if tap.Secure, trust, err = Secure(hosts); err != nil {
		return nil, "", err
	}
	addr, err := tap.Listen(o.Listen)
	if err != nil {
		return nil, "", err
	}
	return tap, fmt.Sprintf("http://%s is a proxy that opens %s; all other hosts pass unopened%s", addr, strings.Join(hosts, ", "), trust), nil
}

// newTap is what both kinds of proxy have in common.
func newTap(o LiveOptions) (*httptap.Tap, error) {
	tap := &httptap.Tap{From: o.From, MaxBody: o.HTTP.MaxBody, Filter: o.HTTP.Filter}
	if s := o.HTTP.Filter.Sample; s < 0 || s > 1 {
		return nil, harness.Usage(fmt.Errorf("record: a sample of %v is no share of the sessions", s), "write a number between 0 and 1, such as 0.1")
	}
	kind, name, _ := strings.Cut(o.Session, ":")
	switch kind {
	case "", "connection":
		tap.Session = httptap.SessionByConnection()
	case "header":
		tap.Session = httptap.SessionByHeader(name)
	case "cookie":
		tap.Session = httptap.SessionByCookie(name)
	default:
		return nil, harness.Usage(fmt.Errorf("record: session %q is not known", o.Session), "write header:NAME, cookie:NAME or connection")
	}
	config, err := upstreamTLS(o.HTTP)
	if err != nil {
		return nil, err
	}
	tap.Transport = &http.Transport{
		TLSClientConfig: config, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
	}
	tap.Insecure = func(host string) bool {
		return slices.ContainsFunc(o.HTTP.Insecure, func(named string) bool {
			if name, _, err := net.SplitHostPort(named); err == nil {
				named = name
			}
			return strings.EqualFold(named, host)
		})
	}
	return tap, nil
}

// upstreamTLS says whom to trust, and who the tap is.
func upstreamTLS(o HTTPOptions) (*tls.Config, error) {
	config := &tls.Config{}
	if o.Trust != "" {
		text, err := os.ReadFile(o.Trust)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("read --upstream-ca: %w", err), "name a file of certificates, PEM")
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, harness.Usage(fmt.Errorf("read --upstream-ca %s: no certificate is in it", o.Trust), "name a file of certificates, PEM")
		}
	}
	switch {
	case (o.Cert == "") != (o.Key == ""):
		return nil, harness.Usage(errors.New("record: --client-cert and --client-key go together"), "name both files, PEM")
	case o.Cert != "":
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("read --client-cert %s with --client-key: %w", o.Cert, err), "name a certificate and the key that belongs to it, both PEM")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Secure is TLS under the authority of this user, limited to the hosts, and what clients are to be told.
func Secure(hosts []string) (config *tls.Config, trust string, err error) {
	dir, err := authority.Dir()
	if err != nil {
		return nil, "", err
	}
	a, fresh, err := authority.Open(dir, hosts, time.Now)
	if err != nil {
		return nil, "", err
	}
	trust = "; clients must trust " + a.File
	if fresh {
		trust += " (new, for " + strings.Join(a.Hosts(), ", ") + "; `rehearse doctor tls` says how)"
	}
	return a.Config(), trust, nil
}

// named are the hosts of an address to listen on: none when it is all addresses.
func named(host string) []string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return nil
	}
	return []string{host}
}
