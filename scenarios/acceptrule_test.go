package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func pathOf(t interface{ Fatal(...any) }, text string) harness.Path {
	p, err := harness.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever a rule holds, the file reads back as the same rule.
func TestAcceptedRulesReadBack(t *testing.T) {
	word := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "on", "null", "12", "- x", "{b}", "[c]", "a: b", "#d", "${HOME}", "$", `"q"`, "\\", "é", "\u2028", "two words", " x ", "2026-12-31", "*", "&a", "!t", "%"}), rapid.String())
	kinds := rapid.SampledFrom([]string{"", "number", "null", "absent", "bool"})
	file := filepath.Join(t.TempDir(), "expect.yaml")
	rapid.Check(t, func(t *rapid.T) {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		rule := harness.CauseRule{Family: "table", Says: word.Draw(t, "says"), When: word.Draw(t, "when")}
		for range rapid.IntRange(0, 3).Draw(t, "params") {
			if rule.Params == nil {
				rule.Params = map[string]string{}
			}
			rule.Params[rapid.StringMatching(`[a-z]{1,8}( [A-Z0-9]{1,3})?|[1-3](-form)?`).Draw(t, "name")] = word.Draw(t, "value")
		}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			rule.Table = append(rule.Table, harness.CodePair{Was: word.Draw(t, "was"), Is: word.Draw(t, "is"), WasType: kinds.Draw(t, "was-type"), IsType: kinds.Draw(t, "is-type")})
		}
		e := harness.Expectation{Change: "C", At: pathOf(t, "request.body[*].role"), Operation: "a.csv", Rule: &rule, Reason: "r"}
		for range rapid.IntRange(0, 2).Draw(t, "also") {
			e.Also = append(e.Also, harness.Scope{Operation: word.Draw(t, "operation"), At: pathOf(t, "response.body.x")})
		}
		if err := AcceptInto(file, []harness.Expectation{e}); err != nil {
			if !strings.Contains(err.Error(), "is not UTF-8") {
				t.Fatal(err)
			}
			return
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, got := decodeExpect("expect.yaml", src, func(string) (string, bool) { return "", false })
		if len(got) != 1 {
			t.Fatalf("read back %d entries of\n%s", len(got), src)
		}
		if d := cmp.Diff(e, got[0]); d != "" {
			t.Fatalf("%s\n%s", d, src)
		}
	})
}

func TestRuleIsAcceptedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "expect.yaml")
	rule := harness.CauseRule{Family: "text", Params: map[string]string{"step": "upper"}}
	e := harness.Expectation{Change: "C", At: pathOf(t, "request.body.a"), Rule: &rule, Reason: "r"}
	if err := AcceptInto(file, []harness.Expectation{e}); err != nil {
		t.Fatal(err)
	}
	if err := AcceptInto(file, []harness.Expectation{e}); err == nil || !strings.Contains(err.Error(), "covers the same already") {
		t.Errorf("accepted twice: %v", err)
	}
	other := e
	other.Rule = &harness.CauseRule{Family: "text", Params: map[string]string{"step": "lower"}}
	if err := AcceptInto(file, []harness.Expectation{other}); err != nil {
		t.Errorf("another rule at the same place is another entry: %v", err)
	}
}

func TestRuleStandsInPlaceOfValues(t *testing.T) {
	for _, c := range []struct{ why, src, says string }{
		{"with a count", "expect:\n- {change: C, at: a, reason: r, count: 3, rule: {family: text}}\n", "drop from, to and count"},
		{"with a value", "expect:\n- {change: C, at: a, reason: r, to: x, rule: {family: text}}\n", "drop from, to and count"},
		{"without a family", "expect:\n- {change: C, at: a, reason: r, rule: {says: x}}\n", `missing key "family"`},
		{"with a type that is none", "expect:\n- {change: C, at: a, reason: r, rule: {family: table, table: [{was: a, is: b, is-type: colour}]}}\n", `"colour" is not known`},
		{"with an unknown key", "expect:\n- {change: C, at: a, reason: r, rule: {family: text, step: upper}}\n", `unknown key "step"`},
	} {
		d, _ := decodeExpect("expect.yaml", []byte(c.src), func(string) (string, bool) { return "", false })
		if err := d.problems.err(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.why, err, c.says)
		}
	}
}
