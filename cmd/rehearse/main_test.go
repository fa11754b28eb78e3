package main

import (
	"flag"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files and fixtures anew")

// TestMain lets the test binary stand for the program: under the name rehearse in scripts, and as a server that a
// scenario starts, which is told by the frozen clock that it gets.
func TestMain(m *testing.M) {
	if os.Getenv("REHEARSE_NOW") != "" {
		os.Exit(run())
	}
	testscript.Main(m, map[string]func(){"rehearse": main})
}

// itself is a command of the program in a process of its own, with settings beside those of the test. Without the frozen clock
// it would be all tests once more.
func itself(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = slices.Concat(os.Environ(), []string{"REHEARSE_NOW=2026-10-05T14:00:00Z"}, env)
	return cmd
}

// begun starts a command until the end of the test, and returns its standard error, which is to be read before it is waited
// for.
func begun(t *testing.T, cmd *exec.Cmd) (said io.Reader) {
	t.Helper()
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it has ended
		cmd.Wait()         //nolint:errcheck // it was killed
	})
	return said
}
