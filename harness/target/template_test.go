package target

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

func inTemplate(s harness.MappingSpec) harness.TargetSpec {
	return harness.TargetSpec{Template: []harness.MappingSpec{s}}
}

func TestTemplate(t *testing.T) {
	tests := []struct{ why, program, from, input, output, want string }{
		{"a flat file with header and trailer",
			`H{{now | date "20060102"}}{{"\r\n"}}{{range .}}D{{padleft 8 "0" .ID}}{{padright 6 " " .NAME}}{{padleft 9 "0" (decimal 2 .AMT | replace "." "")}}{{"\r\n"}}{{end}}T{{padleft 5 "0" (len . | printf "%d")}}{{sum "AMT" .}}`,
			"a.csv", "ID,NAME,AMT\n417,Nuñez,12.5\n7,Ng,0.125\n", "out.dat", "H20261005\r\nD00000417Nuñez 000001250\r\nD00000007Ng    000000013\r\nT0000212.625"},
		{"cells", `{{range .}}{{csv .a}};{{join "|" . "b" "a"}}{{end}}`, "a.json", `[{"a":"x,\"y\"","b":null}]`, "o.txt", `"x,""y""";|"x,""y"""`},
		{"markup", `<n v="{{xml .a}}">{{xml .n}}</n>`, "a.json", `{"a":"<\"&>","n":3.50}`, "o.xml", `<n v="&lt;&#34;&amp;&gt;">3.50</n>`},
		{"json", `{"a":{{json .a}},"b":{{.b}}}`, "a.json", `{"a":{"x":1.0,"t":"\""},"b":9007199254740993}`, "o.json", `{"a":{"t":"\"","x":1.0},"b":9007199254740993}`},
		{"a crosswalk on a day", `{{range .}}{{lookup "status" .RSTS "lms"}} {{end}}`, "a.csv", "RSTS\nRE\nAU\nZZ\n", "o.txt", "active auditor none "},
		{"dates", `{{date "01/02/2006" .a}} {{date "2006" .b}} {{date "2006" .c}}.`, "a.json", `{"a":"2026-08-31","b":"20270101","c":""}`, "o.txt", "08/31/2026 2027 ."},
		{"texts", `{{upper .a}}{{lower .b}}{{trim .c}}{{default "-" .d}}{{name}}{{session}}{{head ":name"}}`, "a.json", `{"a":"x","b":"Y","c":" z ","d":null}`, "o.txt", "XyZ"[:2] + "z-a.jsonnightlya.json"},
		{"sorted, and the part before", `{{range sortby . "b" "a"}}{{.a}}{{before "@" .c}} {{end}}`, "a.json", `[{"a":"2","b":"y","c":"m@n"},{"a":"3","b":"x","c":"o"},{"a":"1","b":"y","c":"p@"}]`, "o.txt", "3o 1p 2m "},
		{"nothing to hand over", `{{if eq (len .) 0}}{{skip}}{{end}}x`, "a.json", `[]`, "o.txt", "nothing"},
		{"an empty file is one", `{{range .}}x{{end}}`, "a.json", `[]`, "o.txt", ""},
		{"a template of its own", `{{define "row"}}<{{.a}}>{{end}}{{range .}}{{template "row" .}}{{end}}`, "a.json", `[{"a":1},{"a":2}]`, "o.txt", "<1><2>"},

		{"a field that is not there", "line\n{{range .}}{{.NAME}}{{end}}", "a.json", `[{"ID":"secret"}]`, "o.txt", `failed: map on exchange 000003: map:2:13: executing "map" at <.NAME>: map has no entry for key "NAME"`},
		{"a value that is too long", `{{padleft 3 "0" .a}}`, "a.json", `{"a":"secret"}`, "o.txt", `failed: map on exchange 000003: map:1:2: executing "map" at <padleft 3 "0" .a>: error calling padleft: pad: the value is 3 characters longer than the field of 3`},
		{"a date that is none", `{{date "2006" .a}}`, "a.json", `{"a":"secret"}`, "o.txt", `failed: map on exchange 000003: map:1:2: executing "map" at <date "2006" .a>: error calling date: date: the value is no moment such as 2026-08-31 or 2026-08-31T08:00:00Z`},
		{"a number that is none", `{{decimal 2 .a}}`, "a.json", `{"a":"secret"}`, "o.txt", `failed: map on exchange 000003: map:1:2: executing "map" at <decimal 2 .a>: error calling decimal: decimal: the value is not a decimal number`},
		{"its own words", `{{fail "no rows"}}`, "a.json", `1`, "o.txt", `failed: map on exchange 000003: map:1:2: executing "map" at <fail "no rows">: error calling fail: no rows`},
		{"too much", `{{range .}}{{range $}}{{padleft 65536 " " "x"}}{{end}}{{end}}`, "a.json", "[" + strings.Repeat("1,", 99) + "1]", "o.txt", "failed: map on exchange 000003: map: the output is larger than 67108864 bytes"},
	}
	for _, tt := range tests {
		got := mappedBy(t, testEnv(t), inTemplate, tt.program, tt.from, tt.input, tt.output)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.why, diff)
		}
	}
}

func TestTemplatesThatDoNotParse(t *testing.T) {
	for _, tt := range []struct{ why, program, want string }{
		{"syntax", "a\n{{range}}", "m.tmpl:2: missing value for range"},
		{"an unknown function", "{{env \"HOME\"}}", `m.tmpl:1: function "env" not defined`},
	} {
		env := testEnv(t)
		write(t, env, map[string]string{"m.tmpl": tt.program})
		target, err := New(harness.TargetSpec{Template: []harness.MappingSpec{{Program: "m.tmpl"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Start(t.Context(), env)
		if err == nil || harness.ClassOf(err) != harness.ClassUsage || err.Error() != tt.want || harness.HintOf(err) == "" {
			t.Errorf("%s: %v, want %s with a hint", tt.why, err, tt.want)
		}
	}
}

// A loop that writes nothing, and templates that call themselves, end with the context too.
func TestTemplateEndsWithTheContext(t *testing.T) {
	for _, program := range []string{`{{range 9000000000000}}{{end}}`, `{{range 9000000}}{{range 9000000}}{{else}}{{end}}{{end}}`, `{{define "a"}}{{if true}}{{range 3}}{{template "a"}}{{end}}{{end}}{{end}}{{template "a"}}`} {
		env := testEnv(t)
		write(t, env, map[string]string{"m.tmpl": program})
		stage := start(t, harness.TargetSpec{Template: []harness.MappingSpec{{Program: "m.tmpl"}}}, env)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := stage.Feed(ctx, []harness.Exchange{drop("a.json", "1")}, harness.NewMemory(harness.Manifest{})); err == nil {
			t.Errorf("%s: no error", program)
		}
		cancel()
	}
}
