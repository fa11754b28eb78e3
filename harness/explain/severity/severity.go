// Package severity holds the table of how bad each kind of change is, by direction and by profile.
//
// What a vendor hands in and what our side hands out are judged apart: a reader is asked to be tolerant, a sender to be
// strict. The table speaks where nothing is known beyond the change itself; evidence, such as a record that is lost or
// a call that is refused, is for the detector that saw it. [Rules] is the table, and the first row that fits a change
// decides.
package severity

import (
	"github.com/rehearse-dev/rehearse/harness"
)

// Parts of an exchange in which a change can lie.
const (
	PartCall   = "call"   // the exchange as a whole
	PartStatus = "status" // the status code of an answer
	PartHead   = "head"
	PartForm   = "form" // a fact about the body that has no place in it
	PartRecord = "record"
	PartBody   = "body" // a place in the body, or all of it
)

// Change is what the table looks at.
type Change struct {
	Kind  string // F01 to F44 of the finding, or F00
	Class harness.ChangeClass
	Part  string
	Name  string // of the header, of the fact of the form, or of the field; headers in lower case
	Was   harness.Value
	Is    harness.Value

	Out        bool // our side sends it; otherwise it comes in
	Some       bool // other records or calls of the same kind did not change
	Sparse     bool // the field was missing now and then before
	Left       bool // the field is still there in some records or calls
	Read       bool // the mapping is known to read the field
	Unread     bool // the mapping is known not to read it
	Unmapped   bool // no code table translates the code, and no default row catches it
	Updating   bool // the request is a partial update, in which null deletes
	Accepted   bool // a live receiver took what was sent
	Lost       bool // a delivery or a write is not made any more
	InError    bool // it lies in an answer that is an error on both sides
	SameLook   bool // texts look the same: letters and accents are composed differently
	Repaired   bool // texts are as they should be now
	ByPosition bool // the reader takes fields by their position
	Segment    bool // it is a segment of an EDI message, or an element of one
}

// Rule is one row of the table. An empty verdict of a profile is that of the profile typed.
type Rule struct {
	ID     string // S01
	Change string // what is observed
	In     harness.Verdict
	Out    harness.Verdict
	Bytes  harness.Verdict // under the profile bytes, in both directions
	Spell  harness.Verdict // under the profiles bytes and lexical, in both directions
	Unread bool            // benign under the profile tolerant-reader where the mapping does not read the field
	Reason string

	fits func(Change) bool
}

// Of returns the first row that fits the change, and what it says under the profile. The last row fits everything.
func Of(c Change, profile string) (Rule, harness.Verdict) {
	for _, r := range Rules {
		if r.fits(c) {
			return r, r.Level(c.Out, c.Unread, profile)
		}
	}
	panic("the last row of the table fits everything")
}

// Level is what the row says in a direction under a profile, of a field that the mapping is known not to read or not.
func (r Rule) Level(out, unread bool, profile string) harness.Verdict {
	if out {
		return r.Under(profile, r.Out, false)
	}
	return r.Under(profile, r.In, unread)
}

// Under is what a level that was seen becomes under a profile, of a field that comes in and that the mapping is known not
// to read, or of any other.
func (r Rule) Under(profile string, level harness.Verdict, unread bool) harness.Verdict {
	switch profile {
	case harness.ProfileBytes:
		return stricter(stricter(level, r.Spell), r.Bytes)
	case harness.ProfileLexical:
		return stricter(level, r.Spell)
	case harness.ProfileTolerant:
		if r.Unread && unread {
			return harness.Benign
		}
	}
	return level
}

// stricter is the weightier of a level and of what a profile says, which may be nothing.
func stricter(level, says harness.Verdict) harness.Verdict {
	if says == "" {
		return level
	}
	return harness.Worst(level, says)
}
