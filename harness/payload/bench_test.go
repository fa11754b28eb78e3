package payload

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"testing"
	"time"
)

// race runs ours and the peer in turn and reports both in MB/s and their ratio: above 1 ours is faster.
func race(b *testing.B, size int, peerName string, ours, peer func() error) {
	var took [2]time.Duration
	for b.Loop() {
		for i, parse := range []func() error{ours, peer} {
			start := time.Now()
			if err := parse(); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(start)
		}
	}
	mb := float64(size) * float64(b.N) / 1e6
	b.ReportMetric(mb/took[0].Seconds(), "MB/s")
	b.ReportMetric(mb/took[1].Seconds(), "peer-MB/s")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-"+peerName)
}

func BenchmarkParseJSON(b *testing.B) {
	source := students(7000)
	race(b, len(source), "encoding/json",
		func() error { _, err := ParseJSON(source); return err },
		func() error { var v any; return json.Unmarshal(source, &v) })
}

func BenchmarkParseCSV(b *testing.B) {
	source := registrations(17000)
	race(b, len(source), "encoding/csv",
		func() error { _, err := ParseCSV(source); return err },
		func() error { _, err := csv.NewReader(bytes.NewReader(source)).ReadAll(); return err })
}

// BenchmarkSum compares hashing a parsed document with parsing it.
func BenchmarkSum(b *testing.B) {
	source := students(7000)
	d, err := ParseJSON(source)
	if err != nil {
		b.Fatal(err)
	}
	h := NewHasher()
	race(b, len(source), "ParseJSON",
		func() error { h.Sum(d.Root()); return nil },
		func() error { _, err := ParseJSON(source); return err })
}
