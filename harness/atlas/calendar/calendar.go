// Package calendar looks ahead: it says which scheduled runs a change of the clock takes away or doubles, which days
// are frozen, and what ends or is due, from what the catalogue knows.
//
// It computes and stores nothing. Days count in the zone of the calendar, runs in the zone of their schedule. Time is
// linear in the runs of the days that are looked at; memory does not grow with them.
package calendar

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// MaxDays is the most days that can be looked ahead: ten years.
const MaxDays = 3660

// Event is something that the calendar holds ready, on its first day.
type Event struct {
	On          harness.Date
	Integration string // key in the catalogue; empty when it is about several
	harness.Finding
}

// Outlook is all events of the days from the first on, by day and then as weighty ones first. The error is about a
// schedule or a zone that cannot be understood.
func Outlook(c harness.Catalogue, first harness.Date, days int) ([]Event, error) {
	if days < 1 || days > MaxDays {
		return nil, harness.Usage(fmt.Errorf("look ahead %d days: want 1 to %d", days, MaxDays), "ask for fewer days, from a later one on")
	}
	o := outlook{catalogue: c, first: first, last: harness.Date{Time: first.AddDate(0, 0, days-1)}, days: days}
	for _, look := range []func() error{o.lookAtClockChanges, o.lookAtFreezes, o.lookAtDeadlines} {
		if err := look(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(o.events, func(a, b Event) int {
		return cmp.Or(a.On.Compare(b.On.Time), cmp.Compare(b.Verdict.Weight(), a.Verdict.Weight()), cmp.Compare(a.Sentence, b.Sentence))
	})
	for i := range o.events {
		o.events[i].Number = i + 1
	}
	return o.events, nil
}

// Worst is the weightiest verdict of the events, Same when there are none.
func Worst(events []Event) harness.Verdict {
	v := harness.Same
	for _, e := range events {
		v = harness.Worst(v, e.Verdict)
	}
	return v
}

// outlook gathers the events of some days.
type outlook struct {
	catalogue   harness.Catalogue
	first, last harness.Date
	days        int
	events      []Event
}

// add keeps an event; what is about one integration names its people.
func (o *outlook) add(on harness.Date, integration string, f harness.Finding) {
	if in, known := o.catalogue.Integrations[integration]; known {
		f.Owner = cmp.Or(f.Owner, o.catalogue.PersonName(in.Owner))
		f.Steward = o.catalogue.PersonName(in.Steward)
		f.Source = cmp.Or(f.Source, cmp.Or(in.Title, integration))
	}
	o.events = append(o.events, Event{on, integration, f})
}

// integrations are the keys of the catalogue's integrations, sorted.
func (o *outlook) integrations() []string {
	keys := make([]string, 0, len(o.catalogue.Integrations))
	for key := range o.catalogue.Integrations {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// holds reports whether the day lies within the days that are looked at.
func (o *outlook) holds(day harness.Date) bool {
	return !day.Time.Before(o.first.Time) && !day.After(o.last.Time)
}

// frozen is the freeze that holds an integration on a day; the empty integration is held by freezes of all.
func (o *outlook) frozen(day harness.Date, integration string) (harness.Freeze, bool) {
	for _, f := range o.catalogue.Calendar.Freezes {
		if f.Holds(day.Time) && (len(f.Integrations) == 0 || slices.Contains(f.Integrations, integration)) {
			return f, true
		}
	}
	return harness.Freeze{}, false
}
