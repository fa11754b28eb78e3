package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/atlas/calendar"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// calendarFlags are the flags of calendar.
type calendarFlags struct {
	from, output string
	days         int
}

func (a *app) calendarVerb() verb {
	var f calendarFlags
	return verb{
		use: "calendar", short: "look ahead: runs that the clock takes away or doubles, freezes, what ends soon",
		exits: []int{exitNeedsPerson},
		long: "Calendar reads the schedules of the integrations and the file calendar.yaml of the catalogue. It lists the runs at\n" +
			"a time of day that daylight saving time takes away or brings twice, the freezes with the runs that fall into\n" +
			"them, and the certificates, secrets, reviews and releases of these days. Certificates and secrets need a person\n" +
			"from 45 days before their end on, reviews from 14 days before.",
		example: "rehearse calendar --from 2026-10-05 --days 365",
		flags: func(set *pflag.FlagSet) {
			set.StringVar(&f.from, "from", "", "first `day`, such as 2026-10-05; default: today")
			set.IntVar(&f.days, "days", 365, "`number` of days to look ahead")
			set.StringVar(&f.output, "output", "text", "`kind` of list: text or json")
		},
		run: func(context.Context, []string) error { return a.lookAhead(f) },
	}
}

func (a *app) lookAhead(f calendarFlags) error {
	write, known := map[string]func(io.Writer, outlook) error{"text": writeOutlook, "json": writeOutlookJSON}[f.output]
	if !known {
		return harness.Usage(fmt.Errorf("calendar: --output %q is not known", f.output), "write text or json")
	}
	ws, err := scenarios.OpenWorkspace(".")
	if err != nil {
		return err
	}
	catalogue := ws.Catalogue()
	first, err := a.firstDay(f.from, catalogue.Calendar)
	if err != nil {
		return err
	}
	events, err := calendar.Outlook(catalogue, first, f.days)
	if err != nil {
		return err
	}
	o := outlook{First: first, Last: harness.Date{Time: first.AddDate(0, 0, f.days-1)}, Verdict: calendar.Worst(events), Events: events}
	for _, in := range catalogue.Integrations {
		o.Schedules += len(in.Runs)
	}
	if err := write(a.out, o); err != nil {
		return err
	}
	return verdictError(o.Verdict, harness.Review)
}

// firstDay is the day that was asked for, or today in the zone of the calendar.
func (a *app) firstDay(text string, c harness.Calendar) (harness.Date, error) {
	var day harness.Date
	if text == "" {
		zone, err := c.Location()
		if err != nil {
			return day, fmt.Errorf("find today: %w", err)
		}
		text = a.now().In(zone).Format("2006-01-02")
	}
	if err := day.UnmarshalText([]byte(text)); err != nil {
		return day, harness.Usage(fmt.Errorf("calendar: --from %w", err), "write a day as year-month-day")
	}
	return day, nil
}

// outlook is what calendar tells.
type outlook struct {
	First, Last harness.Date
	Schedules   int
	Verdict     harness.Verdict
	Events      []calendar.Event
}

func writeOutlook(w io.Writer, o outlook) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s: schedules: %d, events: %d, %s\n", o.First, o.Last, o.Schedules, len(o.Events), o.Verdict)
	for _, e := range o.Events {
		fmt.Fprintf(&b, "\n%s  %-9s  %s\n", e.On, e.Verdict, strings.TrimSpace(e.Kind+" "+e.Title))
		line := func(label, text string) {
			if text != "" {
				fmt.Fprintf(&b, "    %-8s  %s\n", label, printable(text))
			}
		}
		line("", e.Sentence)
		for _, effect := range e.Effects {
			line("", effect)
		}
		line("about", e.Source)
		line("owner", e.Owner)
		line("next", e.NextStep)
	}
	if o.Schedules == 0 {
		fmt.Fprintf(&b, "\nNo integration of the catalogue has runs, so that no schedule was looked at. Write cron and zone under runs in integrations.yaml.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The shape of the list as JSON. A minor step only adds members.
type (
	jsonOutlook struct {
		Calendar  string      `json:"calendar"` // version of this shape
		From      string      `json:"from"`
		To        string      `json:"to"`
		Verdict   string      `json:"verdict"`
		Schedules int         `json:"schedules"`
		Events    []jsonEvent `json:"events"`
	}
	jsonEvent struct {
		On          string   `json:"on"`
		Kind        string   `json:"kind,omitempty"`
		Title       string   `json:"title"`
		Verdict     string   `json:"verdict"`
		Sentence    string   `json:"sentence"`
		Effects     []string `json:"effects"`
		Count       int      `json:"count"`
		Of          int      `json:"of,omitempty"`
		Unit        string   `json:"unit"`
		Integration string   `json:"integration,omitempty"`
		About       string   `json:"about,omitempty"`
		Owner       string   `json:"owner,omitempty"`
		Steward     string   `json:"steward,omitempty"`
		NextStep    string   `json:"next_step"`
	}
)

func writeOutlookJSON(w io.Writer, o outlook) error {
	out := jsonOutlook{Calendar: "1.0", From: o.First.String(), To: o.Last.String(), Verdict: string(o.Verdict), Schedules: o.Schedules, Events: []jsonEvent{}}
	for _, e := range o.Events {
		out.Events = append(out.Events, jsonEvent{
			On: e.On.String(), Kind: e.Kind, Title: e.Title, Verdict: string(e.Verdict), Sentence: e.Sentence, Effects: append([]string{}, e.Effects...),
			Count: e.Count, Of: e.Of, Unit: e.Unit, Integration: e.Integration, About: e.Source, Owner: e.Owner, Steward: e.Steward, NextStep: e.NextStep,
		})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write the calendar: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
