//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/internal/planted"
)

// TestEachDifferRuns holds the adapters to a small workload without order changes, on which all but list differs are exact.
func TestEachDifferRuns(t *testing.T) {
	for _, format := range []string{".json", ".csv"} {
		w := workload{"few", format, planted.Workload{Records: 2_000}}
		dir := t.TempDir()
		if err := write(dir, w); err != nil {
			t.Fatal(err)
		}
		for _, d := range differs {
			if d.format != "" && d.format != format {
				continue
			}
			n, err := d.run(filepath.Join(dir, "was"+format), filepath.Join(dir, "is"+format))
			if err != nil || n == 0 {
				t.Errorf("%s: %d, %v", d.name, n, err)
			}
			if exact := d.name == "rehearse" || d.name == "csvdiff"; exact && n != w.Edits() {
				t.Errorf("%s reports %d of %d planted edits", d.name, n, w.Edits())
			}
		}
	}
}

func TestDifferThatFailedIsNotRunOnMore(t *testing.T) {
	table := newTable()
	d := differ{name: "slow", unit: "units"}
	small, large := workload{"few", ".json", planted.Workload{Records: 20}}, workload{"few", ".json", planted.Workload{Records: 2_000}}
	table.add(d, small, result{cpu: time.Second, peak: 3 << 20, reported: 4})
	if !table.tried(d, large) {
		t.Error("it did not fail yet")
	}
	table.add(d, large, result{limit: "> 40 s"})
	if table.tried(d, large) || !table.tried(d, small) {
		t.Error("what is harder is not run, what is easier is")
	}
	var out strings.Builder
	if err := table.write(&out); err != nil {
		t.Fatal(err)
	}
	want := "| 20 json (4) | slow, units | 1.00 s, 3 MiB, 4 |  |  |\n| 2000 json (14) | slow, units | > 40 s |  |  |\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("%s", out.String())
	}
}
