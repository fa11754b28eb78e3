package target

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// write puts files into the workspace.
func write(t *testing.T, env harness.StageEnv, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(env.Root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const registrations = "TERM,CRN,ID,RSTS\n202640,00417,H00000101,RE\n202640,02045,H00000102,AU\n202640,10234,H00000103,WL\n202640,10234,H00000104,RH\n"

const mappingProgram = `# registrations → enrolments
($status | map({key: .sis_code, value: .lms_status}) | from_entries) as $lms
| map(select($lms[.RSTS] // "" | . != "") | {user_id: .ID, role: "student", section_id: "\(.TERM)-\(.CRN)", status: $lms[.RSTS]})
`

const statuses = "sis_code,lms_status,note\nRE,active,\nAU,active,\"auditor,\nno grade\"\nWL,,skip\nRE,deleted,twice\n"

func TestJQMapsATableByCrosswalk(t *testing.T) {
	env := testEnv(t)
	write(t, env, map[string]string{"mapping/enrollments.jq": mappingProgram, "crosswalk/status.csv": strings.TrimSuffix(statuses, "RE,deleted,twice\n")})
	stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{{From: "registrations*.csv", Program: "mapping/enrollments.jq", Crosswalks: map[string]string{"status": "crosswalk/status.csv"},
		Output: "enrollments.csv", Columns: []string{"user_id", "role", "section_id", "status"}, To: "lms"}}}, env)
	xs := feed(t, stage, drop("persons.csv", "ID\nH1\n"), drop("registrations-20261005.csv", registrations))
	want := `000001 nightly sis→hubline 2026-10-05T14:00:00Z persons.csv | [{:name persons.csv} {:mtime 2026-10-05T07:15:00Z}] "ID\nH1\n" | [] "" | <nil>
000002 nightly sis→hubline 2026-10-05T14:00:00Z registrations-{}.csv | [{:name registrations-20261005.csv} {:mtime 2026-10-05T07:15:00Z}] ` + quoted(registrations) + ` | [] "" | <nil>
000003 nightly hubline→lms 2026-10-05T14:00:00Z enrollments.csv | [{:name enrollments.csv} {:mtime 2026-10-05T14:00:00Z}] "user_id,role,section_id,status\nH00000101,student,202640-00417,active\nH00000102,student,202640-02045,active\n" | [] "" | <nil>
`
	if diff := cmp.Diff(want, outline(t, xs)); diff != "" {
		t.Error(diff)
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }

// mapped1 maps one file by one program to one output, and returns the output or the fault.
func mapped1(t *testing.T, program, from, input, output string, columns ...string) string {
	t.Helper()
	env := testEnv(t)
	write(t, env, map[string]string{"map.jq": program})
	stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{{From: from, Program: "map.jq", Output: output, Columns: columns, To: "lms"}}}, env)
	xs := feed(t, stage, drop(from, input))
	if len(xs) == 1 {
		return "nothing"
	}
	if f := xs[1].Fault; f != nil {
		return f.Kind + ": " + f.Detail
	}
	return text(t, xs[1].Request)
}

