package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSuggestedPoliciesPassTheirProof goes from real files to a proved recording with no edit of the policy.
func TestSuggestedPoliciesPassTheirProof(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	work := t.TempDir()
	env := []string{"REHEARSE_KEY_FILE=" + filepath.Join(work, "key")}
	if code, out := rehearsed(t, nil, "scrub", "key", "--file", filepath.Join(work, "key")); code != 0 {
		t.Fatal(out)
	}
	for folder, format := range map[string]string{"traffic/easypost-node-har": "har", "traffic/wiremock": "files", "flatfiles/hl7v2": "files", "flatfiles/microsoft-sds-csv": "files"} {
		t.Run(folder, func(t *testing.T) {
			source, name := filepath.Join(root, folder), filepath.Join(work, filepath.Base(folder))
			for _, args := range [][]string{
				{"scrub", "suggest", source, "--format", format, "--out", name + ".yaml"},
				{"import", source, "--format", format, "--policy", name + ".yaml", "--out", name},
				{"scan", name, "--strict"},
			} {
				if code, out := rehearsed(t, env, args...); code != 0 {
					t.Fatalf("%v: exit %d: %s", args[:2], code, out)
				}
			}
		})
	}
}
