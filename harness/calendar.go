package harness

import "time"

// Calendar is what the catalogue knows about days: terms, freezes, and days by which somebody must act.
type Calendar struct {
	Zone      string     `yaml:"zone,omitempty"` // IANA name, of days without a zone of their own; empty: UTC
	Terms     []Term     `yaml:"terms,omitempty"`
	Freezes   []Freeze   `yaml:"freezes,omitempty"`
	Deadlines []Deadline `yaml:"deadlines,omitempty"`
}

// Term is one academic term, or one fiscal year, with the code that systems know it by.
type Term struct {
	Code  string `yaml:"term"`
	Title string `yaml:"title,omitempty"`
	From  Date   `yaml:"from"` // first day
	To    Date   `yaml:"to"`   // last day
}

// Freeze is days on which nothing may change.
type Freeze struct {
	Title        string   `yaml:"freeze"`
	From         Date     `yaml:"from"`                   // first day
	To           Date     `yaml:"to"`                     // last day
	Integrations []string `yaml:"integrations,omitempty"` // empty: all
}

// Deadline is a day on which something ends or is due: a certificate, a secret, a review, a release.
type Deadline struct {
	Title       string `yaml:"deadline"`
	Kind        string `yaml:"kind"` // certificate, secret, review or release
	On          Date   `yaml:"on"`
	System      string `yaml:"system,omitempty"`
	Integration string `yaml:"integration,omitempty"`
	Owner       string `yaml:"owner,omitempty"` // key of a person
}

// Schedule is when an integration runs by itself.
type Schedule struct {
	Title string `yaml:"title,omitempty"` // what runs, for people
	Cron  string `yaml:"cron"`            // five fields: minute, hour, day of month, month, day of week
	Zone  string `yaml:"zone"`            // IANA name of the zone in which the scheduler reads the five fields
}

// holds reports whether the day of t, in t's zone, lies within the two days, both included.
func holds(from, to Date, t time.Time) bool {
	day := t.Format(time.DateOnly)
	return from.String() <= day && day <= to.String()
}

// Holds reports whether t lies in the freeze, by its day in t's zone.
func (f Freeze) Holds(t time.Time) bool { return holds(f.From, f.To, t) }

// TermAt returns the term in which t lies, by its day in t's zone.
func (c Calendar) TermAt(t time.Time) (Term, bool) {
	for _, term := range c.Terms {
		if holds(term.From, term.To, t) {
			return term, true
		}
	}
	return Term{}, false
}

// Location is the calendar's zone; UTC when it names none.
func (c Calendar) Location() (*time.Location, error) { return time.LoadLocation(c.Zone) }
