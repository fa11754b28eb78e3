package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/rehearse-dev/rehearse/harness"
)

// ReadJSON reads a JSON report back as far as decisions need it: run, scenario, names of both sides, verdict, people and
// the findings with their differences.
func ReadJSON(r io.Reader) (*harness.Report, error) {
	var in jsonReport
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("read json report: %w", err)
	}
	if in.Report != jsonVersion {
		return nil, fmt.Errorf("read json report: shape %q, this program knows %s", in.Report, jsonVersion)
	}
	out := &harness.Report{
		Run: in.Run, Scenario: in.Scenario, File: in.File, Change: in.Change, Integration: in.Integration, Title: in.Title, Owner: in.Owner,
		Steward: in.Steward, Verdict: harness.Verdict(in.Verdict), Reason: in.Reason, Masked: in.Masked, Tool: in.Tool,
		Before: harness.Side{Name: in.Before.Name}, After: harness.Side{Name: in.After.Name},
	}
	for _, f := range in.Findings {
		finding, err := f.finding()
		if err != nil {
			return nil, fmt.Errorf("read json report: finding %d: %w", f.Number, err)
		}
		out.Findings = append(out.Findings, finding)
	}
	return out, nil
}

func (f jsonFinding) finding() (harness.Finding, error) {
	out := harness.Finding{
		Number: f.Number, Kind: f.Kind, Title: f.Title, Verdict: harness.Verdict(f.Verdict), Severity: f.Severity, Sentence: f.Sentence, Effects: f.Effects,
		Proof: f.Proof, Count: f.Count, Of: f.Of, Unit: f.Unit, Source: f.Source, Target: f.Target, Owner: f.Owner, Steward: f.Steward,
		NextStep: f.NextStep, Change: f.Change, Ticket: f.Ticket, Operations: f.Operations,
	}
	var err error
	if out.Cause, err = f.Cause.cause(); err != nil {
		return out, err
	}
	for _, p := range f.Places {
		out.Places = append(out.Places, harness.FileLine(p))
	}
	for _, d := range f.Differences {
		difference, err := d.difference()
		if err != nil {
			return out, err
		}
		out.Differences = append(out.Differences, difference)
	}
	return out, nil
}

func (d jsonDifference) difference() (harness.Difference, error) {
	out := harness.Difference{
		Exchange: d.Exchange, Session: d.Session, Channel: d.Channel, Operation: d.Operation, From: d.From, To: d.To,
		Class: harness.ChangeClass(d.Class), Was: d.Was.value(), Is: d.Is.value(), Count: d.Count, Record: d.Record,
	}
	var err error
	if out.Path, err = harness.ParsePath(d.Path); err != nil {
		return out, err
	}
	out.Pattern, err = harness.ParsePath(d.Pattern)
	return out, err
}

func (v jsonValue) value() harness.Value {
	out := harness.Value{Kind: harness.ValueKind(v.Kind), Text: v.Text}
	if v.Bytes != nil {
		out.Text = string(v.Bytes)
	}
	for _, f := range v.Fields {
		out.Fields = append(out.Fields, harness.Field(f))
	}
	return out
}
