package world

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Application is what the CRM holds about one application. Codes are the CRM's.
type Application struct {
	ID          string // A- and five digits
	First, Last string
	Birth       string // 2006-01-02
	Email       string
	LegalSex    string // F, M or X
	Citizenship string // two letters
	Term        string
	Program     string
	Residency   string // IS in state, OS out of state, IN international
	GPA         string // as it stands on the wire, such as 3.50
	Decision    string // AD admitted, DE denied, WL waiting list
	Decided     string // 2006-01-02
	Submitted   time.Time
	StudentID   string // the ID under which the SIS knows or will know the applicant
	Known       bool   // the SIS holds the person already, from an earlier application
}

const (
	firstApplication = 20481
	firstApplicant   = 977 // number in the student ID of the first applicant
)

// SignatureHeader carries the HMAC-SHA-256 of a webhook's body: "sha256=" and 64 hex digits.
const SignatureHeader = "X-Prospekt-Signature"

// HookSecret is the key of that HMAC. It protects nothing: the world is invented.
const HookSecret = "harrow-lake-demo-hook"

// applicants are first name, last name, day of birth, legal sex, citizenship and grade point average. Nine of the
// averages end in a zero that a number type would lose.
var applicants = [...][6]string{
	{"Funmi", "Adeyemi", "2008-03-11", "F", "US", "3.50"},
	{"Lars", "Bergqvist", "2008-07-02", "M", "SE", "3.41"},
	{"Ana", "Cardoso", "2007-12-19", "F", "US", "3.90"},
	{"Siobhán", "O'Rourke", "2008-01-25", "F", "IE", "3.77"},
	{"Devon", "Parrish", "2008-05-30", "X", "US", "2.80"},
	{"Alexandra", LongSurname, "2007-10-08", "F", "US", "3.62"},
	{"Tomás", "Echeverría", "2008-04-14", "M", "MX", "3.10"},
	{"Ruby", "Lancaster", "2008-09-01", "F", "US", "3.95"},
	{"Amir", "Haddad", "2008-02-17", "M", "US", "3.33"},
	{"Mei", "Chow", "2008-06-06", "F", "US", "3.97"},
	{"Wyatt", "Sorrell", "2007-11-23", "M", "US", "2.96"},
	{"Ingrid", "Søndergaard", "2008-08-12", "F", "DK", "3.58"},
	{"Malcolm", "St. Clair", "2008-03-03", "M", "US", "3.20"},
	{"Priscilla", "Nkemelu", "2008-01-09", "F", "US", "3.84"},
	{"Jonah", "Whitfield", "2004-02-29", "M", "US", "3.07"},
	{"Aylin", "Özdemir", "2008-05-21", "F", "US", "3.70"},
	{"Beatriz", "de la Vega", "2007-12-31", "F", "US", "3.46"},
	{"Cole", "Hartman", "2008-07-19", "M", "US", "2.75"},
	{"Yara", "Mansour", "2008-04-28", "F", "US", "3.99"},
	{"Henry", "Null", "2008-02-02", "M", "US", "3.40"},
	{"Sunniva", "Dahl-Krogh", "2008-06-15", "F", "NO", "3.68"},
	{"Theodora", "Katz", "2008-10-10", "F", "US", "3.30"},
	{"Rashad", "Ellington", "2007-09-27", "M", "US", "3.80"},
	{"Noor", "Van der Meer", "2008-08-30", "X", "US", "3.53"},
}

// known are the applicants whom the SIS holds already, by index.
var known = map[int]bool{5: true, 10: true, 17: true, 22: true}

