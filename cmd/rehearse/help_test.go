package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryHelpTextHasARealExample walks the table: each command says its exit codes, keeps to a terminal's width, and
// shows an example whose command and flags exist.
func TestEveryHelpTextHasARealExample(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, err: &out, version: "test"}
	if code := a.main(t.Context(), nil); code != exitSafe {
		t.Fatalf("exit code %d: %s", code, &out)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "_"), func(t *testing.T) { checkHelp(t, a.root, c) })
		for _, b := range c.Commands() {
			walk(b)
		}
	}
	walk(a.root)
}

func checkHelp(t *testing.T, root, c *cobra.Command) {
	var text bytes.Buffer
	writeHelp(&text, c)
	for line := range strings.Lines(text.String()) {
		if len(line) > helpWidth+20 || strings.Contains(line, "\t") {
			t.Errorf("does not fit a terminal: %q", line)
		}
	}
	if !strings.Contains(text.String(), "\nExit codes:\n    0  ") {
		t.Error("no exit codes")
	}
	if !c.HasParent() {
		return
	}
	example := strings.Fields(strings.ReplaceAll(c.Example, `"`, ""))
	if len(example) == 0 || example[0] != "rehearse" {
		t.Fatalf("example is %q", c.Example)
	}
	found, rest, err := root.Find(example[1:])
	if err != nil || !strings.HasPrefix(found.CommandPath(), c.CommandPath()) {
		t.Fatalf("the example calls %v (%v)", found.CommandPath(), err)
	}
	if err := found.ParseFlags(rest); err != nil {
		t.Errorf("example: %v", err)
	}
}
