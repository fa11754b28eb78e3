package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// jsonVersion is the version of the JSON shape. A minor step only adds members; a major step may change or remove.
const jsonVersion = "1.0"

// The shape of the JSON report. Times are RFC 3339 in UTC, durations milliseconds, paths as harness.Path writes them.
// Every list is present, if only empty; a text that is not known is left out.
type (
	jsonReport struct {
		Report      string           `json:"report"` // version of this shape
		Run         string           `json:"run"`
		Verdict     string           `json:"verdict"`
		Headline    string           `json:"headline"`
		Reason      string           `json:"reason,omitempty"`
		Masked      bool             `json:"masked,omitempty"` // values are hidden behind their shapes
		Scenario    string           `json:"scenario"`
		File        string           `json:"file,omitempty"` // of the scenario
		Change      string           `json:"change,omitempty"`
		Integration string           `json:"integration"`
		Title       string           `json:"title,omitempty"`
		Owner       string           `json:"owner,omitempty"`
		Steward     string           `json:"steward,omitempty"`
		Target      string           `json:"target,omitempty"`
		Tool        string           `json:"tool,omitempty"`
		Started     string           `json:"started,omitempty"`
		TookMS      int64            `json:"took_ms"`
		Clock       string           `json:"clock,omitempty"`
		Before      jsonSide         `json:"before"`
		After       jsonSide         `json:"after"`
		Counts      map[string]int   `json:"counts"` // findings by verdict
		Findings    []jsonFinding    `json:"findings"`
		Records     []jsonRecords    `json:"records"`
		Suppressed  []jsonSuppressed `json:"suppressed"`
		Unused      []jsonRule       `json:"unused_rules"`
		Expired     []jsonRule       `json:"expired_rules"`
		Notes       []string         `json:"notes"`
		NotTested   []string         `json:"not_tested"`
		Egress      []jsonConnection `json:"egress"`
		Logs        []jsonLog        `json:"logs"`
	}
	jsonSide struct {
		Name       string         `json:"name"`
		Digest     string         `json:"digest,omitempty"`
		Exchanges  int            `json:"exchanges"`
		Origin     string         `json:"origin,omitempty"`
		Tool       string         `json:"tool,omitempty"`
		Systems    []string       `json:"systems"`
		From       string         `json:"from,omitempty"`
		To         string         `json:"to,omitempty"`
		Policy     string         `json:"scrub_policy,omitempty"`
		Masked     int            `json:"scrub_masked,omitempty"`
		Seen       int            `json:"seen"`
		Recorded   int            `json:"recorded"`
		Incomplete int            `json:"incomplete"`
		Dropped    int            `json:"dropped"`
		Bytes      int64          `json:"bytes"`
		Reasons    map[string]int `json:"drop_reasons,omitempty"`
		LeftOut    map[string]int `json:"left_out,omitempty"`
	}
	jsonFinding struct {
		Number      int              `json:"number"`
		Kind        string           `json:"kind"`
		Fingerprint string           `json:"fingerprint"`
		Title       string           `json:"title"`
		Verdict     string           `json:"verdict"`
		Severity    string           `json:"severity,omitempty"`
		Sentence    string           `json:"sentence"`
		Effects     []string         `json:"effects"`
		Proof       string           `json:"proof,omitempty"`
		Count       int              `json:"count"`
		Of          int              `json:"of,omitempty"`
		Unit        string           `json:"unit,omitempty"`
		Hit         []jsonGroup      `json:"hit"`
		Samples     []jsonSample     `json:"samples"`
		Source      string           `json:"source,omitempty"`
		Target      []string         `json:"target"`
		Lineage     []jsonFlow       `json:"lineage"`
		Cause       *jsonCause       `json:"cause,omitempty"`
		Owner       string           `json:"owner,omitempty"`
		Steward     string           `json:"steward,omitempty"`
		NextStep    string           `json:"next_step,omitempty"`
		Change      string           `json:"change,omitempty"`
		Ticket      string           `json:"ticket,omitempty"`
		Places      []jsonPlace      `json:"places"`
		Operations  []string         `json:"operations"`
		Differences []jsonDifference `json:"differences"`
	}
	jsonPlace struct {
		File string `json:"file"`
		Line int    `json:"line"`
	}
	jsonGroup struct {
		Field  string   `json:"field"`
		Values []string `json:"values"`
		Total  int      `json:"total"`
	}
	jsonSample struct {
		Where string `json:"where"`
		Field string `json:"field,omitempty"`
		Was   string `json:"was"`
		Is    string `json:"is"`
	}
	jsonDifference struct {
		Exchange  string    `json:"exchange"`
		Session   string    `json:"session,omitempty"`
		Channel   string    `json:"channel,omitempty"`
		Operation string    `json:"operation,omitempty"`
		From      string    `json:"from,omitempty"`
		To        string    `json:"to,omitempty"`
		Path      string    `json:"path"`
		Pattern   string    `json:"pattern,omitempty"`
		Class     string    `json:"class"`
		Was       jsonValue `json:"was"`
		Is        jsonValue `json:"is"`
		Count     int       `json:"count"`
		Record    string    `json:"record,omitempty"`
	}
	jsonValue struct {
		Kind   string      `json:"kind"`
		Text   string      `json:"text,omitempty"`
		Bytes  []byte      `json:"bytes,omitempty"` // base64, when the text is not UTF-8; text then holds U+FFFD
		Fields []jsonField `json:"fields,omitempty"`
	}
	jsonField struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	jsonRecords struct {
		Session   string `json:"session,omitempty"`
		Operation string `json:"operation"`
		From      string `json:"from,omitempty"`
		To        string `json:"to,omitempty"`
		Path      string `json:"path"`
		Was       int    `json:"was"`
		Is        int    `json:"is"`
	}
	jsonRule struct {
		At        string   `json:"at"`
		Operation string   `json:"operation,omitempty"`
		Compare   string   `json:"compare"`
		Tolerance string   `json:"tolerance,omitempty"`
		Key       []string `json:"key,omitempty"`
		Reason    string   `json:"reason"`
		Ticket    string   `json:"ticket,omitempty"`
		Until     string   `json:"until,omitempty"`
		BuiltIn   bool     `json:"built_in,omitempty"`
	}
	jsonSuppressed struct {
		Rule   jsonRule       `json:"rule"`
		Count  int            `json:"count"`
		Sample jsonDifference `json:"sample"`
	}
	jsonConnection struct {
		Address string `json:"address"`
		IP      string `json:"ip,omitempty"`
		Allowed bool   `json:"allowed"`
		Reason  string `json:"reason,omitempty"`
		Count   int    `json:"count"`
	}
	jsonLog struct {
		System string `json:"system"`
		Text   string `json:"text"`
	}
)

