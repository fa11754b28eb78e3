package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

func (a *app) recordVerb() verb {
	v := verb{
		use:   "record",
		short: "record live traffic, scrubbed before it reaches the disk",
		long: "Record watches one crossing between two systems until it is interrupted (Ctrl-C) or --for is over.\n" +
			"Every exchange is anonymized before it is written. What was seen and could not be kept is counted,\n" +
			"and the recording is then marked incomplete.",
		example: "rehearse record http https://sis.test.example --listen 127.0.0.1:8080 --from crm --to sis --out fixtures/crm-sis",
	}
	for _, r := range recorders.Recorders {
		v.below = append(v.below, a.recordWith(r))
	}
	return v
}

// recordForm is what a recorder has beside the flags of all of them.
type recordForm struct {
	example string
	// flags adds its own flags, and returns what reads the files and secrets that they name; nil: nothing is read.
	flags func(a *app, set *pflag.FlagSet, o *recorders.LiveOptions) (prepare func() error)
}

// recordForms is the table of them, by name of the recorder.
var recordForms = map[string]recordForm{
	"http":     {"rehearse record http https://sis.test.example --listen 127.0.0.1:8080 --from crm --to sis --out fixtures/crm-sis", httpFlags},
	"proxy":    {"rehearse record proxy api.vendor.example --listen 127.0.0.1:8888 --from crm --out fixtures/vendor", proxyFlags},
	"files":    {"rehearse record files /srv/drop --from sis --to lms --out fixtures/rosters --for 12h", fileFlags},
	"sftp":     {"rehearse record sftp /srv/inbox --listen 127.0.0.1:2222 --from vendor --to sis --out fixtures/nightly", sftpFlags},
	"table":    {"rehearse record table postgres://loader@127.0.0.1/sis --table sis.students --from sis --to lms --out fixtures/rows", tableFlags},
	"messages": {"rehearse record messages amqp://loader@127.0.0.1/ --topic students:# --from sis --to lms --out fixtures/events", messageFlags},
	"ldap":     {"rehearse record ldap ldap://ldap.test.example --listen 127.0.0.1:3389 --from sis --to ldap --out fixtures/ldap", ldapFlags},
	"s3":       {"rehearse record s3 s3://drop/rosters/ --endpoint https://minio.test.example --from sis --to lms --out fixtures/s3", s3Flags},
	"mail":     {"rehearse record mail sink --listen 127.0.0.1:2525 --from sis --to mail --out fixtures/mails", mailFlags},
}

func (a *app) recordWith(r recorders.Live) verb {
	var o recorders.LiveOptions
	var f storeFlags
	var raw rawFlags
	var limit time.Duration
	var prepare func() error
	form := recordForms[r.Name]
	return verb{
		use: r.Name + " SOURCE", short: r.Summary, exits: []int{exitCannotRun, exitRefused},
		long:    fmt.Sprintf("Record by a %s.\nSOURCE is the %s.", r.Summary, r.Source),
		example: form.example,
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			raw.add(set)
			set.StringVar(&f.durability, "durability", string(fixtures.Group), "`when` an exchange counts as kept: sync (each is on the disk), group (the same, many at a time) or async (written; a power failure takes the last second)")
			set.StringVar(&o.From, "from", "client", "`name` of the system that sends")
			set.DurationVar(&limit, "for", 0, "stop after this `time`, such as 90s or 12h")
			aboveZero(set, "for", &limit)
			to, who := "server", ""
			if r.Name == "proxy" {
				to, who = "", "; without one it is the host"
			}
			set.StringVar(&o.To, "to", to, "`name` of the system that receives"+who)
			prepare = form.flags(a, set, &o)
		},
		run: func(ctx context.Context, args []string) error {
			o.Source, f.form = args[0], cmp.Or(f.form, string(fixtures.Auto))
			if prepare != nil {
				if err := prepare(); err != nil {
					return err
				}
			}
			return a.record(ctx, r, o, func(m harness.Manifest) (taker, error) { return a.openTaker("record "+r.Name, m, f, raw) }, limit)
		},
	}
}

func httpFlags(_ *app, set *pflag.FlagSet, o *recorders.LiveOptions) func() error {
	set.BoolVar(&o.HTTP.TLS, "tls", false, "clients speak TLS to the tap, HTTP/2 or HTTP/1.1; see rehearse doctor tls")
	set.BoolVar(&o.HTTP.KeepHost, "keep-host", false, "the upstream gets the client's Host instead of its own")
	addHTTP(set, o)
	return nil
}

