package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/locate"
	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/report"
)

// scanFlags are the flags of scan.
type scanFlags struct {
	key, known, format, out string
	strict                  bool
	smallest                int
}

func (a *app) scanVerb() verb {
	var f scanFlags
	return verb{
		use: "scan PATH...", short: "prove that nothing personal is left in recordings and files", exits: []int{exitRefused},
		long: "Scan looks at every byte of a recording, a folder or a file, through all encodings, for personal data and\n" +
			"secrets: addresses outside of reserved domains, numbers of persons, cards and accounts, tokens, private keys.\n" +
			"Of a recording, and of each one in a folder, it checks the certificate, too: that it is what was proved when it\n" +
			"was made, when every replaced value was searched for. With --known it searches for the values that you list.\n\n" +
			"It tells places and classes, never a value. A leak ends with exit code 4, with --strict also what a person\n" +
			"should look at.",
		example: "rehearse scan fixtures/crm-sis --strict",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.key, "key", "", keyUsage+": marks then tell which value is meant")
			set.StringVar(&f.known, "known", "", "`file` of values that must not be there, one a line; - for standard input")
			set.StringVar(&f.format, "format", "text", "`kind` of report: "+strings.Join(scan.Formats(), ", "))
			set.StringVar(&f.out, "out", "", "write the report to this `file` instead of standard output")
			set.BoolVar(&f.strict, "strict", false, "what a person should look at fails the scan, too, and so does a recording that was never proved")
			set.IntVar(&f.smallest, "smallest-cell", 0, "`people` that each combination of programme, term and the like must have; fewer is something to look at")
			atLeast(set, "smallest-cell", &f.smallest, 0)
		},
		run: func(ctx context.Context, args []string) error { return a.scan(ctx, args, f) },
	}
}

func (a *app) scan(ctx context.Context, args []string, f scanFlags) error {
	if !scan.IsFormat(f.format) {
		return harness.Usage(fmt.Errorf("scan: --format %q is not known", f.format), "write "+strings.Join(scan.Formats(), ", "))
	}
	var options scan.Options
	if f.key != "" {
		key, err := a.existingKey(f.key)
		if err != nil {
			return err
		}
		options.Mark, options.IsTestSigned = key.Mark, key.HasSigned
	}
	if f.known != "" {
		var err error
		if options.Register, err = a.knownValues(f.known); err != nil {
			return err
		}
	}
	page := scan.Report{Tool: a.tool(), Strict: f.strict, SmallestCell: f.smallest}
	page.Style, page.Source = report.Style()
	for _, path := range args {
		if err := ctx.Err(); err != nil {
			return err
		}
		subjects, err := scanAll(ctx, path, options)
		if ctx.Err() != nil {
			return ctx.Err() // whatever went wrong, it went wrong because of the interrupt
		}
		if err != nil {
			return err
		}
		page.Subjects = append(page.Subjects, subjects...)
	}
	if err := a.writeScan(&page, f); err != nil {
		return err
	}
	return page.Err()
}

// scanAll looks at a path, and of a folder at each recording in it by its own certificate, before all other files.
func scanAll(ctx context.Context, path string, o scan.Options) (subjects []scan.Subject, err error) {
	for _, recording := range recordingsIn(path) {
		s, err := scanOne(ctx, filepath.Join(path, recording), o)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, s)
	}
	s, err := scanOne(ctx, path, o)
	if err == nil && (len(subjects) == 0 || s.Result.Files > 0) {
		subjects = append(subjects, s)
	}
	return subjects, err
}

// recordingsIn are the recordings below a folder that is none itself. What cannot be read is told when the folder is scanned.
func recordingsIn(folder string) (found []string) {
	fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error { //nolint:errcheck // see above
		switch {
		case err != nil:
			return nil
		case d.Name() == recordingFile && path.Dir(name) == ".":
			found = nil
			return fs.SkipAll
		case d.Name() == recordingFile:
			found = append(found, path.Dir(name))
			return fs.SkipDir
		}
		return nil
	})
	return found
}

// recordingFile tells that a folder is a recording.
const recordingFile = "recording.yaml"

// outside is the files of a folder that are in none of its recordings.
type outside struct {
	fs.FS
	recordings []string
}

func (o outside) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err == nil && slices.Contains(o.recordings, name) {
		return emptyFolder{f}, nil
	}
	return f, err
}

type emptyFolder struct{ fs.File }

// ReadDir has no entries.
func (emptyFolder) ReadDir(int) ([]fs.DirEntry, error) { return nil, nil }

// scanOne looks at a recording, a folder or a file.
func scanOne(ctx context.Context, path string, o scan.Options) (scan.Subject, error) {
	s := scan.Subject{Name: path}
	files, manifest, err := scanned(path)
	if err != nil {
		return s, err
	}
	files = interruptible{files, ctx}
	if manifest != nil {
		s.Recording, s.Scrub, s.Certificate = true, manifest.Scrub, manifest.Proof
		if p := manifest.Proof; p != nil {
			o.StandIns, o.Salt = p.StandIns, p.Output
		}
	}
	if s.Result, err = scan.Files(files, o); err != nil {
		return s, harness.Usage(fmt.Errorf("scan %s: %w", path, err), "make the file readable, or name others")
	}
	if s.Recording {
		if s.Places, err = locate.Hits(files, s.Result, o, nil); err != nil {
			return s, err
		}
	}
	s.Cells, err = scan.Cells(files)
	return s, err
}

// scanned is the files of a path; of a recording also its manifest.
func scanned(path string) (fs.FS, *harness.Manifest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, harness.Usage(fmt.Errorf("scan %s: %w", path, harness.WithoutPath(err)), "name a recording, a folder or a file")
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, harness.Usage(fmt.Errorf("scan %s: %w", path, harness.WithoutPath(err)), "make the file readable, or name another")
		}
		return fstest.MapFS{filepath.Base(path): {Data: data}}, nil, nil
	}
	if _, err := os.Stat(filepath.Join(path, recordingFile)); err != nil {
		return outside{os.DirFS(path), recordingsIn(path)}, nil, nil
	}
	rec, err := fixtures.Open(path)
	if err != nil {
		return nil, nil, err
	}
	m := rec.Manifest()
	files, err := rec.Files()
	return files, &m, err
}

// knownValues reads a list of values. Errors tell lines, never values.
func (a *app) knownValues(name string) (*scan.Register, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("scan: read the known values %s: %w", name, harness.WithoutPath(err)), "name a file with one value a line")
		}
		defer f.Close()
		in = f
	}
	register := scan.NewRegister()
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if !register.Known(strings.TrimSpace(lines.Text())) && lines.Text() != "" {
			fmt.Fprintf(a.err, "note: %s:%d: a value of fewer than 5 letters and digits is not searched for\n", name, n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, harness.Usage(fmt.Errorf("scan: read the known values %s: %w", name, harness.WithoutPath(err)), "write one value a line, of at most 64 KiB")
	}
	return register, nil
}

func (a *app) writeScan(r *scan.Report, f scanFlags) error {
	if f.out == "" {
		return r.Write(a.out, f.format)
	}
	file, err := os.Create(f.out)
	if err != nil {
		return harness.Usage(fmt.Errorf("scan: write the report: %w", err), "name a file that can be written")
	}
	return errors.Join(r.Write(file, f.format), file.Close())
}
