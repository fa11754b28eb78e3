package rehearsal

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// addPlaces says for each finding where in the workspace to look: after what its detector named, the programs
// that make the output that differs, and the recorded exchange.
func (p Plan) addPlaces(findings []harness.Finding, baseline *fixtures.Recording) error {
	lines, err := linesOf(baseline)
	if err != nil {
		return err
	}
	for i := range findings {
		f := &findings[i]
		for _, program := range p.programsOf(f.Differences) {
			f.Places = append(f.Places, harness.FileLine{File: filepath.ToSlash(program), Line: 1})
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

// programsOf are the mapping files that make what the differences lie in, in order; none when something else differs, too.
func (p Plan) programsOf(list []harness.Difference) []string {
	var programs []string
	for _, d := range list {
		of := slices.IndexFunc(p.Scenario.Target.Mappings(), func(s harness.MappingSpec) bool {
			return d.From == p.Scenario.Target.System && d.Operation == s.Output
		})
		if of < 0 {
			return nil
		}
		if program := p.Scenario.Target.Mappings()[of].Program; !slices.Contains(programs, program) {
			programs = append(programs, program)
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
