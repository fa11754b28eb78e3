package rehearsal

import (
	"fmt"
	"iter"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
)

// openBaseline opens the scenario's recording, which must be sealed, and complete unless it is that of an incident.
func openBaseline(p Plan) (*fixtures.Recording, error) {
	rec, err := fixtures.Open(filepath.Join(p.Scenario.Root, p.Scenario.Recording))
	if err != nil {
		return nil, err
	}
	if p.Incident {
		return rec, rec.RequireSealed()
	}
	return rec, rec.RequireBaseline()
}

// fed is the sessions that are fed to the target: those of the baseline, or what the candidate puts in their place.
func fed(s harness.Scenario, baseline harness.Recording) (replay.Sessions, error) {
	sessions, err := replay.Group(baseline, s.Target.System)
	if err != nil {
		return nil, err
	}
	if s.Candidate != "" {
		candidate, err := fixtures.Open(filepath.Join(s.Root, s.Candidate))
		if err != nil {
			return nil, err
		}
		if err := candidate.RequireSealed(); err != nil {
			return nil, err
		}
		instead, err := replay.Group(candidate, s.Target.System)
		if err != nil {
			return nil, err
		}
		if sessions, err = replay.Substitute(sessions, instead); err != nil {
			return nil, err
		}
	}
	if sessions.Count() == 0 {
		return nil, harness.Inconclusive(fmt.Errorf("run %q: the recording holds nothing that goes to %s", s.Name, s.Target.System),
			"check target.system against the systems that the recording names")
	}
	return sessions, nil
}

// excerpt is the exchanges of a recording from or to one system.
type excerpt struct {
	harness.Recording
	system string
}

// concerning leaves out the exchanges that neither reach nor leave the system: this run says nothing about them.
func concerning(rec harness.Recording, system string) harness.Recording { return excerpt{rec, system} }

func (e excerpt) Exchanges() iter.Seq2[harness.Exchange, error] {
	return func(yield func(harness.Exchange, error) bool) {
		for x, err := range e.Recording.Exchanges() {
			if err == nil && x.From != e.system && x.To != e.system {
				continue
			}
			if !yield(x, err) {
				return
			}
		}
	}
}
