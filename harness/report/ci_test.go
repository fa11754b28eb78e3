package report

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// manyFindings is a report with n findings that break and some that do not.
func manyFindings(n int) *harness.Report {
	r := richReport()
	for i := range n {
		f := newCode()
		f.Number = len(r.Findings) + 1
		f.Sentence = fmt.Sprintf("Code Z%d is new.", i)
		f.Differences = f.Differences[:1]
		f.Differences[0].Pattern = mustPath(fmt.Sprintf("request.body[*].field%d", i))
		r.Findings = append(r.Findings, f)
	}
	r.Judge()
	return r
}

// commands splits the log of a CI server into commands and plain lines.
func commands(log, prefix string) (commands, plain []string) {
	for line := range strings.Lines(log) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, prefix) {
			commands = append(commands, line)
		} else {
			plain = append(plain, line)
		}
	}
	return commands, plain
}

func TestGitHubAnnotationsPointAtTheFile(t *testing.T) {
	got, _ := commands(write(t, "github", richReport(), Options{Folder: "integrations"}), "::")
	want := []string{
		"::error file=integrations/crosswalks/reg-status.csv,line=9,title=BREAKING F01 New code::Status RH is new at registrations.csv RSTS (7 rows).",
		"::error file=integrations/scenarios/harrow-lake/sis-9.32.yaml,line=1,title=BREAKING F02 ",
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("command %d is %q, want it to begin with %q", i, got[i], w)
		}
	}
	if len(got) != len(richReport().Findings) {
		t.Errorf("%d commands, want one for each of the %d findings", len(got), len(richReport().Findings))
	}
}

func TestAStepHasNoMoreAnnotationsThanAreShown(t *testing.T) {
	line := regexp.MustCompile(`^(?:::|##vso\[task\.logissue type=)(error|warning|notice)`)
	for kind, prefix := range map[string]string{"github": "::", "azure": "##vso["} {
		for _, n := range []int{0, 6, 7, 8, 300} { // with the three of the report that break: 3, 9, 10, 11, 303
			r := manyFindings(n)
			got, _ := commands(write(t, kind, r, Options{Page: "report.html"}), prefix)
			per := map[string]int{}
			for _, c := range got {
				per[line.FindStringSubmatch(c)[1]]++
			}
			breaking := 0
			for _, f := range r.Findings {
				if f.Verdict == harness.Breaking {
					breaking++
				}
			}
			if per["error"] != min(breaking, 10) {
				t.Errorf("%s, %d that break: %d errors, want %d", kind, breaking, per["error"], min(breaking, 10))
			}
			left := fmt.Sprintf("%d more findings are not shown here", breaking-9)
			if all := strings.Join(got, "\n"); strings.Contains(all, left) != (breaking > 10) {
				t.Errorf("%s, %d that break: the rest is not counted as %q:\n%s", kind, breaking, left, all)
			}
		}
	}
}

// A CI server must see as many commands as without the hostile text, and in them the same properties.
func TestNoTextAddsACommandOrAProperty(t *testing.T) {
	hostile := append([]string{"a,line=9::b", "x;sourcepath=y]z", "%0A::error::x", "\n##vso[task.complete]x", "a:b,c", "]]x"}, hostiles...)
	for kind, prefix := range map[string]string{"github": "::", "azure": "##vso["} {
		for _, h := range hostile {
			r := hostileReport(h)
			r.File, r.Findings[0].Places = h, []harness.FileLine{{File: h, Line: 3}}
			got, plain := commands(write(t, kind, r, Options{}), prefix)
			if len(got) != 1 {
				t.Errorf("%s of %q: %d commands, want 1", kind, h, len(got))
			}
			for _, line := range plain {
				checkTerminal(t, kind, line)
			}
			for _, c := range got {
				checkCommand(t, kind, c)
			}
		}
	}
}

var commandShape = map[string]*regexp.Regexp{
	"github": regexp.MustCompile(`^::error file=[^:,]*,line=3,title=[^:,]*::`),
	"azure":  regexp.MustCompile(`^##vso\[task\.logissue type=error;sourcepath=[^;\]]*;linenumber=3;code=[^;\]]*;\]`),
}

func checkCommand(t *testing.T, kind, c string) {
	t.Helper()
	m := commandShape[kind].FindString(c)
	if m == "" {
		t.Errorf("%s: %q is not a command of this shape", kind, c)
		return
	}
	rest := c[len(m):]
	if strings.Contains(rest, "##vso") || strings.Contains(rest, "##[") {
		t.Errorf("%s: the message holds a command: %q", kind, rest)
	}
	for _, r := range c {
		if !isShown(r) {
			t.Errorf("%s: hidden character %U in %q", kind, r, c)
		}
	}
}

