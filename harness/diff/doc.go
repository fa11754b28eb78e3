// Package diff states the facts about two recordings: every place where the candidate left the baseline.
//
// Exchanges are paired by session, systems, channel and operation. Bodies are compared as trees with their lexical
// form: numbers as decimals, null apart from missing, duplicate members one by one. Records are aligned by a declared
// key, else by a unique id-like member, else by sequence; never by bare index. A record whose key was damaged (leading
// zeros, case, blanks) is paired with its old self, so that the damage is a change and not a removal and an addition.
//
// Noise is taken away by typed rules only. Each has a reason; what it took away is counted, with a sample. White space
// and member order of JSON and the spelling of its strings carry no meaning; bodies that differ in nothing else are
// counted in the notes.
//
// Memory: the heads of both recordings, and two documents at a time. Tables, JSON arrays and JSON Lines above streamFrom
// are not held: their records are read one by one, joined by 128-bit fingerprints of their keys, and those whose bytes
// differ are read once more. That takes about 40 bytes for each record of the baseline, at most 90 MB, for more than
// recordsPerPart are split by key into files; 8 bytes for each record of both sides and 4 for their order; up to 30 MB of
// buffers; and the differences themselves. So ten million rows take less than 512 MB. The facts are those of documents
// held whole, in the same order. Records without a key are the exception: up to wholeMost bytes they are held whole and
// aligned in order; above, equal ones are paired and the rest is removed and added, as the notes tell.
//
// Time is linear in the bytes but for sequence alignment, which is bounded by maxEdits and says when it gave up.
package diff