func writeJSON(w io.Writer, r *harness.Report, o Options) error {
	return encodeJSON(w, "json", newJSON(r))
}

// encodeJSON writes the value indented, with everything spelled out that a terminal would obey.
func encodeJSON(w io.Writer, kind string, v any) error {
	enc := json.NewEncoder(escaper{w})
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write %s report: %w", kind, err)
	}
	return nil
}

// escaper spells characters that a terminal obeys or hides as JSON escapes; the values stay exact. Such characters occur
// within strings only. Each Write takes whole characters, as those of an encoder do.
type escaper struct{ w io.Writer }

func (e escaper) Write(b []byte) (int, error) {
	const room = 64 << 10
	out := make([]byte, 0, room+utf8.UTFMax)
	hash := false
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '#' && hash:
			out = append(out, `\u0023`...)
		case r == '\n' || isShown(r):
			out = append(out, b[i:i+n]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		hash = r == '#'
		if i += n; i < len(b) && len(out) < room {
			continue
		}
		if _, err := e.w.Write(out); err != nil {
			return 0, err
		}
		out = out[:0]
	}
	return len(b), nil
}

func newJSON(r *harness.Report) jsonReport {
	out := jsonReport{
		Report: jsonVersion, Run: r.Run, Verdict: string(r.Verdict), Headline: headline(r), Reason: r.Reason, Masked: r.Masked,
		Scenario: r.Scenario, File: r.File, Change: r.Change, Integration: r.Integration, Title: r.Title, Owner: r.Owner,
		Steward: r.Steward, Target: r.Target, Tool: r.Tool, Started: instant(r.Started), TookMS: r.Took.Milliseconds(),
		Clock: instant(r.Clock), Before: jsonSideOf(r.Before), After: jsonSideOf(r.After), Counts: map[string]int{},
		Findings: each(r.Findings, jsonFindingOf), Records: each(r.Records, jsonRecordsOf),
		Suppressed: each(r.Suppressed, func(s harness.Suppression) jsonSuppressed {
			return jsonSuppressed{jsonRuleOf(s.Rule), s.Count, jsonDifferenceOf(s.Sample)}
		}),
		Unused: each(r.Unused, jsonRuleOf), Expired: each(r.Expired, jsonRuleOf), Notes: list(r.Notes), NotTested: list(r.NotTested),
		Egress: each(r.Egress, func(c harness.Connection) jsonConnection { return jsonConnection(c) }),
		Logs:   each(r.Logs, func(l harness.Log) jsonLog { return jsonLog(l) }),
	}
	for _, f := range r.Findings {
		out.Counts[string(f.Verdict)]++
	}
	return out
}

