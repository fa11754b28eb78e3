package harness

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func key(name, value string) Field { return Field{name, value} }

func TestPathsAreReadAndWritten(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  Path
		print string // when it differs from text
		why   string
	}{
		{"", nil, "", "the zero path is the whole exchange"},
		{"request", PathOf(Name("request")), "", "one member"},
		{"request.head.:path", PathOf(Name("request"), Name("head"), Name(":path")), "", "pseudo-fields stand bare"},
		{"response.body.students[3].plan", PathOf(Name("response"), Name("body"), Name("students"), Index(3), Name("plan")), "", "indexes count from 0"},
		{"[0]", PathOf(Index(0)), "", "a path may begin with an element"},
		{"a[0][1]", PathOf(Name("a"), Index(0), Index(1)), "", "lists of lists"},
		{"a[007]", PathOf(Name("a"), Index(7)), "a[7]", "zeros in front of an index say nothing"},
		{"b[CRN=00417,ID=H001].RSTS", PathOf(Name("b"), Keyed(key("CRN", "00417"), key("ID", "H001")), Name("RSTS")), "", "a key keeps its zeros"},
		{`b[ID=""]`, PathOf(Name("b"), Keyed(key("ID", ""))), "", "an empty key value"},
		{`b["last name"="O'Neil, Ada"]`, PathOf(Name("b"), Keyed(key("last name", "O'Neil, Ada"))), "", "quoted key names and values"},
		{`b["ID"="H001"]`, PathOf(Name("b"), Keyed(key("ID", "H001"))), "b[ID=H001]", "quotes that are not needed go"},
		{`["a.b"].c`, PathOf(Name("a.b"), Name("c")), "", "a dot inside a name"},
		{`a["b"]`, PathOf(Name("a"), Name("b")), "a.b", "a plain name in quotes is the same name"},
		{`a["3"]`, PathOf(Name("a"), Name("3")), "a.3", "a member called 3 is not the element 3"},
		{`a[""]`, PathOf(Name("a"), Name("")), "", "the empty name exists in JSON"},
		{`a["say \"hi\" \\ there"]`, PathOf(Name("a"), Name(`say "hi" \ there`)), "", "quote and backslash are escaped"},
		{`a["x\y"]`, PathOf(Name("a"), Name("xy")), "a.xy", "a backslash escapes any byte"},
		{"a[\"line\nbreak\"]", PathOf(Name("a"), Name("line\nbreak")), "", "every byte may stand in quotes"},
		{"a[\"\xff\"]", PathOf(Name("a"), Name("\xff")), "", "also bytes that are not UTF-8"},
		{`a["Größe"]`, PathOf(Name("a"), Name("Größe")), "", "letters outside ASCII are quoted"},
		{"a.$ref.@id./x+y_z-1", PathOf(Name("a"), Name("$ref"), Name("@id"), Name("/x+y_z-1")), "", "marks that may stand bare"},
		{"a[*].b", PathOf(Name("a"), Each(), Name("b")), "", "every element"},
		{"a.*", PathOf(Name("a"), Step{Kind: StepAny}), "", "every member"},
		{"*", PathOf(Step{Kind: StepAny}), "", "every member at the root"},
		{"**.email", PathOf(Step{Kind: StepDeep}, Name("email")), "", "anywhere"},
		{"a.**", PathOf(Name("a"), Step{Kind: StepDeep}), "", "everything below"},
		{"**.**.**", PathOf(Step{Kind: StepDeep}), "**", "two in a row say no more than one"},
		{"a[ID=*]", PathOf(Name("a"), Step{Kind: StepKey, Any: []string{"ID"}}), "", "every element that has an ID"},
		{`a[code="*"]`, PathOf(Name("a"), Keyed(key("code", "*"))), "", "a star in quotes is a star"},
		{"a[ID=*,CRN=5]", PathOf(Name("a"), Step{Kind: StepKey, Keys: []Field{{"CRN", "5"}}, Any: []string{"ID"}}), "a[CRN=5,ID=*]", "wildcards stand last"},
		{`["*"]["**"]`, PathOf(Name("*"), Name("**")), "", "members that are called like wildcards"},
	} {
		got, err := ParsePath(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: ParsePath(%s) (-want +got):\n%s", c.why, c.text, diff)
		}
		want := c.print
		if want == "" {
			want = c.text
		}
		if got.String() != want {
			t.Errorf("%s: prints %s, want %s", c.why, got, want)
		}
	}
}

