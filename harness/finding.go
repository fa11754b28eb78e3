package harness

// Verdict is the judgement of a finding or of a run.
type Verdict string

// Verdicts, from harmless to harmful. Inconclusive proves nothing and is never a success.
const (
	Same         Verdict = "same"
	Expected     Verdict = "expected"
	Benign       Verdict = "benign"
	Review       Verdict = "review"
	Breaking     Verdict = "breaking"
	NoConclusion Verdict = "inconclusive"
)

// verdicts in order of weight.
var verdicts = []Verdict{Same, Expected, Benign, NoConclusion, Review, Breaking}

// Weight orders verdicts: the verdict of a run is the weightiest of its findings.
func (v Verdict) Weight() int {
	for i, w := range verdicts {
		if v == w {
			return i
		}
	}
	return len(verdicts)
}

// NeedsPerson reports whether somebody must look before the change may go live.
func (v Verdict) NeedsPerson() bool { return v == Review || v == Breaking }

// Worst returns the weightier of the two.
func Worst(a, b Verdict) Verdict {
	if b.Weight() > a.Weight() {
		return b
	}
	return a
}

// Finding is an explanation: one cause that claims many differences.
type Finding struct {
	Number      int    // from 1, in the order of the report
	Kind        string // F01 to F44, or F00: unexplained
	Title       string // the kind in two or three words
	Verdict     Verdict
	Severity    string   // why this verdict: a row of the table of severity, or a decision; empty when what was seen decided
	Sentence    string   // the cause in plain words
	Effects     []string // consequences, a sentence each
	Proof       string   // the evidence that this cause explains what it claims; empty when there is none
	Count       int      // records or calls that are hit
	Of          int      // how many there are; 0 when not meaningful
	Unit        string   // what Count counts: "rows", "applications", "calls"
	Hit         []Group  // who is hit
	Samples     []Sample // at most three
	Source      string   // where the cause lies: system, operation and field
	Target      []string // the fields of other exchanges that it reaches
	Lineage     []Flow   // which fields feed which, as far as they concern the finding
	Cause       *Cause   // the rule that explains the differences; nil when none was learned
	Owner       string   // name of the integration's owner
	Steward     string   // name of the person who knows what the data means
	NextStep    string
	Change      string // name of the declared change, for Expected
	Ticket      string
	Places      []FileLine   // where to look in the workspace, the most telling first
	Operations  []string     // operations that it touches, sorted
	Differences []Difference // the facts that it claims
}

// FileLine is a line of a file of the workspace.
type FileLine struct {
	File string // relative to the workspace, with slashes
	Line int    // from 1
}

// Group is the distinct values of one identifying field among the records that are hit.
type Group struct {
	Field  string
	Values []string // sorted, at most ten
	Total  int
}

// Sample is one difference, made readable.
type Sample struct {
	Where  string // operation and record
	Field  string
	Was    string
	Is     string
	Source Difference // for reports that show more
}

// Kind is a row of the catalogue of change kinds.
type Kind struct {
	ID    string // F01
	Title string
}
