// Package cron reads the five fields of a crontab line and tells at which wall-clock times they start something, also
// where a change of the clock makes such a time twice, or not at all.
//
// Fields are minute, hour, day of month, month and day of week, as in crontab(5): numbers, *, ranges, lists, steps,
// names of months and days, 7 for Sunday, and @hourly, @daily, @weekly, @monthly, @yearly. When both kinds of day are
// restricted, a day counts that fits either of them. There are no seconds and no @reboot.
package cron

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be the same on every machine
)

// Spec is a parsed crontab line.
type Spec struct {
	minutes, hours, days, months, weekdays [60]bool
	anyDay, anyWeekday                     bool // the field begins with a star
	interval                               bool // the hour or the minute begins with a star: it runs by interval, not at a time
}

// field is one row of the table of the five fields.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

var fields = []field{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// nicknames is the words that stand for five fields.
var nicknames = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
	"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// Parse reads a line of five fields or a nickname. The error says which field is wrong and what it may hold.
func Parse(line string) (Spec, error) {
	var s Spec
	text := strings.TrimSpace(line)
	if five, ok := nicknames[strings.ToLower(text)]; ok {
		text = five
	}
	words := strings.Fields(text)
	if len(words) != len(fields) {
		return s, fmt.Errorf("%q has %d fields, want 5: minute, hour, day of month, month, day of week", line, len(words))
	}
	sets := []*[60]bool{&s.minutes, &s.hours, &s.days, &s.months, &s.weekdays}
	for i, word := range words {
		if err := fields[i].parse(word, sets[i]); err != nil {
			return s, fmt.Errorf("%q: %s %q %w", line, fields[i].name, word, err)
		}
	}
	s.weekdays[0] = s.weekdays[0] || s.weekdays[7]
	s.anyDay, s.anyWeekday = words[2][0] == '*', words[4][0] == '*'
	s.interval = words[0][0] == '*' || words[1][0] == '*'
	if !s.everRuns() {
		return s, fmt.Errorf("%q names a day that no month has", line)
	}
	return s, nil
}

// parse sets what one word of the line allows.
func (f field) parse(word string, set *[60]bool) error {
	for part := range strings.SplitSeq(word, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return fmt.Errorf("has the step %q, want a number from 1", stepText)
			}
			step = n
		}
		from, to, err := f.span(span, stepped)
		if err != nil {
			return err
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return nil
}

// span reads *, a value, or two of them with a dash between; a value with a step goes on to the end.
func (f field) span(text string, stepped bool) (from, to int, err error) {
	if text == "*" {
		return f.min, f.max, nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if from, err = f.value(first); err != nil {
		return 0, 0, err
	}
	switch {
	case ranged:
		if to, err = f.value(last); err != nil {
			return 0, 0, err
		}
	case stepped:
		to = f.max
	default:
		to = from
	}
	if from > to {
		return 0, 0, fmt.Errorf("goes backwards from %s to %s", first, last)
	}
	return from, to, nil
}

func (f field) value(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToLower(text)); i >= 0 {
		return f.min + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max {
		return 0, fmt.Errorf("holds %q, want a value from %d to %d", text, f.min, f.max)
	}
	return n, nil
}

// everRuns reports whether some day fits: 30 February never does. Four years from a leap year on hold every day.
func (s Spec) everRuns() bool {
	for d := time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2032; d = d.AddDate(0, 0, 1) {
		if s.onDay(d) {
			return true
		}
	}
	return false
}

// onDay reports whether the day of t fits.
func (s Spec) onDay(t time.Time) bool {
	day, weekday := s.days[t.Day()], s.weekdays[t.Weekday()]
	if s.anyDay || s.anyWeekday {
		return s.months[t.Month()] && day && weekday
	}
	return s.months[t.Month()] && (day || weekday)
}

// IsInterval reports whether the line runs by interval: its hour or its minute begins with a star. A change of the clock
// takes no such run away for good, for the next one is near.
func (s Spec) IsInterval() bool { return s.interval }
