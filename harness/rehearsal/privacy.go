package rehearsal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
)

// scrubberOf prepares what is done to what live systems say, before anything of it is compared, kept or shown. It is
// nil when nothing is to be done: no system is reached by url, the baseline holds no stand-ins, or the scenario vouches
// for the systems. The baseline holds stand-ins, so its origin is real, and a system that runs elsewhere answers with
// data of its own: without the policy and key of the baseline the run is refused.
func scrubberOf(p Plan, baseline harness.Recording) (*scrub.Scrubber, error) {
	s, seal := p.Scenario, baseline.Manifest().Scrub
	if !reachesLive(s) || seal.Masked == 0 || s.Egress.PersonalData == "none" {
		return nil, nil
	}
	missing := ""
	switch {
	case scrub.IsOneTime(seal.Key):
		missing = "the key of the recording was destroyed"
	case p.Key == nil:
		missing = "there is no key"
	case p.Key.ID() != seal.Key:
		missing = fmt.Sprintf("key %s is not that of the recording, %s", p.Key.ID(), seal.Key)
	case p.Policy == nil || p.Policy.Digest() != seal.Policy:
		missing = "the policy is not that of the recording"
	}
	if missing != "" {
		return nil, harness.Refused(fmt.Errorf("run %q: the recording holds stand-ins, and what a live system answers cannot be scrubbed like it: %s", s.Name, missing),
			"name policy and key of the recording with --policy and --key; or answer with mocks; or, when that system holds no personal data, say so in the scenario: egress: {personal-data: none}")
	}
	var options []scrub.Option
	if p.Vault != nil {
		options = append(options, scrub.WithVault(p.Vault))
	}
	scrubber := scrub.New(p.Policy, p.Key, options...)
	for x, err := range baseline.Exchanges() {
		if err = errors.Join(err, scrubber.Settled(x)); err != nil {
			return nil, err
		}
	}
	return scrubber, nil
}

func reachesLive(s harness.Scenario) bool {
	reached := s.Target.Live()
	for _, up := range s.Upstreams {
		reached = reached || up.URL != nil
	}
	return reached
}

// scrubbed replaces what the target and live systems said in a run. What was fed and what mocks answered is as clean as
// the baseline.
func scrubbed(s harness.Scenario, run *harness.Memory, by *scrub.Scrubber) (*harness.Memory, error) {
	for x, err := range run.Exchanges() {
		if err = errors.Join(err, by.Learn(x)); err != nil {
			return nil, err
		}
	}
	out := harness.NewMemory(run.Manifest())
	for x, err := range run.Exchanges() {
		if err != nil {
			return nil, err
		}
		clean, err := by.Exchange(x)
		if err != nil {
			return nil, fmt.Errorf("run %q: %w", s.Name, err)
		}
		if x.To == s.Target.System {
			clean.Request = x.Request
		}
		if slices.Contains(s.Mocks, x.To) {
			clean.Response = x.Response
		}
		clean.Session = x.Session
		out.Put(clean) //nolint:errcheck // memory keeps everything
	}
	for reason, n := range run.Manifest().Counts.Reasons {
		for range n {
			out.Drop(reason)
		}
	}
	return out, nil
}

// sealOf is the seal of what a run records. What the target makes of sealed data and of mocks is as clean as the
// baseline; what live systems answer is, when it was scrubbed like it; otherwise nobody vouches for it, unless the
// baseline itself needed no stand-ins.
func sealOf(s harness.Scenario, baseline harness.Recording, scrubs bool) harness.ScrubSeal {
	seal := baseline.Manifest().Scrub
	if seal.Masked > 0 && (s.Target.Live() || len(s.Upstreams) > 0) && !scrubs {
		return harness.ScrubSeal{}
	}
	return seal
}
