// Package incident says what a failure leaves behind for people: what is odd about the message that failed, a bundle that
// a vendor can be sent, and the page on which the root cause is written down.
//
// All of it is made of a scrubbed recording, so that stand-ins stay stand-ins. The bundle holds calls and answers, times,
// versions and the way to reproduce, and no names of the house: not those of the caller, of sessions, scenarios, files of
// the workspace, or people. Its bytes are the same in every run. Memory holds the exchanges that were left, and of the
// recording that they are compared with the distinct values of one operation, [most] of each field.
package incident

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Incident is a failure that was reproduced and made small.
type Incident struct {
	Title     string // of the scenario
	Failure   string // the signature, in one line
	Operation string // that fails
	At        time.Time
	Target    string // what was tested, in words
	System    string // the one that fails

	Exchanges []harness.Exchange // the smallest part that fails, with the answers of the last run
	FailingID string             // of the one that fails; empty when it is what the target hands on
	Fields    int                // left in what is fed
	Was       Size               // the recording before
	Odd       []Oddity           // about the message that fails
	Healthy   int                // messages of the operation that went well, in the recordings of the integration

	Integration harness.Integration
	Catalogue   harness.Catalogue
	Recording   string // folder of the recording that was shrunk
	Digest      string // of it
	Scenario    string // file of the smallest scenario
	Tool        string
}

// Size is how much there was.
type Size struct {
	Exchanges, Fields int
	Bytes             int64
}

// failing is the exchange that fails; false when it is what the target hands on.
func (in Incident) failing() (harness.Exchange, bool) {
	for _, x := range in.Exchanges {
		if x.ID == in.FailingID && in.FailingID != "" {
			return x, true
		}
	}
	return harness.Exchange{}, false
}
