package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// jsonText draws a small JSON document. Few names and values make collisions, which is where differs go wrong.
func jsonText(depth int) *rapid.Generator[string] {
	scalar := rapid.SampledFrom([]string{`null`, `true`, `false`, `0`, `1`, `1.0`, `1e0`, `-0`, `9007199254740993`, `9007199254740992`, `""`, `"1"`, `"a"`, `"é"`, `"\u00e9"`, `"null"`})
	if depth == 0 {
		return scalar
	}
	return rapid.Custom(func(t *rapid.T) string {
		inner := jsonText(depth - 1)
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return scalar.Draw(t, "scalar")
		case 1:
			return "[" + strings.Join(rapid.SliceOfN(inner, 0, 5).Draw(t, "elements"), ",") + "]"
		case 2:
			rows := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z", "00x"}), 0, 5).Draw(t, "ids")
			for i, id := range rows {
				rows[i] = fmt.Sprintf(`{"id":%q,"v":%s}`, id, scalar.Draw(t, "v"))
			}
			return "[" + strings.Join(rows, ",") + "]"
		default:
			names := rapid.SliceOfN(rapid.SampledFrom([]string{`"a"`, `"b"`, `"id"`, `"\u0061"`}), 0, 4).Draw(t, "names")
			for i, n := range names {
				names[i] = n + ":" + inner.Draw(t, "value")
			}
			return "{" + strings.Join(names, ",") + "}"
		}
	})
}

// TestDifferencesAreSymmetricAndNoneWhenEqual holds for every pair: nothing differs from itself, as many facts one way
// as the other, and no fact at all only when both sides mean the same.
func TestDifferencesAreSymmetricAndNoneWhenEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := jsonText(3).Draw(t, "a"), jsonText(3).Draw(t, "b")
		there := mustCompare(t, a, b)
		back := mustCompare(t, b, a)
		if self := mustCompare(t, a, a); len(self.Differences) > 0 {
			t.Fatalf("%s differs from itself: %v", a, lines(self))
		}
		if there, back := facts(there), facts(back); there != back {
			t.Fatalf("%d facts one way, %d back", there, back)
		}
		if same := means(t, a) == means(t, b); same != (len(there.Differences) == 0) {
			t.Fatalf("same meaning: %v, differences: %v", same, lines(there))
		}
	})
}

func mustCompare(t *rapid.T, a, b string) *harness.Comparison {
	c, err := Recordings(answer("application/json", a), answer("application/json", b), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// means is the canonical form of a document by another way than the differ's: names sorted, strings decoded, digits of
// numbers as written.
func means(t *rapid.T, source string) [32]byte {
	doc, err := payload.ParseJSON([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return payload.CanonicalDigest(doc.Root())
}

// TestSequenceAlignmentFindsTheFewestEdits compares with a table of all sub-problems, which is slow and plainly right.
func TestSequenceAlignmentFindsTheFewestEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "3", "4"}), 0, 12)
		a, b := letters.Draw(t, "a"), letters.Draw(t, "b")
		equal, exact := commonSequence(sumsOf(a), sumsOf(b))
		if want := commonLength(a, b); len(equal) != want || !exact {
			t.Fatalf("%d elements are aligned, %d can be", len(equal), want)
		}
		if !increasing(equal) {
			t.Fatalf("alignment crosses itself: %v", equal)
		}
		for _, p := range equal {
			if a[p.was] != b[p.is] {
				t.Fatalf("%q is paired with %q", a[p.was], b[p.is])
			}
		}
	})
}

func sumsOf(texts []string) []payload.Sum {
	out := make([]payload.Sum, len(texts))
	for i, s := range texts {
		out[i] = payload.Sum{uint64(s[0])}
	}
	return out
}

func commonLength(a, b []string) int {
	table := make([][]int, len(a)+1)
	table[0] = make([]int, len(b)+1)
	for i := range a {
		table[i+1] = make([]int, len(b)+1)
		for j := range b {
			table[i+1][j+1] = max(table[i][j+1], table[i+1][j])
			if a[i] == b[j] {
				table[i+1][j+1] = table[i][j] + 1
			}
		}
	}
	return table[len(a)][len(b)]
}

func increasing(pairs []indexPair) bool {
	sorted := map[int]int{}
	for _, p := range pairs {
		if _, twice := sorted[p.was]; twice {
			return false
		}
		sorted[p.was] = p.is
	}
	last := -1
	for was := range 64 {
		if is, ok := sorted[was]; ok {
			if is <= last {
				return false
			}
			last = is
		}
	}
	return true
}

func TestNoiseDoesNotHideWhichRecordsBelongTogether(t *testing.T) {
	list := func(stamp string, rows ...string) string {
		var out []string
		for _, r := range rows {
			out = append(out, fmt.Sprintf(`{"line":%q,"touched":%q,"amount":%d}`, r, stamp, len(r)))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	was, is := list("2026-10-05T09:00:00Z", "tuition", "housing", "tuition", "meals"), list("2026-10-06T09:00:00Z", "parking", "tuition", "housing", "tuition", "meals")
	at, err := harness.ParsePath("response.body[*].touched")
	if err != nil {
		t.Fatal(err)
	}
	c := compare(t, answer("application/json", was), answer("application/json", is), harness.Rule{At: at, Compare: "instant", Reason: "clock"})
	want := []string{`added response.body[0] ∅ → {"line":"parking","touched":"2026-10-06T09:00:00Z","amount":7}`}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
}

func TestMovedRecordsAreCountedOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		is   []int
		want int
		why  string
	}{
		{"in order", []int{0, 1, 2, 3}, 0, "nothing moved"},
		{"last to the front", []int{3, 0, 1, 2}, 1, "one record moved, not three"},
		{"reversed", []int{3, 2, 1, 0}, 3, "all but one"},
		{"swapped", []int{1, 0, 2, 3}, 1, "one of the two"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pairs := make([]indexPair, len(tc.is))
			for i, is := range tc.is {
				pairs[i] = indexPair{i, is}
			}
			if got := movedCount(pairs); got != tc.want {
				t.Errorf("%d moved, want %d: %s", got, tc.want, tc.why)
			}
		})
	}
}

