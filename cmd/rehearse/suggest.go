package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures/scan"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/fixtures/trial"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
	"github.com/rehearse-dev/rehearse/harness/payload/layout"
	"github.com/rehearse-dev/rehearse/recorders"
	"github.com/rehearse-dev/rehearse/recorders/plainfile"
)

func (a *app) scrubSuggestVerb() verb {
	f := suggestFlags{}
	return verb{
		use: "suggest PATH...", short: "propose a policy from a sample",
		long: "Suggest reads recordings, what `rehearse import` reads, files or folders of files, finds out what each place\n" +
			"holds, and proposes a policy: a rule for each place, with counts and the detectors that speak\n" +
			"for it. The sample is held in memory only, and no value gets into the policy but the code lists that it\n" +
			"freezes. What cannot be decided is listed for you, and stays masked until a rule says otherwise.\n\n" +
			"The policy is tried on the sample: it is scrubbed in memory and searched for what was replaced, as a proof does.\n" +
			"A place where that is found gets another rule, until the proof would pass.",
		example: "rehearse scrub suggest extracts/ --out policy.yaml",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.out, "out", "", "write the policy to this new `file`")
			set.StringVar(&f.name, "name", "suggested", "`name` of the policy")
			set.StringVar(&f.format, "format", "", "`name` of the format, as for import; without it the file's extension decides")
			set.StringArrayVar(&f.layouts, "layout", nil, "layout `file` of files of fixed width; can be repeated")
			set.BoolVar(&f.keepGoing, "keep-going", false, "pass over records and files that cannot be read, as import does; each is named")
			f.reader.add(set)
			set.IntVar(&f.tries, "tries", mostTries, "most `trials`; 0 proposes what is found at first sight")
			atLeast(set, "tries", &f.tries, 0)
		},
		run: func(ctx context.Context, args []string) error { return a.suggest(ctx, args, f) },
	}
}

// suggestFlags are the flags of scrub suggest.
type suggestFlags struct {
	out, name, format string
	layouts           []string
	tries             int
	keepGoing         bool
	reader            reader
}

// mostTries is how often a suggested policy is corrected at most, unless a flag says otherwise.
const mostTries = 8

func (a *app) suggest(ctx context.Context, paths []string, f suggestFlags) error {
	layouts, err := loadLayouts(f.layouts)
	if err != nil {
		return err
	}
	payload.AddLayouts(layouts...)
	var sources []harness.Recorder
	for _, path := range paths {
		source := &sampled{app: a, reader: f.reader, path: path, format: f.format, layouts: layouts, keepGoing: f.keepGoing}
		if _, err := source.open(); err != nil {
			return err
		}
		sources = append(sources, source)
	}
	survey := scrub.NewSurvey()
	for _, source := range sources {
		if err := source.Record(ctx, survey); err != nil {
			return err
		}
	}
	for _, source := range sources {
		source.(*sampled).told(a)
	}
	s, left, err := tried(ctx, survey, f, sources)
	if err != nil {
		return err
	}
	if err := a.writePolicy(f.out, s.Text); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "%s: %d places to replace, %d to keep, %d for you to decide\n", harness.Count(s.Exchanges, "exchange"), s.Replaced, s.Kept, s.Open)
	if len(left) > 0 {
		fmt.Fprintln(a.err, "note: a proof would be refused yet, and no rule that was tried helps:")
		var list strings.Builder
		scan.ListPlaces(&list, left, mostPlaces)
		fmt.Fprint(a.err, list.String())
	}
	return nil
}

// tried suggests a policy, tries it on the sample, and corrects it as long as there are leaks and something to try. It
// returns the leaks that are left, too.
func tried(ctx context.Context, survey *scrub.Survey, f suggestFlags, sources []harness.Recorder) (s scrub.Suggestion, left []scan.Place, err error) {
	for n := 0; ; n++ {
		if s, err = survey.Suggest(f.name); err != nil || n == f.tries {
			return s, left, err
		}
		policy, err := scrub.ParsePolicy("suggested policy", s.Text)
		if err != nil {
			return s, nil, err
		}
		corrected := false
		left, err = trial.Run(ctx, policy, func(leaf scrub.Leaf, found scan.Found) {
			if found.Level == scan.Leak {
				corrected = survey.Correct(leaf, found.Class, found.Whole) || corrected
			}
		}, sources...)
		if err != nil {
			return s, nil, err
		}
		left = slices.DeleteFunc(left, func(p scan.Place) bool { return p.Level != scan.Leak })
		if !corrected {
			return s, left, nil
		}
	}
}

// sampled is a source that is opened anew each time that it is read.
type sampled struct {
	app          *app
	reader       reader
	path, format string
	layouts      []*layout.Layout
	keepGoing    bool

	asFiles bool            // no format fits, so that it is files
	last    recorders.Noted // that was read; nil: a recording
}

func (s *sampled) Record(ctx context.Context, sink harness.Sink) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	return r.Record(ctx, sink)
}

// told says how the source was read where that is not what `rehearse import` does without being told, and what was passed over.
func (s *sampled) told(a *app) {
	if s.asFiles {
		fmt.Fprintf(a.err, "note: %s is read as plain files; import it with --format files\n", s.path)
	}
	if s.keepGoing && s.last != nil {
		a.nameUnreadable(s.last)
	}
}

// open opens what the path leads to.
func (s *sampled) open() (harness.Recorder, error) {
	kind, err := sourceAt("scrub suggest", s.path)
	if err != nil {
		return nil, err
	}
	if kind == aRecording {
		rec, err := s.app.open(s.path, s.reader)
		return replayed{rec}, err
	}
	im, err := recorders.ImporterFor(s.format, s.path)
	s.asFiles = errors.Is(err, recorders.ErrNoFormat)
	switch {
	case err != nil && !s.asFiles:
		return nil, err
	case err == nil && im.Name != "files":
		s.last = im.Open(s.path, "", "")
	default:
		s.last = &plainfile.Importer{Path: s.path, From: roleSender, To: roleReceiver, Layouts: s.layouts}
	}
	if patient, ok := s.last.(recorders.Patient); ok && s.keepGoing {
		patient.KeepOn()
	}
	return s.last, nil
}
