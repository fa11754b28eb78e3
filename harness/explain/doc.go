// Package explain turns facts into causes: it groups the differences of a comparison into findings, each with one
// cause in plain words, the evidence for it, who is hit and what to do next.
//
// Detectors run in the order of [Detectors], from declared changes over specific causes to the rest. Each claims the
// differences that its cause explains, consequences in later exchanges included; a difference is claimed once. What
// nobody claims becomes F00: unexplained is shown, never hidden; lost records and failing calls among it break the run.
//
// A consequence is claimed with evidence only: in a session in which the cause lies, and, where both sides are records
// with a key, in the record that has the key values of the cause.
//
// A cause that rests on a rule is proved: the rule, with the condition under which it holds, is applied to every old value
// of its places; it is proven when it gives every new one and alters none that stayed. A cause of fewer than
// [harness.MinProven] differences is a candidate. Rules that people accepted are applied anew in the same way.
//
// Memory: the heads of both recordings, the differences, and the distinct values of the fields that are looked at. Lists of
// more than 8 MiB are walked through record by record, each time anew; the tables that a detector compares as wholes (64 MiB
// at most) cost some hundred bytes for each record. Documents that are no lists are held, 128 MiB of those that were read last.
// Time is linear in the differences and in the bytes of the exchanges that they lie in.
package explain
