package explain

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// worker is what a report says about one of them.
type worker struct{ active, hired string }

// workerReport is a report in XML, and the calls that the target makes for its workers; nothing is called when out is
// empty. A refused call is answered 400.
func workerReport(workers []worker, out func(i int) string, refused func(i int) bool) []harness.Exchange {
	var b strings.Builder
	var calls []harness.Exchange
	for i, w := range workers {
		fmt.Fprintf(&b, "<p:Worker><p:ID>W10000%d</p:ID><p:Hired>%s</p:Hired><p:Active>%s</p:Active></p:Worker>", i, w.hired, w.active)
		status, answer := "200", `{"id":1}`
		if refused(i) {
			status, answer = "400", `{"detail":"invalid value"}`
		}
		if body := out(i); body != "" {
			calls = append(calls, callOf("cycle", target, "lms", "PATCH", fmt.Sprintf("/users/80%d", i), body, status, answer))
		}
	}
	report := callOf("cycle", "sis", target, "POST", "/reports", `<p:Workers xmlns:p="urn:p">`+b.String()+"</p:Workers>", "200", `{"ok":1}`,
		harness.Field{Name: "Content-Type", Value: "text/xml"})
	report.Request.Media = "text/xml"
	return append(calls, report)
}

func workerCases() []acceptance {
	switchOff := func(value string) string { return `{"op":"replace","path":"active","value":` + value + `}` }
	no := func(int) bool { return false }
	leavers := func(value string) func(int) string {
		return func(i int) string {
			if i < 4 {
				return ""
			}
			return switchOff(value)
		}
	}
	states := func(yes, no string) []worker {
		return []worker{{yes, "2026-08-17"}, {yes, "2026-08-18"}, {yes, "2026-08-24"}, {yes, "2026-09-01"}, {no, "2012-02-29"}, {no, "2022-07-01"}}
	}
	hired := func(suffix string) []worker {
		list := states("1", "0")
		for i := range list {
			list[i].hired += suffix
		}
		return list
	}
	start := func(days ...string) func(int) string {
		return func(i int) string {
			if i >= len(days) {
				return ""
			}
			return `{"start":"` + days[i] + `"}`
		}
	}
	keyed := []harness.Rule{{At: at("request.body.Workers.Worker"), Compare: "keyed", Key: []string{"ID"}, Reason: "a worker occurs once"}}
	day := start("2026-08-17", "2026-08-18", "2026-08-24", "2026-09-01")
	early := start("2026-08-16", "2026-08-17", "2026-08-23", "2026-08-31")
	return []acceptance{
		{
			name: "truth respelled and refused as text", why: "the accounts of those who left stay active", rules: keyed,
			before: workerReport(states("1", "0"), leavers("false"), no),
			after:  workerReport(states("True", "False"), leavers(`"False"`), func(i int) bool { return i >= 4 }),
			want:   []string{"F04 breaking 2/2 calls ×14"},
		},
		{
			name: "truth respelled and handed on as text", why: "nobody refuses it, a receiver may take it for true", rules: keyed,
			before: workerReport(states("1", "0"), leavers("false"), no), after: workerReport(states("True", "False"), leavers(`"False"`), no),
			want: []string{"F04 breaking 2/2 calls ×8"},
		},
		{
			name: "truth respelled and understood", why: "the mapping knows the spelling", rules: keyed,
			before: workerReport(states("1", "0"), leavers("false"), no), after: workerReport(states("True", "False"), leavers("false"), no),
			want: []string{"F04 benign 6/6 records ×6"},
		},
		{
			name: "truth respelled and another text beside it", why: "what the spelling does not explain stays open", rules: keyed,
			before: workerReport(states("1", "0"), leavers("false"), no),
			after: workerReport(states("True", "False"), func(i int) string {
				if i == 5 {
					return `{"op":"replace","path":"active","value":"gone"}`
				}
				return leavers(`"False"`)(i)
			}, no),
			want: []string{"F04 breaking 1/2 calls ×7", "F04 breaking 1/2 calls ×1"},
		},
		{
			name: "truth swapped", why: "an active worker became an inactive one: no matter of spelling", rules: keyed,
			before: workerReport(states("1", "0"), leavers("false"), no), after: workerReport(states("False", "True"), leavers("false"), no),
			want: []string{"F01 review 6/6 records ×6"},
		},
		{
			name: "days became midnight and moved back", why: "one cause: the reader reckons in a zone west of Greenwich", rules: keyed,
			before: workerReport(hired(""), day, no), after: workerReport(hired("T00:00:00Z"), early, no),
			want: []string{"F06 breaking 4/4 calls ×10"},
		},
		{
			name: "days became midnight and moved back in a known zone", why: "the catalogue says where the integration runs", rules: keyed,
			before: workerReport(hired(""), day, no), after: workerReport(hired("T00:00:00Z"), early, no),
			setup: func(c *Case) { c.Integration.Runs = []harness.Schedule{{Zone: "America/Chicago"}} },
			want:  []string{"F06 breaking 4/4 calls ×10"},
		},
		{
			name: "days became midnight and moved on", why: "the zone of the catalogue does not explain it", rules: keyed,
			before: workerReport(hired(""), day, no), after: workerReport(hired("T00:00:00-05:00"), start("2026-08-18", "2026-08-19", "2026-08-25", "2026-09-02"), no),
			setup: func(c *Case) { c.Integration.Runs = []harness.Schedule{{Zone: "America/Chicago"}} },
			want:  []string{"F06 breaking 4/4 calls ×10"},
		},
		{
			name: "days became midnight and one moved on its own", why: "a start that is no day of the report has another cause", rules: keyed,
			before: workerReport(hired(""), start("2026-08-17", "2026-08-18", "2026-08-24", "2026-11-02"), no),
			after:  workerReport(hired("T00:00:00Z"), start("2026-08-16", "2026-08-17", "2026-08-23", "2026-11-01"), no),
			want:   []string{"F06 breaking 3/4 calls ×9", "F06 breaking 1/4 calls ×1"},
		},
		{
			name: "days became midnight and stayed", why: "a matter of format as long as nothing moves", rules: keyed,
			before: workerReport(hired(""), day, no), after: workerReport(hired("T00:00:00Z"), day, no),
			want: []string{"F05 breaking 6/6 records ×6"},
		},
	}
}
