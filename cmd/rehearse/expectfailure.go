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
// happened again, whatever else is different. A recording without a failure is an error of usage.
func failedAgain(w io.Writer, file string, outcome *rehearsal.Outcome) error {
	ws, s, err := openScenario(file)
	if err != nil {
		return err
	}
	baseline, err := fixtures.Open(filepath.Join(ws.Root(), s.Recording))
	if err != nil {
		return err
	}
	if _, ok, err := shrink.FailureOf(baseline, s.Target.System); err != nil {
		return err
	} else if !ok {
		return harness.Usage(fmt.Errorf("run %s: --expect-failure, and no exchange with %s fails in the recording", s.File, s.Target.System),
			"leave the flag out, or name a scenario whose recording holds the failure")
	}
	failure, again, err := shrink.Again(baseline, outcome.Candidate, s.Target.System)
	if err != nil {
		return err
	}
	if !again {
		fmt.Fprintf(w, "not reproduced: %s\n", oneLine(failure.String()))
		return judged{harness.Review}
	}
	fmt.Fprintf(w, "reproduced: %s\n", oneLine(failure.String()))
	return nil
}
