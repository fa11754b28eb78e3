package rehearsal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay"
	"github.com/rehearse-dev/rehearse/recorders"
)

// standIns answer for mocked systems that the target speaks to in something else than HTTP: directories, SFTP servers, mail
// servers, databases, brokers. The target learns their addresses like those of other systems, as {url.SYSTEM.KIND}, and as
// {url.SYSTEM} where the system has no other; what it does there is recorded as what it does by itself. They end before the
// report is written.
func (s *stage) standIns(p Plan, baseline harness.Recording, env harness.StageEnv) error {
	spoken, target := speakHTTP(baseline, p.Scenario.Mocks), targetText(p.Scenario.Target)
	for _, kind := range recorders.StandIns {
		var wanted []string
		for _, system := range p.Scenario.Mocks {
			if !spoken[system] || strings.Contains(target, "{url."+system+"."+kind.Name+"}") {
				wanted = append(wanted, system)
			}
		}
		for _, systems := range kind.Groups(wanted) {
			if err := s.standIn(p, baseline, systems, kind, env, spoken); err != nil {
				return err
			}
		}
	}
	return nil
}

// targetText is all that a target says, among it the addresses that it is told.
func targetText(t harness.TargetSpec) string {
	text, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return string(text)
}

func (s *stage) standIn(p Plan, baseline harness.Recording, systems []string, kind recorders.StandIn, env harness.StageEnv, spoken map[string]bool) error {
	scratch, err := os.MkdirTemp(p.Scratch, "stand-in-")
	if err != nil {
		return fmt.Errorf("stand in for %s: %w", strings.Join(systems, ", "), err)
	}
	from := p.Scenario.Target.System
	o := recorders.StandInOptions{
		Listen: "127.0.0.1:0", Scratch: scratch, HostKey: filepath.Join(p.Scratch, "sftp-host-key"),
		From: from, Sink: heard{s.feeding, from, env.Now}, Held: takesMessages(p.Scenario.Target),
	}
	if s.scrubber != nil {
		o.Scrub = s.scrubber.Exchange
	}
	serving, err := kind.Open(baseline, systems, o)
	if err != nil || serving == nil {
		return err
	}
	for _, system := range serving.Systems {
		env.URLs[system+"."+kind.Name] = serving.URL
		if !s.stoodIn[system] && !spoken[system] {
			s.stoodIn[system], env.URLs[system] = true, serving.URL
		}
		if serving.File != "" {
			env.Files[system] = serving.File
		}
	}
	if serving.Deliver != nil {
		s.posts = append(s.posts, post{kind.Name, serving})
	}
	s.closers = append(s.closers, func() error {
		account, err := serving.Close()
		for _, miss := range account.Misses {
			s.missed = append(s.missed, fmt.Sprintf("%s over %s had no answer: %s", strings.Join(serving.Systems, ", "), kind.Name, miss))
		}
		return err
	})
	return nil
}

// speakHTTP are those of the systems that answered calls in the recording, which is read until all are found.
func speakHTTP(rec harness.Recording, systems []string) map[string]bool {
	found := map[string]bool{}
	if len(systems) == 0 {
		return found
	}
	for x, err := range rec.Exchanges() {
		if err != nil || !slices.Contains(systems, x.To) || cmp.Or(x.Channel, harness.ChannelHTTP) != harness.ChannelHTTP {
			continue
		}
		if found[x.To] = true; len(found) == len(systems) {
			break
		}
	}
	return found
}

// heard is the sink of what the target does by itself, at the frozen clock, in the session that is being fed. What it
// fetches is none of it. A message that tells its session itself belongs there when that is one of those that are fed.
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
	if !slices.ContainsFunc(h.feeding.sessions, func(s replay.Session) bool { return x.Session != "" && s.Name == x.Session }) {
		x.Session = h.feeding.session()
	}
	return frozen{h.feeding, h.now}.Put(x)
}
