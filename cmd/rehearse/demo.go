package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes"
)

// scenes is what the demo plays, in order.
var scenes = []struct{ file, title string }{
	{"i1-sis-lms-enrollment/baseline.yaml", "The nightly enrolment as recorded. Nothing may differ."},
	{"i1-sis-lms-enrollment/sis-9.32.yaml", "A vendor upgrade: Atrium SIS 9.32 lands in TEST."},
	{"i4-sis-fin-gl/sis-9.32.yaml", "The same upgrade at the ledger feed, a file of fixed width."},
	{"i2-crm-sis-applicant/crm-2026.3.yaml", "Another vendor upgrade: the preview of Prospekt CRM 2026.3, live on this machine."},
	{"i2-crm-sis-applicant/poll-crm-2026.3.yaml", "The same preview at the hourly poll."},
	{"i1-sis-lms-enrollment/pr-418.yaml", "A mapping change: pull request 418 makes auditors observers."},
	{"i1-sis-lms-enrollment/pr-418-fixed.yaml", "The same pull request after the fix."},
}

func (a *app) demoVerb() verb {
	var dir string
	return verb{
		use: "demo", short: "see it work: an upgrade and a mapping change at Harrow Lake University",
		exits: []int{exitNeedsPerson, exitCannotRun},
		long: "Demo writes the invented world of Harrow Lake University into a folder and rehearses it: no network, no\n" +
			"Docker, nothing outside this machine. It ends with exit code 1, because the upgrades break things.",
		example: "rehearse demo --dir harrow-lake",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&dir, "dir", "", "new `folder` for the world, to go on with it by yourself (default: a temporary one)")
		},
		run:   func(ctx context.Context, _ []string) error { return a.demo(ctx, dir) },
		below: []verb{a.demoServeVerb(), a.demoRelayVerb()},
	}
}

func (a *app) demo(ctx context.Context, dir string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "harrow-lake-"); err != nil {
			return err
		}
	}
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		return err
	}
	verdict := harness.Same
	var summary []string
	for _, s := range scenes {
		file := filepath.Join(dir, "scenarios", "harrow-lake", filepath.FromSlash(s.file))
		fmt.Fprintf(a.out, "\n%s\n%s\n\n", s.title, strings.Repeat("=", len(s.title)))
		outcome, err := a.rehearseOne(ctx, file, runFlags{output: "text", quiet: true}, nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		verdict = harness.Worst(verdict, outcome.Report.Verdict)
		summary = append(summary, fmt.Sprintf("  %-9s %s", outcome.Report.Verdict, outcome.Report.Scenario))
	}
	fmt.Fprintf(a.out, "\nAll runs\n\n%s\n\nThe world, with a page for each run under %s:\n  %s\n", strings.Join(summary, "\n"), runsFolder, dir)
	return verdictError(verdict, harness.Review)
}

func (a *app) demoServeVerb() verb {
	var o fakes.Options
	var listen string
	return verb{
		use: "serve NAME", short: "serve one system of the demo world on loopback", exits: []int{exitCannotRun}, hidden: true,
		long:    "Serve runs an invented system until it is interrupted. The demo's scenarios start these by themselves.",
		example: "rehearse demo serve crm --release 2026.3 --listen 127.0.0.1:8090",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&listen, "listen", "127.0.0.1:0", "loopback `address`")
			set.StringVar(&o.Release, "release", "", "`release` of the CRM or the SIS")
			set.StringVar(&o.CRM, "crm", "", "base `URL` of the CRM, for hubline")
			set.StringVar(&o.SIS, "sis", "", "base `URL` of the SIS, for hubline")
			set.StringVar(&o.Identity, "identity", "", "base `URL` of the identity system, for hubline")
			set.StringVar(&o.Tables, "tables", "", "`folder` of code tables that take the place of built-in ones, for hubline")
			set.StringVar(&o.TermMember, "term-member", "start_term", "`name` of the term in an application of the CRM, for hubline")
			set.BoolVar(&o.FollowLinks, "follow-links", false, "read further pages of a list, for hubline")
		},
		run: func(ctx context.Context, args []string) error {
			if _, err := fakes.Handler(args[0], o); err != nil {
				return err // before the address is told to anybody
			}
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return harness.CannotRun(fmt.Errorf("serve %s: %w", args[0], err), "choose another --listen")
			}
			fmt.Fprintf(a.err, "%s on http://%s\n", args[0], ln.Addr())
			err = fakes.Serve(ctx, args[0], o, ln)
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		},
	}
}

func (a *app) demoRelayVerb() verb {
	var layout string
	return verb{
		use: "relay", short: "hand on standard input as it is", hidden: true, exits: []int{exitCannotRun},
		long:    "Relay copies standard input to standard output, as the runner of the demo world does with files that it does\nnot map.",
		example: "rehearse demo relay",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&layout, "layout", "", "`file` that names columns to take out of records of fixed width")
		},
		run: func(context.Context, []string) error { return fakes.Relay(a.out, os.Stdin, layout) },
	}
}