func TestJQFormats(t *testing.T) {
	tests := []struct {
		why, program, from, input, output string
		columns                           []string
		want                              string
	}{
		{"numbers keep their digits", ".", "a.json", `{"gpa":3.50,"big":9007199254740993,"huge":123456789012345678901234567890,"e":1E400,"neg":-0.0}`, "b.json", nil,
			`{"big":9007199254740993,"e":1E400,"gpa":3.50,"huge":123456789012345678901234567890,"neg":-0.0}` + "\n"},
		{"also through selection, text and tables", `[.[] | {n, t: (.n|tojson)}]`, "a.json", `[{"n":3.50},{"n":9007199254740993}]`, "b.csv", []string{"n", "t"}, "n,t\n3.50,3.50\n9007199254740993,9007199254740993\n"},
		{"big integers are computed exactly", ".+1", "a.json", "9007199254740993", "b.json", nil, "9007199254740994\n"},
		{"cells are texts", ".[0]", "a.csv", "CRN,X\n00417,3.50\n", "b.json", nil, `{"CRN":"00417","X":"3.50"}` + "\n"},
		{"quotes as needed and no more", ".", "a.json", `[{"a":"x,y","b":"say \"hi\"","c":" z "},{"a":"two\nlines","b":null,"c":true},{}]`, "b.csv", []string{"a", "b", "c"},
			"a,b,c\n\"x,y\",\"say \"\"hi\"\"\", z \n\"two\nlines\",,true\n,,\n"},
		{"a lone empty cell is no blank line", ".", "a.json", `[{"a":""}]`, "b.csv", []string{"a"}, "a\n\"\"\n"},
		{"bytes that are no UTF-8 pass", ".", "a.csv", "N\nNu\xf1ez\n", "b.csv", []string{"N"}, "N\nNu\xf1ez\n"},
		{"rows one by one", ".[]", "a.csv", "a\n1\n2\n", "b.csv", []string{"a"}, "a\n1\n2\n"},
		{"no rows", "empty", "a.csv", "a\n1\n", "b.csv", []string{"a"}, "a\n"},
		{"lines in", "map(.a)", "a.ndjson", "{\"a\":1.0}\n\n{\"a\":2}", "b.json", nil, "[1.0,2]\n"},
		{"lines out", ".[]", "a.csv", "a\n1\n2\n", "b.ndjson", nil, "{\"a\":\"1\"}\n{\"a\":\"2\"}\n"},
		{"nothing to hand over", "empty", "a.json", "1", "b.json", nil, "nothing"},
		{"the clock stands", "[now, (now|todate), (0|localtime|mktime)]", "a.json", "1", "b.json", nil, `[1791208800,"2026-10-05T14:00:00Z",0]` + "\n"},
		{"no environment", "[$ENV, env]", "a.json", "1", "b.json", nil, "[{},{}]\n"},
		{"its own function of the same name", "def now: 5; now", "a.json", "1", "b.json", nil, "5\n"},

		{"two values", "1,2", "a.json", "1", "b.json", nil, "failed: map.jq on exchange 000003: the program yields 2 values, a JSON output is one: collect them with [ ]"},
		{"an error of the program", ".a.b", "a.json", `{"a":"secret"}`, "b.json", nil, "failed: map.jq on exchange 000003: expected an object but got: string"},
		{"its own error", `error("term unknown")`, "a.json", `1`, "b.json", nil, "failed: map.jq on exchange 000003: error: term unknown"},
		{"a member without column", ".", "a.json", `[{"a":1,"z":2,"y":3}]`, "b.csv", []string{"a"}, "failed: map.jq on exchange 000003: row 1 has the member y, which is no column"},
		{"a row that is none", ".", "a.json", `[[1]]`, "b.csv", []string{"a"}, "failed: map.jq on exchange 000003: row 1 is not an object but array"},
		{"a cell that is none", ".", "a.json", `[{"a":{}}]`, "b.csv", []string{"a"}, "failed: map.jq on exchange 000003: row 1 column a: a cell cannot hold an object"},
		{"input that is none", ".", "a.json", `{"a":`, "b.json", nil, "failed: map.jq on exchange 000003: read input: parse json at byte 5"},
		{"a bad line", ".", "a.ndjson", "1\n{", "b.json", nil, "failed: map.jq on exchange 000003: read input line 2: "},
		{"no structure", ".", "a.txt", "hello", "b.json", nil, "failed: map.jq on exchange 000003: read input: text is not JSON, NDJSON or a table"},
	}
	for _, test := range tests {
		got := mapped1(t, test.program, test.from, test.input, test.output, test.columns...)
		if strings.HasPrefix(test.want, "failed: ") && strings.HasPrefix(got, test.want) {
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.why, diff)
		}
	}
}

