//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// table is the results, one row for each size and differ, one column for each kind of workload.
type table struct {
	rows   []tableRow
	failed map[string]int // differ → records of the workload on which it reached a limit
}

type tableRow struct {
	format  string
	records int
	planted []string
	differ  differ
	cells   []string
}

func newTable() *table { return &table{failed: map[string]int{}} }

// tried reports whether the differ is to be run: it did not reach a limit on fewer or equally many records.
func (t *table) tried(d differ, w workload) bool {
	records, failed := t.failed[d.name]
	return !failed || w.Records < records
}

func (t *table) add(d differ, w workload, r result) {
	if r.limit != "" && t.tried(d, w) {
		t.failed[d.name] = w.Records
	}
	row := t.row(d, w)
	row.planted = append(row.planted, fmt.Sprint(w.Edits()))
	row.cells = append(row.cells, cell(r))
}

func (t *table) row(d differ, w workload) *tableRow {
	for i := range t.rows {
		if row := &t.rows[i]; row.differ.name == d.name && row.records == w.Records && row.format == w.format {
			return row
		}
	}
	t.rows = append(t.rows, tableRow{format: w.format, records: w.Records, differ: d})
	return &t.rows[len(t.rows)-1]
}

// cell is CPU seconds, peak MiB and what was reported.
func cell(r result) string {
	if r.limit != "" {
		return r.limit
	}
	return fmt.Sprintf("%.2f s, %d MiB, %d", r.cpu.Seconds(), r.peak>>20, r.reported)
}

func (t *table) write(out io.Writer) error {
	var err error
	line := func(cells ...string) {
		if err == nil {
			_, err = fmt.Fprintln(out, "| "+strings.Join(cells, " | ")+" |")
		}
	}
	line("records (planted edits)", "differ", "few", "shuffled", "volatile")
	line("---", "---", "---:", "---:", "---:")
	for i, row := range t.rows {
		what := ""
		if i == 0 || t.rows[i-1].records != row.records {
			what = fmt.Sprintf("%d %s (%s)", row.records, strings.TrimPrefix(row.format, "."), strings.Join(row.planted, ", "))
		}
		cells := append([]string{what, row.differ.name + ", " + row.differ.unit}, row.cells...)
		for len(cells) < 5 {
			cells = append(cells, "")
		}
		line(cells...)
	}
	return err
}
