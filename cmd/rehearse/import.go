package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
)

func (a *app) importVerb() verb {
	var f storeFlags
	var format, from, to string
	var layoutFiles []string
	var keepGoing bool
	return verb{
		use: "import PATH", short: "read what another tool recorded", exits: []int{exitRefused},
		long: "Import reads a file, or a folder of files, that another tool recorded, scrubs it and writes a recording.\n" +
			"What the format could not carry is said in notes. A record that cannot be read ends the import, and\n" +
			"nothing is written; with --keep-going it is named and counted as dropped, which makes the recording\n" +
			"incomplete.\n\nFormats:\n" + importerList(),
		example: "rehearse import session.har --from browser --to lms --out fixtures/lms-session",
		flags: func(set *pflag.FlagSet) {
			f.add(set)
			set.StringVar(&format, "format", "", "`name` of the format; without it the content of the files decides")
			set.BoolVar(&keepGoing, "keep-going", false, "pass over records and files that cannot be read; each is named and counts as dropped")
			set.StringVar(&from, "from", "", "`name` of the system that calls (default \"client\")")
			set.StringVar(&to, "to", "", "`name` of the system that answers (default: the host of each URL)")
			set.StringArrayVar(&layoutFiles, "layout", nil, "layout `file` of files of fixed width, with --format files; can be repeated")
		},
		run: func(ctx context.Context, args []string) error {
			im, err := recorders.ImporterFor(format, args[0])
			if err != nil {
				return err
			}
			r, err := openImport(im, args[0], from, to, layoutFiles)
			if err == nil && keepGoing {
				err = keepOn(im, r)
			}
			if err != nil {
				return err
			}
			s, err := a.openStore("import", harness.Manifest{Origin: "import " + im.Name}, f)
			if err != nil {
				return err
			}
			twice := &spool{source: r, most: spooled}
			if err := s.learn(ctx, twice); err != nil {
				return err
			}
			if err := s.fill(ctx, twice, true); err != nil {
				return err
			}
			a.nameUnreadable(r)
			return a.summary(s, r.Notes())
		},
	}
}

// openImport opens a path. Only plain files have layouts.
func openImport(im recorders.Importer, path, from, to string, layoutFiles []string) (recorders.Noted, error) {
	if len(layoutFiles) == 0 {
		return im.Open(path, from, to), nil
	}
	if im.Name != "files" {
		return nil, harness.Usage(fmt.Errorf("import %s: --layout describes plain files, not %s", path, im.Name), "add --format files, or leave --layout out")
	}
	layouts, err := loadLayouts(layoutFiles)
	if err != nil {
		return nil, err
	}
	payload.AddLayouts(layouts...)
	return &plainfile.Importer{Path: path, From: from, To: to, Layouts: layouts}, nil
}

// keepOn makes an importer pass over what it cannot read.
func keepOn(im recorders.Importer, r recorders.Noted) error {
	patient, ok := r.(recorders.Patient)
	if !ok {
		return harness.Usage(fmt.Errorf("import: format %s does not keep going", im.Name), "leave --keep-going out, and what cannot be read out of the folder")
	}
	patient.KeepOn()
	return nil
}

// nameUnreadable lists what an import passed over.
func (a *app) nameUnreadable(r recorders.Noted) {
	patient, ok := r.(recorders.Patient)
	if !ok {
		return
	}
	for _, err := range patient.Unreadable() {
		fmt.Fprintf(a.err, "passed over %s\n", printable(err.Error()))
	}
}

func importerList() string {
	list := ""
	for _, im := range recorders.Importers {
		list += fmt.Sprintf("  %-9s  %s\n", im.Name, im.Summary)
	}
	return list
}
