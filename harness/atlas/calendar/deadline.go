package calendar

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// deadlineKind is one row of the table of what can be due.
type deadlineKind struct {
	name, kind, title string
	warn              int // days before it from which a person must act; 0: only told
	verb, past        string
	late              harness.Verdict // when the day has passed; empty: no matter any more
	next              string
}

var deadlineKinds = []deadlineKind{
	{"certificate", "F10", "certificate ends", 45, "ends", "ended", harness.Breaking, "Renew the certificate, bring the new one to both sides, and rehearse the connection with it."},
	{"secret", "F10", "secret ends", 45, "ends", "ended", harness.Breaking, "Exchange the secret on both sides, with a time in which both hold."},
	{"review", "", "review due", 14, "is due", "was due", harness.Review, "Go through owner, contacts, fields and runbook with the steward, and set the next day."},
	{"release", "", "release", 0, "goes live", "went live", "", "Rehearse it before that day, with the recordings of every integration that it touches."},
}

// Steps at which a warning becomes more urgent, in days before.
const (
	soon     = 14
	veryLast = 3
)

// lookAtDeadlines lists what ends or is due in these days, and what should have been done before.
func (o *outlook) lookAtDeadlines() error {
	for _, d := range o.catalogue.Calendar.Deadlines {
		at := slices.IndexFunc(deadlineKinds, func(k deadlineKind) bool { return k.name == d.Kind })
		if at < 0 {
			return harness.Usage(fmt.Errorf("read the calendar: deadline %q has the unknown kind %q", d.Title, d.Kind), "mend deadlines in the catalogue's calendar.yaml")
		}
		kind := deadlineKinds[at]
		late := d.On.Time.Before(o.first.Time)
		if !late && !o.holds(d.On) || late && kind.late == "" {
			continue
		}
		o.add(d.On, d.Integration, o.deadline(d, kind, late))
	}
	return nil
}

func (o *outlook) deadline(d harness.Deadline, kind deadlineKind, late bool) harness.Finding {
	left := int(d.On.Sub(o.first.Time).Hours() / 24)
	f := harness.Finding{
		Kind: kind.kind, Title: kind.title, Verdict: harness.Benign, Count: 1, Unit: "deadlines", Source: o.catalogue.SystemTitle(d.System),
		Owner: o.catalogue.PersonName(d.Owner), NextStep: kind.next,
		Sentence: fmt.Sprintf("%s %s on %s, in %s.", d.Title, kind.verb, d.On, harness.Count(left, "day")),
	}
	switch {
	case late:
		f.Verdict = kind.late
		f.Sentence = fmt.Sprintf("%s %s on %s, %s ago.", d.Title, kind.past, d.On, harness.Count(-left, "day"))
	case kind.warn > 0 && left <= kind.warn:
		f.Verdict = harness.Review
		f.Effects = append(f.Effects, urgency(left))
	}
	if freeze, held := o.frozen(d.On, d.Integration); held && !late {
		f.Effects = append(f.Effects, fmt.Sprintf("That lies in the freeze %q (%s to %s), so it has to be done before %s.", freeze.Title, freeze.From, freeze.To, freeze.From))
		f.Verdict = harness.Worst(f.Verdict, harness.Review)
	}
	return f
}

func urgency(left int) string {
	switch {
	case left <= veryLast:
		return "These are the last days: act today."
	case left <= soon:
		return "Two weeks are left at most: fix the day for it now."
	default:
		return "Plan it now."
	}
}
