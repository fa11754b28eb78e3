package harness

import "time"

// Report is the outcome of a run with its evidence.
type Report struct {
	Run         string // identity of the run
	Scenario    string
	File        string // of the scenario, relative to the workspace, with slashes; empty: unknown
	Change      string
	Integration string // name
	Title       string // of the integration, for people
	Owner       string
	Steward     string
	Verdict     Verdict
	Reason      string // why the verdict is what it is, in one sentence
	Tool        string // name and version
	Started     time.Time
	Took        time.Duration
	Clock       time.Time // frozen now of the run
	Before      Side
	After       Side
	Target      string // what was tested, in words
	Masked      bool   // values of the recordings are hidden behind their shapes
	Vouched     bool   // somebody vouches that the live systems that answered hold no personal data
	Findings    []Finding
	Records     []RecordCount
	Suppressed  []Suppression
	Unused      []Rule
	Expired     []Rule
	Notes       []string
	NotTested   []string     // what this run says nothing about
	Egress      []Connection // every connection attempt of the run
	Logs        []Log        // what targets and upstreams said
}

// Side is one of the two recordings that were compared.
type Side struct {
	Name      string // folder, or words such as "this run"
	Digest    string // of the recording's content
	Exchanges int
	Manifest  Manifest
}

// Connection is one attempt to reach a network address.
type Connection struct {
	Address string // host:port as asked for
	IP      string // what it resolved to; empty when it did not
	Allowed bool
	Reason  string // the rule that decided
	Count   int
}

// Log is what a started program said on standard error.
type Log struct {
	System string
	Text   string // the last 64 KiB
}

// Judge sets Verdict and Reason from the findings, unless the verdict is already NoConclusion.
func (r *Report) Judge() {
	if r.Verdict == NoConclusion {
		return
	}
	r.Verdict = Same
	for _, f := range r.Findings {
		if Worst(r.Verdict, f.Verdict) != r.Verdict {
			r.Verdict, r.Reason = f.Verdict, f.Sentence
		}
	}
	if len(r.Findings) == 0 {
		r.Reason = "No differences beside those that rules with a reason took away."
	}
}
