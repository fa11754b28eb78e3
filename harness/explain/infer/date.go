package infer

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones must be the same on every machine
)

// builtinZones is the zones that are tried, those of North American campuses first.
var builtinZones = []string{
	"UTC", "America/Chicago", "America/New_York", "America/Denver", "America/Los_Angeles", "America/Phoenix", "America/Anchorage",
	"Pacific/Honolulu", "America/Halifax", "America/Puerto_Rico", "Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Kolkata", "Asia/Shanghai",
	"Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo",
}

var loadBuiltin = sync.OnceValue(func() []*time.Location { return load(builtinZones) })

func load(names []string) []*time.Location {
	var out []*time.Location
	for _, name := range names {
		if z, err := time.LoadLocation(name); err == nil {
			out = append(out, z)
		}
	}
	return out
}

// move is what happens to a time between reading and writing.
type move struct {
	key, words string
	bits       float64
	kind       string // F05 when the time stays, F06 when it moves
	lossy      bool
	run        func(time.Time) time.Time
}

func proposeDate(p *profile) {
	ins := layoutsOf(p.was)
	if len(ins) == 0 {
		return
	}
	outs := layoutsOf(p.is)
	for _, in := range ins {
		if len(outs) == 0 {
			p.offerSolved(in)
		}
		for _, out := range outs {
			if (in.grain&hasDate == 0) != (out.grain&hasDate == 0) {
				continue
			}
			for i := range p.was {
				a, okA := in.parse(p.was[i])
				b, okB := out.parse(p.is[i])
				if !okA || !okB {
					continue
				}
				for _, m := range p.moves(in, out, a, b) {
					if out.format(m.run(a)) == p.is[i] {
						p.offerDate(in, out, m)
					}
				}
			}
		}
	}
}

// moves is what may have happened between a and b.
func (p *profile) moves(in, out *layout, a, b time.Time) []move {
	var list []move
	if in.grain&hasZone != 0 || out.grain&hasZone == 0 {
		list = append(list, move{key: "same", kind: "F05", words: dropped(in.grain, out.grain), run: sameTime})
	}
	zones := loadBuiltin()
	if len(p.options.Zones) > 0 {
		zones = append(load(p.options.Zones), zones...)
	}
	for i, z := range zones {
		list = append(list, zoneMoves(in.grain, out.grain, z, 6.5+0.1*float64(i))...)
	}
	if in.grain&hasZone == out.grain&hasZone {
		list = append(list, shiftOf(in, out, a, b)...)
	}
	return list
}

// dropped says what a layout cannot hold any more.
func dropped(in, out grain) string {
	switch gone := in &^ out; {
	case gone&hasClock != 0:
		return "the time of day is gone"
	case gone&hasZone != 0:
		return "the zone is gone"
	}
	return ""
}

// zoneMoves is what a zone can have to do with it, by what the two layouts hold.
func zoneMoves(in, out grain, z *time.Location, bits float64) []move {
	to := move{key: "to " + z.String(), bits: bits, run: func(t time.Time) time.Time { return t.In(z) }}
	from := move{key: "from " + z.String(), bits: bits, run: func(t time.Time) time.Time { return wall(t, z).UTC() }}
	label := move{key: "label " + z.String(), bits: bits, run: func(t time.Time) time.Time { return wall(t, z) }}
	name := zoneName(z)
	switch zoned, zonedOut := in&hasZone != 0, out&hasZone != 0; {
	case in&hasDate == 0:
		return nil
	case zoned && zonedOut:
		to.words, to.kind = "the same moment, written in "+name, "F05"
		label.words, label.kind, label.bits = "the clock reading stayed but is labelled as "+name+": another moment", "F06", label.bits+1
		return []move{to, label}
	case zoned:
		to.words, to.kind = "read in "+name, "F06"
		return []move{to}
	case zonedOut:
		label.words, label.kind = "taken as "+name, "F05"
		from.words, from.kind, from.bits = "taken as "+name+" and written in UTC", "F06", from.bits+1
		if in&hasClock == 0 {
			label.words, from.words = "midnight in "+name, "midnight in "+name+", written in UTC"
		}
		if z.String() == "UTC" {
			return []move{label}
		}
		return []move{label, from}
	case in&hasClock == 0 || z.String() == "UTC":
		return nil
	}
	to.words, to.kind = "times moved from UTC to "+name, "F06"
	from.words, from.kind = "times moved from "+name+" to UTC", "F06"
	return []move{to, from}
}

func zoneName(z *time.Location) string {
	if z.String() == "UTC" {
		return "UTC"
	}
	return z.String() + " time"
}

// wall is the same clock reading in another zone.
func wall(t time.Time, z *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), z)
}

