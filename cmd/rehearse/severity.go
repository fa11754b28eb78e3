package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/explain/severity"
)

// profiles is what each profile forgives, from strict to lenient.
var profiles = []struct{ name, forgives string }{
	{harness.ProfileBytes, "any other byte needs a person"},
	{harness.ProfileLexical, "white space and the order of members are free"},
	{harness.ProfileTyped, "numbers and dates count by value; the default"},
	{harness.ProfileTolerant, "of what comes in, only fields that the mapping is known to read count"},
}

func (a *app) ruleSeverityVerb() verb {
	profile := harness.ProfileTyped
	return verb{
		use: "severity", short: "print how bad each kind of change is, by direction and profile",
		long: "Severity prints the table by which changes are judged where nothing is known beyond the change itself: what\n" +
			"comes in from a vendor, and what our side sends out. Evidence goes before it: a record that is lost or a call\n" +
			"that is refused breaks the run. The profile, and decisions about single places with reason, owner and last\n" +
			"day, stand under severity in the catalogue's entry of the integration, or in a scenario.",
		example: "rehearse rule severity --profile tolerant-reader",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&profile, "profile", profile, "`profile`: bytes, lexical, typed or tolerant-reader")
		},
		run: func(context.Context, []string) error { return a.showSeverity(profile) },
	}
}

func (a *app) showSeverity(profile string) error {
	if !slices.ContainsFunc(profiles, func(p struct{ name, forgives string }) bool { return p.name == profile }) {
		return harness.Usage(fmt.Errorf("rule severity: profile %q is not known", profile), "use bytes, lexical, typed or tolerant-reader")
	}
	fmt.Fprintf(a.out, "%-4s %-9s %-9s %s\n", "row", "in", "out", "change: reason")
	for _, r := range severity.Rules {
		fmt.Fprintf(a.out, "%-4s %-9s %-9s %s: %s\n", r.ID, levelText(r, false, profile), levelText(r, true, profile), r.Change, r.Reason)
	}
	if profile == harness.ProfileTolerant {
		fmt.Fprintln(a.out, "\n*  benign where the mapping is known not to read the field")
	}
	fmt.Fprintln(a.out, "\nProfiles:")
	for _, p := range profiles {
		fmt.Fprintf(a.out, "  %-16s %s\n", p.name, p.forgives)
	}
	return nil
}

// levelText is the level of a field that the mapping reads, marked where it is another one for a field that it does not.
func levelText(r severity.Rule, out bool, profile string) string {
	level := string(r.Level(out, false, profile))
	if r.Level(out, true, profile) != r.Level(out, false, profile) {
		level += "*"
	}
	return level
}
