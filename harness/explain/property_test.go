package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// small is a little world with everything in it: a file in, a file out, and four sessions of calls.
func small() []harness.Exchange {
	list := xs(
		in(table("CRN,ID,RSTS", 12, func(i int) string { return fmt.Sprintf("%05d,%s,%s", 400+i, id(i), []string{"RE", "RW"}[i%2]) })),
		out(table("user_id,section_id,status", 12, func(i int) string { return fmt.Sprintf("%s,202640-%05d,active", id(i), 400+i) })),
	)
	for i := range 4 {
		session := fmt.Sprintf("A-%d", i)
		list = append(list,
			ask(session, fmt.Sprintf(`{"number":"%s","term":"%s","tags":["a","b"],"at":"2026-10-05T09:00:0%dZ","courses":[{"id":"0%d","grade":null}]}`, session, term(i), i, i)),
			tell(session, fmt.Sprintf(`{"number":"%s","termCode":"%s"}`, session, term(i)), "201", `{"ok":true,"id":17}`))
	}
	return list
}

// edits change one exchange of the candidate; text is what to replace, by.
var edits = []struct{ old, by string }{
	{"RE", "RH"}, {"RW", "RE"}, {",active", ","}, {"active", "hybrid"}, {"202640-00", "202640-"}, {"00400", "400"}, {"CRN,", "crn_no,"}, {"RSTS", "STATE"},
	{"\n", "\r\n"}, {"H0003", "H0099"}, {`"term"`, `"entry_term"`}, {`"termCode":"202640"`, `"termCode":null`}, {`true`, `"True"`}, {`17`, `17.0`}, {`17`, `"17"`},
	{`["a","b"]`, `["b"]`}, {`["a","b"]`, `"a"`}, {`09:00`, `09:07`}, {`null`, `"A"`}, {`"ok"`, `"error":"no","ok"`}, {`}`, ``}, {`"number"`, `"id"`}, {`,`, `;`}, {`"id":`, `"id":1,"id":`},
}

// edit draws a small edit: of a body, a status, a place in the order, or of the presence of an exchange.
func edit(t *rapid.T, list []harness.Exchange) []harness.Exchange {
	i := rapid.IntRange(0, len(list)-1).Draw(t, "exchange")
	x := &list[i]
	switch rapid.IntRange(0, 9).Draw(t, "edit") {
	case 0:
		return slices.Delete(list, i, i+1)
	case 1:
		return append(list, *x)
	case 2:
		x.Response.Head = x.Response.Head.With(harness.FieldStatus, rapid.SampledFrom([]string{"202", "422", "500"}).Draw(t, "status"))
	case 3:
		x.Request.Body = reverse(x.Request.Body)
	case 4:
		x.Fault = &harness.Fault{Kind: harness.FaultReset}
	default:
		e := rapid.SampledFrom(edits).Draw(t, "text")
		times := rapid.SampledFrom([]int{1, -1}).Draw(t, "times")
		x.Request.Body, x.Response.Body = replace(x.Request.Body, e.old, e.by, times), replace(x.Response.Body, e.old, e.by, times)
	}
	return list
}

func replace(b harness.Body, old, by string, times int) harness.Body {
	text, _ := b.Bytes()
	return harness.BytesBody([]byte(strings.Replace(string(text), old, by, times)))
}

// reverse writes the rows of a table in reverse order.
func reverse(b harness.Body) harness.Body {
	text, _ := b.Bytes()
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) > 3 {
		slices.Reverse(lines[1 : len(lines)-1])
	}
	return harness.BytesBody([]byte(strings.Join(lines, "")))
}

func TestEveryDifferenceBelongsToOneFinding(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		after := small()
		for range rapid.IntRange(0, 6).Draw(r, "edits") {
			if len(after) > 0 {
				after = edit(r, after)
			}
		}
		setup := func(c *Case) { c.Integration.Reads = rapid.SampledFrom([]string{"name", "position"}).Draw(r, "reads") }
		findings, c := explained(t, small(), after, nil, setup)
		claimedOnce(r, c, findings)
		for i, f := range findings {
			if f.Number != i+1 || i > 0 && findings[i-1].Verdict.Weight() < f.Verdict.Weight() {
				r.Errorf("finding %d is number %d, %s", i, f.Number, f.Verdict)
			}
			if f.Sentence == "" || strings.Contains(f.Sentence, "%!") || strings.Contains(words(findings), " 0 ") && strings.Contains(f.Sentence, "of 0 ") || f.Count < 1 || f.Of > 0 && f.Of < f.Count {
				r.Errorf("says nothing to a reader: %s", words(findings[i:i+1]))
			}
		}
	})
}

func TestFindingsAreTheSameEveryTime(t *testing.T) {
	after := programs("DATA", "DATA", 5, 11, 17)
	first, _ := explained(t, programs("", ""), after, nil, nil)
	for range 20 {
		again, _ := explained(t, programs("", ""), after, nil, nil)
		if d := cmp.Diff(first, again); d != "" {
			t.Fatal(d)
		}
	}
}

func TestProposedRuleTakesTheNoiseAway(t *testing.T) {
	for _, tc := range valueCases() {
		if len(tc.want) != 1 || !strings.HasPrefix(tc.want[0], "F44") {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			findings, _ := explained(t, tc.before, tc.after, nil, nil)
			_, line, ok := strings.Cut(findings[0].NextStep, "scenario: ")
			if !ok {
				t.Fatal(findings[0].NextStep)
			}
			if left, _ := explained(t, tc.before, tc.after, []harness.Rule{parseRule(t, line)}, nil); len(left) > 0 {
				t.Errorf("%s leaves %v", line, briefs(left))
			}
		})
	}
	for _, tc := range noiseExamples() {
		if tc.want != "F44 review" {
			continue // harmless without a rule
		}
		t.Run(tc.name, func(t *testing.T) {
			findings, _ := explained(t, tc.before, tc.after, nil, nil)
			_, line, _ := strings.Cut(findings[0].NextStep, "scenario: ")
			if left, _ := explained(t, tc.before, tc.after, []harness.Rule{parseRule(t, line)}, nil); len(left) > 0 {
				t.Errorf("%s leaves %v", line, briefs(left))
			}
		})
	}
}

func TestDetectorsSayWhatTheyFind(t *testing.T) {
	for _, d := range Detectors {
		if d.Title == "" || d.Summary == "" || d.detect == nil || d.Kind == "" && d.Title != "declared change" {
			t.Errorf("%+v", d)
		}
	}
	if last := Detectors[len(Detectors)-1]; last.Title != "unexplained" {
		t.Errorf("the last detector is %q, so that differences can stay hidden", last.Title)
	}
}

// parseRule reads the line that a finding proposes.
func parseRule(t *testing.T, line string) harness.Rule {
	t.Helper()
	var place, operation string
	r := harness.Rule{Reason: "server clock"}
	line, pattern, _ := strings.Cut(line, ", pattern: ")
	if pattern != "" {
		quoted, err := strconv.QuotedPrefix(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		r.Pattern, _ = strconv.Unquote(quoted)
	}
	line, tolerance, _ := strings.Cut(line, ", tolerance: ")
	r.Tolerance, _, _ = strings.Cut(tolerance, ",")
	line = strings.NewReplacer("{at: ", "", ", operation: ", " ", ", compare: ", " ", ", reason: …}", "").Replace(line)
	if _, err := fmt.Sscanf(line, "%q %q %s", &place, &operation, &r.Compare); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	r.At, r.Operation = at(place), operation
	return r
}
