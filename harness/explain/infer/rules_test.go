package infer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

// makers draw pairs of one rule each, from random old values.
var makers = []struct {
	name string
	few  int // pairs that must suffice in 40 of 40 tries
	pair func(*rand.Rand) (was, is string)
}{
	{"date", 3, func(r *rand.Rand) (string, string) {
		t, _ := time.Parse("2006-01-02", day(r))
		return t.Format("2006-01-02"), t.Format("02-Jan-2006")
	}},
	{"upper", 3, func(r *rand.Rand) (string, string) { s := word(r, 4, 9); return s, strings.ToUpper(s) }},
	{"trim", 3, func(r *rand.Rand) (string, string) { s := word(r, 4, 9); return s + "  ", s }},
	{"pad", 3, func(r *rand.Rand) (string, string) {
		n := 1 + r.IntN(1e6)
		return fmt.Sprint(n), fmt.Sprintf("%09d", n)
	}},
	{"scale", 3, func(r *rand.Rand) (string, string) {
		n := 100 + r.IntN(1e6)
		return fmt.Sprintf("%d.%02d", n/100, n%100), fmt.Sprint(n)
	}},
	{"table", 20, func(r *rand.Rand) (string, string) {
		was := pick(r, "FT", "PT", "HT")
		return was, map[string]string{"FT": "Q1", "PT": "Q7", "HT": "X3"}[was]
	}},
	{"trim and upper", 4, func(r *rand.Rand) (string, string) { s := word(r, 4, 9); return " " + s + " ", strings.ToUpper(s) }},
	{"separators", 6, func(r *rand.Rand) (string, string) {
		d, _ := digitsToDecimal(fmt.Sprint(1000+r.IntN(1e7)), fmt.Sprintf("%02d", r.IntN(100)), r.IntN(2) == 0)
		return numberStyle{"", ".", "-"}.format(d), numberStyle{".", ",", "()"}.format(d)
	}},
	{"concat", 12, func(r *rand.Rand) (string, string) { s := word(r, 4, 9); return s, "unused" }},
}

func draw(name string, r *rand.Rand, n int) []Pair {
	var out []Pair
	for _, m := range makers {
		if m.name != name {
			continue
		}
		for range n {
			was, is := m.pair(r)
			first := word(r, 3, 7)
			if name == "concat" {
				is = was + ", " + first
			}
			out = append(out, Pair{Was: str(was), Is: str(is), Record: []harness.Field{{Name: "first", Value: first}, {Name: "campus", Value: pick(r, "MAIN", "NORTH")}}})
		}
	}
	return out
}

func TestFewPairsSuffice(t *testing.T) {
	for _, m := range makers {
		found := 0
		for try := range 40 {
			pairs := draw(m.name, rand.New(rand.NewPCG(uint64(try), 5)), m.few)
			if r, ok := Infer(pairs, Options{}); ok && r.Support >= countChanged(pairs)*9/10 {
				found++
			} else {
				t.Logf("%s: %q explains %d of %d", m.name, r.Text, r.Support, len(pairs))
			}
		}
		if found < 40 {
			t.Errorf("%s: %d pairs suffice in %d of 40 tries", m.name, m.few, found)
		}
	}
}

func countChanged(pairs []Pair) int {
	n := 0
	for _, p := range pairs {
		if !same(p.Was, p.Is) {
			n++
		}
	}
	return n
}

func TestCountsExceptions(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 12))
			pairs := draw(m.name, r, 300)
			want := 0
			for i := range pairs {
				if i%20 == 7 && m.name != "table" || i%60 == 7 {
					pairs[i].Is = str("#" + word(r, 6, 9))
					want++
				}
			}
			rule, ok := Infer(pairs, Options{})
			if !ok {
				t.Fatal("no rule found")
			}
			if rule.Exceptions != want || rule.Support != countChanged(pairs)-want {
				t.Errorf("%q: %d explained and %d exceptions, want %d", rule.Text, rule.Support, rule.Exceptions, want)
			}
		})
	}
}

