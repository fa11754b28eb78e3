package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/fixtures"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/replay/correlate"
)

// linksFlags are the flags of fixtures links.
type linksFlags struct{ to, scenario, output string }

func (a *app) fixturesLinksVerb() verb {
	var f linksFlags
	return verb{
		use: "links RECORDING", short: "show which values of answers later requests use",
		long: "Links shows what is found without configuration: ids, tokens, cookies, cursors and tickets that an answer gives and a\n" +
			"later request to the same system uses. A run replaces them by those of the live system. Links of one kind are one\n" +
			"entry, with the one that is least sure as its example; json has every link. What is missing or wrong is pinned or\n" +
			"denied in a scenario under correlate, with the operations and places that are shown here.",
		example: "rehearse fixtures links fixtures/crm-sis --to sis",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.to, "to", "", "`system` that the requests go to; all systems unless told otherwise")
			set.StringVar(&f.scenario, "scenario", "", "scenario `file` whose pins and denials apply")
			set.StringVar(&f.output, "output", "text", "`kind` of output: text, json")
		},
		run: func(_ context.Context, args []string) error { return a.links(args[0], f) },
	}
}

func (a *app) links(dir string, f linksFlags) error {
	if f.output != "text" && f.output != "json" {
		return harness.Usage(fmt.Errorf("fixtures links: --output %q is not known", f.output), "write text or json")
	}
	var o correlate.Options
	if f.scenario != "" {
		_, s, err := openScenario(f.scenario)
		if err != nil {
			return err
		}
		o = correlate.Options{Pin: s.Correlate.Pin, Deny: s.Correlate.Deny}
	}
	rec, err := fixtures.Open(dir)
	if err != nil {
		return err
	}
	fed := map[string][]harness.Exchange{}
	for x, err := range rec.Exchanges() {
		if err != nil {
			return err
		}
		fed[x.To] = append(fed[x.To], x)
	}
	systems := rec.Manifest().Systems
	if f.to != "" {
		if !slices.Contains(systems, f.to) {
			return harness.Usage(fmt.Errorf("fixtures links: no system %q in %s", f.to, dir), fmt.Sprintf("its systems are %q", systems))
		}
		systems = []string{f.to}
	}
	for _, system := range systems {
		if len(fed[system]) == 0 {
			continue
		}
		plan, err := correlate.Mine(fed[system], o)
		if err != nil {
			return err
		}
		if err := a.writeLinks(foundLinks{filepath.ToSlash(dir), system, len(fed[system]), plan.TooLarge, plan.Links}, plan, f.output); err != nil {
			return err
		}
	}
	return nil
}

// foundLinks is what was found in the exchanges to one system.
type foundLinks struct {
	Recording string           `json:"recording"`
	System    string           `json:"system"`
	Exchanges int              `json:"exchanges"`
	TooLarge  int              `json:"bodies_not_read"`
	Links     []correlate.Link `json:"links"`
}

func (a *app) writeLinks(l foundLinks, plan *correlate.Plan, output string) error {
	if output == "json" {
		if l.Links == nil {
			l.Links = []correlate.Link{}
		}
		return json.NewEncoder(a.out).Encode(l)
	}
	kinds := plan.Kinds()
	fmt.Fprintf(a.out, "%s to %s: %s of %s in %s\n", l.Recording, printable(l.System), harness.Count(len(l.Links), "link"), harness.Count(len(kinds), "kind"), harness.Count(l.Exchanges, "exchange"))
	if l.TooLarge > 0 {
		fmt.Fprintf(a.out, "  %s not read: larger than 8 MiB\n", harness.Count(l.TooLarge, "body"))
	}
	for i, k := range kinds {
		if i == 0 || k.From.Operation != kinds[i-1].From.Operation || k.From.At.String() != kinds[i-1].From.At.String() {
			fmt.Fprintf(a.out, "  %s\n", printable(k.From.Operation+" at "+k.From.At.String()))
		}
		how := ""
		if k.Transform != "" {
			how = " in " + k.Transform
		}
		s := k.Sample
		fmt.Fprintf(a.out, "    → %s%s: %s, score %.2f\n", printable(k.To.Operation+" at "+k.To.At.String()), how, harness.Count(k.Links, "place"), k.Score)
		fmt.Fprintf(a.out, "      %s\n", printable(fmt.Sprintf("%s → %s: %s, %s", s.From.Exchange, s.To.Exchange, clip(s.Value), s.Evidence)))
	}
	return nil
}

// clip is the beginning of a long value.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most-3] + "..."
}
