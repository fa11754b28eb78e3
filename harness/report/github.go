package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// The escapes of GitHub's workflow commands. The page of the actions toolkit names them.
var (
	githubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeGitHub writes a workflow command for each finding, so that it stands beside the line of the file that it points
// at. A step shows ten of a level; the tenth counts the rest.
func writeGitHub(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{})
	var b strings.Builder
	b.WriteString(join(": ", v.Scenario, v.Headline) + "\n")
	command := func(level, place, title, message string) {
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", level, place, githubProperty.Replace(title), githubMessage.Replace(message))
	}
	shown, more := fitting(alerts(r, v, o), func(a alert) string { return a.Level.github }, visible(o.Page))
	for _, a := range shown {
		place := ""
		if a.File != "" {
			place = fmt.Sprintf("file=%s,line=%d,", githubProperty.Replace(a.File), a.Line)
		}
		command(a.Level.github, place, a.title(), a.Message)
	}
	for _, m := range more {
		command(m.level, "", v.Scenario, m.sentence)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
