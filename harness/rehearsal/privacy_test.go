package rehearsal

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestRawAnswersAreNeverKeptUnderASeal(t *testing.T) {
	url := &harness.URLSpec{Base: "http://127.0.0.1:1"}
	live := harness.Scenario{Target: harness.TargetSpec{System: "sis", URL: url}}
	upstream := harness.Scenario{Upstreams: map[string]harness.Upstream{"crm": {URL: url}}}
	process := harness.Scenario{Upstreams: map[string]harness.Upstream{"crm": {Process: &harness.ProcessSpec{}}}}
	mapping := harness.Scenario{Target: harness.TargetSpec{JQ: []harness.MappingSpec{{}}}, Mocks: []string{"sis"}}
	vouched := live
	vouched.Egress.PersonalData = "none"
	for _, tc := range []struct {
		name            string
		scenario        harness.Scenario
		masked          int
		refused, sealed bool
		why             string
	}{
		{"live target", live, 5, true, false, "its answers are raw"},
		{"live upstream", upstream, 5, true, false, "so are these"},
		{"live target that holds no personal data", vouched, 5, false, false, "somebody vouches; still nobody scrubbed"},
		{"local upstream", process, 5, false, false, "data of its own, on this machine"},
		{"mapping and mocks", mapping, 5, false, true, "nothing but sealed data goes in"},
		{"live target, nothing was masked", live, 0, false, true, "the policy says that there is nothing to hide"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			baseline := harness.NewMemory(harness.Manifest{Scrub: harness.ScrubSeal{Policy: "sha256:p", Key: "k", Masked: tc.masked}})
			_, err := scrubberOf(Plan{Scenario: tc.scenario}, baseline)
			if refused := err != nil; refused != tc.refused || refused && (harness.ClassOf(err) != harness.ClassRefused || harness.HintOf(err) == "") {
				t.Errorf("%s: %v", tc.why, err)
			}
			if sealed := sealOf(tc.scenario, baseline, false).Policy != ""; sealed != tc.sealed {
				t.Errorf("%s: sealed %v", tc.why, sealed)
			}
		})
	}
}
