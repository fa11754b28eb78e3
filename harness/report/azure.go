package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// The escapes of the logging commands of Azure Pipelines.
var (
	azureMessage  = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
	azureProperty = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", ";", "%3B", "]", "%5D")
)

// writeAzure writes a logging command for each finding that needs a person, and a plain line for each other one. A task
// shows ten of a level; the tenth counts the rest.
func writeAzure(w io.Writer, r *harness.Report, o Options) error {
	v := newView(r, bounds{})
	var b strings.Builder
	b.WriteString(join(": ", v.Scenario, v.Headline) + "\n")
	var grave []alert
	for _, a := range alerts(r, v, o) {
		if a.Level.azure == "" {
			b.WriteString(a.title() + ": " + a.Message + "\n")
			continue
		}
		grave = append(grave, a)
	}
	shown, more := fitting(grave, func(a alert) string { return a.Level.azure }, visible(o.Page))
	for _, a := range shown {
		place := ""
		if a.File != "" {
			place = fmt.Sprintf("sourcepath=%s;linenumber=%d;", azureProperty.Replace(a.File), a.Line)
		}
		fmt.Fprintf(&b, "##vso[task.logissue type=%s;%scode=%s;]%s\n", a.Level.azure, place, azureProperty.Replace(a.ID), azureMessage.Replace(a.title()+": "+a.Message))
	}
	for _, m := range more {
		fmt.Fprintf(&b, "##vso[task.logissue type=%s;]%s\n", m.level, azureMessage.Replace(m.sentence))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
