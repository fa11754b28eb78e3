package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/fixtures/scrub"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/capture"
	"github.com/rehearse-dev/rehearse/recorders"
)

// captureFlags are the flags of capture.
type captureFlags struct {
	storeFlags
	id, exchange, match, at    string
	format, from, to           string
	scenario, target, extended string
	output                     string
	most                       int
}

func (a *app) captureVerb() verb {
	var f captureFlags
	return verb{
		use: "capture SOURCE", short: "cut a failing message with all it needs out of a recording, an archive or a log",
		exits: []int{exitRefused, exitInconclusive},
		long: "Capture finds one message in a recording, or in anything that import reads, and takes what it needs to fail\n" +
			"again: its session, the answers that give it ids and tokens, what changed the things that it reads, calls of the\n" +
			"same trace, files of the same batch. It says why it took what. The identifier may stand anywhere: in a header, in\n" +
			"the address, in a body, in a row of a file, in a line of a log; in a recording with stand-ins the original is\n" +
			"looked for, too, when policy and key are those of the recording. What is not scrubbed yet is scrubbed.\n\n" +
			"The source is read as a stream, several times; it may be larger than memory.",
		example: "rehearse capture production.har --id A-20481 --out fixtures/inc-7 --scenario scenarios/inc-7.yaml",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.id, "id", "", "correlation `identifier` of the message, as a log or a colleague tells it")
			set.StringVar(&f.exchange, "exchange", "", "`number` or ID of the exchange in the source")
			set.StringVar(&f.match, "match", "", "`field=value`: a header field, parameter, member or column and its whole text")
			set.StringVar(&f.at, "at", "", "`moment` such as 2026-10-07T14:10:12Z: the failure nearest to it")
			f.add(set)
			set.StringVar(&f.format, "format", "", "`name` of the format of what is no recording; without it the content decides")
			set.StringVar(&f.from, "from", "", "`name` of the system that calls, of what is no recording (default \"client\")")
			set.StringVar(&f.to, "to", "", "`name` of the system that answers, of what is no recording (default: the host of each URL)")
			set.StringVar(&f.scenario, "scenario", "", "write a scenario that feeds the slice to this new `file`")
			set.StringVar(&f.target, "target", "", "`system` that the scenario feeds (default: the one that the message goes to)")
			set.StringVar(&f.extended, "extends", "", "scenario `file` that says how that system is started (default: one of the workspace that feeds the system)")
			set.IntVar(&f.most, "most", 500, "`number` of exchanges that are taken of one session")
			atLeast(set, "most", &f.most, 1)
			set.StringVar(&f.output, "output", "text", "`kind` of report: text, json")
		},
		run: func(ctx context.Context, args []string) error { return a.capture(ctx, args[0], f) },
	}
}

func (a *app) capture(ctx context.Context, path string, f captureFlags) error {
	if f.output != "text" && f.output != "json" {
		return harness.Usage(fmt.Errorf("capture: --output %q is not known", f.output), "write text or json")
	}
	if f.out == "" {
		return harness.Usage(errors.New("capture: --out is missing"), "name the folder of the slice, such as --out fixtures/inc-2231")
	}
	skeleton, err := a.skeletonFor(f)
	if err != nil {
		return err
	}
	source, sealed, err := a.captureSource(path, f)
	if err != nil {
		return err
	}
	query, err := a.captureQuery(f, sealed)
	if err != nil {
		return err
	}
	slice, err := capture.Cut(ctx, source, query)
	if err != nil {
		return err
	}
	summary := a.out
	if f.output == "json" {
		summary = a.err
	}
	if err := a.keepSlice(ctx, path, slice, sealed, f, summary); err != nil {
		return err
	}
	if skeleton != nil {
		if err := skeleton.write(path, slice); err != nil {
			return err
		}
	}
	return a.tellSlice(slice, skeleton, f)
}

// captureSource opens the source; sealed is the recording that it is, when it was scrubbed.
func (a *app) captureSource(path string, f captureFlags) (source harness.Recorder, sealed *fixtures.Recording, err error) {
	kind, err := sourceAt("capture", path)
	if err != nil {
		return nil, nil, err
	}
	if kind == aRecording {
		rec, err := fixtures.Open(path)
		if err != nil {
			return nil, nil, err
		}
		if rec.RequireSealed() == nil {
			sealed = rec
		}
		return replayed{rec}, sealed, nil
	}
	im, err := recorders.ImporterFor(f.format, path)
	if err != nil && f.format == "" && kind == aFile && !strings.Contains(err.Error(), "more than one format") {
		im, err = recorders.ImporterFor("files", path) // a file of which no tool is known is a file that was handed over
	}
	if err != nil {
		return nil, nil, err
	}
	return im.Open(path, f.from, f.to), nil, nil
}

// captureQuery says what is looked for. Exactly one flag tells it.
func (a *app) captureQuery(f captureFlags, sealed *fixtures.Recording) (q capture.Query, err error) {
	q.Most = f.most
	given := 0
	for _, flag := range []string{f.id, f.exchange, f.match, f.at} {
		if flag != "" {
			given++
		}
	}
	if given != 1 {
		return q, harness.Usage(errors.New("capture: say which message in one way"), "name one of --id, --exchange, --match and --at")
	}
	q.Exchange = f.exchange
	if f.id != "" {
		q.Texts, err = a.spellings(f, sealed)
	}
	if f.match != "" {
		var ok bool
		if q.Field, q.Value, ok = strings.Cut(f.match, "="); !ok || q.Field == "" || q.Value == "" {
			return q, harness.Usage(fmt.Errorf("capture: --match %q is not field=value", f.match), "write it as --match externalId=A-20481")
		}
	}
	if f.at != "" {
		q.At, err = parseMoment(f.at)
	}
	return q, err
}

