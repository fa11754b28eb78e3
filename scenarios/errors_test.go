package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// openWorld opens a workspace with an environment of two variables and a check that knows one comparison.
func openWorld(t testing.TB, dir string) *Workspace {
	t.Helper()
	w, err := OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Env = func(name string) (string, bool) {
		value, ok := map[string]string{"SET": "yes", "UNTIL": "2026-12-31"}[name]
		return value, ok
	}
	w.CheckRule = func(r harness.Rule) error {
		if r.Compare != "instant" {
			return fmt.Errorf("compare %q is not known", r.Compare)
		}
		return nil
	}
	return w
}

// Every file of bad/ ends with the reason why it is refused; the golden file beside it holds the message.
func TestBadScenariosAreRefusedWithTheirPlaces(t *testing.T) {
	w := openWorld(t, "testdata/world")
	files, err := filepath.Glob("testdata/world/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := w.Scenario(file)
			if err == nil {
				t.Fatal("the scenario is accepted")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".want", err.Error()+"\n")
			checkProblem(t, err)
		})
	}
}

// checkProblem holds for every error about a file: it is one of usage, says the next step, and cannot steer a terminal.
func checkProblem(t *testing.T, err error) {
	t.Helper()
	if harness.ClassOf(err) != harness.ClassUsage || harness.HintOf(err) == "" {
		t.Errorf("class %v, hint %q", harness.ClassOf(err), harness.HintOf(err))
	}
	if _, ok := errors.AsType[Problems](err); !ok {
		t.Errorf("%T holds no Problems", err)
	}
	for _, r := range err.Error() {
		if r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' {
			t.Errorf("%U in the message %q", r, err)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s:\n%s", file, d)
	}
}

const good = "scenario: Nightly\nintegration: sis-lms-nightly\nrecording: fixtures/nightly\n" +
	"target:\n  system: hubline\n  url: {base: http://127.0.0.1:8080}\n"

// Files that are awkward to keep in Git.
func TestHostileFilesAreRefusedAtOnce(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, tt := range []struct{ why, src, want string }{
		{"aliases grow without bound", bomb, "s.yaml:1:4: anchors (&) are not supported"},
		{"one byte too much", good + "#" + strings.Repeat("x", maxSize-len(good)), "s.yaml: file is larger than 1048576 bytes"},
		{"flow lists recurse in the parser", strings.Repeat("[", 100_000), "s.yaml:1:65: nested more than 64 levels deep"},
		{"flow mappings too", strings.Repeat("{a: ", 100_000), "nested more than 64 levels deep"},
		{"block lists on one line", strings.Repeat("- ", 100_000), "s.yaml:1:129: nested more than 64 levels deep"},
		{"block mappings by indentation", indented(1000), "s.yaml:65:66: nested more than 64 levels deep"},
		{"the parser is quadratic in keys", keysIn("", 100_000), "more than 1000 keys in one mapping"},
		{"also in brackets", "{" + keysIn(",", 20_000), "more than 1000 keys in one mapping"},
		{"short tokens cost the most", "[" + strings.Repeat("1,", 400_000), "s.yaml:1:150001: more than 150000 tokens"},
		{"anchors cost the parser seconds", strings.Repeat("&x ", 100_000), "anchors (&) are not supported"},
		{"UTF-16 with byte order mark", "\xff\xfes\x00:\x00", "s.yaml: file is UTF-16 or UTF-32; save it as UTF-8"},
		{"UTF-16 big endian", "\xfe\xff\x00s", "file is UTF-16"},
		{"UTF-16 without a mark", "s\x00c\x00", "file is UTF-16"},
		{"Latin-1", "scenario: x\nchange: caf\xe9\n", "s.yaml:2:12: byte 0xe9 is not UTF-8"},
		{"cut in the middle of a character", good + "change: \xe2\x82", "s.yaml:7:9: byte 0xe2 is not UTF-8"},
		{"a raw escape would reach the terminal", "scenario: \x1b[2J\n", "s.yaml:1:11: control character U+001B"},
		{"a NUL", "scenario: a\x00b\n", "s.yaml:1:12: control character U+0000"},
		{"cut in the middle of a quote", good + "change: \"At", "s.yaml:7:9: not YAML:"},
		{"problems are counted, not all printed", "rules:\n" + strings.Repeat("  - {}\n", 500), "more problems"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			w := worldWith(t, map[string]string{"s.yaml": tt.src})
			_, err := w.Scenario(filepath.Join(w.Root(), "s.yaml"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %.300v\nwant %s", err, tt.want)
			}
			checkProblem(t, err)
			if lines := strings.Count(err.Error(), "\n"); lines > maxProblems {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

func indented(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

func keysIn(sep string, n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "a%d: 1%s\n", i, sep)
	}
	return b.String()
}

// worldWith copies the world of the tests and adds files to it.
func worldWith(t testing.TB, files map[string]string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/world")); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return openWorld(t, dir)
}

func TestVariablesCannotGrowWithoutBound(t *testing.T) {
	w := worldWith(t, map[string]string{"s.yaml": good + "mocks:\n" + strings.Repeat("  - ${BIG}${BIG}\n", 1000)})
	w.Env = func(string) (string, bool) { return strings.Repeat("x", 1<<17), true }
	_, err := w.Scenario(filepath.Join(w.Root(), "s.yaml"))
	if err == nil || !strings.Contains(err.Error(), "longer than 1048576 bytes") {
		t.Fatalf("got %.300v", err)
	}
}

func TestScenarioDoesNotFollowLinksOutOfTheWorkspace(t *testing.T) {
	w := worldWith(t, map[string]string{"s.yaml": strings.Replace(good, "fixtures/nightly", "out", 1)})
	if err := os.Symlink(t.TempDir(), filepath.Join(w.Root(), "out")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	_, err := w.Scenario("s.yaml")
	if err == nil || !strings.Contains(err.Error(), `s.yaml:3:12: recording: "out": path escapes`) {
		t.Fatalf("got %v", err)
	}
}

func TestScenarioThatCannotBeReadIsUsage(t *testing.T) {
	w := openWorld(t, "testdata/world")
	for _, tt := range []struct{ why, file string }{
		{"it does not exist", "none.yaml"},
		{"it is a folder", "testdata/world"},
		{"it would never end", "/dev/zero"},
	} {
		if _, err := w.Scenario(tt.file); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
}
