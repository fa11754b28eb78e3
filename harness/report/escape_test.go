package report

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestVisibleShowsWhatIsHidden(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"plain text", "plain text", "what is harmless stays"},
		{"José Núñez 学生 🎓", "José Núñez 学生 🎓", "letters of every script stay"},
		{"e\u0301", "e\u0301", "a combining accent is seen"},
		{"\x1b[31m", `\x1b[31m`, "no terminal sequence"},
		{"\u009b31m", `\x9b31m`, "the one-byte form of it"},
		{"a\r\nb\tc\x00\x7f", `a\r\nb\tc\x00\x7f`, "one line"},
		{"\u202egnp.exe", `\u202egnp.exe`, "no reversed names"},
		{"H1\u00a0", `H1\u00a0`, "a no-break space is not a space"},
		{"x\u200by\ufeff", `x\u200by\ufeff`, "zero width"},
		{"\U000e0041", `\U000e0041`, "tag characters"},
		{"\u3164\u2800\ufe0f", `\u3164\u2800\ufe0f`, "letters and marks without a glyph"},
		{"\xe9", `\xe9`, "a byte that is not UTF-8 keeps its value"},
		{"::error::x std::string", `\x3a:error::x std::string`, "a workflow command is one at the start of a word only"},
		{"###[command]", `#\x23\x23[command]`, "the older form is one anywhere"},
	} {
		if got := visible(c.in); got != c.want {
			t.Errorf("visible(%q) = %s, want %s: %s", c.in, got, c.want, c.why)
		}
	}
}

// checkTerminal fails when a terminal or a CI server would obey or hide a part of s.
func checkTerminal(t interface{ Errorf(string, ...any) }, kind, s string) {
	if !utf8.ValidString(s) {
		t.Errorf("%s: not UTF-8", kind)
	}
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		for _, r := range line {
			if !isShown(r) && r != '\t' {
				t.Errorf("%s: hidden character %U in %q", kind, r, line)
			}
		}
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso") {
			t.Errorf("%s: a command of a CI server: %q", kind, line)
		}
	}
}

func TestNoKindLetsHostileTextThrough(t *testing.T) {
	for _, h := range hostiles {
		r := hostileReport(h)
		for _, k := range Kinds {
			if k.Name == "github" || k.Name == "azure" {
				continue // they write commands; TestNoTextAddsACommandOrAProperty looks at them
			}
			for _, o := range []Options{{}, {Verbose: true, Width: 60}} {
				got := write(t, k.Name, r, o)
				checkTerminal(t, k.Name+" of "+visible(h), got)
			}
		}
	}
}

func TestAnyTextIsSafeForTheTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		var b strings.Builder
		if err := Write(&b, "text", hostileReport(s), Options{Verbose: true}); err != nil {
			t.Fatal(err)
		}
		checkTerminal(t, "text", b.String())
		checkTerminal(t, "visible", visible(s))
	})
}

func TestColourIsTheOnlyEscapeSequence(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, h := range hostiles {
		plain := write(t, "text", hostileReport(h), Options{})
		colored := write(t, "text", hostileReport(h), Options{Color: true})
		if !strings.Contains(colored, "\x1b[") {
			t.Fatal("no colour at all")
		}
		if got := sgr.ReplaceAllString(colored, ""); strings.TrimRight(got, " ") != plain {
			t.Errorf("%q: without its colours the text differs from the plain one", h)
		}
	}
}

func TestHTMLShowsHostileTextAsText(t *testing.T) {
	dangerous := regexp.MustCompile(`(?i)<(script|img|iframe|svg|a\s+href="(?:[^#]|#[^f]))|\son[a-z]+\s*=\s*["']|<[^>]*\sstyle=|<[^>]*javascript:`)
	clean := withoutScript(t, write(t, "html", richReport(), Options{}))
	tags := func(s string) int { return strings.Count(write(t, "html", hostileReport(s), Options{}), "<") }
	if m := dangerous.FindString(clean); m != "" {
		t.Errorf("the page itself holds %q", m)
	}
	for _, h := range hostiles {
		harmless := "x"
		if looksLikeContainer(h) {
			harmless = "[x" // the page says why it draws no JSON
		}
		if got, want := tags(h), tags(harmless); got != want {
			t.Errorf("%q: %d tags, want %d as without it", h, got, want)
		}
		got := withoutScript(t, write(t, "html", hostileReport(h), Options{}))
		if m := regexp.MustCompile(`(?i)<(script|img)`).FindString(got); m != "" {
			t.Errorf("%q: page holds %q", h, m)
		}
	}
}

