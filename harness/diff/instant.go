package diff

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be the same on every machine

	"github.com/rehearse-dev/rehearse/harness"
)

// stampLayout is a way to write an instant; family is the layout without its zone.
type stampLayout struct{ layout, family string }

// stampLayouts, most specific first. The fraction of a second may have any number of digits.
var stampLayouts = withFamilies(
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly, time.RFC1123, time.RFC1123Z,
	"01/02/2006 15:04:05", "01/02/2006 03:04:05 PM", "01/02/2006", "02-Jan-2006 15:04:05", "02-Jan-2006", "20060102150405", "20060102",
)

func withFamilies(layouts ...string) []stampLayout {
	zones := strings.NewReplacer("Z07:00", "", "Z0700", "", " MST", "", " -0700", "")
	list := make([]stampLayout, len(layouts))
	for i, layout := range layouts {
		list[i] = stampLayout{layout, zones.Replace(layout)}
	}
	return list
}

// parseInstant reads a text as an instant and says in which layout. Without a zone of its own it is taken to be UTC.
func parseInstant(text string) (at time.Time, layout string, ok bool) {
	at, l, ok := parseStamp(text, time.UTC)
	return at, l.layout, ok
}

func parseStamp(text string, zone *time.Location) (at time.Time, layout stampLayout, ok bool) {
	const shortest, longest = 8, 40 // no stamp is shorter or longer
	if len(text) < shortest || len(text) > longest {
		return time.Time{}, stampLayout{}, false
	}
	for _, l := range stampLayouts {
		if t, err := time.ParseInLocation(l.layout, text, zone); err == nil {
			return t, l, true
		}
	}
	return time.Time{}, stampLayout{}, false
}

// checkInstant compares moments. The form may not vary: both sides are in the same layout. A rule with a zone says how
// stamps without one are read, so there the zone is the one part of the layout that may be missing on a side.
func checkInstant(r harness.Rule) (takesAway, error) {
	tolerance := time.Duration(1<<63 - 1)
	if r.Tolerance != "" {
		var err error
		if tolerance, err = time.ParseDuration(r.Tolerance); err != nil || tolerance < 0 {
			return nil, fmt.Errorf("rule at %s: tolerance %q is not a duration such as 5s", r.At, r.Tolerance)
		}
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil || r.Zone == "Local" {
		return nil, fmt.Errorf("rule at %s: zone %q is not a time zone such as America/Chicago", r.At, r.Zone)
	}
	return func(d harness.Difference) bool {
		a, layoutA, okA := parseStamp(d.Was.Text, zone)
		b, layoutB, okB := parseStamp(d.Is.Text, zone)
		sameForm := layoutA == layoutB || r.Zone != "" && layoutA.family == layoutB.family
		return okA && okB && d.Was.Kind == d.Is.Kind && sameForm && a.Sub(b).Abs() <= tolerance
	}, nil
}
