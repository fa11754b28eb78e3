// Package harness holds the nouns of Rehearse: what crosses between two systems, where it was recorded, what is
// rehearsed, how the outcome differs and what that means. It imports the standard library only; every other package
// speaks in its terms.
//
// # Architecture
//
// One pipe serves three journeys (a vendor upgrade, a mapping change, a production failure):
//
//	record → scrub → replay → diff → explain → report
//
// A [Recorder] puts each [Exchange] that it sees into a [Sink]. The scrubber is a Sink in front of the store, so that
// nothing raw reaches the disk. A [Scenario] names a [Recording], a [Target] and what is expected; a [Stage] is the
// started target. Feeding it yields a second Recording, made by the same recorders: a replay is a second recording.
// Two Recordings make a [Comparison] of [Difference] values (facts), which the detectors turn into [Finding] values
// (explanations), each with a [Verdict]. A [Report] holds the outcome with its evidence. Nothing calls back into an
// earlier step.
//
// Direction is relative. An Exchange says From and To systems. A Scenario names the target's system: exchanges to it
// are fed, exchanges from it are watched, and answered by mocks or by live test instances.
//
// # Floors
//
// Imports go down only; cmd/rehearse/floors_test.go holds the table and enforces it.
//
//	5  cmd/rehearse, harness/harnesstest
//	4  harness/rehearsal, harness/web
//	3  recorders, harness/target, harness/shrink, harness/capture, harness/whatif
//	2  harness/diff explain incident invariant mock replay report atlas/calendar, fixtures and below, scenarios, recorders/*
//	1  harness/payload, harness/cron, harness/sign, harness/internal/*, fixtures/journal segment, recorders/authority database internal/*
//	0  harness, harness/cputime
//
// # Glossary
//
//   - Exchange: one crossing between two systems, and its answer.
//   - Message: half an exchange: an ordered head, a media type and a body.
//   - Body: bytes exactly as they crossed, content encoding kept.
//   - Recording: exchanges in order, and where they come from.
//   - Session: the exchanges that belong to one unit of work, such as one applicant or one nightly run.
//   - Channel: how an exchange crossed: http, file, table, message, mail, directory.
//   - Operation: what an exchange asks for, with identifiers generalised: "GET /applications/{}", "registrations.csv".
//   - Path: a place in an exchange, one syntax for every payload format.
//   - Crosswalk: a code table that translates one system's codes to another's.
//   - Invariant: what a message promises about itself, such as a trailer that counts its records.
//   - Severity: how bad a kind of change is, by direction and by the profile that an integration chose.
//   - Cause: the rule that a finding rests on, the places that it rewrites, and what came of applying it to the baseline.
//   - Flow: which field of one system feeds which field of another.
//   - Baseline and candidate: the two sides of a comparison, called A and B or was and is.
//   - Sealed: scrubbed and complete; only a sealed recording can be replayed, compared or committed.
package harness