func TestPathErrorsNameTheByte(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a.", "at byte 2: want a name"},
		{".a", "at byte 0: want a name"},
		{"a..b", "at byte 2: want a name"},
		{"a b", `at byte 1: unexpected ' ', want . or [`},
		{"a[", "at byte 2: want a name, an index or *"},
		{"a[]", "at byte 2: want a name, an index or *"},
		{"a[-1]", `at byte 5: "-1" is not an index`},
		{"a[x]", `at byte 4: "x" is not an index`},
		{"a[1073741825]", "is out of range"},
		{"a[99999999999999999999999999]", "is out of range"},
		{"a[ID=", "at byte 5: want a name"},
		{"a[ID=1", "at byte 6: want , or ] after the value of \"ID\""},
		{"a[ID=1,]", "at byte 7: want a name"},
		{"a[ID=1,CRN]", `at byte 10: want = or ] after "CRN"`},
		{"a[*", "at byte 2: want a name"},
		{"a[ID=*x]", "at byte 6: want , or ]"},
		{`a["b`, "at byte 4: quote is not closed"},
		{`a["b\`, "quote is not closed"},
		{"a[0]b", `at byte 4: unexpected 'b'`},
		{"***", `at byte 2: unexpected '*'`},
		{"Größe", `unexpected`},
		{strings.Repeat("[0]", maxSteps+1), "more than 1000 steps"},
	} {
		p, err := ParsePath(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParsePath(%.40s) = %v, %v; want an error with %q", c.text, p, err, c.want)
		}
	}
}

func TestPatternsCoverPaths(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
		why           string
	}{
		{"", "", true, "the whole exchange"},
		{"", "a", false, "a pattern covers as a whole, not by prefix"},
		{"a", "a.b", false, "a pattern covers as a whole, not by prefix"},
		{"a.b", "a.b", true, "a concrete path covers itself"},
		{"a.b", "a.c", false, "other member"},
		{"a.B", "a.b", false, "member names have case"},
		{"a[1]", "a[1]", true, "the same place"},
		{"a[1]", "a[2]", false, "another place"},
		{"a[1]", "a.1", false, "the member 1 is not the element 1"},
		{"a[*]", "a[7]", true, "every element by place"},
		{"a[*]", "a[ID=7]", true, "every element by key"},
		{"a[*]", "a[*]", true, "a general path"},
		{"a[*]", "a.b", false, "a member is not an element"},
		{"a.*", "a.b", true, "every member"},
		{"a.*", "a[0]", false, "an element is not a member"},
		{"a.*", "a.*", true, "a general path"},
		{"a.*.c", "a.b.c", true, "one step"},
		{"a.*.c", "a.b.b.c", false, "one step only"},
		{"**", "", true, "no step"},
		{"**", "a[0].b", true, "any steps"},
		{"**.id", "id", true, "** may be nothing"},
		{"**.id", "a[0].b.id", true, "** may be much"},
		{"**.id", "a.id.b", false, "the end counts"},
		{"a.**.b.**.c", "a.b.c", true, "two of them, both nothing"},
		{"a.**.b.**.c", "a.b.x.b.y.c", true, "two of them, both something"},
		{"a.**.b.**.c", "a.c.b", false, "order counts"},
		{"**.b.c", "b.b.b.c", true, "goes back and tries again"},
		{"**.a[*].**.z", "q.a[1].a[2].y.z", true, "goes back behind an element"},
		{"a.**", "a", true, "everything below includes the place"},
		{"a[ID=1]", "a[ID=1]", true, "the same key"},
		{"a[ID=1]", "a[ID=01]", false, "keys are texts"},
		{"a[ID=1]", "a[CRN=5,ID=1]", true, "some of its keys"},
		{"a[CRN=5,ID=1]", "a[ID=1]", false, "all keys of the pattern"},
		{"a[ID=1]", "a[1]", false, "a key is not a place"},
		{"a[ID=*]", "a[ID=H7]", true, "any key"},
		{"a[ID=*]", "a[ID=*]", true, "any key covers itself"},
		{"a[ID=*]", "a[CRN=H7]", false, "another key"},
		{"a[ID=1]", "a[ID=*]", false, "one key does not cover all"},
		{`a[code="*"]`, "a[code=RE]", false, "the code * is a code, not a wildcard"},
		{`a[code="*"]`, `a[code="*"]`, true, "the code * is a code, not a wildcard"},
		{"a[code=*]", `a[code="*"]`, true, "a wildcard covers the code *"},
		{"request.head.content-type", "request.head.Content-Type", true, "header names have no case"},
		{"**.CONTENT-TYPE", "response.head.content-type", true, "header names have no case, from anywhere"},
		{"request.body.id", "request.body.ID", false, "members of a body have case"},
		{"request.body.head.id", "request.body.head.ID", false, "a member called head is no head"},
		{"Request.head.x", "request.head.x", true, "in a path into a head no name has case"},
	} {
		p, q := mustPath(t, c.pattern), mustPath(t, c.path)
		if got := p.Match(q); got != c.want {
			t.Errorf("%s: %q covers %q: %v, want %v", c.why, c.pattern, c.path, got, c.want)
		}
	}
}

func mustPath(t testing.TB, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A matcher that tries every split of the steps would not end here.
func TestMatchingAHostilePatternEnds(t *testing.T) {
	p := mustPath(t, strings.Repeat("**.a.", 400)+"b")
	q := mustPath(t, strings.Repeat("a.", 999)+"c")
	if p.Match(q) {
		t.Error("covers a path with another end")
	}
}

func TestPathDerivations(t *testing.T) {
	p := mustPath(t, "request.body[CRN=1,ID=2].lines[3].amount")
	if got := p.Pattern().String(); got != "request.body[*].lines[*].amount" {
		t.Errorf("pattern %s", got)
	}
	if p.IsPattern() || !p.Pattern().IsPattern() || !mustPath(t, "a[ID=*]").IsPattern() || mustPath(t, `a[ID="*"]`).IsPattern() {
		t.Error("a path is a pattern exactly when it has a wildcard")
	}
	if p.Leaf() != "amount" || mustPath(t, "a[0][1]").Leaf() != "a" || (Path{}).Leaf() != "" {
		t.Error("the leaf is the last name")
	}
	if !p.HasPrefix(mustPath(t, "request.body[*]")) || p.HasPrefix(mustPath(t, "response")) || mustPath(t, "a").HasPrefix(mustPath(t, "a.b")) {
		t.Error("prefix")
	}
	base := append(make(Path, 0, 8), Name("a"))
	b, c := base.Child(Name("b")), base.Child(Name("c"))
	if b.String() != "a.b" || c.String() != "a.c" || base.String() != "a" {
		t.Errorf("children share memory: %s %s %s", base, b, c)
	}
}

func TestPathTextRoundTrip(t *testing.T) {
	var p Path
	if err := p.UnmarshalText([]byte("a[0]")); err != nil || p.String() != "a[0]" {
		t.Errorf("%v, %v", p, err)
	}
	if err := p.UnmarshalText([]byte("a[")); err == nil || p.String() != "a[0]" {
		t.Errorf("a bad text must leave the path as it was: %v, %v", p, err)
	}
	if text, _ := p.MarshalText(); string(text) != "a[0]" {
		t.Errorf("%s", text)
	}
}

// hostileNames are texts that collide with the syntax.
var hostileNames = rapid.OneOf(
	rapid.SampledFrom([]string{"", "*", "**", ".", "..", "[", "]", "[0]", "[*]", "a=b", ",", `"`, `\`, `\"`, "0", "007", "-1", "a.b", " ", "\n", "\x00", "\xff", "é", "e\u0301", ":path"}),
	rapid.String(),
	rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }),
)

