package harness

// ChangeClass says in which way one place of B left A.
type ChangeClass string

// Classes of change.
const (
	Changed     ChangeClass = "changed"      // another value of the same type
	Added       ChangeClass = "added"        // present in B only
	Removed     ChangeClass = "removed"      // present in A only
	Moved       ChangeClass = "moved"        // same records, members or calls in another order
	Retyped     ChangeClass = "type"         // another type, such as number → string
	Reformed    ChangeClass = "form"         // same value, other spelling: 3.50 → 3.5, quoting, line ends, encoding
	MissingCall ChangeClass = "missing-call" // an exchange of A has no partner in B
	ExtraCall   ChangeClass = "extra-call"   // an exchange of B has no partner in A
)

// Difference is a fact: one place where B left A.
type Difference struct {
	Exchange  string // ID in A, or in B for an extra call
	Session   string
	Channel   string
	Operation string
	From, To  string // systems
	Path      Path   // concrete, with the record's key where there is one
	Pattern   Path   // the same with keys and indexes generalised
	Class     ChangeClass
	Was, Is   Value
	Count     int    // places that this one fact stands for, at least 1: rows of an added column, records that moved
	Rule      *Rule  // a rule that covers the place and did not take the difference away although it could; nil when there is none
	Note      string // why that rule did not, in words
	Record    string // the key of the record that it lies in, "CRN=00892 ID=H00000117"; empty outside of records
}

// ValueKind is the type of a Value.
type ValueKind string

// Kinds of Value.
const (
	KindAbsent ValueKind = "absent"
	KindNull   ValueKind = "null"
	KindBool   ValueKind = "bool"
	KindNumber ValueKind = "number"
	KindString ValueKind = "string"
	KindArray  ValueKind = "array"
	KindObject ValueKind = "object"
	KindBytes  ValueKind = "bytes"
)

// Value is one side of a Difference.
type Value struct {
	Kind   ValueKind
	Text   string  // a scalar's text: a number as written, a string decoded; of a container a short rendition
	Part   string  // of a long text that changed: the words that differ, with some around them; else empty
	Fields []Field // of a removed or added record: its scalar members in order, name → text
}

// IsAbsent reports whether there is no value at all.
func (v Value) IsAbsent() bool { return v.Kind == KindAbsent || v.Kind == "" }

// Field returns the text of the record's member of that name.
func (v Value) Field(name string) (text string, ok bool) {
	for _, f := range v.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// Comparison is all facts about two recordings.
type Comparison struct {
	Before, After Recording
	Differences   []Difference
	Exchanges     [2]int            // how many were compared on each side
	Partner       map[string]string // exchange of the baseline → the one of the candidate that it was compared with
	Records       []RecordCount     // of each table that was compared, in order
	Suppressed    []Suppression     // what rules took away, in the order of the rules
	Unused        []Rule            // rules of the scenario that matched nothing
	Expired       []Rule            // rules of the scenario whose day has passed; they were not applied
	Notes         []string          // how records were aligned, and where alignment was degraded
}

// RecordCount is the size of one table on both sides.
type RecordCount struct {
	Session   string
	Operation string
	From, To  string
	Path      Path // of the table within the exchange
	Was, Is   int
}

// Suppression counts what one rule took away.
type Suppression struct {
	Rule   Rule
	Count  int
	Sample Difference // the first one
}