func TestJQProgramsThatDoNotCompile(t *testing.T) {
	tests := []struct{ why, program, want string }{
		{"a stray token", "map(.a)\n| {b: .c,, d}", "m/p.jq:2:10: "},
		{"the end", "map(.a\n", "m/p.jq:2:1: unexpected EOF"},
		{"a column in characters", "\"é\" ? ]", "m/p.jq:1:7: "},
		{"an unknown function", ".a |\n  upcase(1)", "m/p.jq:2:3: function not defined: upcase/1"},
		{"an unknown variable", "$crm + $status", "m/p.jq:1:1: variable not defined: $crm"},
		{"further inputs", "[.,\n inputs]", "m/p.jq:2:2: "},
		{"debugging", "debug", "m/p.jq:1:1: "},
		{"a module", `import "x" as x; .`, "m/p.jq: "},
		{"a data file", `include "/etc/passwd"; .`, "m/p.jq: "},
	}
	for _, test := range tests {
		env := testEnv(t)
		write(t, env, map[string]string{"m/p.jq": test.program, "x.csv": statuses})
		target, err := New(harness.TargetSpec{JQ: []harness.MappingSpec{{From: "a", Program: "m/p.jq", Crosswalks: map[string]string{"$status": "x.csv"}}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Start(t.Context(), env)
		if err == nil || harness.ClassOf(err) != harness.ClassUsage || !strings.HasPrefix(err.Error(), test.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: err %v, want %q with a hint", test.why, err, test.want)
		}
	}
}

func TestJQReadsOnlyTheWorkspace(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "p.jq"), []byte("."), 0o600); err != nil {
		t.Fatal(err)
	}
	env := testEnv(t)
	write(t, env, map[string]string{"p.jq": "."})
	if err := os.Symlink(outside, filepath.Join(env.Root, "link")); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []harness.MappingSpec{
		{Program: filepath.Join(outside, "p.jq")}, {Program: "../p.jq"}, {Program: "link/p.jq"}, {Program: "absent.jq"},
		{Program: "p.jq", Crosswalks: map[string]string{"a": "link/p.jq"}}, {Program: "p.jq", Crosswalks: map[string]string{"a": "/etc/hosts"}},
	} {
		target, err := New(harness.TargetSpec{JQ: []harness.MappingSpec{spec}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Start(t.Context(), env); err == nil || harness.HintOf(err) == "" {
			t.Errorf("%+v: err %v", spec, err)
		}
	}
}

func TestJQEndlessProgramEndsWithTheContext(t *testing.T) {
	env := testEnv(t)
	write(t, env, map[string]string{"p.jq": "last(range(1e18))"})
	stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p.jq"}}}, env)
	ctx, cancel := contextSoon(t)
	defer cancel()
	if err := stage.Feed(ctx, []harness.Exchange{drop("a.json", "1")}, harness.NewMemory(harness.Manifest{})); err == nil {
		t.Error("no error")
	}
}

func TestJQAnswersRequests(t *testing.T) {
	env := testEnv(t)
	write(t, env, map[string]string{"hook.jq": "{id, seen: true}", "note.jq": ".", "other.jq": "1"})
	answer := harness.MappingSpec{From: "POST /hooks/*", Program: "hook.jq"}
	note := harness.MappingSpec{From: "POST /hooks/*", Program: "note.jq", To: "log", Output: "note.json"}
	stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{note, answer}}, env)
	xs := feed(t, stage, request("POST", "/hooks/application", `{"id":"A-20481"}`))
	if len(xs) != 2 || text(t, xs[0].Response) != `{"id":"A-20481","seen":true}` || xs[0].Status() != 200 || text(t, xs[1].Request) != `{"id":"A-20481"}`+"\n" {
		t.Errorf("%s", outline(t, xs))
	}
	for _, target := range []string{"/other", "/hooks/a/b"} {
		err := stage.Feed(t.Context(), []harness.Exchange{request("POST", target, "{}")}, harness.NewMemory(harness.Manifest{}))
		if err == nil || harness.HintOf(err) == "" {
			t.Errorf("%s is answered by nothing: err %v", target, err)
		}
	}
	stage = start(t, harness.TargetSpec{JQ: []harness.MappingSpec{answer, {Program: "other.jq"}}}, env)
	if err := stage.Feed(t.Context(), []harness.Exchange{request("POST", "/hooks/a", "{}")}, harness.NewMemory(harness.Manifest{})); err == nil {
		t.Error("two programs answer")
	}
}

func TestJQLogsWhatAFaultLeavesOut(t *testing.T) {
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	write(t, env, map[string]string{"p.jq": ".a.b"})
	stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{{Program: "p.jq"}}}, env)
	xs := feed(t, stage, drop("a.json", `{"a":"value"}`))
	if strings.Contains(xs[0].Fault.Detail, "value") || !strings.Contains(log.String(), "value") {
		t.Errorf("fault %q, log %q", xs[0].Fault.Detail, log.String())
	}
}

