package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/recorders"
)

func (a *app) importVerb() verb {
	var f storeFlags
	var format, from, to string
	return verb{
		use: "import PATH", short: "read what another tool recorded", exits: []int{exitRefused},
		long: "Import reads a file, or a folder of files, that another tool recorded, scrubs it and writes a recording.\n" +
			"What the format could not carry is said in notes. A file that cannot be read ends the import, and\n" +
			"nothing is written.\n\nFormats:\n" + importerList(),
		example: "rehearse import session.har --from browser --to lms --out fixtures/lms-session",
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			set.StringVar(&format, "format", "", "`name` of the format; without it the content of the files decides")
			set.StringVar(&from, "from", "", "`name` of the system that calls (default \"client\")")
			set.StringVar(&to, "to", "", "`name` of the system that answers (default: the host of each URL)")
		},
		run: func(ctx context.Context, args []string) error {
			im, err := recorders.ImporterFor(format, args[0])
			if err != nil {
				return err
			}
			s, err := a.openStore("import", "import "+im.Name, f)
			if err != nil {
				return err
			}
			if err := s.learn(ctx, im.Open(args[0], from, to)); err != nil {
				return err
			}
			r := im.Open(args[0], from, to)
			if err := s.fill(ctx, r, true); err != nil {
				return err
			}
			return a.summary(s, r.Notes())
		},
	}
}

func importerList() string {
	list := ""
	for _, im := range recorders.Importers {
		list += fmt.Sprintf("  %-9s  %s\n", im.Name, im.Summary)
	}
	return list
}
