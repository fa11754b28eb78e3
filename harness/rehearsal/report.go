package rehearsal

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// report assembles the evidence of a run.
func (p Plan) report(baseline *fixtures.Recording, s *stage, c *harness.Comparison, findings []harness.Finding) (*harness.Report, error) {
	digest, err := fixtures.Digest(s.recording)
	if err != nil {
		return nil, err
	}
	integration := p.Catalogue.Integrations[p.Scenario.Integration]
	r := &harness.Report{
		Run: p.ID, Scenario: p.Scenario.Name, File: p.scenarioFile(), Change: p.Scenario.Change, Integration: p.Scenario.Integration, Title: integration.Title,
		Owner: p.Catalogue.PersonName(integration.Owner), Steward: p.Catalogue.PersonName(integration.Steward),
		Tool: p.Tool, Clock: p.clock(baseline), Target: s.tested(p),
		Vouched:  p.Scenario.Egress.PersonalData == "none",
		Before:   harness.Side{Name: p.Scenario.Recording, Digest: baseline.Digest(), Exchanges: c.Exchanges[0], Manifest: baseline.Manifest()},
		After:    harness.Side{Name: "this run", Digest: digest, Exchanges: c.Exchanges[1], Manifest: s.recording.Manifest()},
		Findings: findings, Records: c.Records, Suppressed: c.Suppressed, Unused: c.Unused, Expired: c.Expired,
		Notes: slices.Concat(c.Notes, s.feeding.feedNotes(), s.callNotes(), s.containerNotes(p)), NotTested: p.notTested(s.feeding.options.Replay), Egress: s.guard.Connections(), Logs: s.logList(),
	}
	r.Judge()
	return r, nil
}

// callNotes says what the taps noticed, what the mocks could not answer, and what nobody asked them for.
func (s *stage) callNotes() []string {
	notes := slices.Clone(s.missed)
	for _, tap := range s.taps {
		notes = append(notes, tap.Notes()...)
	}
	for _, system := range slices.Sorted(maps.Keys(s.mocks)) {
		m := s.mocks[system]
		for _, miss := range m.Misses() {
			notes = append(notes, fmt.Sprintf("mock of %s had no answer: %s", system, miss))
		}
		if n := len(m.Unused()); n > 0 {
			notes = append(notes, fmt.Sprintf("mock of %s: %s not asked for", system, harness.Count(n, "recorded answer")))
		}
	}
	return notes
}

// notTested says what this run is silent about.
func (p Plan) notTested(r harness.Replay) []string {
	var list []string
	for _, system := range p.Scenario.Mocks {
		list = append(list, fmt.Sprintf("%s itself: its answers came from the recording.", p.Catalogue.SystemTitle(system)))
	}
	timing := "Load, timing and parallel sessions: sessions were fed one after the other."
	switch {
	case r.Concurrency > 1:
		timing = fmt.Sprintf("Load: at most %d requests were under way at the same time.", r.Concurrency)
	case r.Order != harness.OrderSession:
		timing = "Load, timing and parallel sessions: requests were fed one after the other."
	}
	list = append(list, timing, "Codes and fields that do not occur in the recording.")
	return list
}

func (s *stage) logList() []harness.Log {
	var logs []harness.Log
	for _, system := range slices.Sorted(maps.Keys(s.logs)) {
		if text := s.logs[system].String(); text != "" {
			logs = append(logs, harness.Log{System: system, Text: text})
		}
	}
	return logs
}
