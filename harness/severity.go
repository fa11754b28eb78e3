package harness

import "slices"

// Severity says how strictly an integration is judged.
type Severity struct {
	Profile   string             `yaml:"profile,omitempty"`   // bytes, lexical, typed (default) or tolerant-reader
	Overrides []SeverityOverride `yaml:"overrides,omitempty"` // places that are judged otherwise than the table has it; the first that fits counts
}

// Over lays the severity over another one: its profile, where it names one, and its overrides go first.
func (s Severity) Over(base Severity) Severity {
	if s.Profile == "" {
		s.Profile = base.Profile
	}
	s.Overrides = slices.Concat(s.Overrides, base.Overrides)
	return s
}

// Profiles of severity, from strict to lenient. Each forgives what the one before it forgives.
const (
	ProfileBytes    = "bytes"           // any other byte needs a person
	ProfileLexical  = "lexical"         // white space and the order of members are free
	ProfileTyped    = "typed"           // numbers and dates count by value, not by spelling
	ProfileTolerant = "tolerant-reader" // of what comes in, only fields that the mapping reads count
)

// SeverityOverride judges the findings of some places by decision of a person instead of by the table.
type SeverityOverride struct {
	At        Path    `yaml:"at"`                  // pattern; covers what lies below, too
	Operation string  `yaml:"operation,omitempty"` // glob over [Exchange.Operation]; empty covers all
	Kind      string  `yaml:"kind,omitempty"`      // F01 to F44; empty covers all
	Verdict   Verdict `yaml:"verdict"`
	Reason    string  `yaml:"reason"`
	Owner     string  `yaml:"owner"` // key of the person who decided
	Ticket    string  `yaml:"ticket,omitempty"`
	Until     Date    `yaml:"until"` // last day on which it holds
}

// Reads is the fields that the mapping is known to read.
type Reads struct {
	Known bool            // false: the mapping cannot be looked into, or reads fields by names that it computes
	Names map[string]bool // names of members and columns
}
