package target

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// mappedBy maps one file by one mapping of a language, and returns the output, or the fault, or that there is nothing.
func mappedBy(t *testing.T, env harness.StageEnv, of func(harness.MappingSpec) harness.TargetSpec, program, from, input, output string, columns ...string) string {
	t.Helper()
	write(t, env, map[string]string{"map": program, "status.csv": "sis,lms,valid_from,valid_to\nRE,active,,\nAU,observer,,2026-10-04\nAU,auditor,2026-10-05,\n*,none,,\n"})
	stage := start(t, of(harness.MappingSpec{From: from, Program: "map", Output: output, Columns: columns, To: "lms", Crosswalks: map[string]string{"status": "status.csv"}}), env)
	xs := feed(t, stage, drop(from, input))
	if len(xs) == 1 {
		return "nothing"
	}
	if f := xs[1].Fault; f != nil {
		return f.Kind + ": " + f.Detail
	}
	return text(t, xs[1].Request)
}

func inStarlark(s harness.MappingSpec) harness.TargetSpec {
	return harness.TargetSpec{Starlark: []harness.MappingSpec{s}}
}

func TestStarlark(t *testing.T) {
	tests := []struct {
		why, program, from, input, output string
		columns                           []string
		want                              string
	}{
		{"a table by crosswalk", `
def map(msg):
    return [{"id": r["ID"], "status": lookup("status", r["RSTS"], column="lms")} for r in msg.value if r["RSTS"] != "WL"]`,
			"a.csv", "ID,RSTS\n007,RE\n8,AU\n9,WL\n10,ZZ\n", "b.csv", []string{"id", "status"}, "id,status\n007,active\n8,auditor\n10,none\n"},
		{"numbers keep their digits", "def map(m): return m.value", "a.json", `{"gpa":3.50,"big":9007199254740993,"huge":123456789012345678901234567890,"e":1E40,"neg":-0.0,"n":null,"t":true}`, "b.json", nil,
			`{"big":9007199254740993,"e":1E40,"gpa":3.50,"huge":123456789012345678901234567890,"n":null,"neg":-0.0,"t":true}` + "\n"},
		{"decimals are exact", `
def map(m):
    a, b = decimal("0.1"), m.value
    return [a + b, a - 1, 2 * b, -b, a * b, b.round(1), decimal("2.5").round(0, mode="half_even"), decimal("-2.5").round(0), decimal(1).divide(3, places=4), decimal("7.9").int(), 1.5 + a]`,
			"a.json", "0.25", "b.json", nil, "[0.35,-0.9,0.50,-0.25,0.025,0.3,2,-3,0.3333,7,1.6]\n"},
		{"decimals compare by value", `
def map(m):
    return [m.value == decimal("3.5"), m.value != decimal(3), m.value > decimal(3), {m.value: "x"}[decimal("3.500")], bool(decimal("0.00")), sorted([decimal(2), decimal("1.5")])]`,
			"a.json", "3.50", "b.json", nil, `[true,true,true,"x",false,[1.5,2]]` + "\n"},
		{"whole numbers of any size", "def map(m): return m.value + 1", "a.json", "9007199254740993", "b.json", nil, "9007199254740994\n"},
		{"the message", `
def map(m): return [m.name, m.channel, m.session, m.operation, m.media, m.head[":name"], m.text, m.method]`,
			"a.json", "1", "b.json", nil, `["a.json","file","nightly","a.json","application/json","a.json","1",""]` + "\n"},
		{"the clock stands", `
def map(m): return [m.now, time.now(), (m.now + time.parse_duration("24h")).format("2006-01-02")]`,
			"a.json", "1", "b.json", nil, `["2026-10-05T14:00:00Z","2026-10-05T14:00:00Z","2026-10-06"]` + "\n"},
		{"text within text", `
def map(m): return {"again": json.decode(m.value["inner"]), "out": json.encode({"b": decimal("1.0"), "a": 1})}`,
			"a.json", `{"inner":"{\"x\":1.50}"}`, "b.json", nil, `{"again":{"x":1.50},"out":"{\"a\":1,\"b\":1.0}"}` + "\n"},
		{"a whole row of a crosswalk, and none", `
def map(m): return [lookup("status", "RE"), lookup("status", "RE", "other"), len(crosswalks["status"])]`,
			"a.json", "1", "b.json", nil, `[{"lms":"active","sis":"RE","valid_from":"","valid_to":""},null,4]` + "\n"},
		{"nothing to hand over", "def map(m): return None", "a.json", "1", "b.json", nil, "nothing"},
		{"lines out", "def map(m): return (1, {'a': [None]})", "a.json", "1", "b.ndjson", nil, "1\n{\"a\":[null]}\n"},

		{"an error with the places of the calls", "def name(r):\n    return r['NAME']\n\ndef map(m):\n    return [name(r) for r in m.value]\n", "a.json", `[{"ID":"secret"}]`, "b.json", nil,
			`failed: map on exchange 000003: map:2:13 in name, called at map:5:17 in map: key "NAME" not in dict`},
		{"values do not get into the report", "def map(m): return int(m.value[0]) + crosswalks[m.value[1]]", "a.json", `["secret", "hidden"]`, "b.json", nil,
			"failed: map on exchange 000003: map:1:23 in map: int: invalid literal with base 10: …"},
		{"its own words", "def map(m): fail('term unknown')", "a.json", `1`, "b.json", nil, "failed: map on exchange 000003: map:1:17 in map: fail: term unknown"},
		{"an endless loop", "def map(m):\n    while True: pass", "a.json", `1`, "b.json", nil, "failed: map on exchange 000003: map: the mapping takes more than 1000000 steps for one payload"},
		{"a quotient", "def map(m): return m.value / 3", "a.json", `1.0`, "b.json", nil, "failed: map on exchange 000003: map:1:28 in map: a quotient of decimals may have no end: write a.divide(b, places=2)"},
		{"a function is no payload", "def map(m): return [map]", "a.json", `1`, "b.json", nil, "failed: map on exchange 000003: map: what map returns: a function is no payload"},
		{"a list within itself", "def map(m):\n    a = []\n    a.append(a)\n    return a", "a.json", `1`, "b.json", nil, "failed: map on exchange 000003: map: what map returns: it is nested more than 1000 deep"},
		{"what it was given is not to be changed by the next payload", "seen = []\ndef map(m): seen.append(1)", "a.json", `1`, "b.json", nil, "failed: map on exchange 000003: map:2:24 in map: append: cannot append to frozen list"},
		{"no such table", "def map(m): return lookup('nope', 'x')", "a.json", `1`, "b.json", nil, `failed: map on exchange 000003: map:1:26 in map: lookup: there is no crosswalk "nope"; known: status`},
	}
	most := maxSteps
	maxSteps = 1_000_000
	defer func() { maxSteps = most }()
	for _, tt := range tests {
		got := mappedBy(t, testEnv(t), inStarlark, tt.program, tt.from, tt.input, tt.output, tt.columns...)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.why, diff)
		}
	}
}

