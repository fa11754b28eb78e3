package target

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestTracesSayWhichFieldsFeedWhich(t *testing.T) {
	for _, c := range []struct {
		why, program string
		want         map[string][]string // field → names, then crosswalk files
	}{
		{"a rename", `map({user_id: .ID})`, map[string][]string{"user_id": {"ID"}}},
		{"two fields in one text", `map({section: "\(.TERM)-\(.CRN)"})`, map[string][]string{"section": {"CRN", "TERM"}}},
		{"a choice", `{name: (if .PREF == "" then .FIRST else .PREF end)}`, map[string][]string{"name": {"FIRST", "PREF"}}},
		{"through a crosswalk", `($codes | map({key: .was, value: .is}) | from_entries) as $c | map($c[.RSTS] as $s | select($s != null) | {status: $s})`,
			map[string][]string{"key": {"was"}, "status": {"RSTS", "is", "was", "codes.csv"}, "value": {"is"}}},
		{"crosswalk that is not used for the field", `$codes as $c | map({id: .ID})`, map[string][]string{"id": {"ID"}}},
		{"a shorthand", `{ID, other: ."Home Campus"}`, map[string][]string{"ID": {"ID"}, "other": {"Home Campus"}}},
		{"a function", `def full: "\(.LAST), \(.FIRST)"; map({name: full})`, map[string][]string{"name": {"FIRST", "LAST"}}},
		{"nested objects", `{a: {b: .x}, c: [.y, .z]}`, map[string][]string{"a": {"x"}, "b": {"x"}, "c": {"y", "z"}}},
		{"a constant", `{status: "active", id: .ID}`, map[string][]string{"id": {"ID"}}},
		{"no jq", `{`, nil},
	} {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, "m.jq"), []byte(c.program), 0o644); err != nil {
			t.Fatal(err)
		}
		spec := harness.TargetSpec{JQ: []harness.MappingSpec{{From: "in.csv", Program: "m.jq", Output: "out.csv", Crosswalks: map[string]string{"codes": "codes.csv"}}}}
		got := map[string][]string{}
		for _, f := range Traces(spec, root) {
			if f.Input != "in.csv" || f.Output != "out.csv" || f.Program != "m.jq" {
				t.Errorf("%s: %+v", c.why, f)
			}
			got[f.Field] = append(append([]string{}, f.From...), f.Crosswalks...)
		}
		if c.want == nil {
			c.want = map[string][]string{}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, d)
		}
	}
}

func TestStarlarkTraces(t *testing.T) {
	root := t.TempDir()
	program := `def map(msg):
    out = []
    for r in msg.value:
        row = {"user_id": r["ID"], "name": full(r)}
        row["status"] = lookup("codes", r.get("RSTS"), column = "lms")
        out.append(row)
    return out

def full(p):
    first = p["PREF"] or p["FIRST"]
    return p["LAST"] + ", " + first

fixed = {"kind": "student"}
`
	if err := os.WriteFile(filepath.Join(root, "m.star"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	got := Traces(harness.TargetSpec{Starlark: []harness.MappingSpec{
		{From: "in.csv", Program: "m.star", Output: "out.csv", Crosswalks: map[string]string{"codes": "codes.csv"}}, {Program: "none.star"},
	}}, root)
	field := func(name string, line int, crosswalks []string, from ...string) harness.MappedField {
		return harness.MappedField{Input: "in.csv", Output: "out.csv", Field: name, From: from, Crosswalks: crosswalks, Program: "m.star", Line: line}
	}
	want := []harness.MappedField{field("name", 4, nil, "FIRST", "LAST", "PREF"), field("status", 5, []string{"codes.csv"}, "RSTS"), field("user_id", 4, nil, "ID")}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