// The checks are those of the SARIF 2.1.0 schema for the members that are written, and what code scanning asks for
// beyond it: a rule and a place for each result, fingerprints that differ.
func TestSARIFHasTheShapeOfTheStandard(t *testing.T) {
	inconclusive := &harness.Report{Scenario: "x", File: "scenarios/x.yaml", Verdict: harness.NoConclusion, Reason: "Nothing was fed."}
	twins := richReport()
	twins.Findings = append(twins.Findings, twins.Findings[0])
	for name, r := range map[string]*harness.Report{"rich": richReport(), "clean": cleanReport(), "inconclusive": inconclusive, "twins": twins, "many": manyFindings(40)} {
		var log sarifLog
		dec := json.NewDecoder(strings.NewReader(write(t, "sarif", r, Options{})))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 {
			t.Fatalf("%s: version %q, %d runs", name, log.Version, len(log.Runs))
		}
		run := log.Runs[0]
		if run.Tool.Driver.Name == "" || run.Results == nil || len(run.Invocations) != 1 || !strings.HasSuffix(run.AutomationDetails.ID, "/") {
			t.Errorf("%s: a member that must be there is not", name)
		}
		if run.Invocations[0].Successful != (r.Verdict != harness.NoConclusion) {
			t.Errorf("%s: executionSuccessful is %v", name, run.Invocations[0].Successful)
		}
		seen, ids := map[string]bool{}, map[string]bool{}
		for _, rule := range run.Tool.Driver.Rules {
			if rule.ID == "" || rule.ShortDescription.Text == "" || ids[rule.ID] {
				t.Errorf("%s: rule %q is empty or there twice", name, rule.ID)
			}
			ids[rule.ID] = true
		}
		for i, result := range run.Results {
			checkResult(t, fmt.Sprintf("%s result %d", name, i), run, result)
			if print := result.Fingerprints[fingerprintName]; seen[print] {
				t.Errorf("%s: two results have the fingerprint %s", name, print)
			} else {
				seen[print] = true
			}
		}
	}
}

func checkResult(t *testing.T, name string, run sarifRun, r sarifResult) {
	t.Helper()
	if r.RuleIndex < 0 || r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
		t.Errorf("%s: ruleIndex %d is not the rule %s", name, r.RuleIndex, r.RuleID)
	}
	if !slices.Contains([]string{"none", "note", "warning", "error"}, r.Level) || r.Message.Text == "" || r.Fingerprints[fingerprintName] == "" {
		t.Errorf("%s: level, message or fingerprint is not good: %+v", name, r)
	}
	if len(r.Locations) != 1 || r.Locations[0].Physical == nil {
		t.Errorf("%s: no place", name)
		return
	}
	at := r.Locations[0].Physical
	uri, err := url.Parse(at.Artifact.URI)
	if err != nil || uri.IsAbs() || uri.Path == "" || path.IsAbs(uri.Path) || at.Region.StartLine < 1 || at.Artifact.Base != "%SRCROOT%" {
		t.Errorf("%s: place %+v is not a line of a file of the repository: %v", name, *at, err)
	}
	for _, s := range r.Suppressions {
		if s.Kind != "external" || s.Status != "accepted" {
			t.Errorf("%s: suppression %+v", name, s)
		}
	}
}

func TestDeclaredChangesAreSuppressedAlerts(t *testing.T) {
	var log sarifLog
	if err := json.Unmarshal([]byte(write(t, "sarif", richReport(), Options{})), &log); err != nil {
		t.Fatal(err)
	}
	for i, f := range richReport().Findings {
		if got := len(log.Runs[0].Results[i].Suppressions) > 0; got != (f.Verdict == harness.Expected) {
			t.Errorf("finding %d (%s): suppressed is %v", f.Number, f.Verdict, got)
		}
	}
}

func TestGitLabIssuesHaveWhatGitLabAsksFor(t *testing.T) {
	decode := func(r *harness.Report) (issues []gitlabIssue) {
		if err := json.Unmarshal([]byte(write(t, "gitlab", r, Options{})), &issues); err != nil {
			t.Fatal(err)
		}
		return issues
	}
	if got := write(t, "gitlab", cleanReport(), Options{}); got != "[]\n" {
		t.Errorf("a clean run gives %q, want an empty list", got)
	}
	seen := map[string]bool{}
	other := richReport()
	other.Scenario = "another scenario"
	for _, issue := range append(decode(richReport()), decode(other)...) {
		if !slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, issue.Severity) {
			t.Errorf("severity %q", issue.Severity)
		}
		if issue.Description == "" || issue.CheckName == "" || issue.Location.Path == "" || path.IsAbs(issue.Location.Path) || issue.Location.Lines.Begin < 1 {
			t.Errorf("issue lacks something: %+v", issue)
		}
		if issue.Fingerprint == "" || seen[issue.Fingerprint] {
			t.Errorf("fingerprint %q is empty or there twice", issue.Fingerprint)
		}
		seen[issue.Fingerprint] = true
	}
}
