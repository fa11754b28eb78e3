package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/payload/layout"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
)

// side is one of two things that are compared.
type side struct {
	harness.Side
	recording harness.Recording
	what      string // both sides in words
	file      string // that findings point at
	own       bool   // plain files of the one who asks, nothing of which is kept
}

// source is what a path leads to.
type source string

const (
	aRecording source = "a recording"
	aFile      source = "a file"
	aFolder    source = "a folder of files"
)

// sourceAt looks at a path that a verb was given. A folder is a recording when it holds one of its files, or when a recorder left its journal
// beside it.
func sourceAt(verb, path string) (source, error) {
	info, err := os.Stat(path)
	_, journal := os.Stat(filepath.Clean(path) + ".partial")
	switch {
	case errors.Is(err, fs.ErrNotExist) && journal == nil:
		return aRecording, nil // to be recovered, as its reader says
	case err != nil:
		return "", harness.Usage(fmt.Errorf("%s: %w", verb, err), "name a recording, a file or a folder of files")
	case !info.IsDir():
		return aFile, nil
	}
	for _, name := range []string{"recording.yaml", "exchanges.jsonl"} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return aRecording, nil
		}
	}
	return aFolder, nil
}

// openSides reads both paths, which must lead to the like.
func (a *app) openSides(ctx context.Context, before, after string, f plainFlags) (sides [2]side, err error) {
	paths := [2]string{before, after}
	var kinds [2]source
	for i, path := range paths {
		if kinds[i], err = sourceAt("diff", path); err != nil {
			return sides, err
		}
	}
	if kinds[0] != kinds[1] {
		return sides, harness.Usage(fmt.Errorf("diff: %s is %s and %s is %s", before, kinds[0], after, kinds[1]),
			"name two recordings, two files or two folders of files")
	}
	if kinds[0] != aRecording {
		return a.openPlain(ctx, paths, kinds[0], f)
	}
	if flag := f.set(); flag != "" {
		return sides, harness.Usage(fmt.Errorf("diff: --%s is for plain files, and these are recordings", flag), "leave it out")
	}
	for i, dir := range paths {
		rec, err := fixtures.Open(dir)
		if err != nil {
			return sides, err
		}
		if err := rec.RequireSealed(); err != nil {
			return sides, err
		}
		sides[i] = side{
			Side:      harness.Side{Name: dir, Digest: rec.Digest(), Exchanges: rec.Len(), Manifest: rec.Manifest()},
			recording: rec, what: "two recordings", file: localFile(filepath.Join(dir, "recording.yaml")),
		}
	}
	return sides, nil
}

// plainFlags say how plain files are read.
type plainFlags struct {
	from, to, policy, key string
	layouts               []string
}

func (f *plainFlags) add(set *pflag.FlagSet) {
	set.StringArrayVar(&f.layouts, "layout", nil, "layout `file` of files of fixed width, for plain files; can be repeated")
	set.StringVar(&f.from, "from", "", "`name` of the system that wrote the plain files")
	set.StringVar(&f.to, "to", "", "`name` of the system that reads them")
	set.StringVar(&f.policy, "policy", "", "scrub policy `file`: plain files are compared with stand-ins in place of personal data")
	set.StringVar(&f.key, "key", "", "`file` with the key of the pseudonyms, for --policy")
}

// set names a flag that was given; empty when none was.
func (f *plainFlags) set() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{{"layout", len(f.layouts) > 0}, {"from", f.from != ""}, {"to", f.to != ""}, {"policy", f.policy != ""}, {"key", f.key != ""}} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}

// openPlain makes recordings of plain files, in memory except for the bodies. Two files that were named are one file
// before and after, whatever they are called.
func (a *app) openPlain(ctx context.Context, paths [2]string, kind source, f plainFlags) (sides [2]side, err error) {
	layouts, err := loadLayouts(f.layouts)
	if err != nil {
		return sides, err
	}
	payload.AddLayouts(layouts...)
	im := plainfile.Importer{From: cmp.Or(f.from, roleSender), To: cmp.Or(f.to, roleReceiver), Layouts: layouts}
	what, name := "two folders of files", ""
	if kind == aFile {
		what, name = "two files", filepath.Base(paths[1])
	}
	for i, path := range paths {
		im.Path, im.Name = path, name
		rec, err := a.recordPlain(ctx, &im, f)
		if err != nil {
			return sides, err
		}
		digest, err := fixtures.Digest(rec)
		if err != nil {
			return sides, err
		}
		m := rec.Manifest()
		sides[i] = side{
			Side:      harness.Side{Name: path, Digest: digest, Exchanges: m.Counts.Recorded, Manifest: m},
			recording: rec, what: what, own: !m.Sealed(),
		}
		if kind == aFile {
			sides[i].file = localFile(path)
		}
	}
	return sides, nil
}

// recordPlain reads files, scrubbed when there is a policy.
func (a *app) recordPlain(ctx context.Context, im *plainfile.Importer, f plainFlags) (harness.Recording, error) {
	files := harness.NewMemory(harness.Manifest{Origin: "files", Tool: a.tool()})
	if f.policy == "" {
		return files, im.Record(ctx, files)
	}
	s, err := a.scrubbing(storeFlags{policy: f.policy, key: f.key})
	if err != nil {
		return nil, err
	}
	record := func(sink harness.Sink) error { return im.Record(ctx, sink) }
	if err := s.scrubber.LearnAll(record); err != nil {
		return nil, err
	}
	if err := errors.Join(s.scrubber.ScrubAll(files, record), s.scrubber.Err()); err != nil {
		return nil, err
	}
	scrubbed, err := harness.Collect(files)
	return harness.NewMemory(harness.Manifest{Origin: "files", Tool: a.tool(), Scrub: s.scrubber.Seal()}, scrubbed...), err
}

// loadLayouts reads descriptions of files of fixed width.
func loadLayouts(files []string) ([]*layout.Layout, error) {
	var list []*layout.Layout
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("read layout: %w", err), "name a YAML file that describes the records")
		}
		l, err := layout.Parse(file, text)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}
