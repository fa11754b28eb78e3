package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const output = `goos: linux
pkg: github.com/rehearse-dev/rehearse/harness/mock
BenchmarkNew-2    	      10	 100000000 ns/op	 5 B/op
BenchmarkNew-2    	      10	 400000000 ns/op	 5 B/op
BenchmarkNew-2    	      10	 250000000 ns/op	 5 B/op
BenchmarkFlat/get-2	       1	 1 ns/op	 0.7900 ratio
PASS
pkg: github.com/rehearse-dev/rehearse/fixtures
BenchmarkPut    	      10	 1 ns/op	 120000 puts/s
ok  	github.com/rehearse-dev/rehearse/fixtures	1.0s
`

var sample = []row{
	{"ready", "harness/mock.BenchmarkNew", "ns/op", ms, "%.0f ms", atMost(300)},
	{"flat", "harness/mock.BenchmarkFlat/get", "ratio", one, "%.2f", within(0.8, 1.2)},
	{"kept", "fixtures.BenchmarkPut", "puts/s", one, "%.0f /s", noBar},
	{"gone", "fixtures.BenchmarkGone", "ns/op", ms, "%.0f ms", atLeast(1)},
}

func TestTable(t *testing.T) {
	r, err := read(strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	missing := write(&got, sample, r)
	want := `
| measured |       figure |       bar | met    |
|----------|-------------:|----------:|--------|
| ready    |       250 ms |     ≤ 300 | yes    |
| flat     |         0.79 | 0.8 – 1.2 | **no** |
| kept     |    120000 /s |           |        |
| gone     | not measured |       ≥ 1 | **no** |
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got.String()); diff != "" || missing != 1 || len(r.failures) != 0 {
		t.Errorf("%d missing, failures %q\n%s", missing, r.failures, diff)
	}
}

func TestFailureIsShownAndEndsTheRun(t *testing.T) {
	var out strings.Builder
	err := run(strings.NewReader(output+"--- FAIL: BenchmarkOpen\nFAIL\tfixtures\t1s\n"), &out)
	if err == nil || !strings.Contains(out.String(), "--- FAIL: BenchmarkOpen") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A benchmark that was renamed would leave its row without a figure.
func TestEveryRowNamesABenchmarkThatReportsItsUnit(t *testing.T) {
	for _, row := range rows {
		pkg, name, _ := strings.Cut(row.benchmark, ".")
		name, _, _ = strings.Cut(name, "/")
		files, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var source strings.Builder
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(content)
		}
		if !regexp.MustCompile(`func ` + name + `\(b \*testing\.B\)`).MatchString(source.String()) {
			t.Errorf("%s: no such benchmark", row.benchmark)
		}
		builtIn := map[string]bool{"ns/op": true, "B/op": true, "MB/s": true}
		if !builtIn[row.unit] && !strings.Contains(source.String(), `"`+row.unit+`"`) {
			t.Errorf("%s does not report %s", row.benchmark, row.unit)
		}
	}
}
