package cron

import (
	"iter"
	"time"
)

// Run is one time on the wall clock at which something should start.
type Run struct {
	Year         int
	Month        time.Month
	Day          int
	Hour, Minute int
	At           []time.Time // the moments at which the clock shows this time: one, none in a gap, two in a fold
}

// Wall writes the time as the clock shows it: 2027-03-14 02:15.
func (r Run) Wall() string {
	return time.Date(r.Year, r.Month, r.Day, r.Hour, r.Minute, 0, 0, time.UTC).Format("2006-01-02 15:04")
}

// Runs yields the runs of the days from the first on, by the clock of the zone, in the order of the wall clock.
func (s Spec) Runs(first time.Time, days int, zone *time.Location) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		year, month, day := first.Date()
		for n := range days {
			noon := time.Date(year, month, day+n, 12, 0, 0, 0, time.UTC)
			if !s.onDay(noon) {
				continue
			}
			for hour := range 24 {
				if !s.hours[hour] {
					continue
				}
				for minute := range 60 {
					if s.minutes[minute] && !yield(runAt(noon, hour, minute, zone)) {
						return
					}
				}
			}
		}
	}
}

func runAt(noon time.Time, hour, minute int, zone *time.Location) Run {
	r := Run{Year: noon.Year(), Month: noon.Month(), Day: noon.Day(), Hour: hour, Minute: minute}
	r.At = moments(time.Date(r.Year, r.Month, r.Day, hour, minute, 0, 0, time.UTC), zone)
	return r
}

// moments is when the clock of the zone shows the wall time, which is given as if it were UTC. The offsets of the day
// before and after are all that can hold: zones change theirs at most once in that time.
func moments(wall time.Time, zone *time.Location) []time.Time {
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		shows := at.Hour() == wall.Hour() && at.Minute() == wall.Minute() && at.Day() == wall.Day()
		if shows && (len(found) == 0 || !found[0].Equal(at)) {
			found = append(found, at)
		}
	}
	return found
}

// Instead is the moment that stands in for a time in a gap: where the clock is set forward at that time. A naive
// conversion lands as far behind it.
func (r Run) Instead(zone *time.Location) (forward, naive time.Time) {
	wall := time.Date(r.Year, r.Month, r.Day, r.Hour, r.Minute, 0, 0, time.UTC)
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	naive = wall.Add(-time.Duration(before) * time.Second).In(zone)
	forward, _ = naive.ZoneBounds()
	return forward, naive
}
