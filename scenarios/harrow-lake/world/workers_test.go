package world

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// reported is a worker as any reader of XML sees it, whatever the prefix.
type reported struct {
	ID     string `xml:"urn:paylark:hr ID"`
	Event  string `xml:"urn:paylark:hr Event"`
	Hired  string `xml:"urn:paylark:hr Hire_Date"`
	Active string `xml:"urn:paylark:hr Active"`
	Type   string `xml:"urn:paylark:hr Type"`
}

func readReport(t *testing.T, list []harness.Exchange) (text string, workers []reported) {
	t.Helper()
	b, err := list[0].Request.Body.Bytes()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	var report struct {
		Workers []reported `xml:"urn:paylark:hr Worker"`
	}
	if err := xml.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	return string(b), report.Workers
}

func TestReportOfWorkersHasTheCountsOfTheOracle(t *testing.T) {
	text, workers := readReport(t, WorkerReport())
	events, ids := map[string]int{}, map[string]bool{}
	for _, w := range workers {
		events[w.Event]++
		ids[w.ID] = true
		if (w.Active == "0") != (w.Event == Termination) {
			t.Errorf("%s is active %s after %s", w.ID, w.Active, w.Event)
		}
	}
	if d := cmp.Diff(map[string]int{Hire: 5, Change: 4, Termination: 3}, events); d != "" || len(ids) != 12 {
		t.Errorf("%d distinct workers, events (-want +got):\n%s", len(ids), d)
	}
	if want := `<pl:Worker><pl:ID>W100007</pl:ID><pl:Event>Hire</pl:Event><pl:Legal_Name first="Ola" last="Strand"/><pl:Hire_Date>2026-08-17</pl:Hire_Date><pl:Active>1</pl:Active><pl:Type>Regular</pl:Type><pl:Org>210500</pl:Org></pl:Worker>`; !strings.Contains(text, want) {
		t.Errorf("the report lacks %s", want)
	}
}

func TestCandidatesOfTheReportChangeWhatTheyPlant(t *testing.T) {
	_, before := readReport(t, WorkerReport())
	for _, tc := range []struct {
		name    string
		report  []harness.Exchange
		expect  func(reported) reported
		changed int
	}{
		{"HCM R2 (D09, D10)", WorkerReportR2(), func(w reported) reported {
			w.Active = map[string]string{"1": "True", "0": "False"}[w.Active]
			w.Hired += "T00:00:00Z"
			return w
		}, 12},
		{"version 44 (D13)", WorkerReport44(), func(w reported) reported { return w }, 0},
		{"new type (D14)", WorkerReportAffiliates(), func(w reported) reported {
			if w.Type == "Contingent" && w.Event != Termination {
				w.Type = "Affiliate_Contractor"
			}
			return w
		}, 2},
	} {
		text, after := readReport(t, tc.report)
		changed := 0
		for i, w := range before {
			if d := cmp.Diff(tc.expect(w), after[i]); d != "" {
				t.Errorf("%s, %s (-want +got):\n%s", tc.name, w.ID, d)
			}
			if after[i] != w {
				changed++
			}
		}
		if changed != tc.changed {
			t.Errorf("%s: %d workers changed, want %d", tc.name, changed, tc.changed)
		}
		if v44 := strings.Contains(text, `xmlns:plk="urn:paylark:hr" plk:version="v44.0"`); v44 != strings.Contains(tc.name, "D13") {
			t.Errorf("%s: version 44 is %v", tc.name, v44)
		}
	}
}
