package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
)

// The world of these tests: files come from the SIS, the target HubLine maps them for the LMS; it asks the CRM over
// HTTP and writes to the SIS.

const target = "hubline"

func fileOf(session, from, to, name, body string) harness.Exchange {
	return harness.Exchange{
		Session: session, Channel: harness.ChannelFile, From: from, To: to,
		Request: harness.Message{Head: harness.Head{{Name: harness.FieldName, Value: name}}, Media: "text/csv", Body: harness.BytesBody([]byte(body))},
	}
}

func in(body string) harness.Exchange {
	return fileOf("night", "sis", target, "registrations.csv", body)
}
func out(body string) harness.Exchange {
	return fileOf("night", target, "lms", "enrollments.csv", body)
}

func callOf(session, from, to, method, path, request, status, response string, head ...harness.Field) harness.Exchange {
	x := harness.Exchange{
		Session: session, Channel: harness.ChannelHTTP, From: from, To: to,
		Request:  harness.Message{Head: harness.Head{{Name: harness.FieldMethod, Value: method}, {Name: harness.FieldPath, Value: path}}},
		Response: harness.Message{Head: append(harness.Head{{Name: harness.FieldStatus, Value: status}}, head...), Media: "application/json", Body: harness.BytesBody([]byte(response))},
	}
	if request != "" {
		x.Request.Media, x.Request.Body = "application/json", harness.BytesBody([]byte(request))
	}
	return x
}

// ask is a question of the target to the CRM; tell is what it writes to the SIS.
func ask(session, response string, head ...harness.Field) harness.Exchange {
	return callOf(session, target, "crm", "GET", "/applications", "", "200", response, head...)
}

func tell(session, request, status, response string) harness.Exchange {
	return callOf(session, target, "sis", "POST", "/admissions", request, status, response)
}

func askMany(bodies ...string) []harness.Exchange {
	var list []harness.Exchange
	for i, b := range bodies {
		list = append(list, ask(fmt.Sprintf("s%d", i+1), b))
	}
	return list
}

// table writes n rows below a header; row yields the text of row i.
func table(header string, n int, row func(i int) string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range n {
		if text := row(i); text != "" {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}

// id is the invented identifier of person i.
func id(i int) string { return fmt.Sprintf("H%04d", i) }

func xs(list ...harness.Exchange) []harness.Exchange { return list }

func at(text string) harness.Path {
	p, err := harness.ParsePath(text)
	if err != nil {
		panic(err)
	}
	return p
}

func day(text string) (d harness.Date) {
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return d
}

var now = time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC)

// explained compares and explains; setup may be nil.
func explained(t testing.TB, before, after []harness.Exchange, rules []harness.Rule, setup func(*Case)) ([]harness.Finding, *harness.Comparison) {
	t.Helper()
	c, err := diff.Recordings(harness.NewMemory(harness.Manifest{}, before...), harness.NewMemory(harness.Manifest{}, after...), diff.Options{Rules: rules, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	k := Case{
		Comparison: c, Scenario: harness.Scenario{Target: harness.TargetSpec{System: target}}, Now: now,
		Integration: harness.Integration{Owner: "dana", Steward: "leon", Reads: "name"},
		Catalogue: harness.Catalogue{
			Systems: map[string]harness.System{"sis": {Title: "Atrium SIS"}, "crm": {Title: "Prospekt CRM"}, "lms": {Title: "Lantern LMS"}, target: {Title: "HubLine"}},
			People:  map[string]harness.Person{"dana": {Name: "Dana Ortiz"}, "leon": {Name: "Leon Achebe"}},
		},
	}
	if setup != nil {
		setup(&k)
	}
	findings, err := Findings(k)
	if err != nil {
		t.Fatal(err)
	}
	return findings, c
}

// brief writes a finding as "F01 breaking 7/240 rows ×14": kind, verdict, count, whole, unit, claimed differences.
func brief(f harness.Finding) string {
	kind := f.Kind
	if kind == "" {
		kind = f.Change
	}
	return fmt.Sprintf("%s %s %d/%d %s ×%d", kind, f.Verdict, f.Count, f.Of, f.Unit, len(f.Differences))
}

func briefs(list []harness.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, brief(f))
	}
	return out
}

// words is everything that a finding says.
func words(list []harness.Finding) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintln(&b, brief(f))
		for _, text := range append(append([]string{f.Sentence}, f.Effects...), f.Proof, f.NextStep, f.Source+" → "+strings.Join(f.Target, "; ")) {
			if text != "" {
				fmt.Fprintln(&b, "  "+text)
			}
		}
	}
	return b.String()
}

// observations is the kinds that may show where nothing differs: the same calls take longer, or ask for an old term.
var observations = []string{"F39", "F41"}

// claimedOnce checks that every difference belongs to exactly one finding.
func claimedOnce(t interface{ Errorf(string, ...any) }, c *harness.Comparison, findings []harness.Finding) {
	left := map[string]int{}
	key := func(d harness.Difference) string {
		return fmt.Sprint(d.Exchange, d.Session, d.Path, d.Class, d.Was, d.Is, d.Count)
	}
	for _, d := range c.Differences {
		left[key(d)]++
	}
	for _, f := range findings {
		if len(f.Differences) == 0 && f.Change == "" && !slices.Contains(observations, f.Kind) {
			t.Errorf("a finding without a difference: %s", f.Sentence)
		}
		for _, d := range f.Differences {
			left[key(d)]--
		}
	}
	for k, n := range left {
		if n != 0 {
			t.Errorf("claimed %d times too few: %s", n, k)
		}
	}
}
