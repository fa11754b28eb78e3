package main

import (
	"errors"
	"fmt"
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

// keepRun stores the reports and the recording of a run.
func keepRun(root string, o *rehearsal.Outcome) (dir string, err error) {
	dir = filepath.Join(root, runsFolder, o.Report.Run)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keep run: %w", err)
	}
	if err := fixtures.Save(filepath.Join(dir, "recording"), o.Candidate); err != nil {
		return "", err
	}
	for _, kind := range []string{"json", "html"} {
		if err := writeReport(filepath.Join(dir, "report."+kind), kind, o.Report, report.Options{}); err != nil {
			return "", err
		}
	}
	return dir, writeWhole(filepath.Join(root, runsFolder, "latest"), []byte(o.Report.Run+"\n"))
}

func writeReport(file, kind string, r *harness.Report, o report.Options) error {
	var b strings.Builder
	if err := report.Write(&b, kind, r, o); err != nil {
		return err
	}
	return writeWhole(file, []byte(b.String()))
}

// writeWhole makes the file appear whole: temp, sync, rename.
func writeWhole(file string, content []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return harness.Usage(fmt.Errorf("write %s: %w", file, err), "check that the folder exists and can be written")
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name()) //nolint:errcheck // the first error matters
		}
	}()
	if _, err = temp.Write(content); err == nil {
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
