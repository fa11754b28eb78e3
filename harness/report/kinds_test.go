package report

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestTextKeepsToTheWidth(t *testing.T) {
	reports := []*harness.Report{richReport(), cleanReport()}
	for _, h := range hostiles {
		reports = append(reports, hostileReport(h))
	}
	wide := richReport()
	wide.Findings[0].Samples[0].Was = strings.Repeat("学", 300)
	wide.Findings[1].Sentence = strings.Repeat("学生 登録 ", 60)
	reports = append(reports, wide)
	for _, r := range reports {
		for _, width := range []int{40, 72, 80, 132} {
			for _, verbose := range []bool{false, true} {
				for line := range strings.Lines(write(t, "text", r, Options{Width: width, Verbose: verbose})) {
					line = strings.TrimSuffix(line, "\n")
					if columns(line) > width && !isOneToken(line, width) {
						t.Errorf("width %d: a line takes %d columns: %q", width, columns(line), line)
					}
				}
			}
		}
	}
}

// isOneToken reports whether the line, its indent and label aside, has a single word that no line could hold.
func isOneToken(line string, width int) bool {
	words := strings.Fields(line)
	return len(words) > 0 && columns(words[len(words)-1]) > width-16 && len(words) <= 3
}

func TestWrapKeepsWordsAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-z学%é]{1,12}`)).Draw(t, "words")
		limit := rapid.IntRange(1, 30).Draw(t, "limit")
		lines := wrap(strings.Join(words, " "), limit)
		if got := strings.Fields(strings.Join(lines, " ")); !slices.Equal(got, words) && len(words) > 0 {
			t.Fatalf("words are %q, want %q", got, words)
		}
		for _, l := range lines {
			if columns(l) > limit && len(strings.Fields(strings.ReplaceAll(l, " %", "%"))) > 1 {
				t.Fatalf("line %q is wider than %d", l, limit)
			}
		}
	})
}

func TestTextOfACleanRunIsShort(t *testing.T) {
	if n := strings.Count(write(t, "text", cleanReport(), Options{}), "\n"); n > 25 {
		t.Errorf("%d lines, want at most 25, one screen", n)
	}
}

func TestVerboseTextListsEveryDifference(t *testing.T) {
	short, long := write(t, "text", richReport(), Options{}), write(t, "text", richReport(), Options{Verbose: true})
	const last = "H00000157" // the seventh row with RH
	if strings.Contains(short, last) || !strings.Contains(long, last) {
		t.Errorf("%s is to be in the verbose text only", last)
	}
}

func TestHeadlineSaysWhetherItMayGoLive(t *testing.T) {
	of := func(vs ...harness.Verdict) *harness.Report {
		r := &harness.Report{}
		for _, v := range vs {
			r.Findings = append(r.Findings, harness.Finding{Verdict: v})
		}
		r.Judge()
		return r
	}
	for _, c := range []struct {
		r    *harness.Report
		want string
	}{
		{of(), "Safe to go live: nothing changed"},
		{of(harness.Benign), "Safe to go live: 1 change is harmless"},
		{of(harness.Expected, harness.Expected), "Safe to go live: 2 changes are as declared"},
		{of(harness.Benign, harness.Review), "Not decided yet: 1 change needs a decision, 1 is harmless"},
		{of(harness.Breaking), "Not safe to go live: 1 thing breaks"},
		{of(harness.Breaking, harness.Breaking, harness.Expected, harness.Review), "Not safe to go live: 2 things break, 1 needs a decision, 1 is as declared"},
		{&harness.Report{Verdict: harness.NoConclusion}, "No conclusion: this run proves nothing"},
	} {
		if got := headline(c.r); got != c.want {
			t.Errorf("headline = %q, want %q", got, c.want)
		}
	}
}

func TestPercentNeverRoundsAwayAChange(t *testing.T) {
	for _, c := range []struct {
		part, whole int
		want        string
	}{
		{-7, 230, "-3.04 %"}, {0, 7, "0 %"}, {1, 2, "50 %"}, {1, 3, "33.33 %"}, {1, 40, "2.5 %"}, {240, 240, "100 %"},
		{-1, 1000000, "-0.0001 %"}, {999999, 1000000, "99.9999 %"}, {-230, 230, "-100 %"}, {300, 100, "300 %"},
	} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("percent(%d, %d) = %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}

func TestLongValuesAreCutNearTheirChange(t *testing.T) {
	same := strings.Repeat("a", 100)
	was, is := shownPair(same+"1"+same, same+"2"+same, text(""), text(""), 40)
	if was == is || !strings.HasPrefix(was, "…") || !strings.HasSuffix(is, "…") || columns(was) > 40 {
		t.Errorf("shown as %q and %q", was, is)
	}
}

func TestAbsentEmptyAndNullAreToldApart(t *testing.T) {
	r := &harness.Report{Findings: []harness.Finding{{Samples: []harness.Sample{
		{Source: harness.Difference{Was: text(""), Is: harness.Value{}}},
		{Source: harness.Difference{Was: harness.Value{Kind: harness.KindNull}, Is: text("")}},
	}}}}
	got := newView(r, bounds{value: 40}).Findings[0].Samples
	if got[0].Was != "(empty)" || got[0].Is != "(absent)" || got[1].Was != "null" {
		t.Errorf("shown as %+v", got)
	}
}

func TestJUnitReadsBack(t *testing.T) {
	var got junitSuites
	if err := xml.Unmarshal([]byte(write(t, "junit", richReport(), Options{})), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Suites[0]
	if s.Name != "sis-lms-enrollment" || s.Tests != 7 || s.Failures != 4 || s.Errors != 0 || len(s.Cases) != 7 {
		t.Errorf("suite %s: %d tests, %d failures, %d errors, %d cases; want 7, 4, 0, 7", s.Name, s.Tests, s.Failures, s.Errors, len(s.Cases))
	}
	want := []string{"breaking", "F01", "F02", "F18", "", "", ""}
	for i, c := range s.Cases {
		kind := ""
		if c.Failure != nil {
			kind = c.Failure.Type
		}
		if kind != want[i] {
			t.Errorf("case %d %q fails as %q, want %q", i, c.Name, kind, want[i])
		}
	}
	for _, p := range []junitProperty{{"owner", "Dana Ortiz"}, {"run", "20261005T140000-a41f"}, {"ticket", "PR-418"}} {
		if !slices.Contains(s.Properties, p) {
			t.Errorf("property %s=%s is missing from %v", p.Name, p.Value, s.Properties)
		}
	}
}

func TestJUnitOfAnInconclusiveRunIsAnError(t *testing.T) {
	r := cleanReport()
	r.Verdict, r.Reason = harness.NoConclusion, "The target did not start."
	var got junitSuites
	if err := xml.Unmarshal([]byte(write(t, "junit", r, Options{})), &got); err != nil {
		t.Fatal(err)
	}
	if s := got.Suites[0]; s.Errors != 1 || s.Failures != 0 || s.Cases[0].Error == nil {
		t.Errorf("errors %d, failures %d; want an error, because nothing was proved", s.Errors, s.Failures)
	}
}

func TestJSONHoldsEveryDifference(t *testing.T) {
	r := richReport()
	var got jsonReport
	if err := json.Unmarshal([]byte(write(t, "json", r, Options{})), &got); err != nil {
		t.Fatal(err)
	}
	if got.Report != "1.0" || len(got.Findings) != 6 || len(got.Findings[0].Differences) != 7 || got.Counts["breaking"] != 3 {
		t.Errorf("version %s, %d findings, counts %v", got.Report, len(got.Findings), got.Counts)
	}
	if d := got.Findings[0].Differences[1]; d.Path != "request.body[CRN=10271,ID=H00000117].RSTS" || d.Is.Text != "RH" {
		t.Errorf("second difference is %+v", d)
	}
}

func TestMarkdownFitsACommentAndCountsWhatDoesNot(t *testing.T) {
	for _, n := range []int{6, 60, 600, 20000} {
		r := richReport()
		for len(r.Findings) < n {
			f := newCode()
			f.Number = len(r.Findings) + 1
			r.Findings = append(r.Findings, f)
		}
		got := write(t, "markdown", r, Options{Verbose: true})
		if len(got) > maxComment {
			t.Errorf("%d findings: %d bytes, want at most %d", n, len(got), maxComment)
		}
		if more := strings.Contains(got, " more "); n >= 600 && !more || !strings.Contains(got, "</sub>") {
			t.Errorf("%d findings: what is left out is not counted, or the end is missing", n)
		}
	}
}

func TestPagePolicyAllowsItsStyleAndScriptAndNothingElse(t *testing.T) {
	page := write(t, "html", richReport(), Options{})
	got := withoutScript(t, page)
	style := got[strings.Index(got, "<style>")+len("<style>") : strings.Index(got, "</style>")]
	sum := sha256.Sum256([]byte(style))
	meta := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(got)[1])
	script := sha256.Sum256([]byte(page[strings.Index(page, "<script>")+len("<script>") : strings.Index(page, "</script>")]))
	want := fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
		base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(script[:]))
	if meta != want {
		t.Errorf("policy is %s, want %s", meta, want)
	}
	if m := regexp.MustCompile(`https?://|url\(|@import|<link|<script`).FindString(got); m != "" {
		t.Errorf("page asks for something from outside: %q", m)
	}
}

