package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func mustJSON(t testing.TB, source string) *Doc {
	t.Helper()
	d, err := ParseJSON([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tester is a test of package testing or of rapid.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// unchanged checks that a document is written as it was read.
func unchanged(t tester, d *Doc) {
	t.Helper()
	out, err := d.Rewrite(nil)
	if err != nil || !bytes.Equal(out, d.Source) {
		t.Fatalf("%s is not written as it was read: %.80q became %.80q, %v", d.Format, d.Source, out, err)
	}
}

// sameTexts edits every scalar to the text that it has.
func sameTexts(t tester, d *Doc) []byte {
	t.Helper()
	var edits []Edit
	for _, n := range d.Root().Leaves() {
		if n.IsScalar() {
			edits = append(edits, Edit{Node: n, Text: n.Text()})
		}
	}
	out, err := d.Rewrite(edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJSONKeepsEveryByte(t *testing.T) {
	for _, c := range []struct{ source, why string }{
		{`{}`, "empty object"},
		{`[]`, "empty array"},
		{`null`, "a scalar alone"},
		{`""`, "an empty text alone"},
		{` [ 1 , { "a" : [ ] } ] `, "white space anywhere"},
		{"{\r\n\t\"a\": 1\r\n}\r\n", "line ends of another system"},
		{`{"amount":3.50,"zero":-0,"big":9007199254740993,"exp":1E+400,"long":0.1000000000000000055511151231257827}`, "digits of numbers"},
		{`{"a":1,"b":2,"a":1}`, "duplicate members"},
		{`{"z":1,"a":2,"":3}`, "order, and the empty name"},
		{"\xef\xbb\xbf{\"a\":1}", "byte order mark"},
		{`{"name":"Gr\u00f6\u00dfe","slash":"a\/b","pair":"\ud83d\ude00","half":"\ud83d"}`, "escapes as they were"},
		{"{\"name\":\"Gr\xf6\xdfe\"}", "Latin-1, which is not UTF-8"},
		{"[\"\x7f\"]", "DEL is no control character in JSON"},
		{"[\"e\u0301\",\"\u00e9\"]", "two forms of one letter"},
		{strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), "the deepest that is allowed"},
	} {
		d, err := ParseJSON([]byte(c.source))
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		unchanged(t, d)
	}
}

func TestJSONInPlainSpellingSurvivesEdits(t *testing.T) {
	const source = "\xef\xbb\xbf" + `{ "a": [1.50, -0, 1E9, true, false, null, "x \"y\" \\ \n\t\r \u0001\u001f", "é", ""], "a": {"b": 9007199254740993} }` + "\r\n"
	if got := sameTexts(t, mustJSON(t, source)); string(got) != source {
		t.Errorf("%s\n%s", source, got)
	}
}

func TestJSONTextsAreDecoded(t *testing.T) {
	for _, c := range []struct{ raw, text, why string }{
		{`"plain"`, "plain", "no escape"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", "short escapes"},
		{`"\u00e9\u0000"`, "é\x00", "escapes by number"},
		{`"\ud83d\ude00"`, "😀", "a pair is one character"},
		{`"\ud83d"`, "\xed\xa0\xbd", "half a pair, as WTF-8 writes it"},
		{`"\ude00"`, "\xed\xb8\x80", "the other half stays different"},
		{`"\ud83d\u0041"`, "\xed\xa0\xbdA", "half a pair before a letter"},
		{`"\ud83d\n"`, "\xed\xa0\xbd\n", "half a pair before a short escape"},
		{"\"\xe9\"", "\xe9", "a byte that is not UTF-8 is not replaced"},
		{`1.10`, "1.10", "a number keeps its digits"},
		{`true`, "true", "a literal"},
		{`null`, "null", "null has its spelling as text; its kind tells it from a text"},
	} {
		if got := mustJSON(t, c.raw).Root().Text(); got != c.text {
			t.Errorf("%s: %s is %q, want %q", c.why, c.raw, got, c.text)
		}
	}
	if got := mustJSON(t, `{"\u0061":1}`).Root().Member("a"); got.IsZero() || got.Name() != "a" {
		t.Error("a name is found in another spelling")
	}
}

func TestJSONFacts(t *testing.T) {
	for source, want := range map[string][]Fact{
		`{}`:                     nil,
		"\xef\xbb\xbf{}":         {{"byte order mark", "UTF-8"}},
		"[\"\xe9\"]":             {{"encoding", "not UTF-8"}},
		"\xef\xbb\xbf[\"\xff\"]": {{"byte order mark", "UTF-8"}, {"encoding", "not UTF-8"}},
	} {
		if diff := cmp.Diff(want, mustJSON(t, source).Facts); diff != "" {
			t.Errorf("%q:\n%s", source, diff)
		}
	}
}

func TestJSONErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct {
		source string
		offset int
		line   int
		what   string
	}{
		{"", 0, 1, "ends where a value should be"},
		{"\xef\xbb\xbf", 3, 1, "ends where a value should be"},
		{"{\n  \"a\": 1,\n  \"a: 2\n}", 19, 3, "control character 0x0a in a string"},
		{"{\n\"a\":\n[1,2", 11, 3, "ends before ']' closes what opened at byte 7"},
		{`{"a":1`, 6, 1, "ends before '}' closes what opened at byte 0"},
		{`{"a":1]`, 6, 1, "want , or '}'"},
		{`[1 2]`, 3, 1, "want , or ']'"},
		{`[1,]`, 3, 1, "unexpected ']', want a value"},
		{`{"a":1,}`, 7, 1, "want a member name in quotes"},
		{`{a:1}`, 1, 1, "want a member name in quotes"},
		{`{"a" 1}`, 5, 1, "want : after a member name"},
		{`{} {}`, 3, 1, "more text after the end of the value"},
		{`["abc`, 5, 1, "ends inside the string that opened at byte 1"},
		{`["\x"]`, 2, 1, "unknown escape in a string"},
		{`["\u12g4"]`, 2, 1, "unknown escape in a string"},
		{`["\`, 2, 1, "unknown escape in a string"},
		{"[\"a\x00\"]", 3, 1, "control character 0x00 in a string"},
		{"[\"\x1f\"]", 2, 1, "control character 0x1f in a string"},
		{"[\x00]", 1, 1, `unexpected '\x00', want a value`},
		{`01`, 1, 1, "more text after the end of the value"},
		{`-`, 1, 1, "want a digit"},
		{`1.`, 2, 1, "want a digit after the decimal point"},
		{`1e+`, 3, 1, "want a digit in the exponent"},
		{`NaN`, 0, 1, "unexpected 'N', want a value"},
		{`nul`, 0, 1, "unexpected 'n', want a value"},
		{strings.Repeat("[", MaxDepth+1), MaxDepth, 1, "nested deeper than 1000 levels"},
		{strings.Repeat(`{"a":`, MaxDepth+1), 5 * MaxDepth, 1, "nested deeper than 1000 levels"},
	} {
		_, err := ParseJSON([]byte(c.source))
		want := &SyntaxError{"json", c.offset, c.line, c.what}
		got, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%.40q: %v, want %v", c.source, err, want)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", c.source, diff)
		}
	}
}

func TestJSONIsRefusedAtTheLevelThatIsTooDeep(t *testing.T) {
	hostile := bytes.Repeat([]byte("["), 1_000_000)
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := ParseJSON(hostile); err == nil || !strings.Contains(err.Error(), "at byte 1000 ") {
			t.Errorf("a million levels: %v", err)
		}
	})
	if allocated > 100 {
		t.Errorf("refusing took %v allocations", allocated)
	}
}

// TestTruncatedJSONIsAnError cuts a document of every kind of token at every byte.
func TestTruncatedJSONIsAnError(t *testing.T) {
	const source = `{"a":[1,-2.5e+10,true,false,null,"x\u00e9\n\"y"],"b":{},"c":[],"d":{"e":[{"f":"😀"}]}}`
	mustJSON(t, source)
	for n := range len(source) {
		_, err := ParseJSON([]byte(source[:n]))
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || e.Offset < 0 || e.Offset > n || e.Line != 1 || e.What == "" {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
}

func TestJSONEdits(t *testing.T) {
	for _, c := range []struct{ source, at, text, want, why string }{
		{`{"n": 1}`, "n", "2.50", `{"n": 2.50}`, "a number stays a number"},
		{`{"n": 1}`, "n", "2,50", `{"n": "2,50"}`, "what is no number becomes text"},
		{`{"n": 1}`, "n", "", `{"n": ""}`, "nothing is no number"},
		{`{"n": 1}`, "n", "007", `{"n": "007"}`, "zeros in front are no number"},
		{`{"s": "1"}`, "s", "2", `{"s": "2"}`, "a text stays a text"},
		{`{"s": "x"}`, "s", "a\"b\\c\n\x00é", `{"s": "a\"b\\c\n\u0000é"}`, "escapes where they are needed"},
		{`{"b": true}`, "b", "false", `{"b": false}`, "a boolean stays one"},
		{`{"b": true}`, "b", "no", `{"b": "no"}`, "what is no boolean becomes text"},
		{`{"z": null}`, "z", "null", `{"z": null}`, "null stays null"},
		{`{"z": null}`, "z", "x", `{"z": "x"}`, "what is not null becomes text"},
		{` [ [ 1 , 2 ] ] `, "[0][1]", "3", ` [ [ 1 , 3 ] ] `, "white space stays"},
		{`"x"`, "", "y", `"y"`, "a scalar alone"},
	} {
		d := mustJSON(t, c.source)
		at, err := harness.ParsePath(c.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Rewrite([]Edit{{Node: d.Root().At(at), Text: c.text}})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.why, got, err, c.want)
		}
	}
}

// plain is the value as encoding/json decodes it: the last of two members of one name counts.
func plain(n Node) any {
	switch n.Kind() {
	case harness.KindObject:
		m := map[string]any{}
		for c := range n.Children() {
			m[c.Name()] = plain(c)
		}
		return m
	case harness.KindArray:
		list := []any{}
		for c := range n.Children() {
			list = append(list, plain(c))
		}
		return list
	case harness.KindNumber:
		return json.Number(n.Text())
	case harness.KindBool:
		return n.Text() == "true"
	case harness.KindNull:
		return nil
	default:
		return n.Text()
	}
}

// agrees compares ParseJSON with encoding/json, which refuses a byte order mark and allows ten times the depth.
func agrees(t tester, source []byte) *Doc {
	t.Helper()
	d, err := ParseJSON(source)
	if err != nil {
		if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset > len(source) || e.Line < 1 {
			t.Fatalf("error without a place: %v", err)
		}
		if strings.Contains(err.Error(), "nested deeper") {
			return nil
		}
	}
	bare := bytes.TrimPrefix(source, []byte(utf8BOM))
	if json.Valid(bare) != (err == nil) {
		t.Fatalf("encoding/json takes it: %v; ParseJSON: %v\n%.200q", json.Valid(bare), err, source)
	}
	if err != nil {
		return nil
	}
	unchanged(t, d)
	if utf8.Valid(source) && !bytes.Contains(bytes.ToLower(source), []byte(`\ud`)) {
		dec := json.NewDecoder(bytes.NewReader(bare))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plain(d.Root())); diff != "" {
			t.Fatalf("decoded otherwise than by encoding/json:\n%s", diff)
		}
	}
	return d
}

func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e+10,true,null,"x\u00e9\n"],"a":{}}`, "\xef\xbb\xbf[ ]", `"\ud83d\ude00\ud83d"`, "[\"\xff\"]", `[1,`, `{"a"`, `1 2`, "[[[[", "-0", `["\u"]`} {
		f.Add([]byte(seed), "x")
	}
	f.Fuzz(func(t *testing.T, source []byte, text string) {
		d := agrees(t, source)
		if d == nil {
			return
		}
		again, err := ParseJSON(sameTexts(t, d))
		if err != nil {
			t.Fatalf("edits to the same texts broke the document: %v", err)
		}
		sameLeaves(t, d, again)
		var edits []Edit
		for _, n := range d.Root().Leaves() {
			if n.IsScalar() {
				edits = append(edits, Edit{Node: n, Text: text})
			}
		}
		out, err := d.Rewrite(edits)
		if err != nil {
			t.Fatal(err)
		}
		edited, err := ParseJSON(out)
		if err != nil {
			t.Fatalf("the text %q broke the document: %v", text, err)
		}
		for _, n := range edited.Root().Leaves() {
			if n.IsScalar() && n.Text() != text {
				t.Fatalf("the text %q reads back as %q", text, n.Text())
			}
		}
	})
}

// sameLeaves checks that two documents have the same texts at the same places.
func sameLeaves(t tester, a, b *Doc) {
	t.Helper()
	list := func(d *Doc) (leaves []string) {
		for p, n := range d.Root().Leaves() {
			leaves = append(leaves, fmt.Sprintf("%s %s %q", p, n.Kind(), n.Text()))
		}
		return leaves
	}
	if diff := cmp.Diff(list(a), list(b)); diff != "" {
		t.Fatalf("other leaves:\n%s", diff)
	}
}

// drawJSON writes a JSON text in any spelling.
func drawJSON(t *rapid.T, depth int) string {
	space := rapid.SampledFrom([]string{"", "", " ", "\n", "\t\r\n"})
	str := func(label string) string {
		s := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "a", "é", "\"", "\\", "\x1f"})).Draw(t, label)
		if rapid.Bool().Draw(t, "ascii") {
			b, _ := json.Marshal(s)
			return string(b)
		}
		return string(appendQuoted(nil, strings.ToValidUTF8(s, "")))
	}
	var list []string
	last := 5
	if depth == 0 {
		last = 3
	}
	switch rapid.IntRange(0, last).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
	case 1:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
	case 2, 3:
		return str("string")
	case 4:
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			list = append(list, space.Draw(t, "space")+drawJSON(t, depth-1)+space.Draw(t, "space"))
		}
		return "[" + strings.Join(list, ",") + "]"
	default:
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			list = append(list, space.Draw(t, "space")+str("name")+space.Draw(t, "space")+":"+drawJSON(t, depth-1)+space.Draw(t, "space"))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
}

func TestJSONAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := drawJSON(t, 4)
		d := agrees(t, []byte(source))
		if d == nil {
			t.Fatalf("refused %s", source)
		}
		again, err := ParseJSON(sameTexts(t, d))
		if err != nil {
			t.Fatal(err)
		}
		sameLeaves(t, d, again)
	})
}
