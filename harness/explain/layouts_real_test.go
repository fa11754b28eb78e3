package explain

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// layoutFolders are the layouts of one roster in the folder of real files; each pair of a group is compared. The layouts
// with the fewest columns are compared with those of the same people.
var layoutFolders = [][]string{
	{"SDS Format/100 Users", "SDS Format/25 Users", "UK Format/100 Users", "UK Format/25 Users", "SDS v2", "SDS v2.1"},
	{"SDS Format/Min Required Attributes", "SDS Format/25 Users"},
	{"UK Format/Min Required Attributes", "UK Format/25 Users", "SDS Format/Min Required Attributes"},
}

// TestRealLayoutsOfARosterAreAHandfulOfFindings takes each layout for what a mapping hands on, and another one for what it
// hands on after a change.
func TestRealLayoutsOfARosterAreAHandfulOfFindings(t *testing.T) {
	data := os.Getenv("REHEARSE_REAL_DATA")
	if data == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic and files")
	}
	for _, group := range layoutFolders {
		for _, from := range group {
			for _, to := range group {
				if from == to {
					continue
				}
				t.Run(from+" to "+to, func(t *testing.T) {
					findings, c := explained(t, layoutOf(t, data, from), layoutOf(t, data, to), nil, nil)
					claimedOnce(t, c, findings)
					t.Logf("%d differences, %d findings\n%s", len(c.Differences), len(findings), words(findings))
					if len(findings) > 12 {
						t.Errorf("%d findings, want at most 12", len(findings))
					}
				})
			}
		}
	}
}

func layoutOf(t *testing.T, data, folder string) []harness.Exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "flatfiles", "microsoft-sds-csv", filepath.FromSlash(folder), "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	var list []harness.Exchange
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fileOf("night", target, "lms", filepath.Base(file), string(body)))
	}
	return list
}
