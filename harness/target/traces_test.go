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
