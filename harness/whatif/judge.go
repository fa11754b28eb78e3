package whatif

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Effect is what a variant does to a scenario, in one word.
type Effect string

// Effects, from harmless to harmful.
const (
	Absent  Effect = "absent"  // the recording does not hold the field: nothing was varied
	Unread  Effect = "unread"  // no output is another one
	Known   Effect = "known"   // a crosswalk or the recording has the value
	Carried Effect = "carried" // outputs are other ones, and nothing is lost or refused
	Unsure  Effect = "unsure"  // a mock was asked what it never was asked, and cannot say what the system would
	Hit     Effect = "hit"     // something is rejected, defaulted, refused or lost
)

// Outcome is what a variant does to one scenario.
type Outcome struct {
	Scenario    string // name
	File        string // relative to the workspace
	Integration string
	Effect      Effect
	Says        string            // one sentence, of those that are not hit
	Records, Of int               // that were varied
	Places      []string          // what was varied
	Findings    []harness.Finding // that say how it is hit, the weightiest first
	Edit        []harness.FileLine
	Manifest    harness.Manifest // of the recording that was varied
}

// NeedsPerson reports whether somebody must look.
func (o Outcome) NeedsPerson() bool { return o.Effect == Hit || o.Effect == Unsure }

// Foreseen is the outcome of a variant that need not be rehearsed: it varies nothing, or the value is known. ok is false
// when only a rehearsal can tell.
func Foreseen(v Variation, p *Variant, crosswalks []harness.Crosswalk) (o Outcome, ok bool) {
	o = Outcome{Records: p.Records, Of: p.Of, Places: p.Places}
	if p.Records == 0 {
		o.Effect, o.Says = Absent, fmt.Sprintf("does not read %s: its recordings hold none", v.Field)
		return o, true
	}
	if v.Kind.Name != "value" {
		return o, false
	}
	if c, known := crosswalkOf(crosswalks, p.Values); known && c.Codes[v.Value] > 0 {
		o.Effect, o.Says = Known, fmt.Sprintf("%s has a row for %s, line %d", c.File, v.Value, c.Codes[v.Value])
		o.Edit = []harness.FileLine{{File: c.File, Line: c.Codes[v.Value]}}
		return o, true
	}
	if p.Seen {
		o.Effect, o.Says = Known, fmt.Sprintf("the value was recorded already, in %d of %d records", p.Values[v.Value], p.Of)
		return o, true
	}
	return o, false
}

// crosswalkOf is the crosswalk that translates a field: the one that knows the most of its values, at least half of them.
func crosswalkOf(crosswalks []harness.Crosswalk, values map[string]int) (best harness.Crosswalk, ok bool) {
	most := 0
	for _, c := range crosswalks {
		known, all := 0, 0
		for value := range values {
			if value == "" {
				continue
			}
			all++
			if c.Codes[value] > 0 {
				known++
			}
		}
		if known > most && 2*known >= all {
			best, most, ok = c, known, true
		}
	}
	return best, ok
}

// Judge reads the report of a rehearsal of the variant against the recording.
func Judge(v Variation, p *Variant, crosswalks []harness.Crosswalk, report *harness.Report) Outcome {
	o := Outcome{Effect: Unread, Says: unread(p), Records: p.Records, Of: p.Of, Places: p.Places, Manifest: report.Before.Manifest}
	table, translated := crosswalkOf(crosswalks, p.Values)
	for _, f := range report.Findings {
		if !f.Verdict.NeedsPerson() {
			continue
		}
		output := outputs(f, p)
		switch {
		case loses(f), output && !whole(f, p), f.Kind == v.Kind.Code && (output || translated):
			o.Findings = append(o.Findings, f)
		case output:
			o.Effect, o.Says = Carried, "hands it on, and nothing is lost: "+strings.Join(f.Operations, ", ")
		}
	}
	if len(o.Findings) == 0 {
		return o
	}
	slices.SortStableFunc(o.Findings, func(a, b harness.Finding) int { return b.Verdict.Weight() - a.Verdict.Weight() })
	o.Effect, o.Says = Hit, ""
	if translated && v.Kind.Name == "value" {
		o.Edit = []harness.FileLine{{File: table.File, Line: lastLine(table)}}
	}
	if misses := missed(report); misses != "" {
		o.Effect, o.Says = Unsure, misses+"; a live test instance would say what it makes of it"
	}
	return o
}

// unread says that nothing came of it.
func unread(p *Variant) string {
	if p.Values == nil {
		return "takes it: no output is another one"
	}
	return "reads nothing of it: no output is another one"
}

// whole reports whether all that a finding says of outputs is that they carry the new text on, whole.
func whole(f harness.Finding, p *Variant) bool {
	if p.Texts == nil {
		return false
	}
	return !slices.ContainsFunc(f.Differences, func(d harness.Difference) bool {
		return isOutput(d, p) && !slices.ContainsFunc(p.Texts, func(text string) bool { return strings.Contains(d.Is.Text, text) })
	})
}

// lastLine is the last row of the crosswalk with a code, behind which a new one can stand.
func lastLine(c harness.Crosswalk) int {
	last := 1
	for _, line := range c.Codes {
		last = max(last, line)
	}
	return last
}

// missed is the note about a mock that had no answer.
func missed(report *harness.Report) string {
	at := slices.IndexFunc(report.Notes, func(n string) bool { return strings.HasPrefix(n, "mock of ") && strings.Contains(n, " had no answer") })
	if at < 0 {
		return ""
	}
	system, _, _ := strings.Cut(strings.TrimPrefix(report.Notes[at], "mock of "), " ")
	return fmt.Sprintf("%s is answered from the recording, and was asked what it never was asked", system)
}

// outputs reports whether a finding is about something that the system makes.
func outputs(f harness.Finding, p *Variant) bool {
	return slices.ContainsFunc(f.Differences, func(d harness.Difference) bool { return isOutput(d, p) })
}

// isOutput reports whether a difference lies in what the system hands on or asks others, or in how it answers.
func isOutput(d harness.Difference, p *Variant) bool {
	answer := len(d.Path) > 0 && d.Path[0].Name == "response"
	return d.From == p.System && !answer || d.To == p.System && answer
}

// loses reports whether records or calls go missing, or something is refused or breaks off.
func loses(f harness.Finding) bool {
	return slices.ContainsFunc(f.Differences, func(d harness.Difference) bool {
		if d.Class == harness.MissingCall || d.Class == harness.Removed && len(d.Was.Fields) > 0 {
			return true
		}
		was, before := strconv.Atoi(d.Was.Text)
		is, after := strconv.Atoi(d.Is.Text)
		return d.Path.Leaf() == harness.FieldStatus && before == nil && after == nil && is >= 400 && was < 400
	})
}
