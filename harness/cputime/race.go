//go:build unix

package cputime

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"time"
)

// Race has several pieces of work done in turn, and adds up what each of them used.
type Race struct{ used []time.Duration }

// Turn does each piece of work once. All turns of a race have the same pieces.
func (r *Race) Turn(work ...func() error) error {
	if r.used == nil {
		r.used = make([]time.Duration, len(work))
	}
	for i, do := range work {
		began := Used()
		if err := do(); err != nil {
			return err
		}
		r.used[i] += Used() - began
	}
	return nil
}

// Used is what the i-th piece of work has used in all turns.
func (r *Race) Used(i int) time.Duration { return r.used[i] }

// Ratio is how many times the time of piece b was used by piece a.
func (r *Race) Ratio(a, b int) float64 { return r.used[a].Seconds() / r.used[b].Seconds() }

// JSONTokens is a yardstick for work on JSON: it reads a text, or lines of JSON, with the standard library, token by token.
// How fast it is tells how fast the machine is at that moment.
func JSONTokens(text []byte) func() error {
	return func() error {
		d := json.NewDecoder(bytes.NewReader(text))
		return toTheEnd(func() error { _, err := d.Token(); return err })
	}
}

// XMLTokens is the same yardstick for XML.
func XMLTokens(text []byte) func() error {
	return func() error {
		d := xml.NewDecoder(bytes.NewReader(text))
		return toTheEnd(func() error { _, err := d.RawToken(); return err })
	}
}

// CSVRecords is the same yardstick for tables with commas.
func CSVRecords(text []byte) func() error {
	return func() error {
		r := csv.NewReader(bytes.NewReader(text))
		return toTheEnd(func() error { _, err := r.Read(); return err })
	}
}

func toTheEnd(next func() error) error {
	for {
		if err := next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