func jsonSideOf(s harness.Side) jsonSide {
	m, c := s.Manifest, s.Manifest.Counts
	return jsonSide{
		Name: s.Name, Digest: s.Digest, Exchanges: s.Exchanges, Origin: m.Origin, Tool: m.Tool, Systems: list(m.Systems),
		From: instant(m.From), To: instant(m.To), Policy: m.Scrub.Policy, Masked: m.Scrub.Masked, Seen: c.Seen,
		Recorded: c.Recorded, Incomplete: c.Incomplete, Dropped: c.Dropped, Bytes: c.Bytes, Reasons: c.Reasons, LeftOut: c.LeftOut,
	}
}

func jsonFindingOf(f harness.Finding) jsonFinding {
	return jsonFinding{
		Number: f.Number, Kind: f.Kind, Fingerprint: f.Fingerprint(), Title: f.Title, Verdict: string(f.Verdict), Severity: f.Severity, Sentence: f.Sentence,
		Effects: list(f.Effects), Proof: f.Proof, Count: f.Count, Of: f.Of, Unit: f.Unit,
		Hit: each(f.Hit, func(g harness.Group) jsonGroup { return jsonGroup{g.Field, list(g.Values), g.Total} }),
		Samples: each(f.Samples, func(s harness.Sample) jsonSample {
			return jsonSample{s.Where, s.Field, s.Was, s.Is}
		}),
		Source: f.Source, Target: list(f.Target), Lineage: each(f.Lineage, jsonFlowOf), Cause: jsonCauseOf(f.Cause), Owner: f.Owner, Steward: f.Steward, NextStep: f.NextStep,
		Change: f.Change, Ticket: f.Ticket,
		Places:     each(f.Places, func(p harness.FileLine) jsonPlace { return jsonPlace(p) }),
		Operations: list(f.Operations), Differences: each(f.Differences, jsonDifferenceOf),
	}
}

func jsonDifferenceOf(d harness.Difference) jsonDifference {
	return jsonDifference{
		Exchange: d.Exchange, Session: d.Session, Channel: d.Channel, Operation: d.Operation, From: d.From, To: d.To,
		Path: d.Path.String(), Pattern: d.Pattern.String(), Class: string(d.Class), Was: jsonValueOf(d.Was),
		Is: jsonValueOf(d.Is), Count: d.Count, Record: d.Record,
	}
}

func jsonValueOf(v harness.Value) jsonValue {
	kind := string(v.Kind)
	if v.IsAbsent() {
		kind = string(harness.KindAbsent)
	}
	out := jsonValue{Kind: kind, Text: v.Text}
	if !utf8.ValidString(v.Text) {
		out.Bytes = []byte(v.Text)
	}
	for _, f := range v.Fields {
		out.Fields = append(out.Fields, jsonField(f))
	}
	return out
}

func jsonRecordsOf(c harness.RecordCount) jsonRecords {
	return jsonRecords{c.Session, c.Operation, c.From, c.To, c.Path.String(), c.Was, c.Is}
}

func jsonRuleOf(r harness.Rule) jsonRule {
	return jsonRule{r.At.String(), r.Operation, r.Compare, r.Tolerance, r.Key, r.Reason, r.Ticket, r.Until.String(), r.BuiltIn}
}

// each maps a list; the result is never nil, so that it is written as [].
func each[A, B any](all []A, f func(A) B) []B {
	out := make([]B, 0, len(all))
	for _, a := range all {
		out = append(out, f(a))
	}
	return out
}

func list(all []string) []string { return append([]string{}, all...) }

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
