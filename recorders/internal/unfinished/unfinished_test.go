package unfinished

import "testing"

func TestNamesOfUploads(t *testing.T) {
	for name, want := range map[string]bool{
		"roster.csv": false, "in/roster.csv": false, ".d/roster.csv": false, "roster.tmp.csv": false, "part": false,
		"roster.csv.tmp": true, "in/Roster.CSV.FilePart": true, "roster.csv.part": true, "roster.csv.uploading": true,
		"roster.csv~": true, ".roster.csv": true, "in/.roster.csv": true,
	} {
		if Is(name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
	if HasEnding(".roster.csv") || HasEnding("roster.csv~") || !HasEnding("roster.csv.PART") {
		t.Error("an ending is one of those that programs put behind the last name")
	}
}
