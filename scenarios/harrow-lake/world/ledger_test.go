package world

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func linesOf(t *testing.T, x harness.Exchange) []string {
	t.Helper()
	b, err := x.Request.Body.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func TestLedgerBalancesAndHasItsWidths(t *testing.T) {
	for _, tc := range []struct {
		name    string
		x       harness.Exchange
		detail  int
		example string
	}{
		{"9.31", Ledger()[0], 132, "DATRIUMARF0012345000120261005CHG1H110001210500113010000000Tuition Fall 2026                  0000000101375DH00000102202640          "},
		{"9.32", LedgerCandidate932()[0], 137, "DATRIUMARF0012345000120261005CHG1H110001210500113010000000Tuition Fall 2026                       0000000101375DH00000102202640          "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines := linesOf(t, tc.x)
			if len(lines) != 62 || lines[1] != tc.example {
				t.Fatalf("%d lines, the first detail %q", len(lines), lines[1])
			}
			for i, l := range lines {
				want := tc.detail
				if i == 0 || i == 61 {
					want = 132
				}
				if len(l) != want {
					t.Errorf("line %d has %d bytes, want %d", i+1, len(l), want)
				}
			}
			if want := "TATRIUMAR0000060000000003639375000000003639375"; strings.TrimRight(lines[61], " ") != want {
				t.Errorf("trailer %q, want %q", lines[61], want)
			}
		})
	}
}
