package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/recorders/internal/sources"
)

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsSearchedForItsKindOnly(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a/z.YML", "a.txt", "yaml", "a/deep/er/c.yml"} {
		write(t, filepath.Join(dir, name), name)
	}
	root, files, err := sources.Open(dir, ".yaml", ".yml")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if diff := cmp.Diff([]string{"a/deep/er/c.yml", "a/z.YML", "b.yaml"}, files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if content, err := root.ReadFile(files[1]); err != nil || string(content) != "a/z.YML" {
		t.Errorf("read %q, %v", content, err)
	}
}

func TestFolderWithoutAKindIsAllThatIsNotHidden(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a/z", ".git/config", "a/.swp"} {
		write(t, filepath.Join(dir, name), name)
	}
	root, files, err := sources.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if diff := cmp.Diff([]string{"a/z", "b.csv"}, files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOneFileMayHaveAnyName(t *testing.T) {
	name := filepath.Join(t.TempDir(), "export.json")
	write(t, name, "x")
	root, files, err := sources.Open(name, ".har")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if diff := cmp.Diff([]string{"export.json"}, files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNothingToReadIsAnError(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := sources.Open(dir, ".har", ".x"); err == nil || !strings.Contains(err.Error(), "no *.har file") {
		t.Errorf("empty folder: got %v", err)
	}
	if _, _, err := sources.Open(dir); err == nil || err.Error() != "no file in the folder" {
		t.Errorf("empty folder, any kind: got %v", err)
	}
	if _, _, err := sources.Open(filepath.Join(dir, "nowhere"), ".har"); !os.IsNotExist(err) {
		t.Errorf("missing folder: got %v", err)
	}
}

func TestLinkDoesNotLeadOutOfTheFolder(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "outside.har"), "x")
	dir := filepath.Join(base, "in")
	write(t, filepath.Join(dir, "a.har"), "a")
	if err := os.Symlink("../outside.har", filepath.Join(dir, "b.har")); err != nil {
		t.Skip("links cannot be made here:", err)
	}
	root, files, err := sources.Open(dir, ".har")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if len(files) != 2 {
		t.Fatalf("got %q", files)
	}
	if _, err := root.ReadFile("b.har"); err == nil {
		t.Error("a file outside was read")
	}
}
