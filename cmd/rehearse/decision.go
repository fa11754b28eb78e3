package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// decision is what a person decides about a finding of a kept run: where it is written, why, and how long it holds.
type decision struct {
	verb string // for messages
	flag string // name of the flag that picks the finding
	key  string // of the scenario that lists the files

	run, into, reason, ticket, until string
	finding                          int
}

func (f *decision) add(set *pflag.FlagSet) {
	set.IntVar(&f.finding, f.flag, 0, "`number` of the finding in the report")
	set.StringVar(&f.into, "into", "", "`file` to append to; it is made when it is missing (required)")
	set.StringVar(&f.reason, "reason", "", "`why` it is right (required)")
	set.StringVar(&f.run, "run", "latest", "`name` of the run")
	set.StringVar(&f.ticket, "ticket", "", "`ticket` or pull request")
	set.StringVar(&f.until, "until", "", "last `day` on which it holds, such as 2026-12-31")
}

// number takes the number of the finding from the arguments, which are at most one.
func (f *decision) number(args []string) error {
	if len(args) == 0 {
		return nil
	}
	n, err := strconv.Atoi(args[0])
	switch {
	case err != nil:
		return harness.Usage(fmt.Errorf("%s: %q is not the number of a finding", f.verb, args[0]), "the report numbers its findings: 1, 2, 3 …")
	case f.finding != 0 && f.finding != n:
		return harness.Usage(fmt.Errorf("%s: --%s says %d, the argument %d", f.verb, f.flag, f.finding, n), "name one finding")
	}
	f.finding = n
	return nil
}

// decided is a decision with what it is about.
type decided struct {
	workspace *scenarios.Workspace
	report    *harness.Report
	finding   harness.Finding
	until     harness.Date
}

// load checks the decision and reads the finding.
func (f *decision) load(now time.Time) (on decided, err error) {
	for _, required := range []struct{ name, value string }{{"into", f.into}, {"reason", strings.TrimSpace(f.reason)}} {
		if required.value == "" {
			return on, harness.Usage(fmt.Errorf("%s: --%s is missing", f.verb, required.name), "see `rehearse "+f.verb+" --help`")
		}
	}
	if f.until != "" {
		if err := on.until.UnmarshalText([]byte(f.until)); err != nil {
			return on, harness.Usage(fmt.Errorf("%s: --until: %w", f.verb, err), "write it as 2026-12-31")
		}
		if on.until.Before(now) {
			return on, harness.Usage(fmt.Errorf("%s: --until: %s has passed already, so that it would hold for no run", f.verb, on.until), "name a day that is ahead")
		}
	}
	if on.workspace, err = scenarios.OpenWorkspace("."); err != nil {
		return on, err
	}
	if on.report, err = loadRun(on.workspace.Root(), f.run); err != nil {
		return on, err
	}
	if on.report.Masked {
		return on, harness.Usage(fmt.Errorf("%s: the values of run %s are hidden, so that none can be declared", f.verb, on.report.Run),
			"when the live systems hold no personal data, say so in the scenario, egress: {personal-data: none}, and rehearse again")
	}
	findings := on.report.Findings
	if f.finding == 0 && len(findings) > 0 {
		return on, harness.Usage(fmt.Errorf("%s: the number of the finding is missing", f.verb), fmt.Sprintf("run %s has the findings 1 to %d", on.report.Run, len(findings)))
	}
	if f.finding < 1 || f.finding > len(findings) {
		return on, harness.Usage(fmt.Errorf("%s: run %s has no finding %d", f.verb, on.report.Run, f.finding), fmt.Sprintf("it has the findings 1 to %d", len(findings)))
	}
	on.finding = findings[f.finding-1]
	return on, nil
}

// tellToList says what to add to the scenario so that it reads the file, unless it does so already.
func (a *app) tellToList(on decided, f decision) {
	below := func(file string) string {
		if abs, err := filepath.Abs(file); err == nil {
			if rel, err := filepath.Rel(on.workspace.Root(), abs); err == nil {
				return filepath.ToSlash(rel)
			}
		}
		return file
	}
	s, ok := scenarioNamed(on.workspace, on.report.Scenario)
	if !ok && f.key == "expect-files" && on.report.Before.Name+" → "+on.report.After.Name == on.report.Scenario {
		fmt.Fprintf(a.err, "compare with it: rehearse diff %s %s --expect %s\n", printable(on.report.Before.Name), printable(on.report.After.Name), printable(f.into))
		return
	}
	file, lead := fmt.Sprintf("the scenario %q", on.report.Scenario), f.key+":\n"
	if ok {
		listed := func(file string) bool { return filepath.ToSlash(filepath.Clean(file)) == below(f.into) }
		files := map[string][]string{"expect-files": s.ExpectFiles, "rule-files": s.RuleFiles}[f.key]
		if slices.ContainsFunc(files, listed) {
			return
		}
		file = s.File
		if len(files) > 0 {
			lead = ""
		}
	}
	where := "add at its end:"
	if lead == "" {
		where = "add below its " + f.key + ":"
	}
	fmt.Fprintf(a.err, "%s does not read this file yet; %s\n\n%s  - %s\n", printable(file), where, lead, printable(below(f.into)))
}

// scenarioNamed finds the readable scenario of that name.
func scenarioNamed(ws *scenarios.Workspace, name string) (harness.Scenario, bool) {
	files, err := ws.Scenarios()
	if err != nil {
		return harness.Scenario{}, false
	}
	for _, file := range files {
		if s, err := ws.Scenario(file); err == nil && s.Name == name {
			return s, true
		}
	}
	return harness.Scenario{}, false
}
