package calendar

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// lookAtFreezes lists the freezes of the days, with the runs that fall into them: they go on, and nothing about them
// may change.
func (o *outlook) lookAtFreezes() error {
	for _, f := range o.catalogue.Calendar.Freezes {
		if f.To.Time.Before(o.first.Time) || f.From.After(o.last.Time) {
			continue
		}
		on := f.From
		if on.Time.Before(o.first.Time) {
			on = o.first
		}
		days := int(f.To.Sub(on.Time).Hours()/24) + 1
		runs, total, err := o.runsWithin(f, on, days)
		if err != nil {
			return err
		}
		e := harness.Finding{
			Title: "freeze", Verdict: harness.Benign, Count: total, Unit: "runs", Source: "calendar",
			Sentence: fmt.Sprintf("Freeze %q from %s to %s (%s): no change goes live.", f.Title, f.From, f.To, harness.Count(days, "day")),
			NextStep: "Bring changes in before it, or plan them for after it.",
		}
		if len(runs) > 0 {
			e.Effects = []string{"Runs that fall into it: " + strings.Join(runs, "; ") + "."}
		}
		o.add(on, "", e)
	}
	return nil
}

// runsWithin counts the runs of each integration that the freeze holds.
func (o *outlook) runsWithin(f harness.Freeze, on harness.Date, days int) (texts []string, total int, err error) {
	for _, key := range o.integrations() {
		if len(f.Integrations) > 0 && !slices.Contains(f.Integrations, key) {
			continue
		}
		n := 0
		for _, schedule := range o.catalogue.Integrations[key].Runs {
			spec, zone, err := parse(key, schedule)
			if err != nil {
				return nil, 0, err
			}
			for run := range spec.Runs(on.Time, days, zone) {
				n += len(run.At)
			}
		}
		if n > 0 {
			texts = append(texts, fmt.Sprintf("%s %d", key, n))
			total += n
		}
	}
	return texts, total, nil
}
