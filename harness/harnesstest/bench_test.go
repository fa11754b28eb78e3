//go:build unix

package harnesstest_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
)

// command builds the binary as the Makefile does.
func command(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "rehearse")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "github.com/rehearse-dev/rehearse/cmd/rehearse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return bin
}

// BenchmarkCommandStart starts the binary for its version. Bars: 10 ms and 20 MB.
func BenchmarkCommandStart(b *testing.B) {
	bin := command(b)
	info, err := os.Stat(bin)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if out, err := exec.Command(bin, "--version").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	b.ReportMetric(float64(info.Size()), "binary-B")
}

// BenchmarkCommandDiff compares two keyed arrays of 100,000 records, 500 of them changed, from disk to the report. The
// bar for the peak of memory is 500 MB.
func BenchmarkCommandDiff(b *testing.B) {
	bin, dir := command(b), b.TempDir()
	before, after := filepath.Join(dir, "before"), filepath.Join(dir, "after")
	save(b, before, 100_000, 0)
	save(b, after, 100_000, 200)
	peak := int64(0)
	for b.Loop() {
		cmd := exec.Command(bin, "diff", before, after, "--output", "json", "--out", filepath.Join(dir, "report.json"))
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 { // 1: it differs
			b.Fatalf("%v: %s", err, out)
		}
		peak = max(peak, peakBytes(cmd.ProcessState))
	}
	b.ReportMetric(float64(peak), "peak-B")
}

// peakBytes is the largest resident size of an ended process.
func peakBytes(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) // bytes there, kilobytes elsewhere
	}
	return int64(usage.Maxrss) << 10
}

// save stores an answer with the records. They are streamed: a started process counts the memory of the one that started
// it as its own, until it has more.
func save(b *testing.B, dir string, n, every int) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "students.json")
	body, err := students(file, n, every)
	if err != nil {
		b.Fatal(err)
	}
	x := student("1", "")
	x.Response.Body = body
	seal := harness.ScrubSeal{Policy: harness.Digest([]byte("policy")), Key: "0000000000000000"}
	if err := fixtures.Save(dir, harness.NewMemory(harness.Manifest{Origin: "benchmark", Scrub: seal}, x)); err != nil {
		b.Fatal(err)
	}
}

// students writes n records of about 470 bytes; the plan of those whose number is a multiple of every differs.
func students(file string, n, every int) (harness.Body, error) {
	f, err := os.Create(file)
	if err != nil {
		return harness.Body{}, err
	}
	defer f.Close()
	sum, size := sha256.New(), int64(0)
	w := bufio.NewWriter(io.MultiWriter(f, sum))
	for i := range n {
		separator, plan := ",", "BIOL-BS"
		if i == 0 {
			separator = "["
		}
		if every > 0 && i%every == 0 {
			plan = "CHEM-BS"
		}
		written, err := fmt.Fprintf(w, `%s{"id":"H%08d","pidm":%d,"last":"Achebe%d","first":"Ngozi","plan":%q,"term":"202710","credits":%d.50,"status":"active","addresses":[{"type":"home","street":"%d Lake Road","city":"Harrow","zip":"00%d"}],"enrolments":[{"crn":"%05d","role":"student","grade":null},{"crn":"%05d","role":"observer","grade":"A-"}],"advisor":{"id":"W%06d","name":"Omar Nasser"},"notes":"transferred from the college across the lake in the autumn term"}`,
			separator, i, 9007199254740993+i, i, plan, i%20, i, i%999, i%9000, i%8000, i%500)
		if err != nil {
			return harness.Body{}, err
		}
		size += int64(written)
	}
	if err := errors.Join(w.WriteByte(']'), w.Flush(), f.Sync()); err != nil {
		return harness.Body{}, err
	}
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return harness.StoredBody(size+1, digest, func() (io.ReadCloser, error) { return os.Open(file) }), nil
}
