package target

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestReads(t *testing.T) {
	for _, tt := range []struct{ why, program, want string }{
		{"columns of a table", `map({user_id: .ID, login: (.EMAIL | split("@")[0])})`, "EMAIL ID"},
		{"an interpolated text", `map({section: "\(.TERM)-\(.CRN)"})`, "CRN TERM"},
		{"a code table is a variable, and its columns count as read", `($codes | map({key: .sis, value: .lms}) | from_entries) as $status | map($status[.RSTS] as $s | select($s != null) | {id: .ID, status: $s})`, "ID RSTS lms sis"},
		{"conditions", `{name: (if .PREF == "" then .FIRST elif .NICK then .NICK else .LAST end)}`, "FIRST LAST NICK PREF"},
		{"a quoted name", `[{a: .["first name"], b: ."last name"}]`, "first name last name"},
		{"the short form of a member", `{id, name}`, "id name"},
		{"below another member", `{first: .applicant.first, all: [.tags[] | .code]}`, "applicant code first tags"},
		{"whole rows pass a filter", `map(select(.RSTS == "RE"))`, "unknown"},
		{"a whole row within what is built", `map({id: .ID, row: .})`, "unknown"},
		{"all members within what is built", `map({id: .ID, row: [.[]]})`, "unknown"},
		{"a name that is computed", `map({id: .[.key]})`, "unknown"},
		{"names as data", `map({id: .ID, names: keys})`, "unknown"},
		{"everything below", `{ids: [.. | .id?]}`, "unknown"},
		{"taken apart by a pattern", `. as {a: $x} | {b: $x}`, "unknown"},
		{"not jq", `map({`, "unknown"},
	} {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, "m.jq"), []byte(tt.program), 0o600); err != nil {
			t.Fatal(err)
		}
		reads := Reads(harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "m.jq"}}}, root)
		got := "unknown"
		if reads.Known {
			got = strings.Join(slices.Sorted(maps.Keys(reads.Names)), " ")
		}
		if got != tt.want {
			t.Errorf("%s: %s reads %s, want %s", tt.why, tt.program, got, tt.want)
		}
	}
	if Reads(harness.TargetSpec{Command: &harness.CommandSpec{}}, "").Known {
		t.Error("a program cannot be looked into")
	}
}
