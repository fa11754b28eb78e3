package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
)

func (a *app) scrubSuggestVerb() verb {
	var out, name, format string
	var layouts []string
	return verb{
		use: "suggest PATH...", short: "propose a policy from a sample",
		long: "Suggest reads recordings, what `rehearse import` reads, files or folders of files, finds out what each place\n" +
			"holds, and proposes a policy: a rule for each place, with counts and the detectors that speak\n" +
			"for it. The sample is held in memory only, and no value gets into the policy but the code lists that it\n" +
			"freezes. What cannot be decided is listed for you, and stays masked until a rule says otherwise.",
		example: "rehearse scrub suggest extracts/ --out policy.yaml",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&out, "out", "", "write the policy to this new `file`")
			set.StringVar(&name, "name", "suggested", "`name` of the policy")
			set.StringVar(&format, "format", "", "`name` of the format, as for import; without it the file's extension decides")
			set.StringArrayVar(&layouts, "layout", nil, "layout `file` of files of fixed width; can be repeated")
		},
		run: func(ctx context.Context, args []string) error {
			survey := scrub.NewSurvey()
			for _, path := range args {
				r, err := sample(path, format, layouts)
				if err != nil {
					return err
				}
				if err := r.Record(ctx, survey); err != nil {
					return err
				}
			}
			s, err := survey.Suggest(name)
			if err != nil {
				return err
			}
			if err := a.writePolicy(out, s.Text); err != nil {
				return err
			}
			fmt.Fprintf(a.err, "%s: %d places to replace, %d to keep, %d for you to decide\n", harness.Count(s.Exchanges, "exchange"), s.Replaced, s.Kept, s.Open)
			return nil
		},
	}
}

// sample opens what a path leads to.
func sample(path, format string, layoutFiles []string) (harness.Recorder, error) {
	kind, err := sourceAt("scrub suggest", path)
	if err != nil {
		return nil, err
	}
	layouts, err := loadLayouts(layoutFiles)
	if err != nil {
		return nil, err
	}
	payload.AddLayouts(layouts...)
	if kind == aRecording {
		rec, err := fixtures.Open(path)
		return replayed{rec}, err
	}
	im, err := recorders.ImporterFor(format, path)
	switch {
	case err != nil && format != "":
		return nil, err
	case err == nil && im.Name != "files":
		return im.Open(path, "", ""), nil
	}
	return &plainfile.Importer{Path: path, From: roleSender, To: roleReceiver, Layouts: layouts}, nil
}
