package harrowlake

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// extracted is a workspace of the demo world with a placeholder for each recording.
func extracted(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	tree := fstest.MapFS{
		"embed.go":                            {Data: []byte("package harrowlake\n")},
		"changes/sis-9.32/bodies/000003.csv":  {Data: []byte("TERM,CRN\r\n")},
		"sis-lms-enrollment/bodies/odd {}.gz": {Data: []byte{0x1f, 0x8b, 0}},
	}
	for _, depth := range []string{"*", "*/*"} {
		manifests, err := fs.Glob(os.DirFS("../../fixtures/harrow-lake"), depth+"/recording.yaml")
		if err != nil || len(manifests) == 0 {
			t.Fatalf("no recordings: %v", err)
		}
		for _, name := range manifests {
			tree[name] = &fstest.MapFile{Data: []byte("format: rehearse-recording\n")}
		}
	}
	err := Extract(dir, tree)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExtractWritesBothTreesByteForByte(t *testing.T) {
	dir := extracted(t)
	root, err := os.ReadFile(filepath.Join(dir, "rehearse.yaml"))
	if err != nil || string(root) != RootFile {
		t.Fatalf("rehearse.yaml is %q, %v", root, err)
	}
	err = fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, _ := fs.ReadFile(FS(), name)
		got, err := os.ReadFile(filepath.Join(dir, "scenarios", "harrow-lake", filepath.FromSlash(name)))
		if string(got) != string(want) {
			t.Errorf("%s differs", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "fixtures/harrow-lake/changes/sis-9.32/bodies/000003.csv"))
	if err != nil || string(got) != "TERM,CRN\r\n" {
		t.Errorf("fixture is %q, %v", got, err)
	}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(name); ext == ".go" || ext == ".partial" {
			t.Errorf("%s does not belong into a workspace", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExtractRefusesFolderThatHoldsSomething(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Extract(dir, fstest.MapFS{})
	if err == nil || harness.ClassOf(err) != harness.ClassUsage || !strings.Contains(err.Error(), "mine.txt") || harness.HintOf(err) == "" {
		t.Errorf("error %v with hint %q", err, harness.HintOf(err))
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("the folder holds %d entries, want the one that was there", len(entries))
	}
}

func TestEveryScenarioIsReadAndNamesFilesThatExist(t *testing.T) {
	dir := extracted(t)
	w, err := scenarios.OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := scenarioFiles()
	if err != nil || len(files) == 0 {
		t.Fatalf("scenarios %v, %v", files, err)
	}
	for _, file := range files {
		s, err := w.Scenario(filepath.Join(dir, "scenarios", "harrow-lake", filepath.FromSlash(file)))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, name := range filesOf(s) {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Errorf("%s names %s: %v", file, name, err)
			}
		}
	}
}

// scenarioFiles lists the scenarios of the world.
func scenarioFiles() ([]string, error) {
	var all []string
	for _, pattern := range []string{"i*/*.yaml", "after-fix/*.yaml"} {
		files, err := fs.Glob(FS(), pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// filesOf returns the files and folders that a scenario names.
func filesOf(s harness.Scenario) []string {
	names := append([]string{s.Recording}, s.ExpectFiles...)
	if s.Candidate != "" {
		names = append(names, s.Candidate)
	}
	for _, m := range s.Target.JQ {
		names = append(names, m.Program)
		for _, c := range m.Crosswalks {
			names = append(names, c)
		}
	}
	return names
}

func TestEveryYAMLFileNamesASchemaThatExists(t *testing.T) {
	dir := extracted(t)
	files, err := fs.Glob(FS(), "*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	nested, _ := fs.Glob(FS(), "*/*/*.yaml")
	for _, file := range append(files, nested...) {
		if file == verdictsFile {
			continue
		}
		b, _ := fs.ReadFile(FS(), file)
		first, _, _ := strings.Cut(string(b), "\n")
		schema, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if !ok {
			t.Errorf("%s begins with %q, not with its schema", file, first)
			continue
		}
		at := filepath.Join(dir, "scenarios", "harrow-lake", filepath.Dir(filepath.FromSlash(file)), filepath.FromSlash(schema))
		if _, err := os.Stat(at); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
