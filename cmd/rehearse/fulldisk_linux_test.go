package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rehearsed runs the program, and returns its exit code and what it said.
func rehearsed(t *testing.T, env []string, args ...string) (int, string) {
	t.Helper()
	c := itself(env, args...)
	out, err := c.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// archive writes a session of a browser with many requests that each hold the planted value in a body of n bytes.
func archive(t *testing.T, file string, requests, n int) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`{"log":{"version":"1.2","entries":[`)
	for i := range requests {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"startedDateTime":"2026-10-05T14:00:00.250Z","time":1,"request":{"method":"GET","url":"https://lms.example/api/v1/users/%d",`+
			`"headers":[]},"response":{"status":200,"headers":[],"content":{"mimeType":"application/json","text":"{\"email\":\"planted%d@hlu.example\",\"pad\":\"%s\"}"}}}`,
			i, i, strings.Repeat("x", n))
	}
	b.WriteString(`]}}`)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds fails for every file below the folders in which the planted value stands.
func holds(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(file)
			if bytes.Contains(raw, []byte("planted")) {
				t.Errorf("%s holds a planted value", file)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestFullDiskMidwayLeavesNothingRaw(t *testing.T) {
	small, work, temp := t.TempDir(), t.TempDir(), t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small disk needs root: %v", err)
	}
	defer syscall.Unmount(small, 0) //nolint:errcheck // the folder goes with the test
	source, key := filepath.Join(work, "session.har"), filepath.Join(work, "key")
	archive(t, source, 200, 4000)
	if code, out := rehearsed(t, nil, "scrub", "key", "--file", key); code != 0 {
		t.Fatal(out)
	}
	env := []string{"TMPDIR=" + temp, "REHEARSE_KEY_FILE=" + key}
	code, out := rehearsed(t, env, "import", source, "--out", filepath.Join(small, "fixture"))
	if code != exitCannotRun || !strings.Contains(out, "the disk is full") || strings.Contains(out, "planted") {
		t.Errorf("exit %d: %s", code, out)
	}
	if want := "hint: free about 2 MiB there"; !strings.Contains(out, want) || !strings.Contains(out, "nothing raw is on the disk") {
		t.Errorf("no %q in: %s", want, out)
	}
	holds(t, small, temp)
	if left, _ := os.ReadDir(small); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	code, out = rehearsed(t, env, "import", source, "--out", filepath.Join(work, "fixture"), "--vault", filepath.Join(small, "none", "v"))
	if code != exitUsage || strings.Contains(out, "planted") {
		t.Errorf("a vault that cannot be saved: exit %d: %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(work, "fixture")); err == nil {
		t.Error("a recording without its vault")
	}
}

func TestKilledImportLeavesNothingRaw(t *testing.T) {
	work, temp := t.TempDir(), t.TempDir()
	source, key := filepath.Join(work, "session.har"), filepath.Join(work, "key")
	archive(t, source, 3000, 2000)
	if code, out := rehearsed(t, nil, "scrub", "key", "--file", key); code != 0 {
		t.Fatal(out)
	}
	out := filepath.Join(work, "out", "fixture")
	c := itself([]string{"TMPDIR=" + temp, "REHEARSE_KEY_FILE=" + key}, "import", source, "--out", out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	const enough = 64 << 10
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if info, err := os.Stat(filepath.Join(out+".partial", "journal-000001")); err == nil && info.Size() > enough {
			break
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait() //nolint:errcheck // it was killed
	holds(t, filepath.Join(work, "out"), temp)
	if left, err := os.ReadDir(out + ".partial"); err != nil || len(left) == 0 {
		t.Errorf("nothing was being written when it was killed: %v", err)
	}
}