// Applications returns the 24 applications in the order of their IDs.
func Applications() []Application {
	programs := []string{"BIOL-BS", "NURS-BS", "CS-BS", "ENGL-BA", "MUS-BM"}
	first := time.Date(2026, 10, 5, 13, 59, 58, 0, time.UTC)
	list := make([]Application, len(applicants))
	for i, a := range applicants {
		list[i] = Application{
			ID:          fmt.Sprintf("A-%d", firstApplication+i),
			First:       a[0],
			Last:        a[1],
			Birth:       a[2],
			Email:       mailbox(a[0], i),
			LegalSex:    a[3],
			Citizenship: a[4],
			Term:        pick(Spring, Fall, i%6 == 4),
			Program:     programs[i%len(programs)],
			Residency:   residency(a[4], i),
			GPA:         a[5],
			Decision:    []string{"AD", "AD", "AD", "DE", "AD", "WL"}[i%6],
			Decided:     time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -(i % 4)).Format(time.DateOnly),
			Submitted:   first.Add(time.Duration(i) * 41 * time.Second),
			StudentID:   StudentID(firstApplicant + i),
			Known:       known[i],
		}
	}
	return list
}

// IncidentApplication is the application of incident INC-2231: a surname of 61 characters beside an emoji, which Atrium
// SIS cannot store. It is in the CRM, and not among Applications.
func IncidentApplication() Application {
	a := Applications()[5]
	a.ID, a.First, a.Birth, a.Email, a.Known = "A-20560", "Seraphina 🌻", "2008-05-04", "seraphina@mail.example", false
	a.Submitted, a.StudentID = time.Date(2026, 10, 7, 19, 10, 12, 0, time.UTC), StudentID(firstApplicant+79)
	return a
}

// Incident returns the webhook of incident INC-2231, Wednesday 2026-10-07, 14:10 America/Chicago: one session.
func Incident() []harness.Exchange { return []harness.Exchange{webhook(1, IncidentApplication())} }

// waiting is how many applications the hourly poll finds in the CRM.
const waiting = 74

// WaitingApplications is the IDs that the hourly poll finds: those of Applications and fifty behind them.
func WaitingApplications() []string {
	ids := make([]string, waiting)
	for i := range ids {
		ids[i] = fmt.Sprintf("A-%d", firstApplication+i)
	}
	return ids
}

// mailbox is unique among the applicants; the first one has no number.
func mailbox(first string, i int) string {
	name := login(first, ascii.Replace(first)[1:])
	if i == 0 {
		return name + "@mail.example"
	}
	return fmt.Sprintf("%s.%d@mail.example", name, firstApplication+i)
}

// residency is IN for whoever is not a citizen, else mostly IS.
func residency(citizenship string, i int) string {
	if citizenship != "US" {
		return "IN"
	}
	return pick("IS", "OS", i%3 == 2)
}

// pick returns other when the condition holds, else usual.
func pick(usual, other string, condition bool) string {
	if condition {
		return other
	}
	return usual
}

// Webhooks returns the 24 calls with which the CRM announces an application to the runner. Each is a session of its
// own, named after the application. There are requests only.
func Webhooks() []harness.Exchange {
	var list []harness.Exchange
	for i, a := range Applications() {
		list = append(list, webhook(i+1, a))
	}
	return list
}

// webhook is the call with which the CRM announces an application.
func webhook(n int, a Application) harness.Exchange {
	body := fmt.Appendf(nil, `{"event":"application.submitted","id":%q,"at":%q}`, a.ID, a.Submitted.Format(time.RFC3339))
	return harness.Exchange{
		ID:      harness.SequenceID(n),
		Session: a.ID,
		Channel: harness.ChannelHTTP,
		From:    CRM,
		To:      HubLine,
		At:      a.Submitted,
		Request: harness.Message{
			Head: harness.Head{
				{Name: harness.FieldMethod, Value: "POST"},
				{Name: harness.FieldPath, Value: "/hooks/application"},
				{Name: harness.FieldProto, Value: "HTTP/1.1"},
				{Name: "User-Agent", Value: "Prospekt-Webhooks/1"},
				{Name: "Content-Type", Value: "application/json"},
				{Name: SignatureHeader, Value: Signature(HookSecret, body)},
			},
			Media: "application/json",
			Body:  harness.BytesBody(body),
		},
	}
}

// Signature is the value of [SignatureHeader] for a body.
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
