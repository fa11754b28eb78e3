package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func expectation(change, at string) harness.Expectation {
	p, err := harness.ParsePath(at)
	if err != nil {
		panic(err)
	}
	return harness.Expectation{Change: change, At: p, Reason: "the vendor says so"}
}

func TestAcceptAppendsAndKeepsTheText(t *testing.T) {
	from, to := "no", "${A} $5: \"x\" # y\r\n\x1b"
	entry := expectation("D7", "request.head.:path")
	entry.From, entry.To, entry.Count, entry.By = &from, &to, 2, "Dana Ortiz"
	entry.Until = harness.Date{Time: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	const first = "- change: D1\n    at: a\n    reason: r\n"
	appended := func(indent string) string {
		return indent + "- change: D7\n" + indent + "  at: \"request.head.:path\"\n" + indent + "  from: \"no\"\n" + indent +
			`  to: "$${A} $$5: \"x\" # y\u000d\u000a\u001b"` + "\n" + indent + "  count: 2\n" + indent +
			"  reason: the vendor says so\n" + indent + "  by: Dana Ortiz\n" + indent + "  until: 2026-12-31\n"
	}
	for _, tt := range []struct{ why, old, want string }{
		{"an empty list", "# c\nexpect:\n", "# c\nexpect:\n" + appended("  ")},
		{"a list with an entry", "expect:\n  " + first, "expect:\n  " + first + appended("  ")},
		{"the list keeps its indentation", "expect:\n- change: D1\n  at: a\n  reason: r\n", "expect:\n- change: D1\n  at: a\n  reason: r\n" + appended("")},
		{"comments, blank lines and quotes stay", "\n# a\nexpect:   # b\n\n  " + first + "# c\n\n", "\n# a\nexpect:   # b\n\n  " + first + "# c\n\n" + appended("  ")},
		{"no line end at the end", "expect:\n  " + strings.TrimSuffix(first, "\n"), "expect:\n  " + first + appended("  ")},
		{"line ends of Windows and a byte order mark", "\ufeffexpect:\r\n", "\ufeffexpect:\r\n" + strings.ReplaceAll(appended("  "), "\n", "\r\n")},
		{"variables of old entries stay variables", "expect:\n  - change: ${NONE}\n    at: a\n    reason: ${B:?why}\n",
			"expect:\n  - change: ${NONE}\n    at: a\n    reason: ${B:?why}\n" + appended("  ")},
	} {
		t.Run(tt.why, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "expect.yaml")
			if err := os.WriteFile(file, []byte(tt.old), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := AcceptInto(file, []harness.Expectation{entry}); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestAcceptMakesAFileThatNamesItsSchema(t *testing.T) {
	w := worldWith(t, nil)
	file := filepath.Join(w.Root(), "scenarios", "new", "expect.yaml")
	if err := AcceptInto(file, []harness.Expectation{expectation("D1", "")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "# yaml-language-server: $schema=../../.rehearse/schema/expect.schema.json\nexpect:\n" +
		"  - change: D1\n    at: \"\"\n    reason: the vendor says so\n"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestAcceptRefusesAndLeavesTheFile(t *testing.T) {
	latin := "caf\xe9"
	bad := expectation("D9", "a")
	bad.To = &latin
	nameless := expectation("", "z")
	for _, tt := range []struct {
		why, old string
		add      []harness.Expectation
		want     string
	}{
		{"covered already", "expect:\n  - {change: D1, at: a, reason: r}\n", []harness.Expectation{expectation("D2", "a")}, `"D1" covers the same already`},
		{"twice in what is added", "expect:\n", []harness.Expectation{expectation("D1", "b"), expectation("D2", "b")}, `"D1" covers the same already`},
		{"a list in flow style has no line to add", "expect: [{change: D1, at: a, reason: r}]\n", []harness.Expectation{expectation("D2", "b")}, "expect.yaml:1:9: the list is in flow style"},
		{"the file has a problem already", "expect:\n  - {change: D1, att: a, reason: r}\n", []harness.Expectation{expectation("D2", "b")}, `unknown key "att"`},
		{"it is no expect file", "scenario: x\n", []harness.Expectation{expectation("D2", "b")}, `unknown key "scenario" in expect file`},
		{"text after the end of the document", "expect:\n...\n", []harness.Expectation{expectation("D2", "b")}, "would not read back"},
		{"YAML holds text only", "expect:\n", []harness.Expectation{bad}, "to is not UTF-8"},
		{"the result would not load", "expect:\n", []harness.Expectation{nameless}, "would not read back"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "expect.yaml")
			if err := os.WriteFile(file, []byte(tt.old), 0o644); err != nil {
				t.Fatal(err)
			}
			err := AcceptInto(file, tt.add)
			if err == nil || !strings.Contains(err.Error(), tt.want) || harness.HintOf(err) == "" {
				t.Errorf("got %v, hint %q", err, harness.HintOf(err))
			}
			if got, _ := os.ReadFile(file); string(got) != tt.old {
				t.Errorf("the file is now %q", got)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// Whatever text a difference holds, the accepted expectation reads back as it was, or is refused.
func TestAcceptedTextReadsBack(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		file := filepath.Join(dir, "expect.yaml")
		if err := os.WriteFile(file, []byte("expect:\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[$:{}#'"\\ \t\n\r,\[\]&*!|>%@-]{0,8}`),
			rapid.SampledFrom([]string{"null", "~", "TRUE", "No", "1e3", ".inf", "0x1F", "---", "...", "- a", "a: b", "é\u0085", "\ufeff", "\u202e", "2026-12-31"}))
		var want []harness.Expectation
		for i := range rapid.IntRange(1, 3).Draw(t, "n") {
			from, to := text.Draw(t, "from"), text.Draw(t, "to")
			want = append(want, harness.Expectation{
				Change: "D" + string(rune('1'+i)) + text.Draw(t, "change"), Reason: "r" + text.Draw(t, "reason"),
				At: harness.PathOf(harness.Name(text.Draw(t, "name")), harness.Index(i)), From: &from, To: &to,
				Operation: text.Draw(t, "operation"),
			})
		}
		for _, e := range want {
			if err := AcceptInto(file, []harness.Expectation{e}); err != nil {
				t.Fatal(err)
			}
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, got := decodeExpect(file, src, nil)
		if len(d.problems) > 0 || !slices.EqualFunc(got, want, sameExpectation) {
			t.Fatalf("%v\n%s\n%s", d.problems, src, cmp.Diff(want, got))
		}
	})
}
