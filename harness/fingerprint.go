package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Fingerprint names the finding by what it is about: its kind and the operations, general places and classes of the
// differences that it claims. Values, counts, order, wording and judgement do not enter it, so that the same cause keeps
// its name from run to run and code servers can follow it. A finding without differences is named by its source.
//
// Two findings of one run have the same fingerprint when they differ in values alone.
func (f Finding) Fingerprint() string {
	facts := make([]string, 0, len(f.Differences)+1)
	for _, d := range f.Differences {
		facts = append(facts, quoteParts(d.Operation, d.Pattern.Pattern().String(), string(d.Class)))
	}
	if len(facts) == 0 {
		facts = append(facts, quoteParts(append([]string{f.Source}, f.Operations...)...))
	}
	slices.Sort(facts)
	sum := sha256.Sum256([]byte(quoteParts(append([]string{f.Kind}, slices.Compact(facts)...)...)))
	return hex.EncodeToString(sum[:16])
}

// quoteParts joins texts so that no two lists of texts become the same.
func quoteParts(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		writeQuoted(&b, p)
	}
	return b.String()
}
