package harrowlake

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/scenarios"
	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

const i1 = "i1-sis-lms-enrollment/"

// rows reads a table as a mapping gets it: an array of row objects with texts.
func rows(t *testing.T, b []byte) []any {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []any
	for _, cells := range all[1:] {
		row := map[string]any{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		list = append(list, row)
	}
	return list
}

// outputs runs the mapping of a scenario over the extracts and returns the rows of each output by operation.
func outputs(t *testing.T, scenario string, extracts map[string][]byte) map[string][]map[string]any {
	t.Helper()
	dir := extracted(t)
	w, err := scenarios.OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Scenario(scenariosDir + "/" + i1 + scenario)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]map[string]any{}
	for _, m := range s.Target.JQ {
		for _, row := range run(t, m, extracts[m.From]) {
			object := row.(map[string]any)
			names := slices.Sorted(maps.Keys(object))
			if columns := slices.Sorted(slices.Values(m.Columns)); !slices.Equal(names, columns) {
				t.Fatalf("%s yields the members %v, its columns are %v", m.Program, names, columns)
			}
			out[m.Output] = append(out[m.Output], object)
		}
	}
	return out
}

func run(t *testing.T, m harness.MappingSpec, extract []byte) []any {
	t.Helper()
	file := func(name string) []byte {
		b, err := fs.ReadFile(FS(), strings.TrimPrefix(name, scenariosDir+"/"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	query, err := gojq.Parse(string(file(m.Program)))
	if err != nil {
		t.Fatalf("%s: %v", m.Program, err)
	}
	var names []string
	var values []any
	for _, name := range slices.Sorted(maps.Keys(m.Crosswalks)) {
		names = append(names, "$"+name)
		values = append(values, rows(t, file(m.Crosswalks[name])))
	}
	code, err := gojq.Compile(query, gojq.WithVariables(names))
	if err != nil {
		t.Fatalf("%s: %v", m.Program, err)
	}
	iter := code.RunWithContext(t.Context(), rows(t, extract), values...)
	v, _ := iter.Next()
	if err, ok := v.(error); ok {
		t.Fatalf("%s: %v", m.Program, err)
	}
	if _, more := iter.Next(); more {
		t.Fatalf("%s yields more than one value", m.Program)
	}
	return v.([]any)
}

func baselineExtracts() map[string][]byte {
	return map[string][]byte{
		"persons.csv":       world.PersonsCSV(),
		"sections.csv":      world.SectionsCSV(),
		"registrations.csv": world.RegistrationsCSV(),
	}
}

// count counts the rows by the text of a member.
func count(list []map[string]any, member string) map[string]int {
	n := map[string]int{}
	for _, row := range list {
		n[row[member].(string)]++
	}
	return n
}

// keys are the identities of enrolments.
func keys(list []map[string]any) map[string]map[string]any {
	m := map[string]map[string]any{}
	for _, row := range list {
		m[row["user_id"].(string)+" "+row["section_id"].(string)] = row
	}
	return m
}

func TestBaselineMapping(t *testing.T) {
	out := outputs(t, "baseline.yaml", baselineExtracts())
	if diff := cmp.Diff(map[string]int{"active": 200, "deleted": 20, "completed": 10}, count(out["lms/enrollments.csv"], "status")); diff != "" {
		t.Errorf("enrolments by status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"student": 230}, count(out["lms/enrollments.csv"], "role")); diff != "" {
		t.Errorf("enrolments by role (-want +got):\n%s", diff)
	}
	if n := len(keys(out["lms/enrollments.csv"])); n != 230 {
		t.Errorf("%d distinct enrolments, want 230", n)
	}
	if u, s := len(out["lms/users.csv"]), len(out["lms/sections.csv"]); u != 80 || s != 20 {
		t.Errorf("%d users and %d sections, want 80 and 20", u, s)
	}
	if id := out["lms/sections.csv"][0]["section_id"]; id != "202640-00417" {
		t.Errorf("first section %v, want 202640-00417", id)
	}
	zeros := func(list []map[string]any) (n int) {
		for _, row := range list {
			if strings.HasPrefix(row["section_id"].(string), "202640-0") {
				n++
			}
		}
		return n
	}
	if e, s := zeros(out["lms/enrollments.csv"]), zeros(out["lms/sections.csv"]); e != 46 || s != 4 {
		t.Errorf("%d enrolments and %d sections with a leading zero, want 46 and 4", e, s)
	}
}

func TestRelease932LosesTheHybridStudents(t *testing.T) {
	before := outputs(t, "baseline.yaml", baselineExtracts())["lms/enrollments.csv"]
	extracts := baselineExtracts()
	extracts["registrations.csv"] = world.RegistrationsCSV932()
	after := outputs(t, "sis-9.32.yaml", extracts)["lms/enrollments.csv"]
	if len(after) != 223 {
		t.Errorf("%d enrolments, want 223", len(after))
	}
	held := keys(after)
	var rest []map[string]any
	lost := map[string]int{}
	for _, row := range before {
		if _, ok := held[row["user_id"].(string)+" "+row["section_id"].(string)]; ok {
			rest = append(rest, row)
		} else {
			lost[row["section_id"].(string)]++
		}
	}
	want := map[string]int{"202640-00892": 1, "202640-10271": 1, "202640-10419": 2, "202640-10567": 2, "202640-10715": 1}
	if diff := cmp.Diff(want, lost); diff != "" {
		t.Errorf("lost enrolments by section (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rest, after); diff != "" {
		t.Errorf("D02 and D04 reach the output (-want +got):\n%s", diff)
	}
}

func TestPullRequest418(t *testing.T) {
	before := outputs(t, "baseline.yaml", baselineExtracts())
	tests := []struct {
		scenario                              string
		enrolments, sections, observers, both int
		why                                   string
	}{
		{"pr-418.yaml", 46, 4, 10, 2, "D11 and D12 overlap in two rows"},
		{"pr-418-fixed.yaml", 0, 0, 10, 0, "CRN stays text"},
		{"pr-418-undeclared.yaml", 0, 0, 10, 0, "the same mapping, without declaration"},
	}
	for _, tt := range tests {
		out := outputs(t, tt.scenario, baselineExtracts())
		was := keys(before["lms/enrollments.csv"])
		enrolments, observers, both := 0, 0, 0
		for key, row := range keys(out["lms/enrollments.csv"]) {
			_, same := was[key]
			if !same {
				enrolments++
			}
			if row["role"] == "observer" {
				observers++
				if !same {
					both++
				}
			}
		}
		sections := 0
		for i, row := range out["lms/sections.csv"] {
			if row["section_id"] != before["lms/sections.csv"][i]["section_id"] {
				sections++
			}
		}
		if enrolments != tt.enrolments || sections != tt.sections || observers != tt.observers || both != tt.both {
			t.Errorf("%s (%s): %d enrolments and %d sections damaged, %d observers, %d both; want %d, %d, %d, %d", tt.scenario, tt.why,
				enrolments, sections, observers, both, tt.enrolments, tt.sections, tt.observers, tt.both)
		}
		if n := len(out["lms/enrollments.csv"]); n != 230 {
			t.Errorf("%s: %d enrolments, want 230", tt.scenario, n)
		}
	}
}
