package fakes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestRelayCutsColumnsThatAreBlank(t *testing.T) {
	for _, tc := range []struct{ layout, in, want, fails, why string }{
		{"", "Dab  cd\nT\n", "Dab  cd\nT\n", "", "no layout: as it is"},
		{"record,from,to\nD,4,5\n", "Dab  cd\nHab  cd\nDx\n", "Dabcd\nHab  cd\nDx\n", "", "other records and short ones stay"},
		{"record,from,to\nD,4,5\n", "Dab  cd", "Dabcd", "", "a last line without its end"},
		{"record,from,to\nD,4,5\n", "Dab  cd\nDabXXcd\n", "Dabcd\n", "relay line 2: columns 4 to 5 are not blank", "data is never cut"},
		{"record,from,to\nD,x,5\n", "", "", "line 2: no columns from and to", "a bad layout"},
	} {
		file := ""
		if tc.layout != "" {
			file = filepath.Join(t.TempDir(), "layout.csv")
			if err := os.WriteFile(file, []byte(tc.layout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		err := Relay(&out, strings.NewReader(tc.in), file)
		if out.String() != tc.want || (err == nil) != (tc.fails == "") || err != nil && (!strings.Contains(err.Error(), tc.fails) || harness.HintOf(err) == "") {
			t.Errorf("%s: %q, %v", tc.why, out.String(), err)
		}
	}
}