// momentForms are the ways to write a moment; one without a zone is UTC.
var momentForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04"}

func parseMoment(text string) (time.Time, error) {
	for _, form := range momentForms {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, harness.Usage(fmt.Errorf("capture: --at %q is no moment", text),
		"write it as 2026-10-07T14:10:12Z, or with the zone: 2026-10-07T14:10:12-05:00")
}

// spellings are the identifier as it was told, and what stands for it in a recording that was scrubbed under this policy
// and key.
func (a *app) spellings(f captureFlags, sealed *fixtures.Recording) ([]string, error) {
	texts := []string{f.id}
	if sealed == nil || sealed.Manifest().Scrub.Masked == 0 {
		return texts, nil
	}
	policy, key, vault, err := a.scrubbedWith(f.policy, f.key, f.vault)
	if err != nil {
		return nil, err
	}
	seal := sealed.Manifest().Scrub
	if key == nil || lastKey(seal) != key.ID() || policy.Digest() != seal.Policy {
		fmt.Fprintf(a.err, "note: the recording holds stand-ins of policy and key that were not named: %q is looked for as it is\n", printable(f.id))
		return texts, nil
	}
	var options []scrub.Option
	if vault != nil {
		options = append(options, scrub.WithVault(vault))
	}
	return append(texts, scrub.New(policy, key, options...).StandIns(f.id)...), nil
}

// keepSlice writes the slice: as it is when it was scrubbed already, else scrubbed and proved.
func (a *app) keepSlice(ctx context.Context, path string, slice *capture.Slice, sealed *fixtures.Recording, f captureFlags, summary io.Writer) error {
	mem := harness.NewMemory(harness.Manifest{Origin: "capture", Tool: a.tool()})
	for _, t := range slice.Taken {
		mem.Put(t.Exchange) //nolint:errcheck // memory keeps everything
	}
	if sealed == nil {
		s, err := a.openStore("capture", harness.Manifest{Origin: "capture"}, f.storeFlags)
		if err != nil {
			return err
		}
		was := a.out
		a.out = summary
		defer func() { a.out = was }()
		return a.scrub(ctx, s, mem)
	}
	seal := sealed.Manifest().Scrub
	w, err := fixtures.Begin(f.out, harness.Manifest{Origin: "capture", Tool: a.tool(), Scrub: seal, Hosts: sealed.Manifest().Hosts},
		fixtures.Options{Form: fixtures.Form(f.form), Durability: fixtures.Async, Replace: f.force})
	if err != nil {
		return err
	}
	if err = (replayed{mem}).Record(ctx, w); err == nil {
		err = w.Seal(seal)
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(summary, "%s: %s, scrubbed as %s is\n", f.out, harness.Count(len(slice.Taken), "exchange"), path)
	return err
}

// takenLine is an exchange of a slice, for people and programs. It shows no value.
type takenLine struct {
	Exchange string   `json:"exchange"`
	At       string   `json:"at"`
	What     string   `json:"what"`
	Answer   string   `json:"answer,omitempty"`
	Fails    bool     `json:"fails,omitempty"`
	Why      []string `json:"why"`
}

// tellSlice says what was taken and why. What is shown is what was written, with its stand-ins.
func (a *app) tellSlice(slice *capture.Slice, skeleton *skeleton, f captureFlags) error {
	rec, err := fixtures.Open(f.out)
	if err != nil {
		return err
	}
	written, err := harness.Collect(rec)
	if err != nil {
		return err
	}
	var lines []takenLine
	for i, t := range slice.Taken {
		line := takenLine{
			Exchange: t.Exchange.ID, At: t.Exchange.At.UTC().Format(time.RFC3339), What: t.Exchange.Operation(),
			Fails: capture.Fails(&t.Exchange), Why: t.Why,
		}
		if i < len(written) {
			line.Exchange, line.What = written[i].ID, written[i].Operation()
		}
		if status := t.Exchange.Status(); status > 0 {
			line.Answer = fmt.Sprint(status)
		}
		if t.Exchange.Fault != nil {
			line.Answer = t.Exchange.Fault.Kind
		}
		lines = append(lines, line)
	}
	if f.output == "json" {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(map[string]any{"read": slice.Read, "left": slice.Left, "taken": lines})
	}
	fmt.Fprintf(a.out, "taken: %d of %s\n", len(slice.Taken), harness.Count(slice.Read, "exchange"))
	for _, l := range lines {
		answer := ""
		if l.Answer != "" {
			answer = " → " + l.Answer
		}
		fmt.Fprintf(a.out, "  %s  %s  %s%s\n", l.Exchange, l.At, printable(l.What), printable(answer))
		for _, why := range l.Why {
			fmt.Fprintf(a.out, "          %s\n", printable(why))
		}
	}
	if slice.Left > 0 {
		fmt.Fprintf(a.out, "left out: %s of the same sessions, farther away; --most takes more\n", harness.Count(slice.Left, "exchange"))
	}
	if !capture.Fails(&slice.Taken[slice.Anchor].Exchange) {
		fmt.Fprintln(a.out, "note: nothing that was found fails in the source; what fails may be what a mapping makes of it")
	}
	if skeleton != nil {
		fmt.Fprintf(a.out, "scenario: %s%s\n", f.scenario, skeleton.note)
		fmt.Fprintf(a.out, "next:     rehearse run %s --expect-failure\n          rehearse shrink %[1]s --out %s\n", filepath.ToSlash(f.scenario),
			filepath.ToSlash(strings.TrimSuffix(f.scenario, filepath.Ext(f.scenario))+"-small"))
	}
	return nil
}
