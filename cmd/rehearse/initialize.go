package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/scenarios"
)

func (a *app) initVerb() verb {
	return verb{
		use: "init [FOLDER]", short: "start a workspace",
		long:    "Init writes a starter workspace: settings, a catalogue of systems and owners, an example scenario and the\nschemas for your editor. It overwrites nothing.",
		example: "rehearse init integrations",
		run: func(_ context.Context, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
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
