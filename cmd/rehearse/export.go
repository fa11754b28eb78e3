package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/recorders"
)

func (a *app) exportVerb() verb {
	var format, out string
	var o recorders.ExportOptions
	return verb{
		use: "export RECORDING", short: "write a recording for another tool", exits: []int{exitNeedsPerson, exitRefused},
		long: "Export writes what is in a scrubbed recording in the format of another tool, and says what that format does\n" +
			"not carry. With --strict such a loss is exit code 1, and nothing is written.\n\nFormats:\n" + exporterList(),
		example: "rehearse export fixtures/lms-session --format wiremock --out wiremock",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&format, "format", "", "`name` of the format; without it the extension of --out decides, if only one format has it")
			set.StringVar(&out, "out", "", "`path` of the new file, when it has the extension of the format, or of the new folder (required)")
			set.BoolVar(&o.Strict, "strict", false, "write nothing, and end with exit code 1, when the format does not carry everything")
			set.BoolVar(&o.Force, "force", false, "replace the file that is there")
		},
		run: func(_ context.Context, args []string) error {
			if out == "" {
				return harness.Usage(errors.New("export: --out is missing"), "name the new file or folder, such as --out session.har")
			}
			ex, err := exporterFor(format, out)
			if err != nil {
				return err
			}
			rec, err := fixtures.Open(args[0])
			if err != nil {
				return err
			}
			if err := rec.RequireSealed(); err != nil {
				return err
			}
			xs, err := harness.Collect(rec)
			if err != nil {
				return err
			}
			losses, err := ex.Export(out, xs, o)
			if err != nil && !errors.Is(err, recorders.ErrLoss) {
				return err
			}
			return a.exportSummary(out, ex.Name, len(xs), losses, err != nil)
		},
	}
}

// exporterFor picks the format by its name, or by the extension of the file that is to be written.
func exporterFor(name, out string) (recorders.Exporter, error) {
	if name != "" {
		return recorders.ExporterFor(name)
	}
	var fit []recorders.Exporter
	var names []string
	for _, ex := range recorders.Exporters {
		names = append(names, ex.Name)
		if strings.HasSuffix(strings.ToLower(out), ex.Extension) {
			fit = append(fit, ex)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	return recorders.Exporter{}, harness.Usage(fmt.Errorf("export: the extension of %s does not tell the format", out), "name it with --format: "+strings.Join(names, ", "))
}

// exportSummary says what was written, and what the format does not carry. A strict export that lost something wrote
// nothing.
func (a *app) exportSummary(out, format string, n int, losses []string, refused bool) error {
	to := a.out
	if refused {
		to = a.err
		fmt.Fprintf(to, "nothing was written: %s does not carry everything\n", format)
	} else {
		fmt.Fprintf(to, "%s: %s, from %s\n", printable(out), format, harness.Count(n, "exchange"))
	}
	for _, l := range losses {
		fmt.Fprintf(to, "  lost: %s\n", printable(l))
	}
	if refused {
		return judged{harness.Review}
	}
	return nil
}

func exporterList() string {
	list := ""
	for _, ex := range recorders.Exporters {
		list += fmt.Sprintf("  %-9s  %s\n", ex.Name, ex.Summary)
	}
	return list
}
