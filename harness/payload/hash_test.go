package payload

import (
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSumsTellValuesApart(t *testing.T) {
	h := NewHasher()
	for _, c := range []struct {
		a, b string
		same bool
		why  string
	}{
		{`[false]`, `[null]`, false, "types enter"},
		{`"1"`, `1`, false, "types enter"},
		{`{"a":"bc"}`, `{"ab":"c"}`, false, "lengths enter"},
		{`["ab","c"]`, `["a","bc"]`, false, "lengths enter"},
		{`[[1],2]`, `[1,[2]]`, false, "nesting enters"},
		{`[[]]`, `[]`, false, "nesting enters"},
		{`[]`, `{}`, false, "an empty list is no empty object"},
		{`[1]`, `{"":1}`, false, "a list is no object"},
		{`1.0`, `1.00`, false, "digits enter"},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true, "member order is free"},
		{`{"a":1,"b":2}`, `{"a":2,"b":1}`, false, "which name has which value enters"},
		{`{"a":1,"a":2}`, `{"a":2,"a":1}`, false, "the order of duplicates enters: readers take the last or the first"},
		{`{"a":1,"a":2,"b":3}`, `{"b":3,"a":1,"a":2}`, true, "duplicates in the same order among others"},
		{`{"a":1,"a":1}`, `{"a":1}`, false, "how often a name stands there enters"},
		{`[1,2]`, `[2,1]`, false, "element order enters"},
		{` [ 1 ] `, `[1]`, true, "white space does not enter"},
		{`{"\u0061":1}`, `{"a":1}`, true, "names are decoded"},
	} {
		a, b := mustJSON(t, c.a).Root(), mustJSON(t, c.b).Root()
		if got := h.Sum(a) == h.Sum(b); got != c.same {
			t.Errorf("%s: equal sums of %s and %s: %v", c.why, c.a, c.b, got)
		}
		if got := CanonicalDigest(a) == CanonicalDigest(b); got != c.same {
			t.Errorf("%s: equal digests of %s and %s: %v", c.why, c.a, c.b, got)
		}
	}
	a, b := mustJSON(t, `"é"`).Root(), mustJSON(t, `"\u00e9"`).Root()
	if CanonicalDigest(a) != CanonicalDigest(b) || h.Sum(a) != h.Sum(b) {
		t.Error("a digest is of the text, whatever its escapes, and so is a sum")
	}
	if NewHasher().Sum(mustJSON(t, `1`).Root()) == h.Sum(mustJSON(t, `1`).Root()) {
		t.Error("hashers share their seed, which lets a hostile document choose collisions")
	}
}

// TestTheDigestIsStable holds the digest of one document against the constant that stored digests rely on.
func TestTheDigestIsStable(t *testing.T) {
	const source = `{"students":[{"id":"H00000117","credits":3.50,"active":true,"plan":null},{}],"empty":[],"é":"\ud83d\ude00"}`
	const want = "a3b1b3c9c5a2ce6ea54883ea0002595f938f1b66009a54e3f2fe1dd19f1296d3"
	got := CanonicalDigest(mustJSON(t, source).Root())
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func TestSumsAreFreeOfMemberOrder(t *testing.T) {
	h := NewHasher()
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		for i := range rapid.IntRange(0, 20).Draw(t, "members") {
			members = append(members, string(appendQuoted(nil, strings.Repeat("x", i)))+":"+drawJSON(t, 1))
		}
		a, errA := ParseJSON([]byte("{" + strings.Join(members, ",") + "}"))
		b, errB := ParseJSON([]byte("{" + strings.Join(rapid.Permutation(members).Draw(t, "order"), ",") + "}"))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if h.Sum(a.Root()) != h.Sum(b.Root()) || CanonicalDigest(a.Root()) != CanonicalDigest(b.Root()) {
			t.Fatalf("%s\n%s", a.Source, b.Source)
		}
	})
}

func TestSameSource(t *testing.T) {
	for _, c := range []struct {
		a, b Node
		want bool
		why  string
	}{
		{mustJSON(t, `{"a":[1,2]}`).Root().Member("a"), mustJSON(t, `{"b": [1,2]}`).Root().Member("b"), true, "the same bytes elsewhere"},
		{mustJSON(t, `[1,2]`).Root(), mustJSON(t, `[1, 2]`).Root(), false, "other white space"},
		{mustJSON(t, `["1"]`).Root().Element(0), mustCSV(t, "a\n\"1\"\n").Root().Element(0).Element(0), false, "an absent place is not a place"},
		{mustCSV(t, "a,b\n1,2\n").Root().Element(0), mustCSV(t, "a,b\n0,0\n1,2\n").Root().Element(1), true, "the same row under the same header"},
		{mustCSV(t, "a,b\n1,2\n").Root().Element(0), mustCSV(t, "b,a\n1,2\n").Root().Element(0), false, "the same row under another header"},
	} {
		if got := SameSource(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}
