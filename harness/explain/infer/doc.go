// Package infer finds the simplest rule that explains how the values of one place changed: a date format, a time zone, a
// code table, a unit, padding, truncation, an encoding, or none.
//
// [Infer] takes pairs of old and new values. Each row of [Families] whose shape fits the pairs solves its parameters from
// a few of them; the resulting rules compete by description length, bits of the rule plus bits of what it leaves
// unexplained, on at most 400 pairs chosen evenly over the old values, and the winner is confirmed on all pairs. Steps
// compose to depth two (trim, then upper case). Rules that fit as well but differ elsewhere are reported with an
// input that would tell them apart. Rules with free tables must also beat 1,000 seeded shuffles of the new values.
//
// The comparison is exact: texts and decimals of any length, never floating point. The same pairs, options and seed give
// the same rule. Memory is bounded by the pairs that are passed in; the work besides one pass over them is bounded by
// the sample. The method follows Gulwani, "Automating string processing in spreadsheets using input-output examples"
// (POPL 2011), with the minimum description length principle for the choice.
package infer
