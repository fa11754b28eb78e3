package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t testing.TB, kind string, r *harness.Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, kind, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryKindMatchesItsGoldenFile(t *testing.T) {
	reports := map[string]*harness.Report{"rich": richReport(), "clean": cleanReport()}
	options := map[string]Options{"rich": {Page: "report.html", Accept: "rehearse accept --finding N"}} // clean: nothing is invented
	for name, r := range reports {
		for _, k := range Kinds {
			t.Run(name+k.Extension, func(t *testing.T) {
				file := filepath.Join("testdata", name+k.Extension)
				got := write(t, k.Name, r, options[name])
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s differs (-want +got):\n%s", file, diff)
				}
			})
		}
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	for _, k := range Kinds {
		first := write(t, k.Name, richReport(), Options{Verbose: true})
		for range 5 {
			if got := write(t, k.Name, richReport(), Options{Verbose: true}); got != first {
				t.Fatalf("%s: the same report gave other bytes:\n%s", k.Name, cmp.Diff(first, got))
			}
		}
	}
}

func TestUnknownKindIsUsageAndNamesTheKinds(t *testing.T) {
	err := Write(&bytes.Buffer{}, "pdf", cleanReport(), Options{})
	if err == nil || harness.ClassOf(err) != harness.ClassUsage {
		t.Fatalf("err = %v, want a usage problem", err)
	}
	for _, k := range Kinds {
		if !strings.Contains(harness.HintOf(err), k.Name) {
			t.Errorf("hint %q does not name %s", harness.HintOf(err), k.Name)
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteReturnsTheErrorOfTheWriter(t *testing.T) {
	for _, k := range Kinds {
		if err := Write(brokenWriter{}, k.Name, cleanReport(), Options{}); !errors.Is(err, errBroken) {
			t.Errorf("%s: err = %v, want %v", k.Name, err, errBroken)
		}
	}
}
