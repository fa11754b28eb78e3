package target

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

const levels = `level,campus,out,valid_from,valid_to,note
UG,MAIN,undergrad-main,,,
UG,*,undergrad,,,every other campus
GR,*,graduate,,2026-08-31,old name
GR,*,postgrad,2026-09-01,,new name
*,*,other,,,
`

// translated feeds one payload to one crosswalk; it returns the output or the fault, and the log.
func translated(t *testing.T, table string, spec harness.CrosswalkSpec, x harness.Exchange) (string, string) {
	t.Helper()
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	write(t, env, map[string]string{"codes.csv": table})
	spec.Table = "codes.csv"
	stage := start(t, harness.TargetSpec{Crosswalk: []harness.CrosswalkSpec{spec}}, env)
	xs := feed(t, stage, x)
	if err := stage.Close(); err != nil {
		t.Fatal(err)
	}
	last := xs[len(xs)-1]
	switch {
	case last.Fault != nil:
		return last.Fault.Kind + ": " + last.Fault.Detail, log.String()
	case spec.To == "":
		return text(t, last.Response), log.String()
	}
	return text(t, last.Request), log.String()
}

func TestCrosswalkTranslates(t *testing.T) {
	both := []harness.CrosswalkKey{{Column: "level", Field: "LEVL"}, {Column: "campus", Field: "CAMP"}}
	people := drop("people.csv", "ID,LEVL,CAMP\n1,UG,MAIN\n2,UG,WEST\n3,GR,WEST\n4,XX,MAIN\n5,UG,MAIN\n")
	tests := []struct {
		why  string
		spec harness.CrosswalkSpec
		fed  harness.Exchange
		want string
	}{
		{"several keys, defaults and days", harness.CrosswalkSpec{Keys: both, Values: []string{"out"}, Output: "l.csv", To: "lms"}, people,
			"LEVL,CAMP,out\nUG,MAIN,undergrad-main\nUG,WEST,undergrad\nGR,WEST,postgrad\nXX,MAIN,other\nUG,MAIN,undergrad-main\n"},
		{"each code once", harness.CrosswalkSpec{Keys: both, Values: []string{"out"}, Distinct: true, Output: "l.ndjson", To: "lms"}, people,
			`{"CAMP":"MAIN","LEVL":"UG","out":"undergrad-main"}` + "\n" + `{"CAMP":"WEST","LEVL":"UG","out":"undergrad"}` + "\n" +
				`{"CAMP":"WEST","LEVL":"GR","out":"postgrad"}` + "\n" + `{"CAMP":"MAIN","LEVL":"XX","out":"other"}` + "\n"},
		{"all columns that are neither keys nor days", harness.CrosswalkSpec{Keys: both}, request("POST", "/translate", `{"LEVL":"UG","CAMP":"WEST"}`), `{"note":"every other campus","out":"undergrad"}`},
		{"a query", harness.CrosswalkSpec{Keys: both, Values: []string{"out"}}, request("GET", "/translate?LEVL=GR&CAMP=MAIN", ""), `{"out":"postgrad"}`},
		{"a number is its digits", harness.CrosswalkSpec{Keys: both, Values: []string{"out"}}, request("POST", "/translate", `{"LEVL":7.0,"CAMP":"WEST"}`), `{"out":"other"}`},
		{"a field that is not there", harness.CrosswalkSpec{Keys: both}, request("POST", "/translate", `{"LEVL":"UG"}`), "failed: codes.csv on exchange 000007: it has no field CAMP"},
	}
	for _, tt := range tests {
		got, _ := translated(t, levels, tt.spec, tt.fed)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.why, diff)
		}
	}
}

