package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestInitStartsAWorkspaceThatLacksOnlyItsRecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := Init(dir); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Env = nil
	files, err := w.Scenarios()
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	_, err = w.Scenario(files[0])
	want := `scenarios/example/scenario.yaml:14:12: recording: no "fixtures/example" in the workspace`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.MkdirAll(filepath.Join(dir, "fixtures/example"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := w.Scenario(files[0])
	if err != nil || s.Target.URL.Base != "http://127.0.0.1:8080" || len(s.Expect) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	expect := filepath.Join(dir, "scenarios/example/expect.yaml")
	if err := AcceptInto(expect, []harness.Expectation{expectation("D1", "response.body")}); err != nil {
		t.Error(err)
	}
	if s, err = w.Scenario(files[0]); err != nil || len(s.Expect) != 1 {
		t.Errorf("%+v, %v", s.Expect, err)
	}
}

func TestInitFilesNameASchemaThatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := Init(dir); err != nil {
		t.Fatal(err)
	}
	files, err := starterFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !isYAML(f.name) {
			continue
		}
		first, _, _ := strings.Cut(string(f.content), "\n")
		schema, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if _, err := os.Stat(filepath.Join(dir, filepath.Dir(f.name), schema)); !ok || err != nil {
			t.Errorf("%s begins with %q: %v", f.name, first, err)
		}
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	for _, name := range []string{"rehearse.yaml", ".rehearse.yaml", "catalog/people.yaml", "scenarios/example/scenario.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("mine\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := Init(dir)
			if err == nil || !strings.Contains(err.Error(), name+" is there already") || harness.HintOf(err) == "" {
				t.Errorf("got %v", err)
			}
			if got, _ := os.ReadFile(file); string(got) != "mine\n" {
				t.Errorf("%s is now %q", name, got)
			}
			if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestInitAddsToTheFilesOfGit(t *testing.T) {
	for _, tt := range []struct{ why, old, want string }{
		{"a line that is not ended is ended", "/dist", "/dist\n/.rehearse/*\n!/.rehearse/schema/\n"},
		{"a line that is there is not repeated", "/.rehearse/*\n/dist\n", "/.rehearse/*\n/dist\n!/.rehearse/schema/\n"},
		{"line ends of Windows do not hide a line", "/.rehearse/*\r\n!/.rehearse/schema/\r\n", "/.rehearse/*\r\n!/.rehearse/schema/\r\n"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, ".gitignore")
		if err := os.WriteFile(file, []byte(tt.old), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Init(dir); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if d := cmp.Diff(tt.want, string(got)); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", tt.why, err, d)
		}
	}
}
