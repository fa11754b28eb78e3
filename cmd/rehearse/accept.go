package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// acceptFlags are the flags of accept.
type acceptFlags struct {
	run, into, change, reason, ticket, by, until string
	finding                                      int
}

func (a *app) acceptVerb() verb {
	var f acceptFlags
	return verb{
		use: "accept", short: "declare a finding as an expected change, with a reason",
		long: "Accept takes a finding of a kept run and appends it to an expect file as a declared change: place, class,\n" +
			"values and exact count. The next run expects just that; one place more or less needs a person again.\n" +
			"List the file under expect-files in the scenario and have it reviewed like code.",
		example: "rehearse accept --finding 1 --into scenarios/expect/rh.yaml --reason \"RH is hybrid\" --until 2026-12-31",
		flags: func(set *pflag.FlagSet) {
			set.IntVar(&f.finding, "finding", 0, "`number` of the finding in the report (required)")
			set.StringVar(&f.into, "into", "", "expect `file` to append to; it is made when it is missing (required)")
			set.StringVar(&f.reason, "reason", "", "`why` the change is right (required)")
			set.StringVar(&f.run, "run", "latest", "`name` of the run")
			set.StringVar(&f.change, "change", "", "`name` of the change (default: kind and run)")
			set.StringVar(&f.ticket, "ticket", "", "`ticket` or pull request")
			set.StringVar(&f.by, "by", "", "`who` accepts it")
			set.StringVar(&f.until, "until", "", "last `day` on which it is expected, such as 2026-12-31")
		},
		run: func(context.Context, []string) error { return a.accept(f) },
	}
}

func (a *app) accept(f acceptFlags) error {
	for _, required := range []struct{ name, value string }{{"into", f.into}, {"reason", strings.TrimSpace(f.reason)}} {
		if required.value == "" {
			return harness.Usage(fmt.Errorf("accept: --%s is missing", required.name), "see `rehearse accept --help`")
		}
	}
	ws, err := scenarios.OpenWorkspace(".")
	if err != nil {
		return err
	}
	r, err := loadRun(ws.Root(), f.run)
	if err != nil {
		return err
	}
	if f.finding < 1 || f.finding > len(r.Findings) {
		return harness.Usage(fmt.Errorf("accept: run %s has no finding %d", r.Run, f.finding), fmt.Sprintf("it has the findings 1 to %d", len(r.Findings)))
	}
	finding := r.Findings[f.finding-1]
	if finding.Verdict == harness.Expected {
		return harness.Usage(fmt.Errorf("accept: finding %d is declared already", f.finding), "nothing to do")
	}
	expectations, err := expectationsOf(finding, r.Run, f)
	if err != nil {
		return err
	}
	if err := scenarios.AcceptInto(f.into, expectations); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s declared for %s: %s\n", f.into, plural(len(expectations), "place"), expectations[0].Change, printable(finding.Sentence))
	a.tellToList(ws, r.Scenario, f.into)
	return nil
}

// tellToList says what to add to the scenario so that it reads the expect file, unless it does so already.
func (a *app) tellToList(ws *scenarios.Workspace, name, into string) {
	below := func(file string) string {
		if abs, err := filepath.Abs(file); err == nil {
			if rel, err := filepath.Rel(ws.Root(), abs); err == nil {
				return filepath.ToSlash(rel)
			}
		}
		return file
	}
	file, lead := fmt.Sprintf("the scenario %q", name), "expect-files:\n"
	if s, ok := scenarioNamed(ws, name); ok {
		listed := func(f string) bool { return filepath.ToSlash(filepath.Clean(f)) == below(into) }
		if slices.ContainsFunc(s.ExpectFiles, listed) {
			return
		}
		file = s.File
		if len(s.ExpectFiles) > 0 {
			lead = ""
		}
	}
	where := "add at its end:"
	if lead == "" {
		where = "add below its expect-files:"
	}
	fmt.Fprintf(a.err, "%s does not read this file yet; %s\n\n%s  - %s\n", printable(file), where, lead, printable(below(into)))
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

// expectationsOf declares exactly what the finding claims: one entry for each operation, place, class and pair of
// values, with its count. Values of records and of volatile content are left open.
func expectationsOf(finding harness.Finding, run string, f acceptFlags) ([]harness.Expectation, error) {
	name := f.change
	if name == "" {
		name = finding.Kind + " " + run
	}
	var until harness.Date
	if f.until != "" {
		if err := until.UnmarshalText([]byte(f.until)); err != nil {
			return nil, harness.Usage(fmt.Errorf("accept: --until: %w", err), "write it as 2026-12-31")
		}
	}
	var list []harness.Expectation
	at := map[string]int{}
	for _, d := range finding.Differences {
		e := harness.Expectation{
			Change: name, At: d.Pattern, Operation: d.Operation, Class: string(d.Class), Reason: f.reason, Ticket: f.ticket, By: f.by, Until: until,
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
	return list, nil
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

// plural counts things in words.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
