package report

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehearse-dev/rehearse/harness"
)

func TestDrawingKeepsScalarsAsWritten(t *testing.T) {
	for _, c := range []struct{ was, is, want, why string }{
		{`{"a":3.50}`, `{"a":3.5}`, "- \"a\": 3.50\n+ \"a\": 3.5", "another spelling is seen"},
		{`{"a":9007199254740992}`, `{"a":9007199254740993}`, "- \"a\": 9007199254740992\n+ \"a\": 9007199254740993", "beyond 2^53"},
		{`{"a":1e400}`, `{"a":1e401}`, "- \"a\": 1e400\n+ \"a\": 1e401", "beyond float64"},
		{`{"a":null}`, `{"a":""}`, "- \"a\": null\n+ \"a\": \"\"", "null is not empty"},
		{`{"a":"1"}`, `{"a":1}`, "- \"a\": \"1\"\n+ \"a\": 1", "text is not a number"},
		{`["x","y"]`, `["x","z"]`, "- \"y\"\n+ \"z\"", "arrays at the root"},
		{`{"a":"q\"{"}`, `{"a":"q\"[\n"}`, `+ "a": "q\"[\n"`, "escapes stay escapes"},
		{`{"a":"` + strings.Repeat("long text ", 9) + `1"}`, `{"a":"` + strings.Repeat("long text ", 9) + `2"}`, `long text 2"`, "long texts are drawn whole"},
	} {
		d, err := drawJSON(c.was, c.is)
		if err != nil {
			t.Errorf("draw %s → %s: %v: %s", c.was, c.is, err, c.why)
			continue
		}
		var lines []string
		for _, l := range d.Lines {
			lines = append(lines, l.Mark+" "+strings.TrimSpace(l.Text))
		}
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) {
			t.Errorf("draw %s → %s gave\n%s\nwant\n%s\n%s", c.was, c.is, got, c.want, c.why)
		}
	}
}

func TestWhatADrawingWouldHideIsShownSideBySide(t *testing.T) {
	for _, c := range []struct{ was, is, why string }{
		{`{"a":1,"a":2}`, `{"a":2}`, "a duplicate member"},
		{`{"a":1`, `{"a":2}`, "a cut value"},
		{`{"a":…}`, `{"a":2}`, "a shortened rendition"},
		{`{"a":1} x`, `{"a":2}`, "something behind the value"},
		{`{"a":1}`, `[1]`, "an object that became an array"},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), `[1]`, "deep nesting"},
		{"[" + strings.Repeat("1,", 5000) + "1]", `[1]`, "too many elements"},
		{`["a","b","c"]`, `["c","a","b"]`, "moved elements, which the library leaves out"},
	} {
		d, note := drawSample(harness.Sample{Was: c.was, Is: c.is})
		if d != nil || note == "" {
			t.Errorf("drawn in spite of %s (note %q)", c.why, note)
		}
	}
	if d, note := drawSample(harness.Sample{Was: "RE", Is: "RH"}); d != nil || note != "" {
		t.Errorf("scalars gave a drawing or the note %q", note)
	}
}

// Whatever is drawn holds both sides: reading the lines of a side back gives that side.
func TestDrawingHoldsBothSides(t *testing.T) {
	value := rapid.Deferred(func() *rapid.Generator[any] { return jsonValues(3) })
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", `q"\`, "é"}), value)
		was, _ := json.Marshal(side.Draw(t, "was"))
		is, _ := json.Marshal(side.Draw(t, "is"))
		d, err := drawJSON(string(was), string(is))
		if err == nil && len(d.Lines) < 2 {
			t.Fatalf("drawing of %s → %s has %d lines", was, is, len(d.Lines))
		}
	})
}

func jsonValues(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.IntRange(0, 3).AsAny(), rapid.SampledFrom([]string{"", "{", "}", ",", "[x"}).AsAny())
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(scalar, rapid.SliceOfN(jsonValues(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z"}), jsonValues(depth-1), 0, 3).AsAny())
}

func FuzzDrawJSON(f *testing.F) {
	f.Add(`{"a":[1,2,{"b":3.50}]}`, `{"a":[2,{"b":3.5},4]}`)
	f.Add(`[`, `[[]]`)
	f.Add(`{"a":1,"a":2}`, `{}`)
	f.Fuzz(func(t *testing.T, was, is string) {
		if d, err := drawJSON(was, is); err == nil {
			for _, l := range d.Lines {
				checkTerminal(t, "drawing", l.Text)
			}
		}
	})
}
