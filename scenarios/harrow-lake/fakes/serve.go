package fakes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// Options say how a double behaves. The zero value of a field is its default.
type Options struct {
	Release string           // of the CRM or the SIS; default: the one before the upgrade
	Now     func() time.Time // default: the frozen clock of the demo world

	Contained bool // it runs in a container, whose network is its own: other addresses than loopback are served, too

	// The rest is for hubline.
	CRM, SIS, Identity string       // base URLs
	Tables             string       // folder whose code tables take the place of those that the mappings came with
	TermMember         string       // of the CRM's application; default start_term
	FollowLinks        bool         // the poll asks for the next page
	Secret             string       // of the webhooks; default world.HookSecret
	Client             *http.Client // default: a client of its own with a timeout of 10 seconds
}

// Service is a double that can be served.
type Service struct {
	Name    string
	Summary string
	handler func(Options) (http.Handler, error)
}

// Services are the doubles, in the order in which help lists them.
var Services = []Service{
	{"crm", "Prospekt CRM: reads and updates applications; releases 2026.2, 2026.2.1 and 2026.3", func(o Options) (http.Handler, error) {
		return CRM(cmp.Or(o.Release, world.CRMBefore), o.Now)
	}},
	{"sis", "Atrium SIS: matches persons, creates applications of admission; releases 9.31 and 9.32", func(o Options) (http.Handler, error) {
		return SIS(cmp.Or(o.Release, world.SISBefore), o.Now)
	}},
	{"identity", "Keystone Identity: accounts over SCIM 2.0, and its directory", func(o Options) (http.Handler, error) {
		return KeystoneIdentity(o.Now), nil
	}},
	{"hubline", "HubLine, the runner: takes webhooks of the CRM and reports of the HCM, calls the CRM, the SIS and the identity system", HubLine},
}

// Handler returns the double of that name.
func Handler(name string, options Options) (http.Handler, error) {
	if options.Now == nil {
		options.Now = world.Clock
	}
	if options.Client == nil {
		options.Client = &http.Client{Timeout: 10 * time.Second}
	}
	var names []string
	for _, s := range Services {
		if s.Name == name {
			return s.handler(options)
		}
		names = append(names, s.Name)
	}
	return nil, harness.Usage(fmt.Errorf("serve %q: no such service", name), "the services are "+strings.Join(names, ", "))
}

// shutdownTime is how long requests that are under way may take when the end has come.
const shutdownTime = 5 * time.Second

// Serve runs the double of that name on the listener until the context ends, finishes what is under way, closes the
// listener and returns nil. A listener that other machines can reach is refused,
// outside of a container.
func Serve(ctx context.Context, name string, options Options, ln net.Listener) error {
	defer ln.Close()
	if a, ok := ln.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() && !options.Contained {
		return harness.Refused(fmt.Errorf("serve %s on %s: not a loopback address", name, ln.Addr()), "listen on 127.0.0.1")
	}
	handler, err := Handler(name, options)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }() // ends with the shutdown below, or by itself
	select {
	case err := <-ended:
		return harness.CannotRun(fmt.Errorf("serve %s on %s: %w", name, ln.Addr(), err), "")
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err = server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-ended //nolint:errcheck // the server was told to stop
	if err != nil {
		return harness.CannotRun(fmt.Errorf("stop %s: %w", name, err), "")
	}
	return nil
}
