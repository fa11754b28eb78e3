package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Options shape the output of Write. The zero Options are good for a file.
type Options struct {
	Color   bool   // text: ANSI colours; the caller decides about NO_COLOR and terminals
	Width   int    // text: columns of the terminal; 0 means 80, less than 40 counts as 40
	Verbose bool   // text, markdown: the differences behind each finding, every rule's first match, what programs said
	Page    string // text, markdown: the command or file that gives the HTML page; empty: not said
	Accept  string // text: the command that accepts a finding; empty: not said
	Mask    bool   // hide the values of the recordings behind their shapes
	Folder  string // sarif, github, gitlab, azure: folder of the workspace within the repository, with slashes; empty: its root
}

// Kind is one way to write a report.
type Kind struct {
	Name      string
	Summary   string
	Extension string // of a file of this kind, with the dot
	Write     func(w io.Writer, r *harness.Report, o Options) error
}

// Kinds is the table of report kinds, in the order of the help text.
var Kinds = []Kind{
	{"text", "for the terminal, verdict first", ".txt", writeText},
	{"json", "every finding and every difference, for programs", ".json", writeJSON},
	{"junit", "test results for CI servers", ".xml", writeJUnit},
	{"markdown", "a comment for a pull request", ".md", writeMarkdown},
	{"sarif", "alerts for code scanning, SARIF 2.1.0", ".sarif", writeSARIF},
	{"github", "annotations for the log of a GitHub action", ".github.txt", writeGitHub},
	{"gitlab", "a Code Quality report for GitLab merge requests", ".gitlab.json", writeGitLab},
	{"azure", "issues for the log of an Azure pipeline", ".azure.txt", writeAzure},
	{"html", "one self-contained page to read, share and print", ".html", writeHTML},
}

// Write writes the report as the kind of that name. Values of recordings that are not sealed, and for which nobody
// vouches, are always hidden behind their shapes. An unknown name is a [harness.Problem] of ClassUsage; every other
// error is one of w.
func Write(w io.Writer, kind string, r *harness.Report, o Options) error {
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		if k.Name == kind {
			if o.Mask || !isOpen(r) {
				r = masked(r)
			}
			return k.Write(w, r, o)
		}
		names[i] = k.Name
	}
	return harness.Usage(fmt.Errorf("write report: unknown kind %q", visible(kind)), "Choose one of "+strings.Join(names, ", ")+".")
}
