//go:build unix

package cputime

import (
	"strings"
	"testing"
)

func TestRaceTellsTheSlowerOne(t *testing.T) {
	few := []byte(strings.Repeat(`{"a":[1,2,"three"]}`+"\n", 2000))
	many := []byte(strings.Repeat(string(few), 10))
	var r Race
	for range 20 {
		if err := r.Turn(JSONTokens(few), JSONTokens(many)); err != nil {
			t.Fatal(err)
		}
	}
	if ratio := r.Ratio(1, 0); len(r.used) != 2 || ratio < 2 {
		t.Errorf("ten times the work took %.1f times as long, of %d pieces of work", ratio, len(r.used))
	}
}

func TestYardsticksReadToTheEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		read func([]byte) func() error
		good string
		bad  string
	}{
		{"JSON", JSONTokens, `{"a":1}` + "\n" + `[2]`, `{"a":1}` + "\n" + `[2}`},
		{"CSV", CSVRecords, "a,b\n1,\"2\"\n", "a,b\n1,\"2\n"},
		{"XML", XMLTokens, "<a><b c='d'/>e</a>", "<a><b c='d'/>e</a><"},
	} {
		if err := c.read([]byte(c.good))(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := c.read([]byte(c.bad))(); err == nil {
			t.Errorf("%s: what is broken at its end was not read so far", c.name)
		}
	}
}
