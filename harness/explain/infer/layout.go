package infer

import (
	"strconv"
	"strings"
	"time"
)

// grain says what a layout holds.
type grain int

const (
	hasDate grain = 1 << iota
	hasClock
	hasZone
)

// layout is a way of writing dates and times.
type layout struct {
	pattern string // of package time; empty for epochs
	words   string
	grain   grain
	upper   bool
	unit    time.Duration // of an epoch
	solved  []solvedPart  // of a layout that was solved from a pair
	bits    float64       // of writing a solved layout down
}

const (
	instant = hasDate | hasClock | hasZone
	local   = hasDate | hasClock
)

// layouts is the table of ways to write dates and times, usual ones first.
var layouts = []layout{
	{pattern: "2006-01-02", words: "ISO date", grain: hasDate},
	{pattern: "20060102", words: "year, month and day without separators", grain: hasDate},
	{pattern: "01/02/2006", words: "US month/day/year", grain: hasDate},
	{pattern: "1/2/2006", words: "US month/day/year without leading zeros", grain: hasDate},
	{pattern: "02/01/2006", words: "day/month/year", grain: hasDate},
	{pattern: "2/1/2006", words: "day/month/year without leading zeros", grain: hasDate},
	{pattern: "01/02/06", words: "US month/day/two-digit year", grain: hasDate},
	{pattern: "1/2/06", words: "US month/day/two-digit year without leading zeros", grain: hasDate},
	{pattern: "02/01/06", words: "day/month/two-digit year", grain: hasDate},
	{pattern: "01-02-2006", words: "US month-day-year", grain: hasDate},
	{pattern: "02-01-2006", words: "day-month-year", grain: hasDate},
	{pattern: "02.01.2006", words: "day.month.year", grain: hasDate},
	{pattern: "2.1.2006", words: "day.month.year without leading zeros", grain: hasDate},
	{pattern: "02.01.06", words: "day.month.two-digit year", grain: hasDate},
	{pattern: "2006/01/02", words: "year/month/day", grain: hasDate},
	{pattern: "02-Jan-06", words: "day-MON-two-digit year", grain: hasDate, upper: true},
	{pattern: "02-Jan-06", words: "day-Mon-two-digit year", grain: hasDate},
	{pattern: "02-Jan-2006", words: "day-MON-year", grain: hasDate, upper: true},
	{pattern: "02-Jan-2006", words: "day-Mon-year", grain: hasDate},
	{pattern: "2-Jan-06", words: "day-Mon-two-digit year without leading zeros", grain: hasDate},
	{pattern: "2-Jan-2006", words: "day-Mon-year without leading zeros", grain: hasDate},
	{pattern: "02 Jan 2006", words: "day Mon year", grain: hasDate},
	{pattern: "2 Jan 2006", words: "day Mon year without leading zeros", grain: hasDate},
	{pattern: "2 January 2006", words: "day month year in words", grain: hasDate},
	{pattern: "Jan 2, 2006", words: "Mon day, year", grain: hasDate},
	{pattern: "January 2, 2006", words: "month day, year in words", grain: hasDate},
	{pattern: "Jan-2006", words: "Mon-year", grain: hasDate},
	{pattern: "01/2006", words: "month/year", grain: hasDate},
	{pattern: "2006-01", words: "year-month", grain: hasDate},
	{pattern: "200601", words: "year and month without separators", grain: hasDate},
	{pattern: "01022006", words: "US month, day and year without separators", grain: hasDate},
	{pattern: "02012006", words: "day, month and year without separators", grain: hasDate},
	{pattern: "010206", words: "US month, day and two-digit year without separators", grain: hasDate},
	{pattern: "060102", words: "two-digit year, month and day without separators", grain: hasDate},
	{pattern: "2006-002", words: "year and day of the year", grain: hasDate},
	{pattern: "2006-01-02T15:04:05Z07:00", words: "ISO instant", grain: instant},
	{pattern: "2006-01-02T15:04:05-07:00", words: "ISO instant with numeric offset", grain: instant},
	{pattern: "2006-01-02T15:04:05-0700", words: "ISO instant with offset without colon", grain: instant},
	{pattern: "2006-01-02T15:04:05.000Z07:00", words: "ISO instant with milliseconds", grain: instant},
	{pattern: "2006-01-02T15:04:05.000-07:00", words: "ISO instant with milliseconds and numeric offset", grain: instant},
	{pattern: "2006-01-02T15:04:05.000-0700", words: "ISO instant with milliseconds and offset without colon", grain: instant},
	{pattern: "2006-01-02T15:04:05.000000Z07:00", words: "ISO instant with microseconds", grain: instant},
	{pattern: "2006-01-02T15:04Z07:00", words: "ISO instant to the minute", grain: instant},
	{pattern: "2006-01-02 15:04:05Z07:00", words: "instant with a blank between date and time", grain: instant},
	{pattern: "2006-01-02 15:04:05-07:00", words: "instant with a blank between date and time, and numeric offset", grain: instant},
	{pattern: "2006-01-02 15:04:05-07", words: "instant as PostgreSQL writes it", grain: instant},
	{pattern: "20060102T150405Z07:00", words: "compact ISO instant", grain: instant},
	{pattern: "Mon, 02 Jan 2006 15:04:05 -0700", words: "mail date", grain: instant},
	{pattern: "Mon, 02 Jan 2006 15:04:05 GMT", words: "HTTP date", grain: instant},
	{words: "seconds since 1970", grain: instant, unit: time.Second},
	{words: "milliseconds since 1970", grain: instant, unit: time.Millisecond},
	{pattern: "2006-01-02T15:04:05", words: "ISO date and time without zone", grain: local},
	{pattern: "2006-01-02T15:04:05.000", words: "ISO date and time with milliseconds, without zone", grain: local},
	{pattern: "2006-01-02T15:04", words: "ISO date and time to the minute without zone", grain: local},
	{pattern: "2006-01-02 15:04:05", words: "date and time without zone", grain: local},
	{pattern: "2006-01-02 15:04:05.000", words: "date and time with milliseconds, without zone", grain: local},
	{pattern: "2006-01-02 15:04", words: "date and time to the minute without zone", grain: local},
	{pattern: "01/02/2006 15:04:05", words: "US month/day/year and time", grain: local},
	{pattern: "01/02/2006 15:04", words: "US month/day/year and time to the minute", grain: local},
	{pattern: "01/02/2006 03:04:05 PM", words: "US month/day/year and 12-hour time", grain: local},
	{pattern: "1/2/2006 3:04:05 PM", words: "US month/day/year and 12-hour time without leading zeros", grain: local},
	{pattern: "01/02/2006 03:04 PM", words: "US month/day/year and 12-hour time to the minute", grain: local},
	{pattern: "1/2/2006 3:04 PM", words: "US month/day/year and 12-hour time to the minute without leading zeros", grain: local},
	{pattern: "1/2/2006 15:04", words: "US month/day/year and time to the minute without leading zeros", grain: local},
	{pattern: "02/01/2006 15:04:05", words: "day/month/year and time", grain: local},
	{pattern: "02/01/2006 15:04", words: "day/month/year and time to the minute", grain: local},
	{pattern: "02.01.2006 15:04:05", words: "day.month.year and time", grain: local},
	{pattern: "02.01.2006 15:04", words: "day.month.year and time to the minute", grain: local},
	{pattern: "02-Jan-2006 15:04:05", words: "day-MON-year and time", grain: local, upper: true},
	{pattern: "02-Jan-2006 15:04:05", words: "day-Mon-year and time", grain: local},
	{pattern: "20060102150405", words: "date and time without separators", grain: local},
	{pattern: "200601021504", words: "date and time to the minute without separators", grain: local},
	{pattern: "20060102T150405", words: "compact ISO date and time without zone", grain: local},
	{pattern: "15:04:05", words: "24-hour time", grain: hasClock},
	{pattern: "15:04", words: "24-hour time to the minute", grain: hasClock},
	{pattern: "1504", words: "24-hour time without separator", grain: hasClock},
	{pattern: "3:04 PM", words: "12-hour time", grain: hasClock},
	{pattern: "03:04 PM", words: "12-hour time with leading zero", grain: hasClock},
	{pattern: "3:04pm", words: "12-hour time in small letters", grain: hasClock},
	{pattern: "03:04:05 PM", words: "12-hour time to the second", grain: hasClock},
}

