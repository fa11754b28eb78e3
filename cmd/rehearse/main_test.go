package main

import (
	"flag"
	"os"
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
