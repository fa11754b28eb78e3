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

// Outlook is what the calendar must say about some days.
type Outlook struct {
	From     harness.Date `yaml:"from"`
	Days     int          `yaml:"days"`
	Exit     int          `yaml:"exit"`
	Findings []Planted    `yaml:"findings"`
}

// Check is [Run.Check] for what the calendar found.
func (o Outlook) Check(findings []harness.Finding) []string {
	return Run{Findings: o.Findings}.Check(findings)
}

// Outlooks returns what the calendar of the demo world must say, in the order of the oracle's file.
func Outlooks() ([]Outlook, error) {
	b, err := fs.ReadFile(FS(), verdictsFile)
	if err != nil {
		return nil, fmt.Errorf("read the oracle: %w", err)
	}
	o, err := parseOracle(b)
	return o.Outlooks, err
}

// oracle is the file of verdicts.
type oracle struct {
	Runs     []Run     `yaml:"runs"`
	Outlooks []Outlook `yaml:"outlooks"`
}

// parseVerdicts reads the runs of the file.
func parseVerdicts(b []byte) ([]Run, error) {
	o, err := parseOracle(b)
	return o.Runs, err
}

// parseOracle reads the file strictly: an unknown key, a run without scenario and an unknown verdict are errors.
func parseOracle(b []byte) (oracle, error) {
	var file oracle
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return oracle{}, fmt.Errorf("read %s: %w", verdictsFile, err)
	}
	if len(file.Runs) == 0 {
		return oracle{}, fmt.Errorf("read %s: no runs", verdictsFile)
	}
	for _, run := range file.Runs {
		if err := run.check(); err != nil {
			return oracle{}, fmt.Errorf("read %s: %w", verdictsFile, err)
		}
	}
	for _, look := range file.Outlooks {
		if err := checkPlanted("the outlook from "+look.From.String(), look.Findings); err != nil {
			return oracle{}, fmt.Errorf("read %s: %w", verdictsFile, err)
		}
	}
	return file, nil
}

func (r Run) check() error {
	if r.Scenario == "" || r.Integration == "" {
		return fmt.Errorf("a run lacks scenario or integration: %+v", r)
	}
	return checkPlanted(r.Scenario, r.Findings)
}

func checkPlanted(where string, planted []Planted) error {
	for _, p := range planted {
		switch p.Verdict {
		case harness.Same, harness.Expected, harness.Benign, harness.Review, harness.Breaking:
		default:
			return fmt.Errorf("%s: %s has the unknown verdict %q", where, p.ID, p.Verdict)
		}
		if p.ID == "" {
			return fmt.Errorf("%s: a finding has no id", where)
		}
	}
	return nil
}