func drawPath(t *rapid.T, label string) Path {
	step := rapid.Custom(func(t *rapid.T) Step {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return Index(rapid.IntRange(0, 1<<30).Draw(t, "index"))
		case 1:
			var keys []Field
			for range rapid.IntRange(1, 3).Draw(t, "keys") {
				keys = append(keys, Field{hostileNames.Draw(t, "key"), hostileNames.Draw(t, "value")})
			}
			return Keyed(keys...)
		case 2:
			return Step{Kind: StepKey, Any: []string{hostileNames.Draw(t, "key")}}
		case 3:
			return Step{Kind: rapid.SampledFrom([]StepKind{StepEach, StepAny, StepDeep}).Draw(t, "wildcard")}
		default:
			return Name(hostileNames.Draw(t, "name"))
		}
	})
	var p Path
	for _, s := range rapid.SliceOfN(step, 0, 8).Draw(t, label) {
		if s.Kind != StepDeep || len(p) == 0 || p[len(p)-1].Kind != StepDeep {
			p = append(p, s)
		}
	}
	return p
}

func TestWrittenPathsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPath(t, "path")
		got, err := ParsePath(p.String())
		if err != nil {
			t.Fatalf("%#v prints %q: %v", p, p.String(), err)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q:\n%s", p.String(), diff)
		}
	})
}

func TestPatternsOfAPathCoverIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPath(t, "path")
		if !p.Match(p) || !p.Pattern().Match(p) || !(Path{{Kind: StepDeep}}).Match(p) {
			t.Fatalf("%q is not covered by itself, its pattern and **", p)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"request.head.:path", "a[0].b", `a[ID="x",CRN=*]["q\"r"]`, "**.id", "a[*].*", "a[", `["`, "[9999999999]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			if p != nil {
				t.Fatalf("%q: a path and an error", s)
			}
			return
		}
		printed := p.String()
		again, err := ParsePath(printed)
		if err != nil {
			t.Fatalf("%q prints %q: %v", s, printed, err)
		}
		if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); diff != "" || again.String() != printed {
			t.Fatalf("%q prints %q, which reads as another path:\n%s", s, printed, diff)
		}
		if !p.Match(again) {
			t.Fatalf("%q does not cover itself", s)
		}
	})
}

func ExamplePath() {
	p, err := ParsePath("request.body[CRN=00417,ID=H001].RSTS")
	if err != nil {
		fmt.Println(err)
		return
	}
	rule, _ := ParsePath("**.RSTS")
	fmt.Println(p.Leaf(), "lies in", p[:3])
	fmt.Println("in general:", p.Pattern())
	fmt.Println("covered by **.RSTS:", rule.Match(p))
	// Output:
	// RSTS lies in request.body[CRN=00417,ID=H001]
	// in general: request.body[*].RSTS
	// covered by **.RSTS: true
}

func ExamplePathOf() {
	fmt.Println(PathOf(Name("response"), Name("body"), Name("students"), Index(3), Name("home address")))
	fmt.Println(PathOf(Name("request"), Name("body"), Keyed(Field{"code", "*"})))
	// Output:
	// response.body.students[3]["home address"]
	// request.body[code="*"]
}

func TestASegmentHasOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"request.path[1]": "written request.segment[1]", "request.path": "written request.segment[*]", "request.path[*]": "written request.segment[*]",
		"request.segment[1]": "", "request.body.path": "", "response.path": "", "**.path": "", "request.head.:path": "", "request": "",
	} {
		p, err := ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CheckPlace(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
