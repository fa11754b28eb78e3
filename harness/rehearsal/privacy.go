package rehearsal

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness"
)

// refuseRawAnswers stops a run that would keep and show personal data: the baseline holds stand-ins, so its origin is
// real, and a system that runs elsewhere would answer with data of its own, which nobody has scrubbed.
func refuseRawAnswers(s harness.Scenario, baseline harness.Recording) error {
	reached := s.Target.URL != nil
	for _, up := range s.Upstreams {
		reached = reached || up.URL != nil
	}
	if !reached || baseline.Manifest().Scrub.Masked == 0 || s.Egress.PersonalData == "none" {
		return nil
	}
	return harness.Refused(fmt.Errorf("run %q: the recording holds stand-ins, and a live system would answer with its own data, which a run keeps and shows unscrubbed", s.Name),
		"when that system holds no personal data, say so in the scenario: egress: {personal-data: none}; otherwise answer from the recording with mocks")
}

// sealOf is the seal of what a run records. What the target makes of sealed data and of mocks is as clean as the
// baseline; what live systems answer nobody has scrubbed, unless the baseline itself needed no stand-ins.
func sealOf(s harness.Scenario, baseline harness.Recording) harness.ScrubSeal {
	seal := baseline.Manifest().Scrub
	if seal.Masked > 0 && (s.Target.URL != nil || len(s.Upstreams) > 0) {
		return harness.ScrubSeal{}
	}
	return seal
}
