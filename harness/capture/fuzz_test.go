package capture

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// FuzzCut looks for any text in any body. What is cut lies in the source, in its order, each exchange once and with a reason;
// a text that stands alone in a plain body is found.
func FuzzCut(f *testing.F) {
	for _, body := range []string{
		`{"ref":"A-67595","n":[1,2]}`, "ID,RSTS\nA-67595,RE\n8,\"AU\n\"", "2026-10-07 INFO A-67595 done\n2026-10-07 ERROR A-675951\n", "a=A%2D67595&b=1",
		"<m xmlns='u'><ref>A-67595</ref></m>", "\x1f\x8b\x08\x00broken", "ISA*00*          *00*          *ZZ*A-67595~", "\xff\x00A-67595", `{"ref":"A\u002d67595"}`,
	} {
		for _, media := range []string{"", "application/json", "text/plain", "text/csv"} {
			f.Add(body, media, "A-67595", "ref", "gzip")
		}
	}
	f.Fuzz(func(t *testing.T, body, media, text, field, encoding string) {
		xs := day()
		odd := exchange("000008", "odd", "POST", "/log?"+strings.Map(printable, field)+"="+strings.Map(printable, text), body, "500", body, harness.Field{Name: "X-Request-ID", Value: text})
		packed := exchange("000009", "odd", "POST", "/log", body, "200", "", harness.Field{Name: "Content-Encoding", Value: encoding})
		dropped := file("000010", field, body)
		for _, x := range []*harness.Exchange{&odd, &packed, &dropped} {
			x.Request.Media, x.Response.Media = media, media
		}
		source := append(xs, odd, packed, dropped)
		for _, q := range []Query{{Texts: []string{text}}, {Field: field, Value: text}, {Exchange: text}} {
			if text == "" {
				continue // no query: the command asks for a value
			}
			s, err := Cut(t.Context(), listed(source...), q)
			if err != nil {
				if harness.ClassOf(err) != harness.ClassInconclusive || harness.HintOf(err) == "" {
					t.Errorf("%+v: %v, hint %q", q, err, harness.HintOf(err))
				}
				if len(q.Texts) > 0 && within(text, q.Texts) {
					t.Errorf("%q stands in a field, and is not found: %v", text, err)
				}
				continue
			}
			if s.Anchor < 0 || s.Anchor >= len(s.Taken) || s.Read != len(source) {
				t.Fatalf("%+v: anchor %d of %d, %d read", q, s.Anchor, len(s.Taken), s.Read)
			}
			if !slices.IsSortedFunc(s.Taken, func(a, b Taken) int { return a.At - b.At }) {
				t.Errorf("%+v: not in the order of the source", q)
			}
			for i, taken := range s.Taken {
				if len(taken.Why) == 0 || taken.Exchange.ID != source[taken.At].ID || i > 0 && s.Taken[i-1].At == taken.At {
					t.Errorf("%+v: took %d as %s, because of %q", q, taken.At, taken.Exchange.ID, taken.Why)
				}
			}
		}
	})
}

// printable keeps what may stand in the target of a request.
func printable(r rune) rune {
	if r <= ' ' || r > '~' || r == '#' {
		return -1
	}
	return r
}
