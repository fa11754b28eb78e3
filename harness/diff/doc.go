// Package diff states the facts about two recordings: every place where the candidate left the baseline.
//
// Exchanges are paired by session, systems, channel and operation. Bodies are compared as trees with their lexical
// form: numbers as decimals, null apart from missing, duplicate members one by one. Records are aligned by a declared
// key, else by members that are unique in all exchanges of the operation, else by equality in order, equality elsewhere
// (a move) and likeness; never by bare index. A record whose key was damaged (leading zeros, case, blanks) is paired with
// its old self, so that the damage is a change and not a removal and an addition. Rules are applied before records are
// aligned: noise is part of no key and of no likeness.
//
// Noise is taken away by typed rules only. Each has a reason; what it took away is counted, with a sample. White space
// and member order of JSON and the spelling of its strings carry no meaning; bodies that differ in nothing else are
// counted in the notes.
//
// Memory: the heads of both recordings, two documents at a time, and up to maxSurveyedSize of those by which keys are
// chosen. Tables, JSON arrays and JSON Lines above streamFrom
// are not held: their records are read one by one, joined by 128-bit fingerprints of their keys, and those whose bytes
// differ are read once more. That takes about 40 bytes for each record of the baseline, at most 90 MB, for more than
// recordsPerPart are split by key into files; 8 bytes for each record of both sides and 4 for their order; up to 30 MB of
// buffers; and the differences themselves. So ten million rows take less than 512 MB. The facts are those of documents
// held whole, in the same order. Up to wholeMost bytes, lists whose values a rule pairs with one another, and those
// without a key, are held whole, the latter aligned in order; above, such a rule knows the changed values only, and of records
// without a key equal ones are paired and the rest is removed and added, as the notes tell.
//
// Time is linear in the bytes but for alignment without a key: maxEdits and maxSteps bound the search for the longest common
// sequence, maxEffort and maxCompare the pairing by likeness. Beyond them the notes say at which place the alignment was
// degraded; what is stated there is true, but more than necessary may be stated.
package diff
