package explain

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// alarms is what a service is asked for: three operations of the first version, one of the second.
func alarms(status, answer, other string) []harness.Exchange {
	v1 := func(method, path, body string) harness.Exchange {
		if status == "200" {
			return callOf("s", "ops", target, method, "/api/v1/"+path, body, "200", `{"status":"success"}`)
		}
		return callOf("s", "ops", target, method, "/api/v1/"+path, body, status, answer)
	}
	unmade := callOf("s", "ops", target, "DELETE", "/api/v2/silence/4711", "", "200", `{}`)
	if status != "200" {
		unmade.Response = harness.Message{}
		unmade.Fault = &harness.Fault{Kind: harness.FaultNotSent, Detail: "response.body.data.silenceId was not given (POST /api/v1/silences)"}
	}
	return []harness.Exchange{
		v1("GET", "status", ""), v1("GET", "alerts", ""), v1("POST", "silences", `{"by":"ops"}`), unmade,
		callOf("s", "ops", target, "GET", "/api/v2/status", "", other, `{"up":true}`), callOf("s", "ops", target, "GET", "/-/ready", "", "200", `"OK"`),
	}
}

func TestARemovedVersionIsOneFindingWithItsConsequences(t *testing.T) {
	const said = `{"error":"the v1 API was taken away"}`
	findings, c := explained(t, alarms("200", "", "200"), alarms("410", said, "200"), nil, nil)
	claimedOnce(t, c, findings)
	if len(findings) != 1 {
		t.Fatalf("want one finding, got %d:\n%s", len(findings), words(findings))
	}
	f := findings[0]
	text := strings.Join(append([]string{f.Sentence}, f.Effects...), "\n")
	if f.Kind != "F31" || f.Verdict != harness.Breaking || f.Count != 3 {
		t.Errorf("%s %s %d: %s", f.Kind, f.Verdict, f.Count, text)
	}
	for _, want := range []string{"/api/v1", "3 operations", "410", "the v1 API was taken away", "GET /api/v1/alerts", "1 request could not be sent", "DELETE /api/v2/silence"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func TestWhatIsNoRemovedVersion(t *testing.T) {
	before := alarms("200", "", "200")
	lives := alarms("410", `{"error":"gone"}`, "200")
	lives[0] = before[0] // one call of the version still succeeds
	mixed := alarms("410", `{"error":"gone"}`, "200")
	mixed[1] = callOf("s", "ops", target, "GET", "/api/v1/alerts", "", "404", `{"error":"not here"}`)
	nowhere := slices.DeleteFunc(alarms("404", `{"error":"not here"}`, "404"), func(x harness.Exchange) bool { return x.Fault != nil })
	nowhere[len(nowhere)-1] = callOf("s", "ops", target, "GET", "/-/ready", "", "404", `"not here"`)
	for _, tc := range []struct {
		why   string
		after []harness.Exchange
	}{
		{"one call of the version still succeeds", lives},
		{"the refusals are not of one kind", mixed},
		{"nothing is found anywhere: the address is wrong, not the version", nowhere},
	} {
		findings, _ := explained(t, before, tc.after, nil, nil)
		if slices.ContainsFunc(findings, func(f harness.Finding) bool { return strings.Contains(f.Sentence, "any more: each of") }) {
			t.Errorf("%s:\n%s", tc.why, words(findings))
		}
	}
}
