package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
	"github.com/rehearse-dev/rehearse/harness/invariant"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/scenarios"
)

func (a *app) ruleVerb() verb {
	return verb{
		use: "rule", short: "learn what is noise, and add rules with a reason",
		long:    "Rule looks after comparison rules. A rule takes differences away, so each has a reason, and what it took away\nstands in every report.",
		example: "rehearse rule learn scenarios/preview.yaml --times 5",
		below:   []verb{a.ruleLearnVerb(), a.ruleAddVerb(), a.ruleListVerb(), a.ruleSeverityVerb()},
	}
}

func (a *app) ruleLearnVerb() verb {
	var times int
	var into string
	var allow []string
	return verb{
		use: "learn SCENARIO", short: "run the baseline several times and propose rules for what varies",
		exits: []int{exitCannotRun, exitRefused, exitInconclusive},
		long: "Learn feeds the scenario's own recording to its target again and again. What differs between these runs is\n" +
			"noise: for each place it proposes the tightest rule that covers all values seen. A value may vary, its form\n" +
			"may not. Nothing is applied unless you add it with --into. A field that changes with probability p is seen\n" +
			"in n runs with probability 1-(1-p)^n: for rare noise, run more often.",
		example: "rehearse rule learn scenarios/preview.yaml --times 5 --into scenarios/rules/noise.yaml",
		flags: func(set *pflag.FlagSet) {
			set.IntVar(&times, "times", 3, "how many runs")
			set.StringVar(&into, "into", "", "append the proposals to this rule `file`")
			set.StringSliceVar(&allow, "allow", nil, "`host`, or host:port, that may be reached beside those of the scenario")
		},
		run: func(ctx context.Context, args []string) error { return a.learn(ctx, args[0], times, into, allow) },
	}
}

func (a *app) learn(ctx context.Context, file string, times int, into string, allow []string) error {
	ws, scenario, err := openScenario(file)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "rehearse-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a scratch folder that stays does no harm
	lesson, err := rehearsal.Learn(ctx, rehearsal.Plan{
		Scenario: scenario, Catalogue: ws.Catalogue(), ID: runID(a.now(), file), Tool: a.tool(), Scratch: scratch, Watcher: watcher(), Now: a.now, Allow: allow,
		Progress: func(what string) { a.tellProgress(scenario.Name, what) },
	}, times)
	if err != nil {
		return err
	}
	a.showLesson(lesson)
	if into == "" || len(lesson.Proposals) == 0 {
		return nil
	}
	var rules []harness.Rule
	for _, p := range lesson.Proposals {
		rules = append(rules, p.Rule)
	}
	fmt.Fprintf(a.err, "list %s under rule-files in %s, and have it reviewed\n", into, file)
	return a.addRules(into, rules)
}

func (a *app) showLesson(l *rehearsal.Lesson) {
	if len(l.Proposals)+len(l.Unruly) == 0 {
		fmt.Fprintf(a.out, "%s: nothing varies that the rules do not cover already\n", harness.Count(l.Runs, "run"))
		return
	}
	fmt.Fprintf(a.out, "%d runs of the baseline. Proposed rules:\n", l.Runs)
	for _, p := range l.Proposals {
		form := p.Rule.Pattern
		if form == "" {
			form = "any distance, same layout"
		}
		fmt.Fprintf(a.out, "\n  at:        %s\n  operation: %s\n  compare:   %s (%s)\n  evidence:  varied in %d of %s, %s, such as %s\n",
			p.Rule.At, operationOf(p.Rule), p.Rule.Compare, printable(form), p.In, harness.Count(p.Runs, "run"), harness.Count(p.Varied, "place"), printable(strings.Join(p.Samples, ", ")))
	}
	for _, u := range l.Unruly {
		fmt.Fprintf(a.out, "\nno rule for %s at %s: %s in %s although nothing changed; find out why\n", printable(u.Operation), u.Pattern, u.Class, harness.Count(u.Count, "place"))
	}
}

// ruleAddFlags are the flags of rule add.
type ruleAddFlags struct {
	decision
	compare string
}

func (a *app) ruleAddVerb() verb {
	f := ruleAddFlags{decision: decision{verb: "rule add", flag: "from-finding", key: "rule-files"}}
	return verb{
		use: "add", short: "add rules for the values that a finding shows",
		long: "Add makes a rule for each place of a finding of a kept run and appends it to a rule file: the tightest form\n" +
			"that covers the values seen, or the comparison that you name. List the file under rule-files in the scenario.",
		example: "rehearse rule add --from-finding 2 --into scenarios/rules/noise.yaml --reason \"id of the gateway\"",
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			set.StringVar(&f.compare, "compare", "", "`comparison` without parameters instead of the learned form, such as case")
		},
		run: func(context.Context, []string) error { return a.ruleAdd(f) },
	}
}

func (a *app) ruleAdd(f ruleAddFlags) error {
	on, err := f.load(a.now())
	if err != nil {
		return err
	}
	rules := diff.RulesFor(on.finding.Differences)
	if len(rules) == 0 {
		return harness.Usage(fmt.Errorf("rule add: finding %d holds no changed values: presence, type and order are no noise", f.finding),
			"declare the change with `rehearse accept` when it is right")
	}
	for i := range rules {
		rules[i].Reason, rules[i].Ticket, rules[i].Until = f.reason, f.ticket, on.until
		if f.compare != "" {
			rules[i].Compare, rules[i].Pattern = f.compare, ""
		}
		if err := diff.CheckRule(rules[i]); err != nil {
			return harness.Usage(err, "see `rehearse rule list`")
		}
	}
	if err := a.addRules(f.into, rules); err != nil {
		return err
	}
	a.tellToList(on, f.decision)
	return nil
}

// operationOf names the operations of a rule.
func operationOf(r harness.Rule) string { return printable(cmp.Or(r.Operation, "all operations")) }

func (a *app) addRules(into string, rules []harness.Rule) error {
	if err := scenarios.AddRules(into, rules); err != nil {
		return err
	}
	for _, r := range rules {
		fmt.Fprintf(a.out, "%s: %s at %s of %s\n", into, r.Compare, r.At, operationOf(r))
	}
	return nil
}

func (a *app) ruleListVerb() verb {
	return verb{
		use: "list", short: "print the comparisons that a rule can ask for",
		long:    "List prints the table of comparisons, the rules that hold everywhere, and the invariants that come ready-made.",
		example: "rehearse rule list",
		run: func(context.Context, []string) error {
			for _, k := range diff.Rules {
				fmt.Fprintf(a.out, "%-17s %s\n", k.Name, k.Summary)
			}
			fmt.Fprintln(a.out, "\nBuilt-in rules:")
			for _, r := range diff.BuiltIn() {
				fmt.Fprintf(a.out, "  %-7s %-32s %s\n", r.Compare, r.At, r.Reason)
			}
			fmt.Fprintln(a.out, "\nInvariants that come with the program, for use under invariants in the catalogue or a scenario:")
			for _, r := range invariant.ReadyMade {
				fmt.Fprintf(a.out, "  %-18s %s\n", r.Name, r.Summary)
			}
			return nil
		},
	}
}
