package harrowlake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness"
)

// Run is what the rehearsal of one scenario must conclude.
type Run struct {
	Scenario    string    `yaml:"scenario"` // file, relative to the workspace
	Integration string    `yaml:"integration"`
	Exit        int       `yaml:"exit"`     // exit code of the gate
	Findings    []Planted `yaml:"findings"` // all that there must be, beside those with the verdict same
}

// Planted is a difference that was put into the demo world on purpose, and what must be found out about it.
type Planted struct {
	ID       string          `yaml:"id"`             // D01 to D20
	Kind     string          `yaml:"kind,omitempty"` // F01 to F44; empty: any
	Verdict  harness.Verdict `yaml:"verdict"`
	Count    int             `yaml:"count,omitempty"`    // of [harness.Finding]; 0: any
	Contains []string        `yaml:"contains,omitempty"` // texts that must stand somewhere in the finding
	Owner    string          `yaml:"owner,omitempty"`
	Steward  string          `yaml:"steward,omitempty"`
}

// verdictsFile is the oracle within [FS].
const verdictsFile = "expect/verdicts.yaml"

// Verdicts returns the acceptance oracle of the demo world, in the order of its file.
func Verdicts() ([]Run, error) {
	b, err := fs.ReadFile(FS(), verdictsFile)
	if err != nil {
		return nil, fmt.Errorf("read the oracle: %w", err)
	}
	return parseVerdicts(b)
}

// parseVerdicts reads the file strictly: an unknown key, a run without scenario and an unknown verdict are errors.
func parseVerdicts(b []byte) ([]Run, error) {
	var file struct {
		Runs []Run `yaml:"runs"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", verdictsFile, err)
	}
	if len(file.Runs) == 0 {
		return nil, fmt.Errorf("read %s: no runs", verdictsFile)
	}
	for _, run := range file.Runs {
		if err := run.check(); err != nil {
			return nil, fmt.Errorf("read %s: %w", verdictsFile, err)
		}
	}
	return file.Runs, nil
}

func (r Run) check() error {
	if r.Scenario == "" || r.Integration == "" {
		return fmt.Errorf("a run lacks scenario or integration: %+v", r)
	}
	for _, p := range r.Findings {
		switch p.Verdict {
		case harness.Same, harness.Expected, harness.Benign, harness.Review, harness.Breaking:
		default:
			return fmt.Errorf("%s: %s has the unknown verdict %q", r.Scenario, p.ID, p.Verdict)
		}
		if p.ID == "" {
			return fmt.Errorf("%s: a finding has no id", r.Scenario)
		}
	}
	return nil
}
