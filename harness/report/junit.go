package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// The shape that Jenkins, GitLab, Azure and Buildkite read. Characters that XML forbids cannot occur: visible has
// shown them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class      string           `xml:"classname,attr"`
		Name       string           `xml:"name,attr"`
		Time       string           `xml:"time,attr"`
		Properties *junitProperties `xml:"properties,omitempty"`
		Failure    *junitProblem    `xml:"failure,omitempty"`
		Error      *junitProblem    `xml:"error,omitempty"`
		Out        string           `xml:"system-out,omitempty"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProblem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes one suite for the integration: a case for the verdict of the scenario and one for each finding.
func writeJUnit(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{value: 120, list: 20})
	suite := junitSuite{
		Name: cmp.Or(v.Integration, "rehearse"), Time: seconds(r.Took),
		Properties: properties("owner", v.Owner, "steward", v.Steward, "run", v.Run, "change", v.Change,
			"verdict", visible(string(r.Verdict)), "tool", v.Tool, "target", v.Target, "ticket", tickets(r)),
	}
	if !r.Started.IsZero() {
		suite.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	suite.add(r.Verdict, visible(string(r.Verdict)), v.Headline, "", junitCase{
		Class: suite.Name, Name: v.Scenario, Time: seconds(r.Took), Out: join("\n", v.Headline+".", v.Reason),
	})
	for _, c := range v.Findings {
		suite.add(c.Verdict, c.ID, c.Sentence, strings.Join(sampleLines(c), "\n"), junitCase{
			Class: join(".", suite.Name, v.Scenario),
			Name:  fmt.Sprintf("%d %s %s: %s", c.Number, c.ID, c.Title, c.Source), Time: "0.000",
			Properties: &junitProperties{properties("owner", c.Owner, "steward", c.Steward, "ticket", c.Declaration, "verdict", visible(string(c.Verdict)), "next", c.NextStep)},
			Out:        cardText(c),
		})
	}
	suites := junitSuites{Name: "rehearse", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: suite.Time, Suites: []junitSuite{suite}}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(suites); err != nil {
		return fmt.Errorf("write junit report: %w", err)
	}
	b.WriteByte('\n')
	// Line ends occur in element text only, where they may stand as themselves.
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("&#xA;"), []byte("\n")))
	return err
}

// add counts the case and says how it ended: a change that needs a person fails, one that proves nothing is an error.
// Then the whole text stands there and the output keeps the samples alone.
func (s *junitSuite) add(v harness.Verdict, kind, message, samples string, c junitCase) {
	problem := &junitProblem{Type: kind, Message: message, Text: c.Out}
	switch {
	case v.NeedsPerson():
		c.Failure, c.Out = problem, samples
		s.Failures++
	case v == harness.NoConclusion:
		c.Error, c.Out = problem, samples
		s.Errors++
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}

// properties makes pairs of names and values; empty values are left out.
func properties(pairs ...string) []junitProperty {
	var out []junitProperty
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, junitProperty{pairs[i], pairs[i+1]})
		}
	}
	return out
}

// tickets are the tickets of all findings, each once, in order.
func tickets(r *harness.Report) string {
	var out []string
	seen := map[string]bool{"": true}
	for _, f := range r.Findings {
		if !seen[f.Ticket] {
			seen[f.Ticket] = true
			out = append(out, visible(f.Ticket))
		}
	}
	return strings.Join(out, ", ")
}

// cardText is a finding as plain lines.
func cardText(c card) string {
	lines := []string{c.Sentence}
	add := func(label, s string) {
		if s != "" {
			lines = append(lines, label+": "+s)
		}
	}
	add("hit", join("; ", append([]string{c.Hits}, c.Groups...)...))
	for _, e := range c.Effects {
		add("effect", e)
	}
	lines = append(lines, sampleLines(c)...)
	add("field", fields(c))
	for _, l := range c.Lineage {
		add("feeds", l)
	}
	add("declared", c.Declaration)
	add("owner", people(c.Owner, c.Steward))
	add("next", c.NextStep)
	add("proof", c.Proof)
	return strings.Join(lines, "\n")
}

func sampleLines(c card) []string {
	var lines []string
	for _, s := range c.Samples {
		lines = append(lines, "sample: "+join(" ", s.Where, s.Field)+": "+s.Was+" → "+s.Is)
	}
	return lines
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
