package rehearsal

import (
	"context"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain"
	"github.com/rehearse-dev/rehearse/harness/mock"
	"github.com/rehearse-dev/rehearse/harness/target"
)

// Plan is one run.
type Plan struct {
	Scenario  harness.Scenario
	Catalogue harness.Catalogue
	ID        string           // identity of the run
	Tool      string           // name and version of the program
	Scratch   string           // folder for this run, which exists; the caller removes it
	Now       func() time.Time // wall clock, for when the run began and how long it took
	Allow     []string         // hosts that may be reached beside those of the scenario
	Confirmed []string         // protected hosts whose names a person typed for this run
	Watcher   []string         // program and arguments that remove what containers leave when this process dies; may be empty
	Progress  func(string)     // told what is being done; may be nil

	// Uncorrelated feeds what was recorded as it was, without live values in the places of recorded ones.
	Uncorrelated bool

	// Incident says that the recording is one of a failure: what broke off in it is what is to happen again, and no loss.
	Incident bool

	// Variant is what is fed, and what mocks answer with, in place of the baseline: what might have been recorded. It is as
	// clean as the baseline. Nil: the baseline itself.
	Variant harness.Recording
	Faults  []mock.Fault // what goes wrong with the mocks on purpose

	// What the baseline was scrubbed with, for what live systems answer. All may be nil.
	Policy *scrub.Policy
	Key    *scrub.Key
	Vault  *scrub.Vault
}

// Outcome is a report and what it was made from.
type Outcome struct {
	Report    *harness.Report
	Candidate harness.Recording // what crossed in this run
}

// Run rehearses: it opens the baseline, starts what surrounds the target, feeds the target, compares what crossed with
// the baseline, explains the differences and judges them. An error means that there is no verdict; its class says why.
// Everything that was started has ended when Run returns.
func Run(ctx context.Context, p Plan) (*Outcome, error) {
	started := p.Now()
	baseline, err := openBaseline(p)
	if err != nil {
		return nil, err
	}
	scrubber, err := scrubberOf(p, baseline)
	if err != nil {
		return nil, err
	}
	var played harness.Recording = baseline
	if p.Variant != nil {
		played = p.Variant
	}
	stage, err := p.play(ctx, played, scrubber)
	if err != nil {
		return nil, err
	}
	if scrubber != nil {
		p.tell("scrubbing what live systems said")
		if stage.recording, err = scrubbed(p.Scenario, stage.recording, scrubber); err != nil {
			return nil, err
		}
	}
	p.tell("comparing")
	report, err := judge(p, baseline, stage)
	if err != nil {
		return nil, err
	}
	report.Started, report.Took = started.UTC(), p.Now().Sub(started)
	return &Outcome{Report: report, Candidate: stage.recording}, nil
}

// Replay feeds exchanges to the target of the scenario, as Run does with its recording, and returns what crossed. The
// recording of the scenario is not read: mocks answer from the exchanges, too. Nothing is compared and nothing scrubbed,
// so that the scenario must name no live system.
func Replay(ctx context.Context, p Plan, exchanges harness.Recording) (harness.Recording, error) {
	if reachesLive(p.Scenario) {
		return nil, harness.Refused(fmt.Errorf("replay %q: live systems answer in it", p.Scenario.Name), "answer with mocks")
	}
	stage, err := p.play(ctx, exchanges, nil)
	if err != nil {
		return nil, err
	}
	return stage.recording, nil
}

// play starts the stage, feeds the target and ends it all. What crossed is in the stage, with the recorded values in the
// places of those of this run.
func (p Plan) play(ctx context.Context, recording harness.Recording, scrubber *scrub.Scrubber) (*stage, error) {
	sessions, err := fed(p.Scenario, recording)
	if err != nil {
		return nil, err
	}
	feeding, err := p.prepare(sessions, len(watched(p.Scenario, recording)) > 0)
	if err != nil {
		return nil, err
	}
	stage, err := setStage(ctx, p, recording, feeding, scrubber)
	if err != nil {
		return nil, err
	}
	defer stage.close() //nolint:errcheck // the error of the run itself matters more; a clean end closes below
	if err := stage.require(ctx, p.Scenario.Preconditions); err != nil {
		return nil, fmt.Errorf("run %q: %w", p.Scenario.Name, err)
	}
	if err := p.dress(feeding, stage, recording); err != nil {
		return nil, err
	}
	p.tell(fmt.Sprintf("feeding %s (exchanges: %d, sessions: %d)", p.Scenario.Target.System, sessions.Count(), len(sessions)))
	if err := feeding.feed(ctx, stage.target); err != nil {
		return nil, fmt.Errorf("run %q: %w", p.Scenario.Name, err)
	}
	if err := stage.close(); err != nil {
		return nil, fmt.Errorf("run %q: %w", p.Scenario.Name, err)
	}
	stage.recording = feeding.recording(stage.recording.Manifest())
	return stage, nil
}

func (p Plan) tell(what string) {
	if p.Progress != nil {
		p.Progress(what)
	}
}

// judge compares, explains and reports.
func judge(p Plan, baseline *fixtures.Recording, stage *stage) (*harness.Report, error) {
	now := p.clock(baseline)
	before := concerning(baseline, p.Scenario.Target.System)
	crosswalks, err := target.Crosswalks(p.Scenario.Target, p.Scenario.Root)
	if err != nil {
		return nil, err
	}
	before, after := stage.feeding.comparable(before, stage.recording)
	comparison, findings, err := Compare(before, after, explain.Case{
		Scenario: p.Scenario, Catalogue: p.Catalogue, Crosswalks: crosswalks, Reads: target.Reads(p.Scenario.Target, p.Scenario.Root), Now: now,
		Traces: target.Traces(p.Scenario.Target, p.Scenario.Root),
	})
	if err != nil {
		return nil, err
	}
	if comparison.Exchanges[0] == 0 {
		return nil, harness.Inconclusive(fmt.Errorf("run %q: no exchange of the recording concerns %s", p.Scenario.Name, p.Scenario.Target.System),
			"check target.system against the systems that the recording names")
	}
	if err := p.addPlaces(findings, baseline); err != nil {
		return nil, err
	}
	return p.report(baseline, stage, comparison, findings)
}

// clock is the frozen now of the run.
func (p Plan) clock(baseline harness.Recording) time.Time {
	if !p.Scenario.Clock.IsZero() {
		return p.Scenario.Clock
	}
	return baseline.Manifest().From.AddDate(0, 0, p.dates(baseline).By())
}
