package diff

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestLongTextsTellTheirChangedWords(t *testing.T) {
	line := "The registrar of Harrow Lake confirms that the student is enrolled for the autumn term and owes 4,100.00 for tuition, payable at the office on the second floor by the end of October."
	for _, tc := range []struct{ name, was, is, wantWas, wantIs, why string }{
		{"short", "enrolled", "withdrawn", "", "", "shown as it is"},
		{"one word", line, strings.Replace(line, "enrolled", "withdrawn", 1), "…student is enrolled for the…", "…student is withdrawn for the…", "the word, with those around it"},
		{"two places", line, strings.NewReplacer("enrolled", "withdrawn", "October", "May").Replace(line), "…student is enrolled for the…end of October.", "…student is withdrawn for the…end of May.", "both places"},
		{"added", line, strings.Replace(line, " and owes", " 2026 and owes", 1), "…autumn term and owes 4…", "…autumn term 2026 and owes …", "where there is more now"},
		{"very long", strings.Repeat("a ", 4000) + "x" + strings.Repeat(" b", 4000), strings.Repeat("a ", 4000) + "yy" + strings.Repeat(" b", 4000),
			"…" + strings.Repeat("a ", 20) + "x" + strings.Repeat(" b", 20) + "…", "…" + strings.Repeat("a ", 20) + "yy" + strings.Repeat(" b", 20) + "…", "the middle only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := compare(t, answer("text/plain", "head\n"+tc.was+"\n"), answer("text/plain", "head\n"+tc.is+"\n"))
			if len(c.Differences) != 1 || c.Differences[0].Path.String() != "response.body[1]" {
				t.Fatalf("the line is not named: %v", lines(c))
			}
			if d := c.Differences[0]; d.Was.Part != tc.wantWas || d.Is.Part != tc.wantIs {
				t.Errorf("%s:\n%q\n%q, want\n%q\n%q", tc.why, d.Was.Part, d.Is.Part, tc.wantWas, tc.wantIs)
			}
		})
	}
}

// TestPartsAreShortAndWhole holds for every pair of texts: a part is short and ends between characters.
func TestPartsAreShortAndWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom([]string{"a", "né ", "雪", " ", "x-1 "}).Draw(t, "word"), rapid.IntRange(0, 3000).Draw(t, "times")) + rapid.String().Draw(t, "end")
		})
		was, is := withParts(harness.Value{Kind: harness.KindString, Text: text.Draw(t, "was")}, harness.Value{Kind: harness.KindString, Text: text.Draw(t, "is")})
		for _, v := range []harness.Value{was, is} {
			if len(v.Part) > maxExcerpt+2*len("…") || !utf8.ValidString(v.Part) {
				t.Fatalf("%d bytes: %q", len(v.Part), v.Part)
			}
			if words := splitText(v.Text); strings.Join(words, "") != v.Text {
				t.Fatalf("words are not the text: %q", words)
			}
		}
	})
}

func TestOpaqueBytesTellWhatTheyAre(t *testing.T) {
	c := compare(t, answer("application/pdf", "%PDF-1.7\n\x00\x01"), answer("application/pdf", "%PDF-1.7\n\x00\x02"))
	if got := lines(c); len(got) != 1 || !strings.Contains(got[0], "11 bytes of PDF document, sha256:") || !strings.Contains(got[0], "first difference at byte 10") {
		t.Errorf("%v", got)
	}
}
