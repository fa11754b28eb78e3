//go:build unix

package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cputime"
	"github.com/rehearse-dev/rehearse/harness/internal/planted"
)

// compareFiles names two files that this process compares instead of running tests, so that its time and memory are
// those of a comparison and of nothing else.
const compareFiles = "REHEARSE_COMPARE_FILES"

func TestMain(m *testing.M) {
	if dir := os.Getenv(compareFiles); dir != "" {
		debug.SetGCPercent(50) // as the command does
		count, err := compareFolder(dir)
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(count)
		}
		if err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// compareFolder counts the places that differ between the files was and is of a folder, moved ones left out.
func compareFolder(dir string) (places int, err error) {
	ext, err := os.ReadFile(filepath.Join(dir, "ext"))
	if err != nil {
		return 0, err
	}
	var sides [2]*harness.Memory
	for i, name := range []string{"was", "is"} {
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		sides[i] = harness.NewMemory(harness.Manifest{}, harness.Exchange{
			Session: "night", Channel: harness.ChannelFile, From: "sis", To: "hubline",
			Request: harness.Message{
				Head: harness.Head{{Name: harness.FieldName, Value: "students" + string(ext)}},
				Body: harness.StoredBody(info.Size(), "made-"+name, func() (io.ReadCloser, error) { return os.Open(file) }),
			},
		})
	}
	c, err := Recordings(sides[0], sides[1], Options{})
	if err != nil {
		return 0, err
	}
	for _, d := range c.Differences {
		if d.Class != harness.Moved {
			places += d.Count
		}
	}
	return places, nil
}

// BenchmarkLargeLists compares lists with planted edits, each time in a process of its own. It finds exactly what was
// planted; the key is inferred.
func BenchmarkLargeLists(b *testing.B) {
	for _, tc := range []struct {
		name, ext string
		w         planted.Workload
		write     func(planted.Workload, io.Writer, bool) error
	}{
		{"json-few", ".json", planted.Workload{Records: 100_000}, planted.Workload.JSON},
		{"json-shuffled", ".json", planted.Workload{Records: 100_000, Shuffled: true}, planted.Workload.JSON},
		{"json-volatile", ".json", planted.Workload{Records: 100_000, Volatile: true}, planted.Workload.JSON},
		{"csv-1M", ".csv", planted.Workload{Records: 1_000_000}, planted.Workload.CSV},
		{"csv-1M-shuffled", ".csv", planted.Workload{Records: 1_000_000, Shuffled: true}, planted.Workload.CSV},
		{"csv-10M-shuffled", ".csv", planted.Workload{Records: 10_000_000, Shuffled: true}, planted.Workload.CSV},
	} {
		b.Run(tc.name, func(b *testing.B) {
			if testing.Short() && tc.w.Records > 1_000_000 {
				b.Skip("two files of 1.2 GB are much for a short run")
			}
			dir := b.TempDir()
			for i, name := range []string{"was", "is"} {
				f, err := os.Create(filepath.Join(dir, name))
				if err != nil {
					b.Fatal(err)
				}
				if err := tc.write(tc.w, f, i == 1); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, "ext"), []byte(tc.ext), 0o600); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			var cpu time.Duration
			var peak int64
			for b.Loop() {
				spent, most := compareAlone(b, dir, tc.w.Edits())
				cpu, peak = cpu+spent, max(peak, most)
			}
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		})
	}
}

// compareAlone compares a folder in a process of its own, and returns its CPU time and the most memory that it had.
func compareAlone(b *testing.B, dir string, want int) (cpu time.Duration, peak int64) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), compareFiles+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	var got int
	if err := json.Unmarshal(out, &got); err != nil || got != want {
		b.Fatalf("%d places differ (%v), %d were planted", got, err, want)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("this system does not tell what a process used")
	}
	peak = int64(usage.Maxrss)
	if runtime.GOOS != "darwin" {
		peak <<= 10 // bytes there, kilobytes elsewhere
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak
}

// BenchmarkShiftedArray800 aligns elements that no member identifies: all differ, but only in two members together.
func BenchmarkShiftedArray800(b *testing.B) {
	list := func(shift int) string {
		var text []string
		for i := range 800 {
			k := (i + shift) % 800
			text = append(text, fmt.Sprintf(`{"plan":"P%d","credits":%d,"status":"active","notes":"transferred from the college across the lake"}`, k%29, k%31))
		}
		return "[" + strings.Join(text, ",") + "]"
	}
	was, is := answer("application/json", list(0)), answer("application/json", list(7))
	start := cputime.Used()
	for b.Loop() {
		c, err := Recordings(was, is, Options{})
		if err != nil || len(c.Differences) != 1 || c.Differences[0].Count != 7 {
			b.Fatal(err, lines(c), c.Notes)
		}
	}
	b.ReportMetric(float64(cputime.Used()-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms")
}
