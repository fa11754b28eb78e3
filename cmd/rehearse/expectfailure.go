package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/shrink"
)

// failedAgain decides a run with --expect-failure, and tells it on w: it is a success when the failure of the recording
// happened again, whatever else is different. Where the recording holds only what is fed, any failure is the one.
func failedAgain(w io.Writer, file string, outcome *rehearsal.Outcome) error {
	ws, s, err := openScenario(file)
	if err != nil {
		return err
	}
	baseline, err := fixtures.Open(filepath.Join(ws.Root(), s.Recording))
	if err != nil {
		return err
	}
	failure, again, err := shrink.Again(baseline, outcome.Candidate, s.Target.System)
	if err != nil {
		return err
	}
	if !again && failure == (shrink.Failure{}) {
		return harness.Usage(fmt.Errorf("run %s: --expect-failure, and nothing fails, neither in the recording nor now", s.File),
			"leave the flag out, or name a scenario in which something fails")
	}
	if !again {
		fmt.Fprintf(w, "not reproduced: %s\n", oneLine(failure.String()))
		return judged{harness.Review}
	}
	fmt.Fprintf(w, "reproduced: %s\n", oneLine(failure.String()))
	return nil
}
