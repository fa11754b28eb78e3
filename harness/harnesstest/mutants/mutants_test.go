package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestPlantedChangesAreSeen holds the scores to what must never fall, on the demo world and, where it is there, on real
// data: every planted change makes a difference, a world against itself is silent, nothing is proven wrongly, and four
// changes of five are found.
func TestPlantedChangesAreSeen(t *testing.T) {
	b, err := run(t.Context(), options{mutants: 120, seed: 7, data: os.Getenv("REHEARSE_REAL_DATA")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	sum := b.total()
	if sum.planted < 100 {
		t.Errorf("only %d changes were planted", sum.planted)
	}
	if sum.unseen > 0 || b.silent > 0 {
		t.Errorf("%d changes make no difference, %d findings without a change", sum.unseen, b.silent)
	}
	if b.wrongProofs > 0 {
		t.Errorf("%d findings call themselves proven and hold what is not their own", b.wrongProofs)
	}
	if 100*sum.found < 80*sum.planted {
		t.Errorf("only %d of %d changes were found", sum.found, sum.planted)
	}
}

func TestSameSeedGivesTheSameScores(t *testing.T) {
	var tables [2]string
	for i := range tables {
		var out strings.Builder
		if _, err := run(t.Context(), options{mutants: 12, seed: 3}, &out); err != nil {
			t.Fatal(err)
		}
		tables[i] = out.String()
	}
	if tables[0] != tables[1] {
		t.Errorf("two runs differ:\n%s\n%s", tables[0], tables[1])
	}
}
