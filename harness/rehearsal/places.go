package rehearsal

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target"
)

// addPlaces says for each finding where in the workspace to look: after what its detector named, the programs
// that make the output that differs, and the recorded exchange.
func (p Plan) addPlaces(findings []harness.Finding, baseline *fixtures.Recording) error {
	lines, err := linesOf(baseline)
	if err != nil {
		return err
	}
	traces := target.Traces(p.Scenario.Target, p.Scenario.Root)
	for i := range findings {
		f := &findings[i]
		for _, program := range p.programsOf(f.Differences) {
			f.Places = append(f.Places, harness.FileLine{File: filepath.ToSlash(program), Line: writtenAt(traces, program, f.Differences)})
		}
		for _, d := range f.Differences {
			if line := lines[d.Exchange]; line > 0 && d.Class != harness.ExtraCall {
				file := filepath.Join(p.Scenario.Recording, exchangesFile)
				f.Places = append(f.Places, harness.FileLine{File: filepath.ToSlash(file), Line: line})
				break
			}
		}
	}
	return nil
}

// writtenAt is the line of a program that writes the field that the differences lie in; 1 when that is not known.
func writtenAt(traces []harness.MappedField, program string, list []harness.Difference) int {
	for _, d := range list {
		for _, t := range traces {
			if t.Line > 0 && t.Program == path.Base(program) && t.Field == d.Pattern.Leaf() {
				return t.Line
			}
		}
	}
	return 1
}

// maker is a file of the workspace that makes an output, or the answers to what it takes.
type maker struct{ file, output, from string }

// makersOf are the files that make what a target hands over.
func makersOf(t harness.TargetSpec) []maker {
	var all []maker
	for _, s := range t.Mappings() {
		all = append(all, maker{s.Program, s.Output, s.From})
	}
	for _, s := range t.Crosswalk {
		all = append(all, maker{s.Table, s.Output, s.From})
	}
	if t.SQL != nil {
		for _, d := range t.SQL.Dump {
			for _, script := range t.SQL.Run {
				all = append(all, maker{script, d.Output, ""})
			}
		}
	}
	return all
}

// makes reports whether a difference lies in what the file makes for a system.
func (m maker) makes(d harness.Difference, system string) bool {
	if m.output != "" {
		return d.From == system && d.Operation == m.output
	}
	match, _ := path.Match(m.from, d.Operation)
	return d.To == system && (match || m.from == "" || m.from == d.Operation)
}

// programsOf are the files that make what the differences lie in, in order; none when something else differs, too.
func (p Plan) programsOf(list []harness.Difference) []string {
	var programs []string
	makers := makersOf(p.Scenario.Target)
	for _, d := range list {
		known := false
		for _, m := range makers {
			if !m.makes(d, p.Scenario.Target.System) {
				continue
			}
			known = true
			if !slices.Contains(programs, m.file) {
				programs = append(programs, m.file)
			}
		}
		if !known {
			return nil
		}
	}
	return programs
}

// exchangesFile holds an exchange a line in a recording of the reviewed form.
const exchangesFile = "exchanges.jsonl"

// linesOf returns the line of each exchange, by ID; nothing for a recording of another form.
func linesOf(rec *fixtures.Recording) (map[string]int, error) {
	if _, err := os.Stat(filepath.Join(rec.Dir(), exchangesFile)); err != nil {
		return nil, nil //nolint:nilerr // not this form: there is no line to name
	}
	lines := make(map[string]int, rec.Len())
	for x, err := range rec.Exchanges() {
		if err != nil {
			return nil, err
		}
		lines[x.ID] = len(lines) + 1
	}
	return lines, nil
}

// scenarioFile is the scenario's own file within the workspace; empty when it lies elsewhere.
func (p Plan) scenarioFile() string {
	file, err := filepath.Rel(p.Scenario.Root, p.Scenario.File)
	if err != nil || p.Scenario.File == "" || !filepath.IsLocal(file) {
		return ""
	}
	return filepath.ToSlash(file)
}
