// Package whatif makes variants of what was recorded, and says who is hit by them: "what if this drop-down gets a new
// value?", before anybody adds it.
//
// A [Kind] is a row of the table [Kinds]. It changes a few recorded messages, byte for byte alike elsewhere, or makes a
// mocked system misbehave. [Variation.Apply] does that to the exchanges of one scenario; the caller rehearses the scenario
// with the variant in place of its recording; [Judge] reads the report. The scenario is not edited.
//
// Fields are named as people name them: registrations.RSTS is the column RSTS of what is called registrations, a file or
// an address; applicant.residency is a member below another; Worker.Type an element. Letter case does not matter.
//
// Memory holds the exchanges of one scenario, and one body at a time, up to harness.MaxBodyInMemory.
package whatif
