package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestNoiseOfOneNameIsOneQuestion checks that a stamp that every message repeats is one finding, and that the rule that
// it proposes takes all of it away.
func TestNoiseOfOneNameIsOneQuestion(t *testing.T) {
	world := func(hour int) []harness.Exchange {
		var list []harness.Exchange
		for i := range 4 {
			session := fmt.Sprintf("s%d", i)
			stamp := fmt.Sprintf("2026-10-05T%02d:00:%02dZ", hour, 7*i)
			list = append(list, ask(session, fmt.Sprintf(`{"meta":{"createdAt":%q}}`, stamp)),
				callOf(session, target, "crm", "GET", "/people", "", "200", fmt.Sprintf(`{"createdAt":%q}`, stamp)))
		}
		return list
	}
	jittered := world(11)
	for i := range jittered {
		body := fmt.Sprintf(`{"meta":{"createdAt":"2026-10-05T12:%02d:%02dZ"}}`, 3*i, 59-5*i)
		if i%2 == 1 {
			body = strings.TrimSuffix(strings.TrimPrefix(body, `{"meta":`), "}")
		}
		jittered[i].Response.Body = harness.BytesBody([]byte(body))
	}
	findings, _ := explained(t, world(9), jittered, nil, nil)
	if got := strings.Join(briefs(findings), ", "); got != "F44 review 4/4 calls ×8" || !strings.Contains(findings[0].NextStep, "response.body.**.createdAt") {
		t.Fatalf("found %s\n%s", got, words(findings))
	}
	rule := harness.Rule{At: at("response.body.**.createdAt"), Compare: "instant", Reason: "clock of the CRM"}
	if findings, _ = explained(t, world(9), jittered, []harness.Rule{rule}, nil); len(findings) > 0 {
		t.Errorf("the proposed rule leaves\n%s", words(findings))
	}
}

// TestIdentifiersOfCallsAreOneQuestion has a header field that is drawn anew for each call, in two operations.
func TestIdentifiersOfCallsAreOneQuestion(t *testing.T) {
	world := func(ids ...string) []harness.Exchange {
		var list []harness.Exchange
		for i, id := range ids {
			x := callOf("s", target, "crm", "GET", []string{"/people", "/terms"}[i%2], "", "200", `{}`)
			x.Response.Head = append(x.Response.Head, harness.Field{Name: "X-Request-Id", Value: id})
			list = append(list, x)
		}
		return list
	}
	was, is := world("spoxcxn0AUoG", "26tP6JiFeRqf", "kOOoVs2InmV7", "aF8351GSEpNo"), world("lzGA_3F8RZUZ", "RuMUZNCFWnDE", "AsJfNV2zsPHx", "PrJ-CkGBs-A2")
	findings, _ := explained(t, was, is, nil, nil)
	if got := strings.Join(briefs(findings), ", "); got != "F44 review 2/2 calls ×4" || !strings.Contains(findings[0].NextStep, `{at: "response.head.X-Request-Id", compare: pattern, pattern: "[0-9A-Za-z_-]{12}"`) {
		t.Fatalf("found %s\n%s", got, words(findings))
	}
	rule := harness.Rule{At: at("response.head.X-Request-Id"), Compare: "pattern", Pattern: "[0-9A-Za-z_-]{12}", Reason: "drawn anew"}
	if findings, _ = explained(t, was, is, []harness.Rule{rule}, nil); len(findings) > 0 {
		t.Errorf("the proposed rule leaves\n%s", words(findings))
	}
	is[3].Response.Head = is[3].Response.Head.With("X-Request-Id", "9")
	if findings, _ = explained(t, was, is, []harness.Rule{rule}, nil); len(findings) != 1 {
		t.Errorf("another form is not found\n%s", words(findings))
	}
}
