package rehearsal

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

// standIns answer for mocked systems that the target speaks to in something else than HTTP: directories, SFTP servers, mail
// servers. The target learns their addresses like those of other systems, and what it does there is recorded as what it
// does by itself. They end before the report is written.
func (s *stage) standIns(p Plan, baseline harness.Recording, env harness.StageEnv) error {
	for _, system := range p.Scenario.Mocks {
		if speaksHTTP(baseline, system) {
			continue
		}
		for _, kind := range recorders.StandIns {
			if err := s.standIn(p, baseline, system, kind, env); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) standIn(p Plan, baseline harness.Recording, system string, kind recorders.StandIn, env harness.StageEnv) error {
	scratch, err := os.MkdirTemp(p.Scratch, "stand-in-")
	if err != nil {
		return fmt.Errorf("stand in for %s: %w", system, err)
	}
	from := p.Scenario.Target.System
	o := recorders.StandInOptions{
		Listen: "127.0.0.1:0", Scratch: scratch, HostKey: filepath.Join(p.Scratch, "sftp-host-key"),
		From: from, Sink: heard{s.feeding, from, env.Now},
	}
	if s.scrubber != nil {
		o.Scrub = s.scrubber.Exchange
	}
	serving, err := kind.Open(baseline, system, o)
	if err != nil || serving == nil {
		return err
	}
	env.URLs[system] = serving.URL
	s.closers = append(s.closers, func() error {
		account, err := serving.Close()
		for _, miss := range account.Misses {
			s.missed = append(s.missed, fmt.Sprintf("%s over %s had no answer: %s", system, kind.Name, miss))
		}
		return err
	})
	return nil
}

// speaksHTTP reports whether the system answered calls in the recording.
func speaksHTTP(rec harness.Recording, system string) bool {
	for x, err := range rec.Exchanges() {
		if err == nil && x.To == system && cmp.Or(x.Channel, harness.ChannelHTTP) == harness.ChannelHTTP {
			return true
		}
	}
	return false
}

// heard is the sink of what the target does by itself, at the frozen clock, in the session that is being fed. What it
// fetches is none of it.
type heard struct {
	*feeding
	target string
	now    time.Time
}

// Put keeps what the target sent.
func (h heard) Put(x harness.Exchange) error {
	if x.From != h.target {
		return nil
	}
	x.Session = h.feeding.session()
	return frozen{h.feeding, h.now}.Put(x)
}