func TestFoldedKeys(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
		why  string
	}{
		{"00417", "417", true, "leading zeros"},
		{"202640-00417", "202640-417", true, "leading zeros within a composite key"},
		{"H00000142", "h142 ", true, "case, blank and zeros"},
		{"100", "10", false, "zeros at the end carry meaning"},
		{"1001", "11", false, "zeros inside carry meaning"},
		{"0", "", true, "a lone zero has nothing but a leading zero"},
	} {
		if same := FoldKey(tc.a) == FoldKey(tc.b); same != tc.same {
			t.Errorf("%q and %q: %v: %s", tc.a, tc.b, same, tc.why)
		}
	}
}

func TestKeysAreInferred(t *testing.T) {
	for _, tc := range []struct {
		name, was, is, why string
		want               []string
	}{
		{"id", `[{"id":1,"n":1},{"id":2,"n":1}]`, `[{"id":2,"n":1},{"id":1,"n":1}]`, "unique on both sides", []string{"id"}},
		{"camel case", `[{"studentId":1},{"studentId":2}]`, `[{"studentId":2}]`, "the last word decides", []string{"studentId"}},
		{"composite", `[{"crn":1,"id":1},{"crn":1,"id":2}]`, `[{"crn":1,"id":2},{"crn":1,"id":1}]`, "alone id is unique here", []string{"id"}},
		{"two needed", `[{"crn":1,"id":1},{"crn":1,"id":2},{"crn":2,"id":1}]`, `[{"crn":1,"id":2},{"crn":1,"id":1},{"crn":2,"id":1}]`, "neither is unique alone", []string{"id", "crn"}},
		{"no overlap", `[{"id":1},{"id":2}]`, `[{"id":3},{"id":4}]`, "drawn anew on each run", nil},
		{"not id-like", `[{"amount":1},{"amount":2}]`, `[{"amount":1},{"amount":2}]`, "unique by chance", nil},
		{"null", `[{"id":null}]`, `[{"id":null}]`, "null identifies nothing", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := func(s string) []payload.Node {
				doc, err := payload.ParseJSON([]byte(s))
				if err != nil {
					t.Fatal(err)
				}
				return elements(doc.Root())
			}
			if d := cmp.Diff(tc.want, inferKey([]instance{{nil, list(tc.was), list(tc.is)}}, nil)); d != "" {
				t.Errorf("%s: %s", tc.why, d)
			}
		})
	}
}

// FuzzRecordings feeds pairs of bodies in every format: it ends, nothing differs from itself, both directions state as
// many facts, and what is opaque differs when its bytes do.
func FuzzRecordings(f *testing.F) {
	for _, pair := range [][2]string{
		{`{"a":[1,2]}`, `{"a":[2,1]}`}, {`[{"id":1,"n":[{"k":1}]},{"id":2}]`, `[{"id":2},{"id":1,"n":[{"k":2},{"k":1}]}]`},
		{"id,n\n1,2\n", "id;n\r\n\"1\";2"}, {"{\"id\":1}\n{\"id\":2}\n", "{\"id\":2}\n"},
		{`<a x="1"><b>1</b><b>2</b></a>`, `<a><b>2</b></a>`}, {"a=1&b=2", "b=2&a=1&a=3"}, {"one line\nother\n", "one line more\nother"},
		{"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *261005*0900*U*00401*000000001*0*T*>~GS*PO*S*R*20261005*0900*1*X*004010~ST*850*0001~SE*2*0001~GE*1*1~IEA*1*000000001~", "ISA"},
		{"MSH|^~\\&|A|B|C|D|20261005||ADT^A01|1|P|2.3\rPID|1||H1\r", "MSH|^~\\&|A|B|C|D|20261005||ADT^A01|1|P|2.3\rPID|1||H2\r"},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	media := []string{"application/json", "application/x-ndjson", "text/csv", "application/xml", "application/x-www-form-urlencoded",
		"application/edi-x12", "application/edifact", "application/hl7-v2", "multipart/form-data; boundary=x", "text/plain", "application/octet-stream", ""}
	rule := harness.Rule{At: harness.PathOf(harness.Name("response"), harness.Step{Kind: harness.StepDeep}, harness.Name("n")), Compare: "ignore", Reason: "noise"}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, media := range media {
			one, other := answer(media, string(a)), answer(media, string(b))
			c, back := compare(t, one, other, rule), compare(t, other, one, rule)
			if string(a) == string(b) && len(c.Differences) > 0 {
				t.Errorf("%s: %q differs from itself: %v", media, a, lines(c))
			}
			ragged := strings.Contains(strings.Join(append(lines(c), lines(back)...), "\n"), "rows of another width")
			if facts(c) != facts(back) && !ragged { // the names of columns are taken from the first row of either side
				t.Errorf("%s: %q and %q: %v, and back %v", media, a, b, lines(c), lines(back))
			}
			if string(a) != string(b) && len(c.Differences)+len(c.Notes)+len(c.Suppressed) == 0 {
				t.Errorf("%s: %q and %q: no difference, and no note", media, a, b)
			}
		}
	})
}
