package target

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehearse-dev/rehearse/harness"
)

// canary is a value that stands in every payload, in texts and in names, and in no program.
const canary = "Zq7731canary"

// says is what a program uses to say an error itself, and that is its author's matter.
var says = regexp.MustCompile(`error|fail|halt`)

// fuzzMapping lets a program of a language that anybody may have written map what anybody may have sent. It ends, does the
// same twice, and its messages do not repeat the payload.
func fuzzMapping(f *testing.F, l language, programs ...string) {
	for _, program := range programs {
		for _, input := range []string{`{"id":"` + canary + `","gpa":3.50,"list":[1,{"n":null}]}`, `["` + canary + `",1e40,-0.0]`, "ID,RSTS\n" + canary + ",RE\n8,\"A\nU\"\n"} {
			f.Add(program, input, "b.json")
		}
		f.Add(program, "a", "b.csv")
		f.Add(program, "\xff\x00", "")
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "status.csv"), []byte("sis,lms\nRE,active\nAU,auditor\n*,none\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	table, err := readTable(dir, "status.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, program, body, output string) {
		spec := harness.MappingSpec{Program: "map", Output: output, Columns: []string{"a", "b"}, To: "lms"}
		if output == "" {
			spec.To = ""
		}
		if l.check(spec) != nil || strings.Contains(program, canary) || says.MatchString(program) {
			return
		}
		e, err := l.compile(spec, []byte(program), []namedTable{{"status", table}}, io.Discard)
		if err != nil {
			if harness.ClassOf(err) != harness.ClassUsage || harness.HintOf(err) == "" {
				t.Errorf("%v, hint %q", err, harness.HintOf(err))
			}
			return
		}
		type made struct {
			Output string
			None   bool
			Detail string
		}
		run := func() (made, bool) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			x := drop("a.json", body)
			out, none, err := e.evaluate(ctx, input{&x, []byte(body), now})
			m := made{Output: string(out), None: none}
			if err != nil {
				m = made{Detail: e.detail(err)}
			}
			return m, ctx.Err() == nil
		}
		first, ended := run()
		if strings.Contains(first.Detail, canary) {
			t.Errorf("the message repeats the payload: %s", first.Detail)
		}
		if second, again := run(); ended && again {
			if d := cmp.Diff(first, second); d != "" {
				t.Errorf("the same payload twice: %s", d)
			}
		}
	})
}

func FuzzStarlark(f *testing.F) {
	fuzzMapping(f, starlarkLanguage,
		"def map(m): return m.value", "def map(m): return [m.text, m.head, m.name, m.now]", `def map(m): return int(m.value["id"])`,
		`def map(m): return [{"a": r["ID"], "b": lookup("status", r["RSTS"])} for r in m.value]`, `def map(m): return float(m.text)`, `def f(a): return a
def map(m): return f(**m.value)`, `def map(m): return m.text.format(1) + "{x}".format(**m.value) + m.text % {}`,
		"def map(m):\n  while True: pass", "def map(m): return map(m)", `def map(m): return decimal(m.text) + {m.text: 1}["x"]`,
		`def map(m): return json.decode(m.text + "]")`, `def map(m): return "a" * (1 << 40)`, `def map(m): return time.parse_time(m.text)`,
		`def map(m): return getattr(m, m.text)`, `def map(m): return "%d" % m.text`)
}

func FuzzTemplate(f *testing.F) {
	fuzzMapping(f, templateLanguage,
		"{{.id}}", "{{range .}}{{.ID}},{{.RSTS}}\n{{end}}", "{{index . 0 | upper | padleft 20 \"0\"}}", "{{template \"x\" .}}",
		"{{define \"x\"}}{{template \"x\" .}}{{end}}{{template \"x\" .}}", "{{sum . \"gpa\"}}{{sortby . \"ID\"}}", "{{date \"01/02/2006\" .id}}{{decimal 2 .id}}",
		"{{lookup \"status\" .id \"lms\"}}", "{{skip}}", "{{slice .id 5 90}}", "{{.id.x}}{{call .id}}", "{{range $i, $x := .}}{{json $x}}{{else}}{{xml .}}{{end}}",
		"{{printf \"%d\" .id}}{{len .gpa}}", "{{before .id \"x\"}}{{join \",\" . \"id\"}}{{trim .id | replace \"a\" \"b\"}}")
}

func FuzzJQMapping(f *testing.F) {
	fuzzMapping(f, jq,
		".", ".id|tonumber", "[.[]|{a:.ID,b:.RSTS}]", ".id.x", ".[0]|.a", "[limit(3;repeat(1))]", "def f: f; f", ".[\"id\"]|ltrimstr(1)|@base64d",
		".id|strptime(\"%Y\")", "[range(1e9)]", "$status", "getpath([\"id\",\"x\"])", ".id|fromjson", "input", "{(.id):1}|.a|keys", ".id|test(\"(\")")
}
