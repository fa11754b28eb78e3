package world

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Names of the systems, as the catalogue and the exchanges have them.
const (
	SIS     = "sis"     // Atrium SIS
	LMS     = "lms"     // Lantern LMS
	CRM     = "crm"     // Prospekt CRM
	HubLine = "hubline" // the runner: cron and mapping files
	Cron    = "cron"    // the scheduler of the runner
)

// Releases before and after the upgrades.
const (
	SISBefore = "9.31"
	SISAfter  = "9.32"
	CRMBefore = "2026.2"
	CRMHotfix = "2026.2.1" // writes numbers without their last zeros, and scores how well an applicant is known
	CRMAfter  = "2026.3"
)

// Terms that are open.
const (
	Fall   = "202640"
	Spring = "202710"
)

// EnrollmentSession is the one session of the nightly enrolment.
const EnrollmentSession = "2026-10-05"

// Names of the files that the SIS leaves for the runner.
const (
	PersonsFile       = "persons.csv"
	SectionsFile      = "sections.csv"
	RegistrationsFile = "registrations.csv"
)

// Clock is the frozen now of all runs: Monday 2026-10-05, 09:00 America/Chicago, in UTC.
func Clock() time.Time { return time.Date(2026, 10, 5, 14, 0, 0, 0, time.UTC) }

// Nightly is when the SIS leaves its extracts: 2026-10-05, 02:15 America/Chicago, in UTC.
func Nightly() time.Time { return time.Date(2026, 10, 5, 7, 15, 0, 0, time.UTC) }

// Enrollment returns the baseline of one night: the three extracts that the SIS leaves for the runner, one session.
func Enrollment() []harness.Exchange {
	return []harness.Exchange{
		extract(1, PersonsFile, PersonsCSV()),
		extract(2, SectionsFile, SectionsCSV()),
		extract(3, RegistrationsFile, RegistrationsCSV()),
	}
}

// EnrollmentCandidate932 returns what SIS 9.32 leaves instead: persons.csv in Windows-1252, and registrations.csv with a
// new status code, one more column and another row order.
func EnrollmentCandidate932() []harness.Exchange {
	return []harness.Exchange{
		extract(1, PersonsFile, windows1252(PersonsCSV())),
		extract(3, RegistrationsFile, RegistrationsCSV932()),
	}
}

// windows1252 spells UTF-8 text in Windows-1252, as far as the names of this world need it: letters of Latin-1 are one
// byte of the same number.
func windows1252(text []byte) []byte {
	var out []byte
	for _, r := range string(text) {
		if r > 0xff {
			panic("no name of this world needs " + string(r))
		}
		out = append(out, byte(r))
	}
	return out
}

// Poll returns the start of the hourly poll, the safety net behind the webhooks: one session.
func Poll() []harness.Exchange {
	return []harness.Exchange{{
		ID: harness.SequenceID(1), Session: "poll 2026-10-05 14:00", Channel: harness.ChannelHTTP, From: Cron, To: HubLine, At: Clock(),
		Request: harness.Message{Head: harness.Head{
			{Name: harness.FieldMethod, Value: "POST"}, {Name: harness.FieldPath, Value: "/jobs/poll"}, {Name: harness.FieldProto, Value: "HTTP/1.1"},
			{Name: "User-Agent", Value: "cron/3"},
		}},
	}}
}

// extract is a file of the SIS. A candidate's exchange has the number of the one that it takes the place of.
func extract(n int, name string, body []byte) harness.Exchange {
	return harness.Exchange{
		ID:      harness.SequenceID(n),
		Session: EnrollmentSession,
		Channel: harness.ChannelFile,
		From:    SIS,
		To:      HubLine,
		At:      Nightly(),
		Request: harness.Message{
			Head: harness.Head{
				{Name: harness.FieldName, Value: name},
				{Name: harness.FieldModified, Value: Nightly().Format(time.RFC3339Nano)},
			},
			Media: "text/csv",
			Body:  harness.BytesBody(body),
		},
	}
}
