package scenarios

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cron"
)

// readCalendar reads the terms, freezes and deadlines of the catalogue. A file that is missing is an empty calendar.
func (r *catalogueReader) readCalendar() Problems {
	d, ok := r.read("calendar", &r.out.Calendar)
	if !ok {
		return d.problems
	}
	c := r.out.Calendar
	if c.Zone != "" {
		checkZone(d, "zone", c.Zone)
	}
	for i, term := range c.Terms {
		checkDays(d, fmt.Sprintf("terms[%d]", i), term.From, term.To)
	}
	for i, freeze := range c.Freezes {
		at := fmt.Sprintf("freezes[%d]", i)
		checkDays(d, at, freeze.From, freeze.To)
		for n, name := range freeze.Integrations {
			checkKnown(d, fmt.Sprintf("%s.integrations[%d]", at, n), "integration", name, r.out.Integrations)
		}
	}
	for i, deadline := range c.Deadlines {
		at := fmt.Sprintf("deadlines[%d]", i)
		if deadline.System != "" {
			checkKnown(d, at+".system", "system", deadline.System, r.out.Systems)
		}
		if deadline.Integration != "" {
			checkKnown(d, at+".integration", "integration", deadline.Integration, r.out.Integrations)
		}
		if deadline.Owner != "" {
			checkKnown(d, at+".owner", "person", deadline.Owner, r.out.People)
		}
	}
	return d.problems
}

func checkSchedule(d *decoder, label string, s harness.Schedule) {
	if _, err := cron.Parse(s.Cron); err != nil && s.Cron != "" {
		d.problem(label+".cron", "%s.cron: %v", d.called(label), err)
	}
	if s.Zone != "" {
		checkZone(d, label+".zone", s.Zone)
	}
}

func checkZone(d *decoder, label, zone string) {
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		d.problem(label, "%s: %s is not a time zone such as America/Chicago", d.called(label), quoted(zone))
	}
}

func checkDays(d *decoder, label string, from, to harness.Date) {
	if !from.IsZero() && !to.IsZero() && to.Time.Before(from.Time) {
		d.problem(label+".to", "%s ends on %s, before it begins on %s", d.called(label), to, from)
	}
}
