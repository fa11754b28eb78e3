package harrowlake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Check compares what a rehearsal found with what is planted, and returns what does not fit, a sentence each; nothing
// when everything does. Findings with the verdict same are passed over: they are noise that rules gave a reason for.
func (r Run) Check(findings []harness.Finding) []string {
	left := slices.DeleteFunc(slices.Clone(findings), func(f harness.Finding) bool { return f.Verdict == harness.Same })
	var open []Planted
	for _, p := range r.Findings {
		at := slices.IndexFunc(left, func(f harness.Finding) bool { return len(p.faults(f)) == 0 })
		if at < 0 {
			open = append(open, p)
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	var problems []string
	for _, p := range open {
		at := p.nearest(left)
		if at < 0 {
			problems = append(problems, p.ID+" was not found")
			continue
		}
		problems = append(problems, fmt.Sprintf("%s: %s; it was said: %s", p.ID, strings.Join(p.faults(left[at]), ", "), left[at].Sentence))
		left = slices.Delete(left, at, at+1)
	}
	for _, f := range left {
		problems = append(problems, fmt.Sprintf("nothing is planted that explains the finding %s, %s: %s", f.Kind, f.Verdict, f.Sentence))
	}
	return problems
}

// nearest returns the index of the finding with the fewest faults, -1 when there are none.
func (p Planted) nearest(findings []harness.Finding) int {
	best, fewest := -1, 0
	for i, f := range findings {
		if n := len(p.faults(f)); best < 0 || n < fewest {
			best, fewest = i, n
		}
	}
	return best
}

// faults returns in which ways the finding is not the planted one.
func (p Planted) faults(f harness.Finding) []string {
	var faults []string
	for _, c := range []struct{ what, want, got string }{
		{"kind", p.Kind, f.Kind},
		{"verdict", string(p.Verdict), string(f.Verdict)},
		{"owner", p.Owner, f.Owner},
		{"steward", p.Steward, f.Steward},
	} {
		if c.want != "" && c.want != c.got {
			faults = append(faults, fmt.Sprintf("%s is %q, want %q", c.what, c.got, c.want))
		}
	}
	if p.Count != 0 && p.Count != f.Count {
		faults = append(faults, fmt.Sprintf("count is %d, want %d", f.Count, p.Count))
	}
	said := explanation(f)
	for _, text := range p.Contains {
		if !strings.Contains(said, text) {
			faults = append(faults, fmt.Sprintf("%q is not mentioned", text))
		}
	}
	return faults
}

// explanation is all that a finding tells a reader, a line each.
func explanation(f harness.Finding) string {
	lines := []string{f.Title, f.Sentence, f.Proof, f.Source, f.NextStep, f.Change, f.Ticket}
	lines = append(lines, f.Effects...)
	lines = append(lines, f.Target...)
	for _, g := range f.Hit {
		lines = append(lines, g.Field)
		lines = append(lines, g.Values...)
	}
	for _, s := range f.Samples {
		lines = append(lines, s.Where, s.Field, s.Was, s.Is)
	}
	return strings.Join(lines, "\n")
}
