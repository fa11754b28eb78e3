package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/diff"
)

// Lesson is what repeated runs of a baseline teach: what varies although nothing changed.
type Lesson struct {
	Runs      int
	Proposals []diff.Proposal // rules that would take the noise away, with the evidence
	Unruly    []diff.Unruly   // what varies in presence or type, which no rule may hide
}

// Learn feeds the scenario's own recording to its target again and again, and compares the first run with the others
// under the rules that the scenario has already. A candidate of the scenario is left out: both sides are the same.
func Learn(ctx context.Context, p Plan, times int) (*Lesson, error) {
	if times < 2 {
		return nil, harness.Usage(fmt.Errorf("learn from %s", harness.Count(times, "run")), "at least two runs are needed to see what varies")
	}
	p.Scenario.Candidate = ""
	scratch := p.Scratch
	var first harness.Recording
	var comparisons []*harness.Comparison
	for n := range times {
		p.tell(fmt.Sprintf("run %d of %d", n+1, times))
		p.Scratch = filepath.Join(scratch, fmt.Sprint(n))
		if err := os.Mkdir(p.Scratch, 0o700); err != nil {
			return nil, err
		}
		outcome, err := Run(ctx, p)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = outcome.Candidate
			continue
		}
		c, err := diff.Recordings(first, outcome.Candidate, diff.Options{Rules: p.Scenario.Rules, Now: p.Scenario.Clock})
		if err != nil {
			return nil, err
		}
		comparisons = append(comparisons, c)
	}
	lesson := &Lesson{Runs: times}
	lesson.Proposals, lesson.Unruly = diff.Propose(comparisons)
	return lesson, nil
}
