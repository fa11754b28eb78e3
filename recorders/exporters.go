package recorders

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders/curl"
	"github.com/rehearse-dev/rehearse/recorders/govcr"
	"github.com/rehearse-dev/rehearse/recorders/har"
	"github.com/rehearse-dev/rehearse/recorders/hoverfly"
	"github.com/rehearse-dev/rehearse/recorders/internal/export"
	"github.com/rehearse-dev/rehearse/recorders/postman"
	"github.com/rehearse-dev/rehearse/recorders/wiremock"
)

// Exporter is one row of the table of exporters.
type Exporter struct {
	Name      string
	Summary   string
	Extension string // of a file; where out has another one, it is a folder
	// Export writes exchanges to a file or a new folder, whole or not at all, and says what the format does not carry.
	Export func(out string, xs []harness.Exchange, o ExportOptions) (losses []string, err error)
}

// ExportOptions of an exporter.
type ExportOptions = export.Options

// ErrLoss is the error of a strict export to a format that cannot carry everything. Nothing was written.
var ErrLoss = export.ErrLoss

// Exporters is the table of exporters.
var Exporters = []Exporter{
	exporting("har", "HTTP archive, HAR 1.2: a file, or one for each session", har.Export),
	exporting("govcr", "YAML for go-vcr, version 2: a file, or one for each session", govcr.Export),
	exporting("wiremock", "stub mappings of WireMock: a file, or a folder with mappings and __files", wiremock.Export),
	exporting("hoverfly", "simulation of Hoverfly, schema v5: a file, or one for each session", hoverfly.Export),
	exporting("postman", "collection of Postman, format 2.1: a file, or one for each session", postman.Export),
	exporting("curl", "shell script of curl commands, requests only: a file, or one for each session", curl.Export),
}

func exporting(name, summary string, f export.Format) Exporter {
	return Exporter{name, summary, f.Extension, f.Export}
}

// ExporterFor returns the row of that name.
func ExporterFor(name string) (Exporter, error) {
	var names []string
	for _, ex := range Exporters {
		if ex.Name == name {
			return ex, nil
		}
		names = append(names, ex.Name)
	}
	return Exporter{}, harness.Usage(fmt.Errorf("export: format %q is not known", name), "formats are "+strings.Join(names, ", "))
}