// withoutScript takes out the one script that the page has.
func withoutScript(t *testing.T, page string) string {
	t.Helper()
	own := "<script>" + pageScript + "</script>"
	if strings.Count(page, own) != 1 {
		t.Error("the script of the page is not there once")
	}
	return strings.Replace(page, own, "", 1)
}

func TestJSONKeepsHostileTextExact(t *testing.T) {
	for _, h := range hostiles {
		var got jsonReport
		if err := json.Unmarshal([]byte(write(t, "json", hostileReport(h), Options{})), &got); err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		value := got.Findings[0].Differences[0].Was
		have := value.Text
		if value.Bytes != nil {
			have = string(value.Bytes)
		}
		if have != h {
			t.Errorf("value is %q, want %q", have, h)
		}
	}
}

func TestJUnitOfHostileTextIsXMLWithTheSameElements(t *testing.T) {
	count := func(s string) (n int) {
		dec := xml.NewDecoder(strings.NewReader(s))
		for {
			token, err := dec.Token()
			if err == io.EOF {
				return n
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, s)
			}
			if _, ok := token.(xml.StartElement); ok {
				n++
			}
		}
	}
	want := count(write(t, "junit", hostileReport("x"), Options{}))
	for _, h := range hostiles {
		got := write(t, "junit", hostileReport(h), Options{})
		if n := count(got); n != want {
			t.Errorf("%q: %d elements, want %d", h, n, want)
		}
		if strings.Contains(got, "]]>") {
			t.Errorf("%q: ]]> is not escaped", h)
		}
	}
}

func TestMarkdownEscapesWhatItWouldRead(t *testing.T) {
	for _, c := range []struct{ in, md, code, why string }{
		{"| a |", `\| a \|`, "<code>&#124; a &#124;</code>", "no new cells"},
		{"`x`", "\\`x\\`", "<code>&#96;x&#96;</code>", "no code span"},
		{"<b>", "&lt;b&gt;", "<code>&lt;b&gt;</code>", "no HTML"},
		{"[x](https://e.example)", `\[x\](https&#58;//e.example)`, "<code>&#91;x&#93;(https&#58;//e.example)</code>", "no link"},
		{"@everyone #12", "@&#8203;everyone #&#8203;12", "<code>&#64;&#8203;everyone &#35;&#8203;12</code>", "nobody is called, no ticket is linked"},
		{"- item", "&#45; item", "<code>- item</code>", "no list"},
		{"1. x", `1\. x`, "<code>1. x</code>", "no numbered list"},
		{"<!-- x -->", `&lt;!-- x --&gt;`, "<code>&lt;!-- x --&gt;</code>", "no comment"},
	} {
		if got := md(c.in); got != c.md {
			t.Errorf("md(%q) = %s, want %s: %s", c.in, got, c.md, c.why)
		}
		if got := code(c.in); got != c.code {
			t.Errorf("code(%q) = %s, want %s: %s", c.in, got, c.code, c.why)
		}
	}
}

func TestMarkdownOfHostileTextKeepsItsTables(t *testing.T) {
	pipe := regexp.MustCompile(`(^|[^\\])\|`)
	lines := func(s string) (rows []int) {
		for line := range strings.Lines(s) {
			rows = append(rows, len(pipe.FindAllString(line, -1)))
		}
		return rows
	}
	want := lines(write(t, "markdown", hostileReport("x"), Options{Verbose: true}))
	for _, h := range hostiles {
		got := write(t, "markdown", hostileReport(h), Options{Verbose: true})
		if rows := lines(got); len(rows) != len(want) {
			t.Errorf("%q: %d lines, want %d", h, len(rows), len(want))
		} else {
			for i := range rows {
				if i > 0 && rows[i] != want[i] { // the first line is the marker
					t.Errorf("%q: line %d has %d cells, want %d", h, i+1, rows[i], want[i])
				}
			}
		}
		if !strings.HasPrefix(got, "<!-- rehearse:") || strings.Count(got, "<!--") != 1 || strings.Count(got, "-->") != 1 {
			t.Errorf("%q: the marker is not the first and only comment", h)
		}
	}
}