func TestCrosswalks(t *testing.T) {
	env := testEnv(t)
	write(t, env, map[string]string{"status.csv": statuses, "roles.csv": "\xef\xbb\xbfcode,role\r\n\r\nAU,observer\r\n*,student\r\n", "empty.csv": ""})
	spec := harness.TargetSpec{JQ: []harness.MappingSpec{
		{Program: "a.jq", Crosswalks: map[string]string{"status": "status.csv", "roles": "roles.csv"}},
		{Program: "b.jq", Crosswalks: map[string]string{"$status": "status.csv", "none": "empty.csv"}},
	}}
	got, err := Crosswalks(spec, env.Root)
	if err != nil {
		t.Fatal(err)
	}
	want := []harness.Crosswalk{
		{Name: "roles", File: "roles.csv", Column: "code", Codes: map[string]int{"AU": 3}, Default: true},
		{Name: "status", File: "status.csv", Column: "sis_code", Codes: map[string]int{"RE": 2, "AU": 3, "WL": 5}},
		{Name: "none", File: "empty.csv", Codes: map[string]int{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	spec.JQ[0].Crosswalks["roles"] = "absent.csv"
	if _, err := Crosswalks(spec, env.Root); err == nil || !strings.Contains(err.Error(), "absent.csv") {
		t.Errorf("err %v", err)
	}
}

func BenchmarkJQ(b *testing.B) {
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "p.jq"), []byte(`map({user_id: .ID, section_id: "\(.TERM)-\(.CRN)", status: .RSTS})`), 0o600); err != nil {
		b.Fatal(err)
	}
	target, err := New(harness.TargetSpec{System: "hubline", JQ: []harness.MappingSpec{{Program: "p.jq", Output: "o.csv", To: "lms", Columns: []string{"user_id", "section_id", "status"}}}})
	if err != nil {
		b.Fatal(err)
	}
	stage, err := target.Start(b.Context(), harness.StageEnv{Root: root, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	const rows = 46000 // registrations of one night
	x := drop("registrations.csv", "TERM,CRN,ID,RSTS\n"+strings.Repeat("202640,00417,H00000101,RE\n", rows))
	for b.Loop() {
		if err := stage.Feed(b.Context(), []harness.Exchange{x}, harness.NewMemory(harness.Manifest{})); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func TestJQReadsTheEncodingThatItIsTold(t *testing.T) {
	const western = "NAME\nJos\xe9\n"
	for _, tc := range []struct{ encoding, input, want, why string }{
		{"windows-1252", western, "NAME\nJosé\n", "the output is UTF-8 again"},
		{"", western, western, "without being told, the bytes go on as they are"},
		{"utf-8", western, FaultFailed + ": map.jq on exchange 000003: read input: byte E9 at offset 8 is no UTF-8", "a letter is never lost when the encoding is named"},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"map.jq": "."})
		stage := start(t, harness.TargetSpec{JQ: []harness.MappingSpec{{From: "a.csv", Program: "map.jq", Encoding: tc.encoding, Output: "b.csv", Columns: []string{"NAME"}, To: "lms"}}}, env)
		xs := feed(t, stage, drop("a.csv", tc.input))
		got := text(t, xs[1].Request)
		if f := xs[1].Fault; f != nil {
			got = f.Kind + ": " + f.Detail
		}
		if got != tc.want {
			t.Errorf("%q (%s): %q, want %q", tc.encoding, tc.why, got, tc.want)
		}
	}
}

func TestFaultsOfMappingsShowNoValues(t *testing.T) {
	for _, program := range []string{`.[0].ID | tonumber`, `.[0].ID | fromjson`, `.[0].ID + 1`, `.[0] | has(0)`, `.[0].ID | fromdateiso8601`} {
		if got := mapped1(t, program, "a.csv", "ID\nH00000142 (Vik): \"x\"\n", "b.json"); strings.Contains(got, "142") || strings.Contains(got, "Vik") || !strings.HasPrefix(got, FaultFailed) {
			t.Errorf("%s: %s", program, got)
		}
	}
}
