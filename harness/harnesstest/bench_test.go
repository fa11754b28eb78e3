//go:build unix

package harnesstest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/planted"
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

// BenchmarkCommandDiff compares lists with planted edits, from disk to the report.
func BenchmarkCommandDiff(b *testing.B) {
	bin := command(b)
	for _, tc := range []struct {
		name, media string
		w           planted.Workload
		write       func(planted.Workload, io.Writer, bool) error
	}{
		{"json-few", "application/json", planted.Workload{Records: 100_000}, planted.Workload.JSON},
		{"json-volatile", "application/json", planted.Workload{Records: 100_000, Volatile: true}, planted.Workload.JSON},
		{"csv-1M-shuffled", "text/csv", planted.Workload{Records: 1_000_000, Shuffled: true}, planted.Workload.CSV},
	} {
		b.Run(tc.name, func(b *testing.B) {
			dir := b.TempDir()
			sides := [2]string{filepath.Join(dir, "before"), filepath.Join(dir, "after")}
			for i, side := range sides {
				save(b, side, tc.media, func(w io.Writer) error { return tc.write(tc.w, w, i == 1) })
			}
			var cpu time.Duration
			peak := int64(0)
			for b.Loop() {
				cmd := exec.Command(bin, "diff", sides[0], sides[1], "--output", "json", "--out", filepath.Join(dir, "report.json"))
				out, err := cmd.CombinedOutput()
				if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 { // 1: it differs
					b.Fatalf("%v: %s", err, out)
				}
				peak = max(peak, peakBytes(cmd.ProcessState))
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
		})
	}
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

// save stores an answer with a body that is written to a file first. It is streamed: a started process counts the memory
// of the one that started it as its own, until it has more.
func save(b *testing.B, dir, media string, write func(io.Writer) error) {
	b.Helper()
	body, err := written(filepath.Join(b.TempDir(), "body"), write)
	if err != nil {
		b.Fatal(err)
	}
	x := student("1", "")
	x.Response.Media, x.Response.Body = media, body
	seal := harness.ScrubSeal{Policy: harness.Digest([]byte("policy")), Key: "0000000000000000"}
	if err := fixtures.Save(dir, harness.NewMemory(harness.Manifest{Origin: "benchmark", Scrub: seal}, x)); err != nil {
		b.Fatal(err)
	}
}

func written(file string, write func(io.Writer) error) (harness.Body, error) {
	f, err := os.Create(file)
	if err != nil {
		return harness.Body{}, err
	}
	defer f.Close()
	sum := sha256.New()
	if err := errors.Join(write(io.MultiWriter(f, sum)), f.Sync()); err != nil {
		return harness.Body{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return harness.Body{}, err
	}
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return harness.StoredBody(info.Size(), digest, func() (io.ReadCloser, error) { return os.Open(file) }), nil
}
