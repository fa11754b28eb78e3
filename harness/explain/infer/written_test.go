package infer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// odd is values on which two rules that look alike differ.
var odd = []string{
	"", " ", "0", "000", "-5.00", "(5.00)", "1,234.50", "1.234,50", "12.345", "0.005", "1e5", "1.5E+03", "9007199254740993", "2026-08-17", "08/25/2026", "17-AUG-26",
	"2026-08-17T00:30:00Z", "2026-12-17T23:30:00-06:00", "2026-11-01 01:30:00", "1786977000", "1:30 PM", "202640", "Fall 2026", "FA26", "Ames, Nora", "Nora Jo Ames", "a-b-c-d",
	"José", "JosÃ©", "Jos\xe9", "  x  y ", "\u00a0x", "R&D <x>", "50%25", `"q"`, "true", "False", "Y", "3-26", "H00000142", "n@hlu.example", `["a"]`, "REFUND    ", "{x}",
}

// equally fails when the two rules make other things of any value.
func equally(t interface{ Errorf(string, ...any) }, a, b Rule, pairs []Pair) {
	values := []harness.Value{null, absent, {Kind: harness.KindArray, Text: `["a"]`}, {Kind: harness.KindBool, Text: "true"}}
	for _, text := range odd {
		values = append(values, str(text), num(text))
	}
	record := []harness.Field{{Name: "first", Value: "Nora"}, {Name: "last", Value: "Ames"}}
	for _, p := range pairs {
		values = append(values, p.Was)
	}
	for i, v := range values {
		r := record
		if i >= len(values)-len(pairs) {
			r = pairs[i-len(values)+len(pairs)].Record
		}
		x, okX := a.Apply(v, r)
		y, okY := b.Apply(v, r)
		if okX != okY || okX && !same(x, y) {
			t.Errorf("%s %q: %v %q became %q (%v), read back %q (%v); params %q", a.Family, a.Text, v.Kind, v.Text, x.Text, okX, y.Text, okY, a.Params)
			return
		}
	}
}

func TestWrittenRulesApplyAsLearned(t *testing.T) {
	shown := map[string]bool{}
	check := func(pairs []Pair) {
		t.Helper()
		rule, ok := Infer(pairs, Options{})
		if !ok {
			return
		}
		for step := range strings.SplitSeq(rule.Family, " then ") {
			shown[step] = true
		}
		written, ok := rule.Written()
		if !ok {
			t.Fatalf("%s %q cannot be written", rule.Family, rule.Text)
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%q: %v; %+v", rule.Text, err, written)
		}
		if again.Kind != rule.Kind && !strings.Contains(rule.Family, " then ") && kindOfFamily(rule.Family) == rule.Kind {
			t.Errorf("%q is %s, read back %s", rule.Text, rule.Kind, again.Kind)
		}
		equally(t, rule, again, pairs)
		if rule.Signature() != again.Signature() {
			t.Errorf("%q: another signature after reading it back", rule.Text)
		}
	}
	for _, c := range claims {
		check(c.pairs)
	}
	for _, m := range makers {
		check(draw(m.name, rand.New(rand.NewPCG(3, 4)), 60))
	}
	for _, f := range Families {
		if !shown[f.Name] && f.Name != "mask" {
			t.Errorf("family %s is not shown", f.Name)
		}
	}
}

// kindOfFamily is the kind of a family's row.
func kindOfFamily(name string) string {
	for _, f := range Families {
		if f.Name == name {
			return f.Kind
		}
	}
	return ""
}

// Every candidate that a family proposes can be written, not only the ones that win.
func TestEveryCandidateCanBeWritten(t *testing.T) {
	candidates := 0
	for _, c := range claims {
		s := newSearch(c.pairs, Options{}.withDefaults())
		for _, k := range append(s.propose(s.train, false), s.compose()...) {
			candidates++
			a := Rule{Family: k.family, Text: k.text, Params: k.params, Table: k.table, apply: k.apply}
			w, ok := a.Written()
			if !ok {
				t.Fatalf("%s %q cannot be written", k.family, k.text)
			}
			b, err := Parse(w)
			if err != nil {
				t.Fatalf("%s %q: %v", k.family, k.text, err)
			}
			equally(t, a, b, c.pairs)
		}
	}
	if candidates < 1000 {
		t.Errorf("%d candidates only", candidates)
	}
}

func TestRandomRulesSurviveWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(makers).Draw(t, "maker")
		pairs := draw(m.name, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 9)), rapid.IntRange(3, 40).Draw(t, "pairs"))
		rule, ok := Infer(pairs, Options{})
		if !ok {
			return
		}
		w, _ := rule.Written()
		again, err := Parse(w)
		if err != nil {
			t.Fatal(err)
		}
		equally(t, rule, again, pairs)
	})
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		why  string
		rule harness.CauseRule
		says string
	}{
		{"no family", harness.CauseRule{}, `no such family; known: presence, constant`},
		{"unknown family", harness.CauseRule{Family: "dates"}, `"dates"`},
		{"unknown step", harness.CauseRule{Family: "text", Params: map[string]string{"step": "shout"}}, `no step "shout"`},
		{"width too large", harness.CauseRule{Family: "pad", Params: map[string]string{"side": "left", "char": "0", "width": "99999999"}}, "width"},
		{"fill of two characters", harness.CauseRule{Family: "pad", Params: map[string]string{"side": "left", "char": "00", "width": "9"}}, "one character"},
		{"side", harness.CauseRule{Family: "pad", Params: map[string]string{"side": "top", "char": "0", "width": "9"}}, "left, right"},
		{"layout", harness.CauseRule{Family: "date", Params: map[string]string{"was": "ISO date", "is": "moon phase", "move": "same"}}, "moon phase"},
		{"zone", harness.CauseRule{Family: "date", Params: map[string]string{"was": "ISO instant", "is": "ISO date", "move": "to Mars/Olympus"}}, "Mars/Olympus"},
		{"part of a date", harness.CauseRule{Family: "date", Params: map[string]string{"was": "ISO date", "form": "{moon}", "move": "same"}}, "{moon}"},
		{"operation", harness.CauseRule{Family: "number", Params: map[string]string{"operation": "ratio 1/0", "decimals": "keep"}}, "ratio 1/0"},
		{"empty table", harness.CauseRule{Family: "table"}, "no table"},
		{"type", harness.CauseRule{Family: "text", Params: map[string]string{"step": "upper", "types": "string>colour"}}, "string>colour"},
		{"type in a table", harness.CauseRule{Family: "table", Table: []harness.CodePair{{Was: "a", Is: "b", IsType: "colour"}}}, "colour"},
		{"outer step", harness.CauseRule{Family: "trim then upper", Params: map[string]string{"first": "shave", "step": "upper"}}, `no such family`},
		{"outer step of a known family", harness.CauseRule{Family: "shave then text", Params: map[string]string{"first": "shave", "step": "upper"}}, "shave"},
		{"pieces", harness.CauseRule{Family: "concat", Params: map[string]string{"1": "wheel"}}, "wheel"},
	} {
		if _, err := Parse(c.rule); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error is %v, want %q", c.why, err, c.says)
		}
	}
}

func TestLayoutsHaveNamesOfTheirOwn(t *testing.T) {
	var names []string
	for _, l := range layouts {
		names = append(names, l.words)
	}
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(layouts) {
		t.Errorf("%d names for %d layouts", n, len(layouts))
	}
}

func TestUnionOfTables(t *testing.T) {
	table := func(lines ...string) Rule {
		r, err := Parse(harness.CauseRule{Family: "table", Table: func() (out []harness.CodePair) {
			for _, p := range texts(lines...) {
				out = append(out, harness.CodePair{Was: p.Was.Text, Is: p.Is.Text})
			}
			return out
		}()})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	both, ok := Union(table("FT → F1", "PT → P2"), table("PT → P2", "HT → H9"))
	if !ok || len(both.Table) != 3 || !strings.Contains(both.Text, "FT → F1, HT → H9, PT → P2") {
		t.Errorf("got %v %+v", ok, both)
	}
	if got, ok := both.Apply(str("HT"), nil); !ok || got.Text != "H9" {
		t.Errorf("HT becomes %q", got.Text)
	}
	if _, ok := Union(table("FT → F1", "PT → P2"), table("FT → F1", "PT → P3")); ok {
		t.Error("PT has two translations")
	}
	if _, ok := Union(table("FT → F1"), table("PT → P2")); ok {
		t.Error("tables without a common line are no evidence of one cause")
	}
}
