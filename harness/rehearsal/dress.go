package rehearsal

import (
	"fmt"
	"os"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/access"
	"github.com/rehearse-dev/rehearse/harness/replay/shift"
)

// dates moves what is fed to the day that the scenario names.
func (p Plan) dates(recording harness.Recording) shift.Days {
	if p.Scenario.Replay.Shift == nil {
		return shift.Days{}
	}
	return shift.Of(p.Scenario.Replay.Shift, recording.Manifest().From, p.Now())
}

// dress prepares what requests get at the moment at which they are sent.
func (p Plan) dress(f *feeding, s *stage, recording harness.Recording) (err error) {
	f.options.Dates = p.dates(recording)
	if len(p.Scenario.Access) == 0 {
		return nil
	}
	base := ""
	if at, ok := s.target.(interface{ Base() string }); ok {
		base = at.Base()
	}
	f.options.Access, err = access.New(p.Scenario.Access, access.Options{Base: base, Getenv: os.Getenv, Now: p.Now, Transport: s.guard.RoundTripper()})
	if err != nil {
		return fmt.Errorf("run %q: %w", p.Scenario.Name, err)
	}
	return nil
}

// notesOfDress says what was done to requests beside sending them.
func (f *feeding) notesOfDress() []string {
	var notes []string
	if by := f.options.Dates.By(); by != 0 {
		notes = append(notes, fmt.Sprintf("dates near the recording were moved by %s in what was fed, and back in what was answered", harness.Count(by, "day")))
	}
	if n := f.account.Again; n > 0 {
		notes = append(notes, fmt.Sprintf("%s %s sent again, because the target closed a kept connection before it answered: it may have got them twice", harness.Count(n, "request"), wasWere(n)))
	}
	if n := f.account.Renewed; n > 0 {
		notes = append(notes, fmt.Sprintf("credentials were refused and got anew for %s, which %s sent again", harness.Count(n, "request"), wasWere(n)))
	}
	return notes
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
