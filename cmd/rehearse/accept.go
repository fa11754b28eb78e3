package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// acceptFlags are the flags of accept.
type acceptFlags struct {
	decision
	change, by string
}

func (a *app) acceptVerb() verb {
	f := acceptFlags{decision: decision{verb: "accept", flag: "finding", key: "expect-files"}}
	return verb{
		use: "accept [FINDING]", short: "declare a finding as an expected change, with a reason",
		long: "Accept takes a finding of a kept run and appends it to an expect file as a declared change. A proven cause is\n" +
			"written as its rule: the next run applies it anew, expects what follows it, tells where else it holds, and\n" +
			"needs a person when a value does not follow it. Everything else is written as place, class, values and exact\n" +
			"count: one place more or less needs a person again. FINDING is its number in the report; --finding says it, too.\n" +
			"List the file under expect-files in the scenario and have it reviewed like code; a comparison takes it by --expect.",
		example: "rehearse accept 1 --into scenarios/expect/rh.yaml --reason \"RH is hybrid\" --until 2026-12-31",
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			set.StringVar(&f.change, "change", "", "`name` of the change (default: kind and run)")
			set.StringVar(&f.by, "by", "", "`who` accepts it")
		},
		run: func(_ context.Context, args []string) error {
			if err := f.number(args); err != nil {
				return err
			}
			return a.accept(f)
		},
	}
}

func (a *app) accept(f acceptFlags) error {
	on, err := f.load(a.now())
	if err != nil {
		return err
	}
	if on.finding.Verdict == harness.Expected {
		return harness.Usage(fmt.Errorf("accept: finding %d is declared already", f.finding), "nothing to do")
	}
	expectations := explain.Declare(on.finding, harness.Expectation{
		Change: cmp.Or(f.change, strings.TrimSpace(on.finding.Kind+" "+on.report.Run)), Reason: f.reason, Ticket: f.ticket, By: f.by, Until: on.until,
	})
	if err := scenarios.AcceptInto(f.into, expectations); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s declared for %s: %s\n", f.into, declaredWords(expectations), expectations[0].Change, printable(on.finding.Sentence))
	a.tellToList(on, f.decision)
	return nil
}

// declaredWords counts what was declared.
func declaredWords(list []harness.Expectation) string {
	switch {
	case list[0].Rule == nil:
		return harness.Count(len(list), "place")
	case len(list) == 1:
		return "1 rule"
	}
	return "1 rule and " + harness.Count(len(list)-1, "place")
}
