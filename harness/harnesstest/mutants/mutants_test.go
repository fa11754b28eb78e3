package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// TestPlantedChangesAreSeen holds the scores to what must never fall, on the demo world and, where it is there, on real
// data: every planted change makes a difference, a world against itself is silent, nothing is proven wrongly, and four
// changes of five are found.
func TestPlantedChangesAreSeen(t *testing.T) {
	b, err := run(t.Context(), options{mutants: 50, seed: 7, data: os.Getenv("REHEARSE_REAL_DATA")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	sum := b.total()
	if sum.planted < 50 {
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
		if _, err := run(t.Context(), options{mutants: 6, seed: 3}, &out); err != nil {
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

// TestPlacesAreThoseOfTheSource has a change at two sites of one message, of which the first makes its value longer: the
// place of the second one is where it stood before.
func TestPlacesAreThoseOfTheSource(t *testing.T) {
	x := harness.Exchange{Channel: harness.ChannelFile, From: "sis", To: target, Request: harness.Message{
		Head: harness.Head{{Name: harness.FieldName, Value: "a.json"}}, Media: "application/json", Body: harness.BytesBody([]byte(`{"a":"x","b":"y"}`)),
	}}
	w, err := newWorld("two members", []harness.Exchange{x})
	if err != nil {
		t.Fatal(err)
	}
	long := operator{name: "longer", value: text(func(s string) string { return "NEW-" + s })}
	p := &planted{op: &long, sites: w.sites, rate: 1, hit: map[spotKey]bool{}, alone: true}
	list, err := p.apply(w.exchanges)
	if err != nil {
		t.Fatal(err)
	}
	c, err := compare(w.exchanges, list)
	if err != nil || len(c.Differences) != 2 {
		t.Fatalf("%d differences, %v", len(c.Differences), err)
	}
	for i := range c.Differences {
		if at, ok, _ := w.spotOf(&c.Differences[i]); !ok || !p.hit[at] {
			t.Errorf("%s is at %v, not among %v", c.Differences[i].Path, at, p.hit)
		}
	}
}