// parse reads a text that is written in exactly this layout; the time is in the offset that it was written with.
func (l *layout) parse(s string) (time.Time, bool) {
	if len(s) < 3 || len(s) > 40 {
		return time.Time{}, false
	}
	if l.unit != 0 {
		return l.parseEpoch(s)
	}
	if len(l.pattern) > len(s)+8 || len(s) > len(l.pattern)+8 {
		return time.Time{}, false
	}
	t, err := time.Parse(l.pattern, s)
	if err != nil || l.grain&hasDate != 0 && (t.Year() < 1800 || t.Year() > 2200) && t.Year() != 9999 {
		return time.Time{}, false
	}
	return t, l.format(t) == s
}

// parseEpoch takes numbers that lie between 1980 and 2100.
func (l *layout) parseEpoch(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	t := time.UnixMilli(n).UTC()
	if l.unit == time.Second {
		t = time.Unix(n, 0).UTC()
	}
	return t, t.Year() >= 1980 && t.Year() <= 2100 && l.format(t) == s
}

func (l *layout) format(t time.Time) string {
	if l.solved != nil {
		return l.formatSolved(t)
	}
	switch l.unit {
	case time.Second:
		return strconv.FormatInt(t.Unix(), 10)
	case time.Millisecond:
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	s := t.Format(l.pattern)
	if l.upper {
		return strings.ToUpper(s)
	}
	return s
}

// sample is what layouts are shown with, so that no recorded value is.
func (l *layout) sample() string { return l.format(time.Date(2026, 8, 17, 14, 30, 0, 0, time.UTC)) }

// layoutsOf is the layouts that at least half of the texts are written in.
func layoutsOf(texts []string) []*layout {
	var out []*layout
	if len(texts) == 0 || !anyDigit(texts[0]) && !anyDigit(texts[len(texts)-1]) {
		return nil
	}
	for i := range layouts {
		n := 0
		for j, t := range texts {
			if _, ok := layouts[i].parse(t); ok {
				n++
			}
			if n+len(texts)-1-j < (len(texts)+1)/2 {
				break
			}
		}
		if 2*n >= len(texts) {
			out = append(out, &layouts[i])
		}
	}
	return out
}

func anyDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }
