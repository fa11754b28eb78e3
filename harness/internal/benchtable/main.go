// Command benchtable reads the output of go test -bench on standard input and prints the figures that have a bar, or
// that people ask for, as one Markdown table.
//
// It ends with exit code 1 when a benchmark failed or a figure of the table is missing, and with 0 when a bar is
// missed: a busy machine misses bars, and the table says so.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	r, err := read(in)
	if err != nil {
		return fmt.Errorf("read benchmarks: %w", err)
	}
	for _, line := range r.failures {
		fmt.Fprintln(out, line)
	}
	missing := write(out, rows, r)
	switch {
	case len(r.failures) > 0:
		return fmt.Errorf("a benchmark failed")
	case missing > 0:
		return fmt.Errorf("%d figures of the table were not measured", missing)
	}
	return nil
}
