// Package report writes a [harness.Report] for people and machines: terminal text, JSON, JUnit XML, a Markdown comment
// and one self-contained HTML page.
//
// Every kind is a row of [Kinds] and is deterministic: the same report gives the same bytes. What came from payloads is
// hostile until written: control characters, bidirectional overrides and invisible characters are shown as \x1b or
// \u202e in every kind, and each kind then escapes what is special in its own syntax. JSON keeps the values exact and
// spells such characters as JSON escapes.
//
// Memory: a kind builds its output whole before it writes, so that a report is never half-written because of an error
// in the report itself. The kinds for people show a bounded part of a finding; JSON holds every difference, so its size
// grows with the report.
package report
