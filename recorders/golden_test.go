package recorders_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

var update = flag.Bool("update", false, "write what the samples become into testdata/golden")

// What each sample becomes, exchange by exchange, is in testdata/golden: it is read by people when it changes.
func TestSamplesBecomeTheseExchanges(t *testing.T) {
	for _, im := range recorders.Importers {
		if im.Name == "files" {
			continue // its moments are those of the files
		}
		golden := filepath.Join("testdata", "golden", im.Name+".txt")
		r := im.Open(sampleOf(t, im), "", "")
		mem := harness.NewMemory(harness.Manifest{})
		if err := r.Record(t.Context(), mem); err != nil {
			t.Error(err)
			continue
		}
		var b strings.Builder
		for x := range mem.Exchanges() {
			describe(t, &b, x)
		}
		fmt.Fprintf(&b, "notes\n  %s\n", strings.Join(r.Notes(), "\n  "))
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if diff := cmp.Diff(string(want), b.String()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +have):\n%s", im.Name, err, diff)
		}
	}
}

func describe(t *testing.T, b *strings.Builder, x harness.Exchange) {
	t.Helper()
	at := "at an unknown moment"
	if !x.At.IsZero() {
		at = "at " + x.At.Format(time.RFC3339Nano)
	}
	fmt.Fprintf(b, "%s %s: %s to %s, session %s, %s, took %v\n", x.ID, x.Channel, x.From, x.To, x.Session, at, x.Took)
	for _, m := range []harness.Message{x.Request, x.Response} {
		if m.IsZero() {
			continue
		}
		for _, f := range m.Head {
			fmt.Fprintf(b, "  %s: %s\n", f.Name, f.Value)
		}
		body, err := m.Body.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		text := string(body)
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\x00") {
			text = fmt.Sprintf("%q", text)
		}
		fmt.Fprintf(b, "  %s, %d bytes\n", m.Media, len(body))
		for line := range strings.Lines(text) {
			fmt.Fprintf(b, "  | %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	if x.Fault != nil {
		fmt.Fprintf(b, "  fault %s: %s\n", x.Fault.Kind, x.Fault.Detail)
	}
}