func TestCrosswalkOfOneColumn(t *testing.T) {
	const table = "sis_code,lms_status\nRE,active\nDR,\n"
	for _, tt := range []struct {
		why, missing string
		fed          harness.Exchange
		want         string
	}{
		{"a scalar", "", request("POST", "/", `"RE"`), `"active"`},
		{"an empty translation is one", "", request("POST", "/", `"DR"`), `""`},
		{"no row fails, and does not tell the value", "", request("POST", "/", `"RH"`), "failed: codes.csv on exchange 000007: no row of the crosswalk holds for its sis_code on 2026-10-05"},
		{"no row is empty", "empty", request("POST", "/", `"RH"`), "null"},
		{"no row keeps the code", "keep", request("POST", "/", `"RH"`), `"RH"`},
		{"a list", "", request("POST", "/", `["RE","DR"]`), `[{"lms_status":"active","sis_code":"RE"},{"lms_status":"","sis_code":"DR"}]`},
		{"a list with a stranger", "", request("POST", "/", `["RE","RH"]`), "failed: codes.csv on exchange 000007: record 2: no row of the crosswalk holds for its sis_code on 2026-10-05"},
	} {
		got, _ := translated(t, table, harness.CrosswalkSpec{Missing: tt.missing}, tt.fed)
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}

func TestCrosswalkDaysFollowTheZone(t *testing.T) {
	const table = "code,out,valid_from,valid_to\nA,old,,10/5/2026\nA,new,20261006,\n"
	for zone, want := range map[string]string{"": `"old"`, "Pacific/Kiritimati": `"new"`} { // there it is tomorrow at 14:00 UTC
		if got, _ := translated(t, table, harness.CrosswalkSpec{Zone: zone}, request("POST", "/", `"A"`)); got != want {
			t.Errorf("in zone %q: %s, want %s", zone, got, want)
		}
	}
}

func TestCrosswalkRemarks(t *testing.T) {
	const table = "code,out,valid_from,valid_to\nRE,active,,\nRE,active,,\nre,active,,\n WL,skip,,\nAU,audit,,2025-12-31\nNW,new,2027-01-01,\n,,,\n*,,,\n"
	_, log := translated(t, table, harness.CrosswalkSpec{Output: "o.csv", To: "lms"}, drop("a.csv", "code\nRE\nXX\n"))
	want := `codes.csv:3: note: code "RE" repeats line 2, and is never reached
codes.csv:4: note: code "re" differs from line 2 in upper and lower case only
codes.csv:5: note: code " WL" has spaces around it, which count
codes.csv:6: note: code "AU" held until 2025-12-31
codes.csv:7: note: code "NW" holds from 2027-01-01 on
codes.csv:8: note: the row is blank
codes.csv:4: note: code "re" is unused: nothing that was fed has it
codes.csv:5: note: code " WL" is unused: nothing that was fed has it
codes.csv:8: note: code "" is unused: nothing that was fed has it
`
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
	_, log = translated(t, "code,out\nRE,active\n", harness.CrosswalkSpec{Missing: "keep", Output: "o.csv", To: "lms"}, drop("a.csv", "code\nRE\nRH\nRH\n"))
	if want := "codes.csv:1: note: no row for code \"RH\": missing for 2 records, first in exchange 000003\n"; log != want {
		t.Errorf("%s, want %s", log, want)
	}
}

func TestCrosswalksThatCannotBeMeant(t *testing.T) {
	for _, tt := range []struct{ why, table, want string }{
		{"two translations", "code,out\nRE,active\nRE,inactive\n", `c.csv:3: code "RE" is translated otherwise in line 2`},
		{"two defaults", "code,out\n*,a\nRE,b\n*,c\n", `c.csv:4: code "*" is translated otherwise in line 2`},
		{"days that overlap", "code,out,valid_from,valid_to\nA,1,,2026-08-31\nA,2,2026-08-31,\n", `c.csv:3: code "A" is translated otherwise in line 2; their days overlap`},
		{"an end before the beginning", "code,out,valid_from,valid_to\nA,1,2026-09-01,2026-08-31\n", `c.csv:2: code "A" never holds: it ends on 2026-08-31 and begins on 2026-09-01`},
		{"a day that is none, twice", "code,out,valid_from,valid_to\nA,1,2026-02-30,\nB,1,,soon\n", "c.csv:2: valid_from: \"2026-02-30\" is not a day\nc.csv:3: valid_to: \"soon\" is not a day"},
		{"a line break in a cell counts", "code,out\nA,\"1\n2\"\nA,3\n", `c.csv:4: code "A" is translated otherwise in line 2`},
		{"nothing", "", "read crosswalk c.csv: it has no columns"},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"c.csv": tt.table})
		target, err := New(harness.TargetSpec{Crosswalk: []harness.CrosswalkSpec{{Table: "c.csv"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Start(t.Context(), env)
		if err == nil || harness.ClassOf(err) != harness.ClassUsage || err.Error() != tt.want || harness.HintOf(err) == "" {
			t.Errorf("%s: %v, want %s with a hint", tt.why, err, tt.want)
		}
	}
	for _, spec := range []harness.CrosswalkSpec{
		{}, {Table: "c.csv", From: "["}, {Table: "c.csv", Output: "a.xml", To: "x"}, {Table: "c.csv", Output: "a.csv"}, {Table: "c.csv", Missing: "keep", Keys: make([]harness.CrosswalkKey, 2)},
	} {
		if _, err := New(harness.TargetSpec{Crosswalk: []harness.CrosswalkSpec{spec}}); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%+v: %v", spec, err)
		}
	}
	for _, spec := range []harness.CrosswalkSpec{{Zone: "Mars/Olympus"}, {Values: []string{"x"}}, {Keys: []harness.CrosswalkKey{{Column: "x"}}}} {
		env := testEnv(t)
		write(t, env, map[string]string{"c.csv": "a,b\n1,2\n"})
		spec.Table = "c.csv"
		target, err := New(harness.TargetSpec{Crosswalk: []harness.CrosswalkSpec{spec}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Start(t.Context(), env); err == nil || harness.HintOf(err) == "" || !strings.Contains(err.Error(), "c.csv") {
			t.Errorf("%+v: %v", spec, err)
		}
	}
}
