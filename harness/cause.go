package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Cause is the rule that a finding rests on: what makes the new values of the old ones, where, and what came of applying
// it to the baseline.
type Cause struct {
	Rule  CauseRule
	Scope []Scope // the places that it rewrites, in the order of the report
	Proof CauseProof
}

// CauseRule is a learned rule, written down so that people can review it and the next run can apply it again.
type CauseRule struct {
	Family string            `yaml:"family"`           // sort of rule, such as date or table; two that follow one another are joined by " then "
	Says   string            `yaml:"says,omitempty"`   // the rule in words, for people
	Params map[string]string `yaml:"params,omitempty"` // what was learned for the family
	Table  []CodePair        `yaml:"table,omitempty"`  // lines of a code table
	When   string            `yaml:"when,omitempty"`   // the records that it holds for, such as campus = MAIN; empty: all
}

// CodePair is one line of a code table. A side is a text unless its type says otherwise.
type CodePair struct {
	Was     string `yaml:"was,omitempty"`
	Is      string `yaml:"is,omitempty"`
	WasType string `yaml:"was-type,omitempty"` // a [ValueKind]; empty: string
	IsType  string `yaml:"is-type,omitempty"`  // a [ValueKind]; empty: string
}

// Scope is one place that a rule rewrites: a pattern in the exchanges of an operation.
type Scope struct {
	Operation string `yaml:"operation,omitempty"` // glob over [Exchange.Operation]; empty covers all
	At        Path   `yaml:"at"`
}

// CauseProof counts what came of applying a rule to the old side of every exchange in its scope.
type CauseProof struct {
	Explained  int  // values that changed as the rule says
	Exceptions int  // values that the rule would make other ones than there are
	Untouched  int  // values that did not change and that the rule leaves alone
	Proven     bool // more than two are explained, and there is no exception
}

// MinProven is the fewest differences that a cause can be proven on; a cause of fewer is a candidate.
const MinProven = 3

// Digest identifies the rule in its scope: another parameter, line, condition or place gives another digest.
func (r CauseRule) Digest(scope []Scope) string {
	h := sha256.New()
	put := func(parts ...string) {
		for _, p := range parts {
			fmt.Fprintf(h, "%d:%s", len(p), p)
		}
		fmt.Fprint(h, ";")
	}
	put(r.Family, r.When)
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		put(name, r.Params[name])
	}
	for _, c := range r.Table {
		put(c.WasType, c.Was, c.IsType, c.Is)
	}
	places := make([]string, 0, len(scope))
	for _, s := range scope {
		places = append(places, s.Operation+"\x00"+s.At.String())
	}
	slices.Sort(places)
	put(places...)
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Flow is one step of lineage: a field that feeds another one.
type Flow struct {
	From, To FieldPlace
	By       string // what makes one of the other: "same values", a rule in words, or the file of a crosswalk
	Evidence string // why it is believed, in words
}

// FieldPlace is a field of an operation, for people and machines.
type FieldPlace struct {
	System    string // that sends it
	Operation string
	Field     string
	At        Path
}

// String names the place as reports do: operation and field.
func (p FieldPlace) String() string { return strings.TrimSpace(p.Operation + " " + p.Field) }

// String writes the step as source → rule → target.
func (f Flow) String() string {
	if f.By == "" {
		return f.From.String() + " → " + f.To.String()
	}
	return f.From.String() + " → " + f.By + " → " + f.To.String()
}

// MappedField is what a mapping says about one field that it writes.
type MappedField struct {
	Input      string   // glob over operations of what it reads
	Output     string   // name of the file that it writes; empty: it answers the request
	Field      string   // the name that it writes
	From       []string // the names that it reads for it, sorted; those of crosswalk columns among them
	Crosswalks []string // files of the crosswalks that it looks into, sorted
	Program    string
	Line       int // of the program, where the field is written; 0: unknown
}
