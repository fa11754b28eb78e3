package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// written is a file that a report is written to.
type written struct{ flag, kind, file string }

// runMark stands for the name of the run in the name of a file.
const runMark = "{run}"

// of is the file for that report.
func (w written) of(r *harness.Report) string { return strings.ReplaceAll(w.file, runMark, r.Run) }

// alsoWritten reads the values of --also.
func alsoWritten(values []string) ([]written, error) {
	var all []written
	for _, v := range values {
		kind, file, ok := strings.Cut(v, "=")
		if !ok || file == "" {
			return nil, harness.Usage(fmt.Errorf("run: --also %q names no file", v), "write KIND=FILE, such as sarif=rehearse.sarif")
		}
		if err := checkKind(kind); err != nil {
			return nil, harness.Usage(fmt.Errorf("run: --also %q: not a kind of report", v), harness.HintOf(err))
		}
		all = append(all, written{"--also", kind, file})
	}
	return all, nil
}

// oneFileEach refuses that the reports of several scenarios overwrite one another.
func oneFileEach(scenarios int, files []written) error {
	for _, w := range files {
		if scenarios > 1 && w.file != "" && !strings.Contains(w.file, runMark) {
			return harness.Usage(fmt.Errorf("run: %s %s takes one report, %d scenarios were named", w.flag, w.file, scenarios),
				"write "+runMark+" into the name; it becomes the name of each run")
		}
	}
	return nil
}

// folderInRepository is the workspace as the repository sees it that it lies in; empty at its root, or when there is
// none. CI servers look for files from there.
func folderInRepository(workspace string) string {
	root, err := filepath.Abs(workspace)
	if err != nil {
		return ""
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			rel, err := filepath.Rel(dir, root)
			if err != nil || rel == "." {
				return ""
			}
			return filepath.ToSlash(rel)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
