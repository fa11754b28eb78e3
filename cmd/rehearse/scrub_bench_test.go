//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/cputime"
)

// BenchmarkScrubEndToEnd imports about 50,000 people in JSON lines, the same 5,000 again and again or each of them once:
// learn, replace, write, prove. They come as ten files, or as a HAR of five hundred answers. In turn with that, the tokens
// of a tenth of them are read with the standard library.
func BenchmarkScrubEndToEnd(b *testing.B) {
	b.Run("same", func(b *testing.B) { benchmarkImport(b, benchFiles(b, 0)) })
	b.Run("others", func(b *testing.B) { benchmarkImport(b, benchFiles(b, 5000)) })
	b.Run("har-same", func(b *testing.B) { benchmarkImport(b, benchArchive(b, 5000)) })
	b.Run("har-others", func(b *testing.B) { benchmarkImport(b, benchArchive(b, 50_000)) })
}

// benchPeople are lines of JSON about so many people from one on.
func benchPeople(from, count int) string {
	var text strings.Builder
	for n := from; n < from+count; n++ {
		fmt.Fprintf(&text, `{"id":"H%08d","first":"Person%d","last":"Family%d","email":"person%d@lake.edu","phone":"312-867-%04d","birth":"19%02d-0%d-1%d",`+
			`"status":"RE","program":"BIOL-BS","term":"202710","gpa":3.50,"credits":15,"campus":"MAIN","note":"registered on the web","updated":"2026-10-05T12:00:00Z"}`+"\n",
			n, n, n*7, n, n%10000, 50+n%50, 1+n%9, n%9)
	}
	return text.String()
}

// extract is what an import reads; its size is in bytes on the disk.
type extract struct {
	format, path string
	size         int
}

// benchFiles are ten extracts of 5,000 people; a step apart.
func benchFiles(b *testing.B, step int) extract {
	s := extract{"files", b.TempDir(), 0}
	for file := range 10 {
		text := benchPeople(file*step, 5000)
		s.size += len(text)
		if err := os.WriteFile(filepath.Join(s.path, fmt.Sprintf("people%d.ndjson", file)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// benchArchive is a HAR of 500 answers of 100 people each, of whom so many are distinct.
func benchArchive(b *testing.B, distinct int) extract {
	const answers, each = 500, 100
	var entries []string
	for i := range answers {
		text := benchPeople(i*each%distinct, each)
		quoted, err := json.Marshal(text)
		if err != nil {
			b.Fatal(err)
		}
		entries = append(entries, fmt.Sprintf(`{"startedDateTime":"2026-10-05T12:%02d:%02dZ","time":12,"request":{"method":"GET","url":"https://sis.lake.example/people?page=%d","httpVersion":"HTTP/1.1","headers":[]},`+
			`"response":{"status":200,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/x-ndjson"}],"content":{"size":%d,"mimeType":"application/x-ndjson","text":%s}}}`,
			i/60, i%60, i, len(text), quoted))
	}
	text := `{"log":{"version":"1.2","entries":[` + strings.Join(entries, ",\n") + "]}}"
	file := filepath.Join(b.TempDir(), "people.har")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return extract{"har", file, len(text)}
}

func benchmarkImport(b *testing.B, s extract) {
	work := b.TempDir()
	policy := filepath.Join(work, "policy.yaml")
	if err := os.WriteFile(policy, []byte(benchPolicy), 0o600); err != nil {
		b.Fatal(err)
	}
	key := filepath.Join(work, "key")
	rehearses(b, "scrub", "key", "--file", key)
	imported := func() error {
		rehearses(b, "import", s.path, "--format", s.format, "--policy", policy, "--key", key, "--out", filepath.Join(work, "out"), "--force")
		return nil
	}
	text := []byte(benchPeople(0, 5000))
	var race cputime.Race
	for b.Loop() {
		if err := race.Turn(imported, cputime.JSONTokens(text)); err != nil {
			b.Fatal(err)
		}
	}
	imports, tokens := float64(s.size)/race.Used(0).Seconds(), float64(len(text))/race.Used(1).Seconds()
	b.ReportMetric(imports*float64(b.N)/1e6, "MB/cpu-s")
	b.ReportMetric(imports/tokens, "of-tokens")
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
