package report

import (
	"cmp"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// The part of SARIF 2.1.0 (OASIS standard, 27 March 2020) that code servers read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool         `json:"tool"`
		AutomationDetails sarifAutomation   `json:"automationDetails"`
		Invocations       []sarifInvocation `json:"invocations"`
		ColumnKind        string            `json:"columnKind"`
		Results           []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		Name             string    `json:"name,omitempty"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Start         string              `json:"startTimeUtc,omitempty"`
		End           string              `json:"endTimeUtc,omitempty"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]string  `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification,omitempty"`
	}
)

// fingerprintName names what partialFingerprints holds; another way to make fingerprints takes another number.
const fingerprintName = "rehearseFinding/v1"

// writeSARIF writes one run: a rule for each kind of finding and a result for each finding. A declared change is a
// suppressed result, so that code servers count it as closed.
func writeSARIF(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{})
	name, version, _ := strings.Cut(cmp.Or(v.Tool, "rehearse"), " ")
	run := sarifRun{
		Tool:              sarifTool{sarifDriver{Name: name, Version: version, Rules: []sarifRule{}}},
		AutomationDetails: sarifAutomation{"rehearse/" + url.PathEscape(r.Scenario) + "/"},
		Invocations:       []sarifInvocation{sarifInvocationOf(r, v)},
		ColumnKind:        "unicodeCodePoints", Results: []sarifResult{},
	}
	rules := map[string]int{}
	for _, a := range alerts(r, v, o) {
		n, known := rules[a.ID]
		if !known {
			n = len(run.Tool.Driver.Rules)
			rules[a.ID] = n
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: a.ID, Name: a.Title, ShortDescription: sarifText{cmp.Or(a.Title, a.ID)}})
		}
		run.Results = append(run.Results, sarifResultOf(a, n))
	}
	return encodeJSON(w, "sarif", sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifInvocationOf(r *harness.Report, v *view) sarifInvocation {
	out := sarifInvocation{Successful: r.Verdict != harness.NoConclusion, Start: instant(r.Started)}
	if out.Start != "" {
		out.End = instant(r.Started.Add(r.Took))
	}
	if !out.Successful {
		out.Notifications = []sarifNotification{{"error", sarifText{join(" ", v.Headline+".", v.Reason)}}}
	}
	return out
}

func sarifResultOf(a alert, rule int) sarifResult {
	out := sarifResult{
		RuleID: a.ID, RuleIndex: rule, Level: a.Level.sarif, Message: sarifText{a.Message},
		Locations: []sarifLocation{}, Fingerprints: map[string]string{fingerprintName: a.Print}, Properties: map[string]string{"verdict": a.Word},
	}
	if a.File != "" {
		out.Locations = append(out.Locations, sarifLocation{
			Physical: &sarifPhysical{sarifArtifact{(&url.URL{Path: a.File}).EscapedPath(), "%SRCROOT%"}, sarifRegion{a.Line}}, Logical: sarifFields(a),
		})
	}
	if a.Verdict == harness.Expected {
		out.Suppressions = []sarifSuppression{{"external", "accepted", a.Declaration}}
	}
	for name, value := range map[string]string{"owner": a.Owner, "steward": a.Steward, "hit": a.Hits, "next": a.NextStep, "proof": a.Proof} {
		if value != "" {
			out.Properties[name] = value
		}
	}
	return out
}

// sarifFields are the fields where the cause lies and that it reaches.
func sarifFields(a alert) []sarifLogical {
	var out []sarifLogical
	for _, name := range slices.Concat([]string{a.Source}, a.Targets) {
		if name != "" {
			out = append(out, sarifLogical{name})
		}
	}
	return out
}