func TestAppliesToWhatItExplains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(makers).Draw(t, "maker")
		seed := rapid.Uint64().Draw(t, "seed")
		pairs := draw(m.name, rand.New(rand.NewPCG(seed, 1)), rapid.IntRange(3, 60).Draw(t, "pairs"))
		rule, ok := Infer(pairs, Options{})
		if !ok {
			return
		}
		right := 0
		for _, p := range pairs {
			got, applies := rule.Apply(p.Was, p.Record)
			if !applies {
				got = p.Was
			}
			if same(got, p.Is) {
				right++
			}
			if rule.Explains(p) != same(got, p.Is) {
				t.Fatalf("%q: apply gives %q for %q, and explains says %v", rule.Text, got.Text, p.Was.Text, rule.Explains(p))
			}
		}
		if right != len(pairs)-rule.Exceptions {
			t.Fatalf("%q: right for %d of %d with %d exceptions", rule.Text, right, len(pairs), rule.Exceptions)
		}
	})
}

func TestSameInputGivesSameRule(t *testing.T) {
	for _, m := range makers {
		pairs := draw(m.name, rand.New(rand.NewPCG(1, 2)), 500)
		a, _ := Infer(pairs, Options{Seed: 4})
		for range 5 {
			b, _ := Infer(pairs, Options{Seed: 4})
			a.apply, b.apply = nil, nil
			if d := cmp.Diff(a, b, cmp.AllowUnexported(Rule{})); d != "" {
				t.Errorf("%s: another rule on a second run:\n%s", m.name, d)
			}
		}
	}
}

func TestTwoCausesAtOnePlaceComeApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pairs := append(draw("date", r, 60), draw("upper", r, 30)...)
	pairs = append(pairs, texts("a → zq-81", "b → x.77")...)
	rules, rest := Layers(pairs, Options{})
	if len(rules) != 2 || rules[0].Family != "date" || !strings.Contains(rules[1].Text, "upper case") {
		t.Fatalf("got %d rules: %+v", len(rules), rules)
	}
	if d := cmp.Diff([]int{90, 91}, rest); d != "" {
		t.Errorf("unexplained (-want +got):\n%s", d)
	}
}

func TestSaysWhichTablesLoseCodes(t *testing.T) {
	lossy := repeat(texts("FT → F", "OT → F", "PT → P"), 6)
	r, ok := Infer(lossy, Options{})
	if !ok || !r.Lossy || !strings.Contains(r.Text, "several old codes became the same one") {
		t.Errorf("got %+v", r)
	}
	want := []Entry{{str("FT"), str("F"), 6}, {str("OT"), str("F"), 6}, {str("PT"), str("P"), 6}}
	if d := cmp.Diff(want, r.Table); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
	r, ok = Infer(repeat(texts("FT → F1", "PT → P2", "HT → H9"), 5), Options{})
	if !ok || r.Lossy {
		t.Errorf("a table that is one to one is lossy: %+v", r)
	}
}

func TestRecognisesNewIdentifiers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	fresh := map[string]string{}
	var pairs []Pair
	for range 200 {
		was := fmt.Sprintf("H%08d", 100+r.IntN(60))
		if fresh[was] == "" {
			fresh[was] = fmt.Sprintf("%09d", r.IntN(1e9))
		}
		pairs = append(pairs, Pair{Was: str(was), Is: str(fresh[was])})
	}
	rule, ok := Infer(pairs, Options{})
	if !ok || rule.Kind != "F35" || rule.Exceptions != 0 || !strings.Contains(rule.Text, "form adddddddd became ddddddddd") {
		t.Errorf("got %v %s %q", ok, rule.Kind, rule.Text)
	}
	if strings.Contains(rule.Text, "H0000") {
		t.Errorf("the text shows an identifier: %q", rule.Text)
	}
}

func TestCountsUnchangedValuesThatARuleWouldChange(t *testing.T) {
	pairs := append(texts("Ames → AMES", "Bexley → BEXLEY", "Corbin → CORBIN"), texts("Dale → Dale", "EAST → EAST")...)
	rule, ok := Infer(pairs, Options{})
	if !ok || rule.Support != 3 || rule.Exceptions != 1 {
		t.Errorf("got %v, %d explained and %d exceptions of %q", ok, rule.Support, rule.Exceptions, rule.Text)
	}
}

func TestTakesValuesFromTheRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var pairs []Pair
	for range 12 {
		first, last := title(word(r, 4, 8)), title(word(r, 4, 8))
		pairs = append(pairs, Pair{Was: str(last), Is: str(last + ", " + first), Record: []harness.Field{{Name: "first", Value: first}, {Name: "last", Value: last}}})
	}
	rule, ok := Infer(pairs, Options{})
	if !ok || rule.Text != `put together from the old value + ", " + first` {
		t.Fatalf("got %q", rule.Text)
	}
	got, ok := rule.Apply(str("Ames"), []harness.Field{{Name: "first", Value: "Nora"}})
	if !ok || got.Text != "Ames, Nora" {
		t.Errorf("apply gives %q", got.Text)
	}
}

func TestEveryFamilyIsShown(t *testing.T) {
	shown := map[string]bool{"concat": true, "mask": true} // by tests of their own
	for _, c := range claims {
		r, _ := Infer(c.pairs, Options{})
		for step := range strings.SplitSeq(r.Family, " then ") {
			shown[step] = true
		}
	}
	for _, f := range Families {
		if !shown[f.Name] {
			t.Errorf("no claim shows the family %s", f.Name)
		}
		if f.Kind == "" || f.Summary == "" {
			t.Errorf("family %s lacks a kind or a summary", f.Name)
		}
	}
}

func TestAGarbledFirstPairHidesNothing(t *testing.T) {
	pairs := append(texts("#!? → ~"), repeat(texts("true → Y", "false → N"), 20)...)
	rule, ok := Infer(pairs, Options{})
	if !ok || rule.Family != "boolean" || rule.Exceptions != 1 {
		t.Errorf("got %v %q with %d exceptions", ok, rule.Text, rule.Exceptions)
	}
}

func TestNothingToInfer(t *testing.T) {
	for _, c := range []struct {
		why   string
		pairs []Pair
	}{
		{"no pairs", nil},
		{"nothing changed", texts("a → a", "b → b", "c → c")},
		{"too few pairs", texts("Ames → AMES", "Bexley → BEXLEY")},
		{"containers", []Pair{{Was: harness.Value{Kind: harness.KindObject, Text: "{}"}, Is: harness.Value{Kind: harness.KindObject, Text: `{"a":1}`}}}},
		{"documents", []Pair{{Was: str(strings.Repeat("a", 1<<20)), Is: str(strings.Repeat("A", 1<<20))}, {Was: str(strings.Repeat("b", 1<<20)), Is: str(strings.Repeat("B", 1<<20))}, {Was: str(strings.Repeat("c", 1<<20)), Is: str("d")}}},
		{"hostile numbers", retyped(texts("1e999999999 → 1", "1e-999999999 → 2", strings.Repeat("9", 100_000)+" → 3"), "number", "number")},
	} {
		if r, ok := Infer(c.pairs, Options{}); ok {
			t.Errorf("%s: claimed %q", c.why, r.Text)
		}
	}
	if r, ok := Infer(texts("125.50 → 12550"), Options{MinPairs: 1}); !ok || r.Kind != "F19" {
		t.Errorf("one pair with MinPairs 1: %v %q", ok, r.Text)
	}
	if _, ok := (Rule{}).Apply(str("a"), nil); ok {
		t.Error("the zero rule applies")
	}
}

func FuzzInfer(f *testing.F) {
	f.Add("08/25/2026", "2026-08-25", "125.50", "12550", "1.5E+12")
	f.Add("", "\xff", "\u00a0", "(5.00)", "1e99")
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		pairs := []Pair{{Was: str(a), Is: str(b)}, {Was: str(c), Is: str(d)}, {Was: str(e), Is: str(a)}, {Was: num(b), Is: str(c), Record: []harness.Field{{Name: "e", Value: e}}}}
		r, ok := Infer(pairs, Options{MinPairs: 1})
		if !ok {
			return
		}
		exceptions := 0
		for _, p := range pairs {
			if !r.Explains(p) {
				exceptions++
			}
		}
		if exceptions != r.Exceptions {
			t.Fatalf("%q counts %d exceptions, there are %d", r.Text, r.Exceptions, exceptions)
		}
	})
}
