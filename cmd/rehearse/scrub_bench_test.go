//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// BenchmarkScrubEndToEnd imports ten extracts of JSON lines, each about 5,000 people, the same or others in each: learn,
// replace, write, prove.
func BenchmarkScrubEndToEnd(b *testing.B) {
	b.Run("same", func(b *testing.B) { benchmarkImport(b, 0) })
	b.Run("others", func(b *testing.B) { benchmarkImport(b, 5000) })
}

func benchmarkImport(b *testing.B, step int) {
	dir, work := b.TempDir(), b.TempDir()
	policy := filepath.Join(work, "policy.yaml")
	if err := os.WriteFile(policy, []byte(benchPolicy), 0o600); err != nil {
		b.Fatal(err)
	}
	size := 0
	for file := range 10 {
		var text strings.Builder
		for i := range 5000 {
			n := file*step + i
			fmt.Fprintf(&text, `{"id":"H%08d","first":"Person%d","last":"Family%d","email":"person%d@lake.edu","phone":"312-867-%04d","birth":"19%02d-0%d-1%d",`+
				`"status":"RE","program":"BIOL-BS","term":"202710","gpa":3.50,"credits":15,"campus":"MAIN","note":"registered on the web","updated":"2026-10-05T12:00:00Z"}`+"\n",
				n, n, n*7, n, n%10000, 50+n%50, 1+n%9, n%9)
		}
		size += text.Len()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("people%d.ndjson", file)), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	key := filepath.Join(work, "key")
	rehearses(b, "scrub", "key", "--file", key)
	began := cputime.Used()
	for b.Loop() {
		rehearses(b, "import", dir, "--format", "files", "--policy", policy, "--key", key, "--out", filepath.Join(work, "out"), "--force")
	}
	b.ReportMetric(float64(size)*float64(b.N)/1e6/(cputime.Used()-began).Seconds(), "MB/cpu-s")
}

const benchPolicy = `policy: bench
on-unknown: stop
rules:
  - field: id
    class: id
  - field: [first, last]
    class: person-name
  - field: email
    class: email
  - field: phone
    class: phone
  - field: birth
    class: date-of-birth
  - at: "**"
    keep: true
    reason: codes
`
