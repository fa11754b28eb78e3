package main

import (
	"testing"

	data "github.com/rehearse-dev/rehearse/fixtures/harrow-lake"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/atlas/calendar"
	"github.com/rehearse-dev/rehearse/scenarios"
	harrowlake "github.com/rehearse-dev/rehearse/scenarios/harrow-lake"
)

// TestCalendarOfDemoWorldMeetsItsOracle looks ahead in the demo world: exactly the planted events.
func TestCalendarOfDemoWorldMeetsItsOracle(t *testing.T) {
	dir := t.TempDir()
	if err := harrowlake.Extract(dir, data.FS()); err != nil {
		t.Fatal(err)
	}
	ws, err := scenarios.OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	outlooks, err := harrowlake.Outlooks()
	if err != nil || len(outlooks) == 0 {
		t.Fatalf("the oracle holds %d outlooks: %v", len(outlooks), err)
	}
	for _, want := range outlooks {
		events, err := calendar.Outlook(ws.Catalogue(), want.From, want.Days)
		if err != nil {
			t.Fatal(err)
		}
		var findings []harness.Finding
		for _, e := range events {
			findings = append(findings, e.Finding)
		}
		for _, problem := range want.Check(findings) {
			t.Error(problem)
		}
		if code := exitCode(verdictError(calendar.Worst(events), harness.Review)); code != want.Exit {
			t.Errorf("exit code %d, want %d", code, want.Exit)
		}
	}
}
