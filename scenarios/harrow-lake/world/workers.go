package world

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Names of the systems of the identity feed.
const (
	HCM      = "hcm"      // Paylark HCM
	Identity = "identity" // Keystone Identity
)

// What a report says about a worker.
const (
	Hire        = "Hire"
	Change      = "Change"
	Termination = "Termination"
)

// Worker is one worker whom a report of the HCM names. Codes are the HCM's.
type Worker struct {
	ID          string // W and six digits
	First, Last string
	Event       string // Hire, Change or Termination
	Hired       string // 2006-01-02, a day at Harrow Lake
	Active      string // 1 or 0
	Type        string // Regular, Faculty, Student_Worker or Contingent
	Org         string // six digits
}

// Login is the name under which the identity system knows the worker.
func (w Worker) Login() string { return login(w.First, w.Last) }

// Workers returns the twelve workers of one cycle in the order of their IDs: five hires, four changes, three
// terminations.
func Workers() []Worker {
	return []Worker{
		{"W100001", "Marguerite", "Dufour", Change, "2015-01-12", "1", "Faculty", "310200"},
		{"W100002", "Elias", "Thornbury", Change, "2019-08-19", "1", "Regular", "210500"},
		{"W100003", "Pilar", "Ibáñez", Change, "2025-09-02", "1", "Contingent", "410100"},
		{"W100004", "Jonas", "Whitaker", Change, "2024-08-26", "1", "Student_Worker", "410300"},
		{"W100005", "Colette", "Marsh", Termination, "2012-02-29", "0", "Regular", "210500"},
		{"W100006", "Søren", "Hvidt", Termination, "2022-07-01", "0", "Faculty", "310400"},
		{"W100007", "Ola", "Strand", Hire, "2026-08-17", "1", "Regular", "210500"},
		{"W100008", "Nadia", "Okafor", Hire, "2026-08-17", "1", "Faculty", "310200"},
		{"W100009", "Pedro", "Lacerda", Hire, "2026-08-24", "1", "Student_Worker", "410300"},
		{"W100010", "Hanne", "Vik", Hire, "2026-09-01", "1", "Contingent", "410100"},
		{"W100011", "Casey", "Boone", Hire, "2026-08-19", "1", "Regular", "210700"},
		{"W100012", "Rutger", "Aalders", Termination, "2023-01-09", "0", "Contingent", "410100"},
	}
}

// WorkersSession is the one session of the identity feed.
const WorkersSession = "cycle 2026-08-14 15:00"

// WorkersCycle is when the HCM delivers that report: Friday 2026-08-14, 10:00 America/Chicago, in UTC.
func WorkersCycle() time.Time { return time.Date(2026, 8, 14, 15, 0, 0, 0, time.UTC) }

// report is how a release of the HCM writes its report.
type report struct {
	prefix  string // of the namespace
	version string // of the report
	active  map[string]string
	hired   string // behind the day
}

// reportR1 is the report of the release that is in use.
var reportR1 = report{prefix: "pl", version: "v43.0"}

// text writes the report. Values and codes that the release does not rewrite stand as they are.
func (r report) text(workers []Worker) []byte {
	var b bytes.Buffer
	p := r.prefix
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%[1]s:Workers xmlns:%[1]s=\"urn:paylark:hr\" %[1]s:version=%[2]q>\n", p, r.version)
	for _, w := range workers {
		fmt.Fprintf(&b, "<%[1]s:Worker><%[1]s:ID>%[2]s</%[1]s:ID><%[1]s:Event>%[3]s</%[1]s:Event><%[1]s:Legal_Name first=\"%[4]s\" last=\"%[5]s\"/>",
			p, w.ID, w.Event, escaped(w.First), escaped(w.Last))
		for _, element := range []struct{ name, text string }{
			{"Hire_Date", w.Hired + r.hired}, {"Active", recoded(r.active, w.Active)}, {"Type", w.Type}, {"Org", w.Org},
		} {
			fmt.Fprintf(&b, "<%[1]s:%[2]s>%[3]s</%[1]s:%[2]s>", p, element.name, escaped(element.text))
		}
		fmt.Fprintf(&b, "</%s:Worker>\n", p)
	}
	fmt.Fprintf(&b, "</%s:Workers>\n", p)
	return b.Bytes()
}

func recoded(codes map[string]string, code string) string {
	if to, ok := codes[code]; ok {
		return to
	}
	return code
}

func escaped(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.String()
}

// WorkerReport returns the baseline of one cycle of the identity feed: the report of HCM R1, one session.
func WorkerReport() []harness.Exchange { return delivered(reportR1.text(Workers())) }

// WorkerReportR2 returns what HCM R2 delivers instead: Active is spelled True and False (D09), and a day of hire became
// an instant (D10).
func WorkerReportR2() []harness.Exchange {
	r := reportR1
	r.active = map[string]string{"1": "True", "0": "False"}
	r.hired = "T00:00:00Z"
	return delivered(r.text(Workers()))
}

// WorkerReport44 returns the report in version 44: another prefix for the same namespace, and nothing else (D13).
func WorkerReport44() []harness.Exchange {
	r := reportR1
	r.prefix, r.version = "plk", "v44.0"
	return delivered(r.text(Workers()))
}

// WorkerReportAffiliates returns the report after HR introduced the type Affiliate_Contractor, which two workers have
// now (D14).
func WorkerReportAffiliates() []harness.Exchange {
	workers := Workers()
	for _, id := range []string{"W100003", "W100010"} {
		workers[slices.IndexFunc(workers, func(w Worker) bool { return w.ID == id })].Type = "Affiliate_Contractor"
	}
	return delivered(reportR1.text(workers))
}

// delivered is the report as the HCM posts it to the runner.
func delivered(body []byte) []harness.Exchange {
	return []harness.Exchange{{
		ID: harness.SequenceID(1), Session: WorkersSession, Channel: harness.ChannelHTTP, From: HCM, To: HubLine, At: WorkersCycle(),
		Request: harness.Message{
			Head: harness.Head{
				{Name: harness.FieldMethod, Value: "POST"}, {Name: harness.FieldPath, Value: "/reports/workers"}, {Name: harness.FieldProto, Value: "HTTP/1.1"},
				{Name: "User-Agent", Value: "Paylark-Delivery/1"}, {Name: "Content-Type", Value: "text/xml; charset=utf-8"},
			},
			Media: "text/xml",
			Body:  harness.BytesBody(body),
		},
	}}
}