func TestPageIsAccessible(t *testing.T) {
	got := write(t, "html", richReport(), Options{})
	for _, want := range []string{`<html lang="en">`, "<title>Not safe to go live", `class="skip" href="#findings"`, `id="findings"`, "<main", `scope="col"`, `scope="row"`, "<h1>"} {
		if !strings.Contains(got, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	if strings.Contains(got, "<th>") {
		t.Error("a table header does not say what it heads")
	}
	level := 0
	for _, m := range regexp.MustCompile(`<h([1-6])[ >]`).FindAllStringSubmatch(got, -1) {
		n, _ := strconv.Atoi(m[1])
		if n > level+1 {
			t.Errorf("heading h%d follows h%d", n, level)
		}
		level = n
	}
	for _, m := range regexp.MustCompile(` aria-labelledby="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if strings.Count(got, ` id="`+m[1]+`"`) != 1 {
			t.Errorf("id %s is not there exactly once", m[1])
		}
	}
}

// The contrast is that of WCAG 2.2, success criterion 1.4.3.
func TestPageColoursHaveEnoughContrast(t *testing.T) {
	light, dark, _ := strings.Cut(pageStyle, "prefers-color-scheme: dark")
	for name, css := range map[string]string{"light": light, "dark": dark[:strings.Index(dark, "}")]} {
		colors := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			colors[m[1]] = luminance(t, m[2])
		}
		for _, pair := range [][2]string{
			{"ink", "paper"}, {"ink", "ground"}, {"quiet", "paper"}, {"quiet", "ground"}, {"ink", "was"}, {"ink", "is"},
			{"breaking", "breaking-soft"}, {"review", "review-soft"}, {"good", "good-soft"}, {"declared", "declared-soft"}, {"odd", "odd-soft"},
			{"quiet", "breaking-soft"}, {"quiet", "review-soft"}, {"quiet", "good-soft"}, {"quiet", "declared-soft"}, {"quiet", "odd-soft"}, {"breaking", "paper"}, {"quiet", "is"},
		} {
			a, okA := colors[pair[0]]
			b, okB := colors[pair[1]]
			ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05)
			if !okA || !okB || ratio < 4.5 {
				t.Errorf("%s: %s on %s has contrast %.2f, want 4.5", name, pair[0], pair[1], ratio)
			}
		}
	}
}

func luminance(t *testing.T, hex string) (l float64) {
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
