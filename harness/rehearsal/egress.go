package rehearsal

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// guard is what stands before every connection of the run.
func (p Plan) guard(baseline harness.Recording) (*replay.Guard, error) {
	protected, err := replay.ProtectedHosts(baseline, p.Catalogue.Systems, p.Confirmed)
	if err != nil {
		return nil, err
	}
	return replay.NewGuard(replay.GuardOptions{
		Allow: slices.Concat(p.Scenario.Egress.Allow, p.Allow), Writes: p.Scenario.Egress.Writes == "allow",
		Protected: protected, Test: replay.TestHosts(p.Catalogue.Systems),
	}), nil
}
