package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/incident"
	"github.com/rehearse-dev/rehearse/harness/shrink"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// What a shrunk failure leaves behind, in the folder that --out names.
const (
	scenarioFile  = "scenario.yaml"
	rootCauseFile = "ROOT-CAUSE.md"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// incidentOf puts together what is known about a failure that was made small.
func (a *app) incidentOf(ws *scenarios.Workspace, s harness.Scenario, baseline *fixtures.Recording, out string, result *shrink.Result) (in incident.Incident, err error) {
	was, err := sizeOf(baseline, s.Target.System)
	if err != nil {
		return in, err
	}
	catalogue := ws.Catalogue()
	in = incident.Incident{
		Title: s.Name, Failure: result.Failure.String(), Operation: result.Failure.Operation, Target: target.Describe(s.Target), System: s.Target.System,
		FailingID: result.FailingID, Fields: shrink.Fields(result.Exchanges, s.Target.System), Was: was,
		Integration: catalogue.Integrations[s.Integration], Catalogue: catalogue, Recording: s.Recording, Digest: baseline.Digest(),
		Exchanges: result.Answered, Scenario: filepath.ToSlash(filepath.Join(out, scenarioFile)), Tool: a.tool(),
	}
	for x, err := range baseline.Exchanges() {
		if err != nil {
			return in, err
		}
		if x.ID != result.FailingID {
			continue
		}
		in.At = x.At
		if in.Odd, in.Healthy, err = oddities(ws, s, x, result); err != nil {
			return in, err
		}
	}
	return in, nil
}

// oddities compares the message that failed with those of its operation that went well, in all recordings that scenarios
// of the integration name.
func oddities(ws *scenarios.Workspace, s harness.Scenario, failed harness.Exchange, result *shrink.Result) ([]incident.Oddity, int, error) {
	files, err := ws.Scenarios()
	if err != nil {
		return nil, 0, err
	}
	folders := []string{s.Recording}
	for _, file := range files {
		if other, err := ws.Scenario(file); err == nil && other.Integration == s.Integration && !slices.Contains(folders, other.Recording) {
			folders = append(folders, other.Recording)
		}
	}
	healthy := incident.NewHealthy()
	for _, folder := range folders {
		rec, err := fixtures.Open(filepath.Join(ws.Root(), folder))
		if err != nil {
			continue // another recording than that of the incident, which is open already
		}
		if err := healthy.Read(rec, failed.To, failed.Operation()); err != nil {
			return nil, 0, err
		}
	}
	left := slices.IndexFunc(result.Exchanges, func(x harness.Exchange) bool { return x.ID == failed.ID })
	if left < 0 {
		return nil, healthy.Messages(), nil
	}
	return healthy.Oddities(failed.Request, result.Exchanges[left].Request), healthy.Messages(), nil
}

// keepIncident writes the page of the root cause and the bundle for the vendor.
func keepIncident(root, out, bundle string, in incident.Incident) error {
	if err := writeWhole(filepath.Join(root, out, rootCauseFile), plainText(incident.RootCause(in))); err != nil {
		return err
	}
	if bundle == "" {
		return nil
	}
	return writeWhole(bundle, func(w io.Writer) error { return incident.Bundle(w, in) })
}

// sizeOf counts exchanges, the fields of what is fed, and the bytes of bodies.
func sizeOf(rec harness.Recording, system string) (size incident.Size, err error) {
	for x, err := range rec.Exchanges() {
		if err != nil {
			return size, fmt.Errorf("count exchanges: %w", err)
		}
		size.Exchanges++
		size.Fields += shrink.Fields([]harness.Exchange{x}, system)
		size.Bytes += x.Request.Body.Size() + x.Response.Body.Size()
	}
	return size, nil
}
