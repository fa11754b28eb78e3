package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/rehearsal"
	"github.com/rehearse-dev/rehearse/harness/report"
)

// runsFolder holds what runs leave behind, below the workspace: one folder a run, with the reports and the recording
// of what crossed. The file "latest" names the newest.
const runsFolder = ".rehearse/runs"

// runID names a run by its moment and its scenario file.
func runID(now time.Time, scenarioFile string) string {
	name := strings.TrimSuffix(filepath.Base(scenarioFile), filepath.Ext(scenarioFile))
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return now.UTC().Format("20060102T150405.000") + "-" + slug
}

// acceptLine is the command that declares a finding of a kept run.
const acceptLine = "rehearse accept N --into FILE --reason \"…\""

// keepRun stores the reports and the recording of a run.
func keepRun(root string, o *rehearsal.Outcome) (dir string, err error) {
	if dir, err = runFolder(root, o.Report); err != nil {
		return "", err
	}
	if err := fixtures.Save(filepath.Join(dir, "recording"), o.Candidate); err != nil {
		return "", err
	}
	return keepReports(root, o.Report)
}

// keepReports stores the reports of a run, and makes it the latest.
func keepReports(root string, r *harness.Report) (dir string, err error) {
	if dir, err = runFolder(root, r); err != nil {
		return "", err
	}
	for _, kind := range []string{"json", "html"} {
		if err := writeReport(filepath.Join(dir, "report."+kind), kind, r, report.Options{}); err != nil {
			return "", err
		}
	}
	return dir, writeWhole(filepath.Join(root, runsFolder, "latest"), plainText(r.Run+"\n"))
}

// runFolder makes the folder of a run. What holds values that nobody scrubbed is for the owner only.
func runFolder(root string, r *harness.Report) (string, error) {
	mode := fs.FileMode(0o755)
	if !r.Before.Manifest.Sealed() || !r.After.Manifest.Sealed() {
		mode = 0o700
	}
	dir := filepath.Join(root, runsFolder, r.Run)
	err := os.MkdirAll(filepath.Dir(dir), 0o755)
	if err == nil {
		err = os.MkdirAll(dir, mode)
	}
	if err != nil {
		return "", harness.Usage(fmt.Errorf("keep run: %w", err), "make the folder "+filepath.Join(root, runsFolder)+" one that you may write to")
	}
	return dir, nil
}

func writeReport(file, kind string, r *harness.Report, o report.Options) error {
	return writeWhole(file, func(w io.Writer) error { return report.Write(w, kind, r, o) })
}

// plainText is a content of a few bytes for writeWhole.
func plainText(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// writeWhole makes the file appear whole: temp, sync, rename.
func writeWhole(file string, content func(io.Writer) error) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return harness.Usage(fmt.Errorf("write %s: %w", file, err), "check that the folder exists and can be written")
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name()) //nolint:errcheck // the first error matters
		}
	}()
	buffered := bufio.NewWriter(temp)
	if err = errors.Join(content(buffered), buffered.Flush()); err == nil {
		err = errors.Join(temp.Chmod(0o644), temp.Sync())
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(temp.Name(), file)
}

// loadRun reads the report of a kept run; the empty name is the newest.
func loadRun(root, run string) (*harness.Report, error) {
	if run == "" || run == "latest" {
		name, err := os.ReadFile(filepath.Join(root, runsFolder, "latest"))
		if err != nil {
			return nil, harness.Usage(errors.New("find the latest run: no run was kept in this workspace"), "rehearse a scenario first: rehearse run SCENARIO")
		}
		run = strings.TrimSpace(string(name))
	}
	if !filepath.IsLocal(run) {
		return nil, harness.Usage(fmt.Errorf("find run %q: not the name of a run", run), "names of runs stand in "+runsFolder)
	}
	file, err := os.Open(filepath.Join(root, runsFolder, run, "report.json"))
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("find run %s: %w", run, err), "names of runs stand in "+runsFolder)
	}
	defer file.Close()
	r, err := report.ReadJSON(file)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read run %s: %w", run, err), "rehearse the scenario again")
	}
	return r, nil
}
