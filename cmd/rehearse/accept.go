package main

import (
	"context"
	"fmt"
	"slices"
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
	expectations := expectationsOf(on, f)
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

// expectationsOf declares exactly what the finding claims. A proven cause is one entry that holds its rule. What is no
// value that the rule makes is one entry for each operation, place, class and pair of values, with its count. Values of
// records and of volatile content are left open.
func expectationsOf(on decided, f acceptFlags) []harness.Expectation {
	finding := on.finding
	name := f.change
	if name == "" {
		name = strings.TrimSpace(finding.Kind + " " + on.report.Run)
	}
	var list []harness.Expectation
	if c := finding.Cause; c != nil && c.Proof.Proven {
		first := c.Scope[0]
		list = append(list, harness.Expectation{
			Change: name, At: first.At, Operation: first.Operation, Rule: &c.Rule, Also: c.Scope[1:], Proof: c.Rule.Digest(c.Scope),
			Reason: f.reason, Ticket: f.ticket, By: f.by, Until: on.until,
		})
		finding.Differences = slices.DeleteFunc(slices.Clone(finding.Differences), func(d harness.Difference) bool { return explain.Covers(list[0], d) })
	}
	at := map[string]int{}
	for _, d := range finding.Differences {
		e := harness.Expectation{
			Change: name, At: d.Pattern, Operation: d.Operation, Class: string(d.Class), Reason: f.reason, Ticket: f.ticket, By: f.by, Until: on.until,
		}
		if isPlain(d.Was) && isPlain(d.Is) && sameValues(finding.Differences, d) {
			e.From, e.To = &d.Was.Text, &d.Is.Text
		}
		key := e.Operation + "\x00" + e.At.String() + "\x00" + e.Class
		if i, ok := at[key]; ok {
			list[i].Count += d.Count
			continue
		}
		e.Count = d.Count
		at[key] = len(list)
		list = append(list, e)
	}
	return list
}

// isPlain reports whether the value is a short text that a declaration can name.
func isPlain(v harness.Value) bool {
	const maxNamed = 80
	return (v.Kind == harness.KindString || v.Kind == harness.KindNumber || v.Kind == harness.KindBool) && v.Text != "" && len(v.Text) <= maxNamed
}

// sameValues reports whether all differences of the place have the values of d.
func sameValues(all []harness.Difference, d harness.Difference) bool {
	for _, o := range all {
		same := o.Operation == d.Operation && o.Class == d.Class && o.Pattern.String() == d.Pattern.String()
		if same && (o.Was.Text != d.Was.Text || o.Is.Text != d.Is.Text) {
			return false
		}
	}
	return true
}
