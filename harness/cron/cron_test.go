package cron

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestClockChangesTakeAndDoubleRuns(t *testing.T) {
	for _, tc := range []struct {
		why, line, zone, day string
		want                 []string // wall time and moments
	}{
		{"a gap of one hour", "15 2 * * *", "America/Chicago", "2027-03-14", []string{"2027-03-14 02:15"}},
		{"the hour before the gap", "59 1 * * *", "America/Chicago", "2027-03-14", []string{"2027-03-14 01:59 07:59Z"}},
		{"the end of the gap", "0 3 * * *", "America/Chicago", "2027-03-14", []string{"2027-03-14 03:00 08:00Z"}},
		{"a fold of one hour", "30 1 * * *", "America/Chicago", "2026-11-01", []string{"2026-11-01 01:30 06:30Z 07:30Z"}},
		{"the end of the fold", "0 2 * * *", "America/Chicago", "2026-11-01", []string{"2026-11-01 02:00 08:00Z"}},
		{"a change of half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-04", []string{"2026-10-04 02:15"}},
		{"a zone without changes", "15 2 * * *", "America/Phoenix", "2027-03-14", []string{"2027-03-14 02:15 09:15Z"}},
		{"another hemisphere", "30 2 * * *", "Australia/Sydney", "2027-04-04", []string{"2027-04-04 02:30 15:30Z 16:30Z"}},
		{"a gap at midnight", "0 0 * * *", "America/Asuncion", "2023-10-01", []string{"2023-10-01 00:00"}},
		{"a day that the zone left out", "0 12 * * *", "Pacific/Apia", "2011-12-30", []string{"2011-12-30 12:00"}},
	} {
		spec, err := Parse(tc.line)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := time.Parse(time.DateOnly, tc.day)
		var got []string
		for r := range spec.Runs(first, 1, zone(t, tc.zone)) {
			text := r.Wall()
			for _, at := range r.At {
				text += " " + at.UTC().Format("15:04Z")
			}
			got = append(got, text)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %s in %s on %s: got %q, want %q", tc.why, tc.line, tc.zone, tc.day, got, tc.want)
		}
	}
}

func TestGapSaysWhereOthersLand(t *testing.T) {
	spec, _ := Parse("15 2 * * *")
	first := time.Date(2027, 3, 14, 0, 0, 0, 0, time.UTC)
	chicago := zone(t, "America/Chicago")
	for r := range spec.Runs(first, 1, chicago) {
		forward, naive := r.Instead(chicago)
		if f, n := forward.Format("15:04"), naive.Format("15:04"); f != "03:00" || n != "03:15" {
			t.Errorf("the clock is set forward to %s and a naive conversion lands on %s, want 03:00 and 03:15", f, n)
		}
	}
}

func TestLinesStartWhatTheyName(t *testing.T) {
	for _, tc := range []struct {
		why, line string
		days      int
		runs      int // from Monday 5 October 2026 on
	}{
		{"every 15 minutes", "*/15 * * * *", 1, 96},
		{"nightly", "15 2 * * *", 7, 7},
		{"Tuesday", "0 15 * * 2", 14, 2},
		{"Tuesday by name", "0 15 * * tue", 14, 2},
		{"Sunday as 7", "0 15 * * 7", 7, 1},
		{"work days at two hours", "0 8,17 * * mon-fri", 7, 10},
		{"either kind of day", "0 0 6 * mon", 7, 2},
		{"both kinds when one begins with a star", "0 0 */2 * mon", 14, 1},
		{"step from a value", "10/20 3 * * *", 1, 3},
		{"month by name", "0 0 1 nov *", 60, 1},
		{"leap day", "0 0 29 2 *", 4 * 366, 1},
		{"nickname", "@daily", 3, 3},
	} {
		spec, err := Parse(tc.line)
		if err != nil {
			t.Errorf("%s: %v", tc.why, err)
			continue
		}
		n := 0
		for range spec.Runs(time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), tc.days, time.UTC) {
			n++
		}
		if n != tc.runs {
			t.Errorf("%s: %q runs %d times in %d days, want %d", tc.why, tc.line, n, tc.days, tc.runs)
		}
	}
}

func TestWrongLinesAreExplained(t *testing.T) {
	for line, want := range map[string]string{
		"15 2 * *":      "has 4 fields, want 5",
		"61 2 * * *":    `minute "61" holds "61", want a value from 0 to 59`,
		"15 2 0 * *":    "want a value from 1 to 31",
		"15 2 * * fun":  `day of week "fun"`,
		"*/0 * * * *":   `has the step "0"`,
		"0 5-3 * * *":   "goes backwards",
		"0 0 30 2 *":    "a day that no month has",
		"@reboot":       "has 1 fields",
		"0 0 * * 1,,2":  `holds ""`,
		"-5 0 * * *":    `holds ""`,
		"0 0 * * * 1 2": "has 7 fields",
	} {
		if _, err := Parse(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", line, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{"15 2 * * *", "*/15 * * * *", "0 8,17 1-15/2 jan-mar mon", "@daily", "99 * * * *"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		spec, err := Parse(line)
		if err != nil {
			return
		}
		for r := range spec.Runs(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 366, time.UTC) {
			if len(r.At) != 1 {
				t.Fatalf("%q: %s happens %d times in UTC", line, r.Wall(), len(r.At))
			}
			return
		}
	})
}
