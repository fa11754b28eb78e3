package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// write prints the table, aligned so that it reads well without a renderer, and returns how many figures are missing.
func write(out io.Writer, rows []row, r results) (missing int) {
	cells := [][]string{{"measured", "figure", "bar", "met"}, nil}
	for _, row := range rows {
		figure, ok := r.figure(row.benchmark, row.unit)
		if !ok {
			missing++
			cells = append(cells, []string{row.what, "not measured", row.bar.String(), "**no**"})
			continue
		}
		figure /= row.per
		cells = append(cells, []string{row.what, fmt.Sprintf(row.format, figure), row.bar.String(), row.bar.met(figure)})
	}
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range cells {
		if line == nil {
			fmt.Fprintf(out, "|-%s-|-%s:|-%s:|-%s-|\n", dashes(widths[0]), dashes(widths[1]), dashes(widths[2]), dashes(widths[3]))
			continue
		}
		fmt.Fprintf(out, "| %-*s | %*s | %*s | %-*s |\n", widths[0], line[0], widths[1], line[1], widths[2], line[2], widths[3], line[3])
	}
	return missing
}

func dashes(n int) string { return strings.Repeat("-", n) }
