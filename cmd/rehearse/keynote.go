package main

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// hasOther reports whether two seals are under two keys, so that one value has two stand-ins.
func hasOther(a, b harness.ScrubSeal) bool { return a.Key != "" && b.Key != "" && a.Key != b.Key }

// noteKeys adds to the notes of a comparison that the sides were scrubbed under two keys.
func noteKeys(sides [2]side, notes []string) []string {
	before, after := sides[0].Manifest.Scrub, sides[1].Manifest.Scrub
	if !hasOther(before, after) {
		return notes
	}
	return append([]string{fmt.Sprintf("scrubbed under two keys (%s before, %s after): one value has two stand-ins, and counts as a change; scrub both sources under one key", before.Key, after.Key)}, notes...)
}

// noteReplaced says that a recording is about to be replaced which is under another key.
func (a *app) noteReplaced(out string, now harness.ScrubSeal) {
	m, err := fixtures.ManifestOf(out)
	if err == nil && hasOther(m.Scrub, now) {
		fmt.Fprintf(a.err, "note: the recording that is replaced is under key %s, this one under %s: its stand-ins fit neither the former ones nor those of others under that key\n", m.Scrub.Key, now.Key)
	}
}