func TestStarlarkMappingsThatDoNotLoad(t *testing.T) {
	for _, tt := range []struct{ why, program, want string }{
		{"syntax", "def map(m):\n  return (1", "m.star:2:12: got newline, want ')'"},
		{"an unknown name", "x = 1\ndef map(m): return opn(m)", "m.star:2:20: undefined: opn"},
		{"a module", "load('x.star', 'f')\ndef map(m): return f(m)", "load m.star: m.star:1:1 in <toplevel>: load not implemented by this application"},
		{"no map", "def maps(m): return 1", "load m.star: it defines no function map"},
		{"the clock at the top level", "started = time.now()\ndef map(m): return 1", "load m.star: m.star:1:19 in <toplevel>: the clock is known within map only"},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"m.star": tt.program})
		target, err := New(harness.TargetSpec{Starlark: []harness.MappingSpec{{Program: "m.star"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Start(t.Context(), env)
		if err == nil || harness.ClassOf(err) != harness.ClassUsage || !strings.HasPrefix(err.Error(), tt.want) || harness.HintOf(err) == "" {
			t.Errorf("%s: %v, want %s with a hint", tt.why, err, tt.want)
		}
	}
}

func TestStarlarkEndsWithTheContext(t *testing.T) {
	env := testEnv(t)
	write(t, env, map[string]string{"m.star": "def map(m):\n    while True: pass"})
	stage := start(t, harness.TargetSpec{Starlark: []harness.MappingSpec{{Program: "m.star"}}}, env)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := stage.Feed(ctx, []harness.Exchange{drop("a.json", "1")}, harness.NewMemory(harness.Manifest{})); err == nil {
		t.Error("no error")
	}
}

func TestStarlarkPrintsIntoTheLog(t *testing.T) {
	var log bytes.Buffer
	env := testEnv(t)
	env.Log = &log
	mappedBy(t, env, inStarlark, "def map(m):\n    print('rows', len(m.value))\n    return m.value", "a.json", "[1]", "b.json")
	if log.String() != "map:2:10: rows 1\n" {
		t.Errorf("%q", log.String())
	}
}
