package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// told is a source, and a sink that lists what comes.
type told struct {
	arrivals []string // "drop …" or a body
	reads    int
}

func (s *told) Record(_ context.Context, sink harness.Sink) error {
	s.reads++
	for _, a := range s.arrivals {
		var reason string
		if _, err := fmt.Sscanf(a, "drop %s", &reason); err == nil {
			sink.Drop(reason)
			continue
		}
		if _, err := fmt.Sscanf(a, "leave %s", &reason); err == nil {
			sink.LeaveOut(reason)
			continue
		}
		x := harness.Exchange{Channel: harness.ChannelFile, Request: harness.Message{Body: harness.BytesBody([]byte(a))}}
		if err := sink.Put(x); err != nil {
			return err
		}
	}
	return nil
}

func (s *told) Put(x harness.Exchange) error {
	body, err := x.Request.Body.Bytes()
	s.arrivals = append(s.arrivals, string(body))
	return err
}

func (s *told) Drop(reason string)     { s.arrivals = append(s.arrivals, "drop "+reason) }
func (s *told) LeaveOut(reason string) { s.arrivals = append(s.arrivals, "leave "+reason) }

func TestASpoolGivesASourceTwice(t *testing.T) {
	arrivals := []string{"one", "drop late", "two", "three", "leave rest", "four"}
	for _, tt := range []struct {
		why         string
		most        int64
		reads, held int
	}{
		{"all of it is held, and it is read once", spooled, 1, 6},
		{"it is read again from where the spool ends", 3<<10 + 10, 2, 3},
		{"nothing is held", 0, 2, 0},
	} {
		source := &told{arrivals: arrivals}
		s := &spool{source: source, most: tt.most}
		for pass := range 2 {
			var got told
			if err := s.Record(t.Context(), &got); err != nil {
				t.Fatalf("%s: %v", tt.why, err)
			}
			if !slices.Equal(got.arrivals, arrivals) {
				t.Errorf("%s: pass %d brought %q", tt.why, pass+1, got.arrivals)
			}
			if pass == 0 && len(s.arrived) != tt.held {
				t.Errorf("%s: %d arrivals are held, want %d", tt.why, len(s.arrived), tt.held)
			}
		}
		if source.reads != tt.reads {
			t.Errorf("%s: read %d times, want %d", tt.why, source.reads, tt.reads)
		}
	}
}

func TestASourceThatChangesBetweenItsPassesIsAnError(t *testing.T) {
	for why, second := range map[string][]string{
		"another body": {"one", "twenty", "three"}, "fewer exchanges": {"one"}, "one of them is not dropped now": {"one", "two", "torn", "three"},
	} {
		source := &told{arrivals: []string{"one", "two", "drop torn", "three"}}
		s := &spool{source: source, most: 3<<10 + 10}
		if err := s.Record(t.Context(), &told{}); err != nil {
			t.Fatal(err)
		}
		source.arrivals = second
		if err := s.Record(t.Context(), &told{}); !errors.Is(err, errChanged) {
			t.Errorf("%s: error %v", why, err)
		}
	}
}
