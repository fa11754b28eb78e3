//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness/internal/planted"
)

// Limits of one comparison.
const (
	cpuLimit    = 40 // seconds
	wallLimit   = 80 * time.Second
	memoryLimit = 8 << 30 // bytes of address space
)

// printDiffers compares all differs on all workloads, from easy to hard.
func printDiffers(out io.Writer) error {
	dir, err := os.MkdirTemp("", "peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in the folder for such things
	table := newTable()
	for _, w := range workloads {
		if err := write(dir, w); err != nil {
			return err
		}
		for _, d := range differs {
			if d.format == "" || d.format == w.format {
				table.add(d, w, measure(dir, d, w, table.tried(d, w)))
			}
		}
	}
	return table.write(out)
}

// compare is one differ, within the limits: its name and two files.
func compare(args []string) error {
	name, was, is := args[0], args[1], args[2]
	limits := map[int]uint64{syscall.RLIMIT_CPU: cpuLimit, syscall.RLIMIT_AS: memoryLimit}
	for what, limit := range limits {
		if err := syscall.Setrlimit(what, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	for _, d := range differs {
		if d.name == name {
			n, err := d.run(was, is)
			fmt.Println(n)
			return err
		}
	}
	return fmt.Errorf("no differ is called %q", name)
}

// workload is what all are measured on.
type workload struct {
	name   string
	format string
	planted.Workload
}

// workloads of one size rise in difficulty.
var workloads = func() (list []workload) {
	for _, n := range []int{20, 2_000, 100_000} {
		list = append(list,
			workload{"few", ".json", planted.Workload{Records: n}},
			workload{"shuffled", ".json", planted.Workload{Records: n, Shuffled: true}},
			workload{"volatile", ".json", planted.Workload{Records: n, Volatile: true}})
	}
	return append(list,
		workload{"few", ".csv", planted.Workload{Records: 1_000_000}},
		workload{"shuffled", ".csv", planted.Workload{Records: 1_000_000, Shuffled: true}})
}()

func write(dir string, w workload) error {
	for _, side := range []string{"was", "is"} {
		f, err := os.Create(filepath.Join(dir, side+w.format))
		if err != nil {
			return err
		}
		put := w.JSON
		if w.format == ".csv" {
			put = w.CSV
		}
		if err := errors.Join(put(f, side == "is"), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func mediaOf(file string) string {
	if strings.HasSuffix(file, ".csv") {
		return "text/csv"
	}
	return "application/json"
}

// result is one cell.
type result struct {
	cpu      time.Duration
	peak     int64 // bytes
	reported int
	limit    string // that ended it; empty when it came to an end
}

// measure runs a differ in a process of its own, unless it failed on something easier.
func measure(dir string, d differ, w workload, tried bool) result {
	if !tried {
		return result{limit: "not run"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), wallLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "compare", d.name, filepath.Join(dir, "was"+w.format), filepath.Join(dir, "is"+w.format))
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	r := result{}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss << 10
		r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	if err != nil {
		r.limit = ended(ctx, cmd.ProcessState, log.String())
		return r
	}
	if r.reported, err = strconv.Atoi(strings.TrimSpace(out.String())); err != nil {
		r.limit = "error"
	}
	return r
}

// ended says which limit ended a process.
func ended(ctx context.Context, state *os.ProcessState, log string) string {
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case ctx.Err() != nil, status.Signal() == syscall.SIGXCPU, status.Signal() == syscall.SIGKILL, strings.Contains(log, "SIGXCPU"):
		return fmt.Sprintf("> %d s", cpuLimit)
	case strings.Contains(log, "out of memory"), strings.Contains(log, "cannot allocate"):
		return fmt.Sprintf("> %d GiB", memoryLimit>>30)
	}
	first, _, _ := strings.Cut(log, "\n")
	fmt.Fprintln(os.Stderr, "peers: a comparison failed:", first)
	return "error"
}
