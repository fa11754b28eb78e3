package harness

// Invariant is a promise that a message makes about itself, such as a trailer that counts the records before it. It is
// looked at on both sides of a comparison.
type Invariant struct {
	Name       string   `yaml:"name"`
	Operations []string `yaml:"operations"`      // globs over [Exchange.Operation]
	Half       string   `yaml:"half,omitempty"`  // request or response; empty: the half that has a body, the request first
	Check      string   `yaml:"check,omitempty"` // a CEL expression that is true while the promise holds
	Use        string   `yaml:"use,omitempty"`   // name of an invariant that comes with Rehearse
	At         Path     `yaml:"at,omitempty"`    // pattern of the places that the promise is about; differences there belong to it
	Says       string   `yaml:"says,omitempty"`  // what is said when it breaks; {EXPRESSION} stands for a value
	Kind       string   `yaml:"kind,omitempty"`  // F27, F30 (default) or F40
	Reason     string   `yaml:"reason"`
	From       Date     `yaml:"from,omitempty"`    // first day on which it holds
	Until      Date     `yaml:"until,omitempty"`   // last day on which it holds
	Verdict    Verdict  `yaml:"verdict,omitempty"` // when it breaks; default breaking
}

// Breach is an invariant that messages break, on one side of a comparison or on both.
type Breach struct {
	Invariant Invariant
	Before    bool // a message of the baseline breaks it
	After     bool // a message of the candidate breaks it
	Session   string
	Channel   string
	Operation string
	From, To  string
	Half      string // request or response
	Says      string // the numbers, of the candidate where it breaks it, too
}