func proxyFlags(_ *app, set *pflag.FlagSet, o *recorders.LiveOptions) func() error {
	set.StringSliceVar(&o.HTTP.Allow, "allow", nil, "`hosts` that may be reached although they are on this machine or link")
	addHTTP(set, o)
	return nil
}

func fileFlags(_ *app, set *pflag.FlagSet, o *recorders.LiveOptions) func() error {
	set.DurationVar(&o.Settle, "settle", 2*time.Second, "`time` for which a file must not change before it is finished")
	aboveZero(set, "settle", &o.Settle)
	set.BoolVar(&o.Existing, "existing", false, "files that are there already count, too")
	return nil
}

// addHTTP adds the flags of both kinds of proxy.
func addHTTP(set *pflag.FlagSet, o *recorders.LiveOptions) {
	h := &o.HTTP
	set.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	set.StringVar(&o.Session, "session", "", "`what` belongs together: header:NAME, cookie:NAME or connection (default)")
	set.StringVar(&h.Trust, "upstream-ca", "", "`file` of the certificates that upstreams are verified with, instead of the system's")
	set.StringSliceVar(&h.Insecure, "insecure", nil, "`hosts` of upstreams that are not verified; the recording says so")
	set.StringVar(&h.Cert, "client-cert", "", "`file` of the certificate that upstreams ask for")
	set.StringVar(&h.Key, "client-key", "", "`file` of its key")
	set.StringSliceVar(&h.Filter.Methods, "method", nil, "record these `methods` only")
	set.StringSliceVar(&h.Filter.Paths, "path", nil, "record these `paths` only, such as /v1/**; a * stops at slashes, ** does not")
	set.StringSliceVar(&h.Filter.NotPaths, "not-path", nil, "leave out these `paths`, such as /health")
	set.Int64Var(&h.Filter.MaxSize, "max-size", 0, "leave out exchanges with bodies of more `bytes`; 0 leaves out none")
	atLeast(set, "max-size", &h.Filter.MaxSize, 0)
	set.Float64Var(&h.Filter.Sample, "sample", 0, "record this `share` of the sessions, such as 0.1; each is recorded whole or not at all")
	set.Int64Var(&h.MaxBody, "max-body", 0, "keep at most so many `bytes` of one body; a longer one passes whole and is recorded as incomplete (default 64 MiB)")
	atLeast(set, "max-body", &h.MaxBody, 1)
}

// chosen says in the manifest of a recording what was not to be recorded, and whom nobody verified.
func chosen(name string, h recorders.HTTPOptions) string {
	f := h.Filter
	for _, part := range []struct {
		word, text string
	}{
		{"methods", strings.Join(f.Methods, " ")},
		{"paths", strings.Join(f.Paths, " ")},
		{"not paths", strings.Join(f.NotPaths, " ")},
		{"at most bytes", nonZero(f.MaxSize)},
		{"share of sessions", nonZero(f.Sample)},
		{"not verified", strings.Join(h.Insecure, " ")},
	} {
		if part.text != "" {
			name += "; " + part.word + " " + part.text
		}
	}
	return name
}

// hostsOf is where a source that is a URL leads to. A tap in front of it is all that its clients name.
func hostsOf(source string) []string {
	u, err := url.Parse(source)
	if err != nil || u.Host == "" || u.Scheme == "s3" {
		return nil
	}
	return []string{u.Host}
}

func nonZero[T int64 | float64](n T) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// warnOpen says who can reach an address that is not of this machine alone. What is no address is for the recorder to
// refuse.
func (a *app) warnOpen(listen string) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "" || host == "localhost" {
		return // loopback, when nobody names a host
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return
	}
	fmt.Fprintf(a.err, "warning: %s can be reached from other machines, and whoever reaches it calls the upstream through it; "+
		"listen on 127.0.0.1 unless the caller runs elsewhere\n", printable(listen))
}

func (a *app) record(ctx context.Context, r recorders.Live, o recorders.LiveOptions, open func(harness.Manifest) (taker, error), limit time.Duration) error {
	recorder, where, err := r.Open(o)
	if err != nil {
		return err
	}
	s, err := open(harness.Manifest{Origin: chosen(r.Name, o.HTTP), Hosts: hostsOf(o.Source)})
	if err != nil {
		return err
	}
	defer s.Abort() //nolint:errcheck // after a clean end there is nothing to abort
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	fmt.Fprintf(a.err, "recording: %s; stop with Ctrl-C\n", where)
	a.warnOpen(o.Listen)
	err = s.take(ctx, recorder)
	var notes []string
	if noted, ok := recorder.(recorders.Noted); ok {
		notes = noted.Notes()
	}
	if sumErr := s.summary(notes); err == nil {
		err = sumErr
	}
	return err
}
