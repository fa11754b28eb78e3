package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/target"
	"github.com/rehearse-dev/rehearse/scenarios"
)

func (a *app) initVerb() verb {
	var shim string
	return verb{
		use: "init [FOLDER]", short: "start a workspace",
		long: "Init writes a starter workspace: settings, a catalogue of systems and owners, an example scenario and the\nschemas for your editor. It overwrites nothing.\n\n" +
			"With --shim it writes one file into the folder instead: what a mapping in Python, Node or Perl needs to run as\na target command with mode jsonl.",
		example: "rehearse init integrations",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&shim, "shim", "", "write what a mapping in this `language` needs: python, node or perl")
		},
		run: func(_ context.Context, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			if shim != "" {
				return a.writeShim(shim, dir)
			}
			if err := scenarios.Init(dir); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s is a workspace now.\nNext: name your systems and owners in %s, then record:\n  rehearse record http https://test-instance.example --from A --to B --out %s\n",
				dir, filepath.Join(dir, "catalog"), filepath.Join(dir, "fixtures", "A-B"))
			return nil
		},
	}
}

// writeShim writes the file of a shim; one that is there with other content is left alone.
func (a *app) writeShim(name, dir string) error {
	shim, err := target.ShimOf(name)
	if err != nil {
		return err
	}
	source, err := shim.Source()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, shim.File)
	old, err := os.ReadFile(file)
	switch {
	case err == nil && !bytes.Equal(old, source):
		return harness.Usage(fmt.Errorf("write shim: %s is there already, with other content", file), "move it away, or name another folder")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return harness.Usage(fmt.Errorf("write shim: %w", err), "")
	case err != nil:
		err = os.MkdirAll(dir, 0o755)
		if err == nil {
			err = writeWhole(file, func(w io.Writer) error {
				_, err := w.Write(source)
				return err
			})
		}
		if err != nil {
			return harness.Usage(fmt.Errorf("write shim: %w", err), "name a folder that can be written to")
		}
	}
	fmt.Fprintf(a.out, "%s is there; its first lines say how a mapping uses it. In a scenario:\n  command: {run: [%s], mode: jsonl}\n", file, strings.ReplaceAll(shim.Run, "%s", filepath.ToSlash(dir)))
	return nil
}
