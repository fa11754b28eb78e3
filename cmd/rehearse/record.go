package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"

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

var recordExamples = map[string]string{
	"http":  "rehearse record http https://sis.test.example --listen 127.0.0.1:8080 --from crm --to sis --out fixtures/crm-sis",
	"files": "rehearse record files /srv/drop --from sis --to lms --out fixtures/rosters --for 12h",
	"sftp":  "rehearse record sftp /srv/inbox --listen 127.0.0.1:2222 --from vendor --to sis --out fixtures/nightly",
}

func (a *app) recordWith(r recorders.Live) verb {
	var o recorders.LiveOptions
	var f storeFlags
	var limit time.Duration
	prepare := func() error { return nil }
	return verb{
		use: r.Name + " SOURCE", short: r.Summary, exits: []int{exitCannotRun, exitRefused},
		long:    fmt.Sprintf("Record from a %s.\nSOURCE is the %s.", r.Summary, r.Source),
		example: recordExamples[r.Name],
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			set.StringVar(&o.From, "from", "client", "`name` of the system that sends")
			set.StringVar(&o.To, "to", "server", "`name` of the system that receives")
			set.DurationVar(&limit, "for", 0, "stop after this `time`, such as 90s or 12h")
			switch r.Name {
			case "http":
				set.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
				set.StringVar(&o.Session, "session", "", "`what` belongs together: header:NAME, cookie:NAME or connection (default)")
			case "files":
				set.DurationVar(&o.Settle, "settle", 2*time.Second, "`time` for which a file must not change before it is finished")
				set.BoolVar(&o.Existing, "existing", false, "files that are there already count, too")
			case "sftp":
				prepare = a.sftpFlags(set, &o)
			}
		},
		run: func(ctx context.Context, args []string) error {
			o.Source = args[0]
			if err := prepare(); err != nil {
				return err
			}
			return a.record(ctx, r, o, f, limit)
		},
	}
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

func (a *app) record(ctx context.Context, r recorders.Live, o recorders.LiveOptions, f storeFlags, limit time.Duration) error {
	recorder, where, err := r.Open(o)
	if err != nil {
		return err
	}
	s, err := a.openStore("record "+r.Name, r.Name, f)
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
	err = s.fill(ctx, recorder, false)
	if sumErr := a.summary(s, nil); err == nil {
		err = sumErr
	}
	return err
}
