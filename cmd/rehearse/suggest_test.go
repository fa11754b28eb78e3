package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// realSets are the sets of real files with the format that they are read as. Some hold what no importer can read, which is
// passed over and named. A stop is a part of what suggest or import says when a person has to decide, with the reason.
var realSets = []realSet{
	{folder: "traffic/easypost-node-har", format: "har"},
	{folder: "traffic/linodego"},
	{folder: "traffic/octokit-rb"},
	{folder: "traffic/tax-cloud-soap"},
	{folder: "traffic/newman-postman"},
	{folder: "traffic/uw-canvas", format: "files"},
	{folder: "traffic/wiremock"},
	{folder: "traffic/wiremock", format: "files"},
	{folder: "traffic/canvasapi-fixtures", keepGoing: true, stop: "a proof would be refused yet", reason: "words of the interface are values of identifiers in these made-up answers"},
	{folder: "traffic/mitmproxy-har", format: "har", keepGoing: true, stop: "leak login: to", reason: "an account has the name of a host: --to names the system"},
	{folder: "traffic/mitmproxy-har", format: "mitmproxy"},
	{folder: "flatfiles/bai2", format: "files"},
	{folder: "flatfiles/hl7v2", format: "files", needsPolicy: true},
	{folder: "flatfiles/iso20022", format: "files"},
	{folder: "flatfiles/microsoft-sds-csv", format: "files"},
	{folder: "flatfiles/x12-edifact-staedi", format: "files", needsPolicy: true},
}

type realSet struct {
	folder, format string
	keepGoing      bool
	stop, reason   string
	needsPolicy    bool // names and numbers stand in envelopes, which stay without a rule
}

// reading is the flags with which commands read the set.
func (set realSet) reading() (flags []string) {
	if set.format != "" {
		flags = append(flags, "--format", set.format)
	}
	if set.keepGoing {
		flags = append(flags, "--keep-going")
	}
	return flags
}

// TestSuggestedPoliciesPassTheirProof goes from each set of real files to a proved recording with no edit of the policy, in which
// none of the mail addresses of the set is left.
func TestSuggestedPoliciesPassTheirProof(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	work := t.TempDir()
	env := []string{"REHEARSE_KEY_FILE=" + keyOfSets(t, work)}
	for _, set := range realSets {
		t.Run(set.folder+"_"+set.format, func(t *testing.T) {
			source, name := filepath.Join(root, set.folder), filepath.Join(t.TempDir(), filepath.Base(set.folder))
			reading := set.reading()
			said, stopped := "", false
			for _, args := range [][]string{
				append([]string{"scrub", "suggest", source, "--out", name + ".yaml"}, reading...),
				append([]string{"import", source, "--policy", name + ".yaml", "--out", name}, reading...),
				{"scan", name, "--strict", "--known", addressesOf(t, source)},
			} {
				code, out := rehearsed(t, env, args...)
				said += out
				if stopped = code != 0; stopped && set.stop == "" {
					t.Fatalf("%v: exit %d: %s", args[:2], code, out)
				}
				if stopped {
					break
				}
			}
			if set.stop != "" && (!stopped || !strings.Contains(said, set.stop)) {
				t.Errorf("it is known to stop with %q (%s), and does not: %s", set.stop, set.reason, said)
			}
		})
	}
}

// Whoever has no policy yet gets a proved recording, in which every field that no rule knows is masked, or the rules that are
// needed.
func TestRealSetsAreImportedWithoutAPolicy(t *testing.T) {
	root := os.Getenv("REHEARSE_REAL_DATA")
	if root == "" {
		t.Skip("REHEARSE_REAL_DATA is not set: it names the folder of real traffic")
	}
	env := []string{"REHEARSE_KEY_FILE=" + keyOfSets(t, t.TempDir())}
	for _, set := range realSets {
		t.Run(set.folder+"_"+set.format, func(t *testing.T) {
			args := append([]string{"import", filepath.Join(root, set.folder), "--out", filepath.Join(t.TempDir(), "set")}, set.reading()...)
			code, out := rehearsed(t, env, args...)
			if set.needsPolicy != strings.Contains(out, "Rules that replace it") || set.needsPolicy != (code != 0) {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
}

// mailAddress is one in any file; that of nobody in particular is none.
var mailAddress = regexp.MustCompile(`[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)

// addressesOf writes the mail addresses below a folder to a file, one a line.
func addressesOf(t *testing.T, folder string) string {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		for _, address := range mailAddress.FindAllString(string(text), -1) {
			found[address] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "addresses")
	if err := os.WriteFile(file, []byte(strings.Join(slices.Sorted(maps.Keys(found)), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d addresses", len(found))
	return file
}

// keyOfSets is the same key every time, so that what one run finds the next one finds too; or a new one, as make keys asks.
func keyOfSets(t *testing.T, dir string) string {
	if os.Getenv("REHEARSE_TEST_KEYS") != "random" {
		return keyOfDistrict(t, dir)
	}
	file := filepath.Join(dir, "key")
	if code, out := rehearsed(t, nil, "scrub", "key", "--file", file); code != 0 {
		t.Fatal(out)
	}
	return file
}
