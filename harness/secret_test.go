package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lent is kept until the process ends: whoever reads a descriptor closes it, and a file that is collected would close it
// once more, when it may be another's.
var lent *os.File

func TestSecretsAreReadByReference(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	env := func(name string) string { return map[string]string{"TOKEN": "s3same\n"}[name] }
	var err error
	if lent, err = os.Open(write("open", "from a descriptor", 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reference, want, problem string
		class                    Class
	}{
		{"env:TOKEN", "s3same\n", "", 0},
		{write("own", "from a file", 0o600), "from a file", "", 0},
		{fmt.Sprintf("fd:%d", lent.Fd()), "from a descriptor", "", 0},
		{"env:MISSING", "", "the variable is empty or not set", ClassUsage},
		{"fd:x", "", "want the number of a file descriptor", ClassUsage},
		{filepath.Join(dir, "none"), "", "no such file", ClassUsage},
		{dir, "", "not a regular file", ClassUsage},
		{write("shared", "seen by others", 0o644), "", "lets others read it", ClassRefused},
		{write("long", strings.Repeat("x", maxSecret+1), 0o600), "", "more than", ClassUsage},
	} {
		got, err := ReadSecret(tt.reference, env, "name another")
		if tt.problem == "" {
			if err != nil || string(got) != tt.want {
				t.Errorf("%s: %q, %v; want %q", tt.reference, got, err, tt.want)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.problem) || ClassOf(err) != tt.class {
			t.Errorf("%s: error %v of class %v, want %q of class %v", tt.reference, err, ClassOf(err), tt.problem, tt.class)
		} else if bytes.Contains([]byte(err.Error()), []byte("seen by others")) {
			t.Errorf("%s: the error repeats the secret", tt.reference)
		}
	}
}

func TestASecretIsCreatedOnceForItsOwner(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "own", "key")
	if err := CreateSecret(file, []byte("s3same")); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSecret(file, os.Getenv, "") // refuses what others can read
	if err != nil || string(got) != "s3same" {
		t.Errorf("read back %q, %v", got, err)
	}
	if err := CreateSecret(file, []byte("another")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created again: %v", err)
	}
	if got, _ := os.ReadFile(file); string(got) != "s3same" {
		t.Errorf("the first one is now %q", got)
	}
	if err := CreateSecret(filepath.Join(file, "below"), nil); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("created below a file: %v", err)
	}
}
