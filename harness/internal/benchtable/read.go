package main

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const modulePath = "github.com/rehearse-dev/rehearse/"

// figureKey is a benchmark, as [row] names it, and a unit.
type figureKey struct{ benchmark, unit string }

// results is what go test printed.
type results struct {
	figures  map[figureKey][]float64
	failures []string // lines that say that something failed
}

// procs is the suffix that go test appends to a benchmark's name.
var procs = regexp.MustCompile(`-\d+$`)

// read collects the figures; a benchmark that ran several times has several. All other lines are passed over.
func read(in io.Reader) (results, error) {
	r := results{figures: map[figureKey][]float64{}}
	pkg := ""
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "pkg: "):
			pkg = strings.TrimPrefix(fields[1], modulePath)
		case strings.HasPrefix(line, "Benchmark") && len(fields) >= 4:
			r.add(pkg+"."+procs.ReplaceAllString(fields[0], ""), fields[2:])
		case strings.HasPrefix(strings.TrimSpace(line), "--- FAIL"), strings.HasPrefix(line, "FAIL"), strings.HasPrefix(line, "panic:"):
			r.failures = append(r.failures, line)
		}
	}
	return r, lines.Err()
}

// add takes pairs of figure and unit.
func (r results) add(benchmark string, pairs []string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if figure, err := strconv.ParseFloat(pairs[i], 64); err == nil {
			key := figureKey{benchmark, pairs[i+1]}
			r.figures[key] = append(r.figures[key], figure)
		}
	}
}

// figure is the median of what was measured.
func (r results) figure(benchmark, unit string) (figure float64, ok bool) {
	all := slices.Sorted(slices.Values(r.figures[figureKey{benchmark, unit}]))
	if len(all) == 0 {
		return 0, false
	}
	return all[len(all)/2], true
}
