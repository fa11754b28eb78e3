package calendar

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func day(text string) (d harness.Date) {
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return d
}

// nightly is a catalogue with one integration that runs by the line in the zone.
func nightly(cron, zone string) harness.Catalogue {
	return harness.Catalogue{
		People:  map[string]harness.Person{"dana": {Name: "Dana Ortiz"}, "leon": {Name: "Leon Achebe"}},
		Systems: map[string]harness.System{"identity": {Title: "Keystone Identity"}},
		Integrations: map[string]harness.Integration{"rosters": {
			Name: "rosters", Title: "Rosters", Owner: "dana", Steward: "leon", Runs: []harness.Schedule{{Title: "the nightly run", Cron: cron, Zone: zone}},
		}},
	}
}

func due(kind, on string) harness.Catalogue {
	c := nightly("0 12 * * *", "UTC")
	c.Calendar.Deadlines = []harness.Deadline{{Title: "Certificate of Keystone", Kind: kind, On: day(on), System: "identity", Owner: "dana"}}
	return c
}

func frozen(c harness.Catalogue, from, to string, only ...string) harness.Catalogue {
	c.Calendar.Freezes = []harness.Freeze{{Title: "finals", From: day(from), To: day(to), Integrations: only}}
	return c
}

func TestOutlookSaysWhatIsAhead(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		catalogue harness.Catalogue
		first     string
		days      int
		want      []string // day, kind, verdict, count
		says      []string
	}{
		{"gap", "the time is taken away", nightly("15 2 * * *", "America/Chicago"), "2026-10-05", 365,
			[]string{"2027-03-14 F42 review 1/365"}, []string{"2027-03-14 02:15", "does not exist", "at 03:00", "lands on 03:15"}},
		{"fold", "the time comes twice", nightly("30 1 * * *", "America/Chicago"), "2026-10-05", 60,
			[]string{"2026-11-01 F42 review 1/60"}, []string{"2026-11-01 01:30", "happens twice", "06:30 UTC", "07:30 UTC"}},
		{"two years", "one cause in several years is one event", nightly("15 2 * * *", "America/Chicago"), "2027-01-01", 730,
			[]string{"2027-03-14 F42 review 2/730"}, []string{"2027-03-14 02:15, 2028-03-12 02:15"}},
		{"other zone", "the day of the change is the zone's own", nightly("15 2 * * *", "Europe/Berlin"), "2027-01-01", 120,
			[]string{"2027-03-28 F42 review 1/120"}, nil},
		{"no changes", "Arizona does not change its clock", nightly("15 2 * * *", "America/Phoenix"), "2026-10-05", 365, nil, nil},
		{"interval", "the next run is near", nightly("*/15 * * * *", "America/Chicago"), "2026-10-05", 365, nil, nil},
		{"hourly", "the next run is near", nightly("20 * * * *", "America/Chicago"), "2026-10-05", 365, nil, nil},
		{"weekly on another day", "the run is not on the day of the change", nightly("15 2 * * 1", "America/Chicago"), "2026-10-05", 365, nil, nil},

		{"freeze", "runs go on, changes do not", frozen(nightly("15 2 * * *", "America/Chicago"), "2026-12-07", "2026-12-18"), "2026-10-05", 120,
			[]string{"2026-12-07  benign 12/0"}, []string{`"finals"`, "rosters 12"}},
		{"freeze in progress", "the rest of it counts", frozen(nightly("15 2 * * *", "America/Chicago"), "2026-12-07", "2026-12-18"), "2026-12-17", 120,
			[]string{"2026-12-17  benign 2/0", "2027-03-14 F42 review 1/120"}, nil},
		{"freeze of others", "it holds the integrations that it names", frozen(nightly("15 2 * * *", "UTC"), "2026-12-07", "2026-12-18", "payroll"), "2026-10-05", 120,
			[]string{"2026-12-07  benign 0/0"}, nil},
		{"freeze that is over", "it is past", frozen(nightly("15 2 * * *", "UTC"), "2026-08-20", "2026-09-04"), "2026-10-05", 120, nil, nil},

		{"certificate far away", "it is only told", due("certificate", "2026-11-30"), "2026-10-05", 120, []string{"2026-11-30 F10 benign 1/0"}, []string{"in 56 days", "Keystone Identity"}},
		{"certificate in 45 days", "the first warning", due("certificate", "2026-11-30"), "2026-10-16", 120, []string{"2026-11-30 F10 review 1/0"}, []string{"in 45 days", "Plan it now"}},
		{"certificate in 14 days", "the second warning", due("certificate", "2026-11-30"), "2026-11-16", 120, []string{"2026-11-30 F10 review 1/0"}, []string{"in 14 days", "Two weeks"}},
		{"certificate in 3 days", "the last warning", due("certificate", "2026-11-30"), "2026-11-27", 120, []string{"2026-11-30 F10 review 1/0"}, []string{"in 3 days", "act today"}},
		{"certificate that ended", "breaking after the day", due("certificate", "2026-11-30"), "2026-12-01", 120, []string{"2026-11-30 F10 breaking 1/0"}, []string{"ended on 2026-11-30, 1 day ago"}},
		{"secret", "as certificates", due("secret", "2026-10-20"), "2026-10-05", 120, []string{"2026-10-20 F10 review 1/0"}, nil},
		{"review in a month", "it is only told", due("review", "2026-11-05"), "2026-10-05", 120, []string{"2026-11-05  benign 1/0"}, nil},
		{"review that was due", "somebody must do it", due("review", "2026-10-01"), "2026-10-05", 120, []string{"2026-10-01  review 1/0"}, []string{"was due on 2026-10-01"}},
		{"release in a freeze", "nothing goes live then", frozen(due("release", "2026-12-10"), "2026-12-07", "2026-12-18"), "2026-10-05", 120,
			[]string{"2026-12-07  benign 12/0", "2026-12-10  review 1/0"}, []string{"has to be done before 2026-12-07"}},
		{"release that is over", "it happened", due("release", "2026-10-01"), "2026-10-05", 120, nil, nil},
		{"beyond the last day", "it was not asked for", due("certificate", "2027-11-30"), "2026-10-05", 120, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := Outlook(tc.catalogue, day(tc.first), tc.days)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			said := ""
			for _, e := range events {
				got = append(got, fmt.Sprintf("%s %s %s %d/%d", e.On, e.Kind, e.Verdict, e.Count, e.Of))
				said += strings.Join(append([]string{e.Sentence, e.Source}, e.Effects...), "\n")
				if e.NextStep == "" || e.Integration != "" && (e.Owner != "Dana Ortiz" || e.Steward != "Leon Achebe") {
					t.Errorf("nobody owns it or nothing is to be done: %+v", e)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: got %q, want %q", tc.why, got, tc.want)
			}
			for _, part := range tc.says {
				if !strings.Contains(said, part) {
					t.Errorf("%s: does not say %q:\n%s", tc.why, part, said)
				}
			}
		})
	}
}

func TestOutlookRefusesWhatItCannotRead(t *testing.T) {
	for _, tc := range []struct {
		why  string
		c    harness.Catalogue
		days int
		want string
	}{
		{"no days", nightly("15 2 * * *", "UTC"), 0, "want 1 to 3660"},
		{"too many days", nightly("15 2 * * *", "UTC"), MaxDays + 1, "want 1 to 3660"},
		{"no crontab line", nightly("at noon", "UTC"), 1, "has 2 fields"},
		{"no zone", nightly("15 2 * * *", "Mars/Olympus"), 1, `zone "Mars/Olympus"`},
		{"no kind of deadline", due("party", "2026-10-06"), 9, `unknown kind "party"`},
	} {
		_, err := Outlook(tc.c, day("2026-10-05"), tc.days)
		if err == nil || !strings.Contains(err.Error(), tc.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: got %v (hint %q), want %q", tc.why, err, harness.HintOf(err), tc.want)
		}
	}
}
