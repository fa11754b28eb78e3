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
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/fakes"
)

// scene is one run of the demo, or several that are shown in a line each.
type scene struct {
	title string
	files []string
	lines bool // the verdicts only; the reports are kept
	fails bool // the recording holds a failure, which must happen again
}

// scenes is what the demo plays, in order.
var scenes = []scene{
	{title: "The nightly enrolment as recorded. Nothing may differ.", files: []string{"i1-sis-lms-enrollment/baseline.yaml"}},
	{title: "A vendor upgrade: Atrium SIS 9.32 lands in TEST.", files: []string{"i1-sis-lms-enrollment/sis-9.32.yaml"}},
	{title: "The same upgrade at the ledger feed, a file of fixed width.", files: []string{"i4-sis-fin-gl/sis-9.32.yaml"}},
	{title: "Another vendor upgrade: the preview of Paylark HCM R2, and who keeps an account.", files: []string{"i3-hcm-identity/hcm-r2.yaml"}},
	{title: "One more: the preview of Prospekt CRM 2026.3, live on this machine.", files: []string{"i2-crm-sis-applicant/crm-2026.3.yaml"}},
	{title: "The same preview at the hourly poll.", files: []string{"i2-crm-sis-applicant/poll-crm-2026.3.yaml"}},
	{title: "A mapping change: pull request 418 makes auditors observers.", files: []string{"i1-sis-lms-enrollment/pr-418.yaml"}},
	{title: "The same pull request after the fix.", files: []string{"i1-sis-lms-enrollment/pr-418-fixed.yaml"}},
	{title: "An incident: applicants fail. Captured, anonymised, and it fails again on this machine.", files: []string{"i2-crm-sis-applicant/inc-2231.yaml"},
		lines: true, fails: true},
	{title: "After the fixes: the same upgrades, and nothing breaks any more.", lines: true, files: []string{
		"after-fix/sis-9.32-lms.yaml", "after-fix/sis-9.32-gl.yaml", "after-fix/hcm-r2.yaml", "after-fix/crm-2026.3.yaml", "after-fix/poll-crm-2026.3.yaml"}},
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
		below: []verb{a.demoServeVerb(), a.demoMapVerb(), a.demoRelayVerb()},
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
		fmt.Fprintf(a.out, "\n%s\n%s\n\n", s.title, strings.Repeat("=", len(s.title)))
		for _, file := range s.files {
			outcome, err := a.play(ctx, filepath.Join(dir, "scenarios", "harrow-lake", filepath.FromSlash(file)), s)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return err
			}
			verdict = harness.Worst(verdict, outcome.Report.Verdict)
			summary = append(summary, verdictLine(outcome.Report))
		}
	}
	fmt.Fprintf(a.out, "\nAll runs\n\n%s\n\nThe world, with a page for each run under %s:\n  %s\nGo on with it:  scenarios/harrow-lake/TUTORIAL.md in that folder\n",
		strings.Join(summary, "\n"), runsFolder, dir)
	return verdictError(verdict, harness.Review)
}

func verdictLine(r *harness.Report) string { return fmt.Sprintf("  %-9s %s", r.Verdict, r.Scenario) }

// play rehearses one file of a scene and shows what came of it.
func (a *app) play(ctx context.Context, file string, s scene) (*rehearsal.Outcome, error) {
	outcome, err := a.rehearseOne(ctx, file, runFlags{output: "text", quiet: true, silent: s.lines}, nil)
	switch {
	case err != nil:
		return nil, err
	case s.fails:
		return outcome, failedAgain(a.out, file, outcome)
	case s.lines:
		fmt.Fprintln(a.out, verdictLine(outcome.Report))
	}
	return outcome, nil
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
			set.BoolVar(&o.Contained, "contained", false, "listen on other addresses than loopback, too: in a container, which has a network of its own")
			demoFlags(set, &o)
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

// demoFlags says how a system of the demo world behaves.
func demoFlags(set *pflag.FlagSet, o *fakes.Options) {
	set.StringVar(&o.Release, "release", "", "`release` of the CRM or the SIS")
	set.StringVar(&o.CRM, "crm", "", "base `URL` of the CRM, for hubline")
	set.StringVar(&o.SIS, "sis", "", "base `URL` of the SIS, for hubline")
	set.StringVar(&o.Identity, "identity", "", "base `URL` of the identity system, for hubline")
	set.StringVar(&o.Tables, "tables", "", "`folder` of code tables that take the place of built-in ones, for hubline")
	set.StringVar(&o.TermMember, "term-member", "start_term", "`name` of the term in an application of the CRM, for hubline")
	set.BoolVar(&o.FollowLinks, "follow-links", false, "read further pages of a list, for hubline")
}

func (a *app) demoMapVerb() verb {
	var o fakes.Options
	return verb{
		use: "map NAME", short: "run one system of the demo world as a program that maps JSON Lines", exits: []int{exitCannotRun}, hidden: true,
		long:    "Map answers each line of JSON on standard input with one, as a target command with mode jsonl does.",
		example: "rehearse demo map hubline --identity http://127.0.0.1:8090",
		flags:   func(set *pflag.FlagSet) { demoFlags(set, &o) },
		run:     func(ctx context.Context, args []string) error { return fakes.Lines(ctx, args[0], o, os.Stdin, a.out) },
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