// shiftOf is a constant distance between the clock readings.
func shiftOf(in, out *layout, a, b time.Time) []move {
	if in.grain&hasClock == 0 || out.grain&hasClock == 0 {
		if n := 12*(b.Year()-a.Year()) + int(b.Month()) - int(a.Month()); a.Day() == b.Day() && n != 0 && in.grain == out.grain {
			return []move{monthShift(n)}
		}
		days := int(math.Round(wall(b, time.UTC).Sub(dayOf(a)).Hours() / 24))
		if days == 0 || in.grain&hasClock != out.grain&hasClock {
			return nil
		}
		return []move{dayShift(days)}
	}
	if by := wall(b, time.UTC).Sub(wall(a, time.UTC)); by != 0 {
		return []move{timeShift(by)}
	}
	return nil
}

// dayShift is a distance of whole days.
func dayShift(days int) move {
	words := fmt.Sprintf("dates moved %s %s", plural(abs(days), "day"), direction(days))
	switch days {
	case -1:
		words += ", as when midnight UTC is read west of Greenwich, for instance in America/Chicago"
	case 1:
		words += ", as when midnight is read in a zone east of it"
	}
	return move{
		key: fmt.Sprintf("shift %dd", days), words: words, bits: 3 + log2(1+abs(days)), kind: "F06",
		run: func(t time.Time) time.Time { return t.AddDate(0, 0, days) },
	}
}

// timeShift is a distance of the clock readings.
func timeShift(by time.Duration) move {
	bits := 3 + math.Log2(1+math.Abs(by.Hours()))
	if by%(15*time.Minute) != 0 {
		bits += 12
	}
	n := 1
	if by < 0 {
		n = -1
	}
	return move{
		key: "shift " + by.String(), words: "times moved " + spell(by.Abs()) + " " + direction(n), bits: bits, kind: "F06",
		run: func(t time.Time) time.Time { return wall(wall(t, time.UTC).Add(by), t.Location()) },
	}
}

// monthShift is a distance of n whole months, or of years.
func monthShift(n int) move {
	words := plural(abs(n), "month")
	if n%12 == 0 {
		words = plural(abs(n)/12, "year")
	}
	return move{
		key: fmt.Sprintf("shift %dm", n), words: "dates moved " + words + " " + direction(n), bits: 4 + log2(1+abs(n)), kind: "F06",
		run: func(t time.Time) time.Time { return t.AddDate(0, n, 0) },
	}
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func abs(n int) int { return max(n, -n) }

func direction(n int) string {
	if n < 0 {
		return "back"
	}
	return "ahead"
}

func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "one " + noun
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}

// spell writes a duration in words.
func spell(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		noun string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / unit.size); n > 0 {
			parts = append(parts, plural(n, unit.noun))
			d %= unit.size
		}
	}
	if len(parts) == 0 {
		return d.String()
	}
	return strings.Join(parts, " ")
}

func (p *profile) offerDate(in, out *layout, m move) {
	if in == out && m.key == "same" || !p.fresh(in.words+"\x00"+out.words+"\x00"+m.key) {
		return
	}
	c := candidate{
		kind: m.kind, text: dateText(in, out, m), bits: 1 + m.bits, lossy: m.lossy || in.grain&^out.grain&hasClock != 0, probes: dateProbes(in),
		params: dateParams(in, out, m),
	}
	if in != out {
		c.bits += 2
	}
	if in.grain == instant {
		c.theme = "instant " + out.words + m.key
	}
	p.offer(redate(in, out, m), c)
}

func dateText(in, out *layout, m move) string {
	if in == out {
		return m.words
	}
	what := "date"
	if in.grain&hasDate == 0 {
		what = "time"
	}
	text := fmt.Sprintf("%s format changed from %s (%s) to %s (%s)", what, in.sample(), in.words, out.sample(), out.words)
	if m.words != "" {
		text += ", " + m.words
	}
	return text
}

func dateProbes(in *layout) []probe {
	var out []probe
	for _, row := range []struct {
		t     time.Time
		words string
	}{
		{time.Date(2026, 8, 25, 15, 30, 0, 0, time.UTC), "a day after the 12th"},
		{time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), "a date in winter"},
		{time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC), "a date in summer"},
		{time.Date(2026, 8, 25, 23, 30, 0, 0, time.UTC), "a time late in the evening"},
		{time.Date(2026, 8, 25, 0, 30, 0, 0, time.UTC), "a time just after midnight"},
		{time.Date(2026, 8, 5, 0, 30, 0, 0, time.UTC), "a day below 10"},
	} {
		text := in.format(row.t)
		out = append(out, probe{text, row.words + ", such as " + text + ","})
	}
	return out
}
