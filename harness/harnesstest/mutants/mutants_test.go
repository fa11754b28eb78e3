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

// TestSharedPlacesAreAskedOfNobody has a sign that is turned in 240 rows, of which 40 are multiplied as well: two findings
// of 200 and of 40 are all that can be said.
func TestSharedPlacesAreAskedOfNobody(t *testing.T) {
	for _, test := range []struct {
		name                     string
		held, total, only, alone int
		found                    bool
	}{
		{"sign turned, without the shared rows", 200, 240, 200, 200, true},
		{"times a hundred, in the shared rows only", 40, 40, 0, 0, true},
		{"half of what is its alone", 100, 240, 100, 200, false},
		{"half of what is shared", 20, 40, 0, 0, false},
	} {
		if got := holdsMost(test.held, test.total, test.only, test.alone); got != test.found {
			t.Errorf("%s: found %v", test.name, got)
		}
	}
}
