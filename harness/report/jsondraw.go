package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/yudai/gojsondiff"
	"github.com/yudai/gojsondiff/formatter"

	"github.com/rehearse-dev/rehearse/harness"
)

// Limits of a drawing; the algorithm behind it is cubic in the elements of an array that all changed.
const (
	maxDrawnBytes = 32 << 10 // of one side
	maxDrawnNodes = 120      // of one side
	maxDrawnDepth = 32
	maxDrawnWidth = 160 // columns of a line
)

// drawing is a JSON change, line by line. It pictures a change that was decided elsewhere.
type drawing struct{ Lines []drawnLine }

// drawnLine is on both sides (mark " "), on the side before ("-") or after ("+").
type drawnLine struct{ Mark, Text string }

// Word says the mark in words, for readers who do not see it.
func (l drawnLine) Word() string {
	switch l.Mark {
	case "-":
		return "was"
	case "+":
		return "is"
	}
	return "same"
}

// drawSample draws the change when both sides are JSON containers. Otherwise the result is nil; the note says why when
// a reader would expect a drawing.
func drawSample(s harness.Sample) (d *drawing, note string) {
	was, is := s.Source.Was.Text, s.Source.Is.Text
	if !looksLikeContainer(was) || !looksLikeContainer(is) {
		was, is = s.Was, s.Is
	}
	if !looksLikeContainer(was) || !looksLikeContainer(is) {
		return nil, ""
	}
	d, err := drawJSON(was, is)
	if err != nil {
		return nil, "Shown side by side: " + err.Error() + "."
	}
	return d, ""
}

func looksLikeContainer(s string) bool {
	return strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")
}

// drawJSON draws how one JSON container became another. Scalars are compared and drawn as they are written, so that
// 3.50 and 2^53+1 stay exact. The drawing is read back: one that does not hold exactly both sides is an error, as are
// duplicate members, cut values, moved elements and everything beyond the limits.
func drawJSON(was, is string) (d *drawing, err error) {
	defer func() {
		if p := recover(); p != nil { // the drawing library panics on some arrays
			d, err = nil, errors.New("the change cannot be drawn")
		}
	}()
	a, err := decodeLexemes(was)
	if err != nil {
		return nil, err
	}
	b, err := decodeLexemes(is)
	if err != nil {
		return nil, err
	}
	text, err := compareAndFormat(a, b)
	if err != nil {
		return nil, err
	}
	d = &drawing{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		d.Lines = append(d.Lines, drawnLine{line[:1], strings.TrimRight(line[1:], ",")})
	}
	if !d.holds("-", a) || !d.holds("+", b) {
		return nil, errors.New("the change cannot be drawn line by line")
	}
	for i, l := range d.Lines {
		indent := len(l.Text) - len(strings.TrimLeft(l.Text, " "))
		d.Lines[i].Text = l.Text[:indent] + cut(visible(l.Text[indent:]), maxDrawnWidth)
	}
	return d, nil
}

func compareAndFormat(a, b any) (string, error) {
	var diff gojsondiff.Diff
	switch left := a.(type) {
	case map[string]any:
		right, ok := b.(map[string]any)
		if !ok {
			return "", errors.New("an object became an array")
		}
		diff = gojsondiff.New().CompareObjects(left, right)
	case []any:
		right, ok := b.([]any)
		if !ok {
			return "", errors.New("an array became an object")
		}
		diff = gojsondiff.New().CompareArrays(left, right)
	}
	return formatter.NewAsciiFormatter(a, formatter.AsciiFormatterDefaultConfig).Format(diff)
}

// holds reports whether the lines of one side, read as JSON, are that side.
func (d *drawing) holds(mark string, want any) bool {
	var lines []string
	for _, l := range d.Lines {
		if l.Mark == " " || l.Mark == mark {
			lines = append(lines, strings.TrimSpace(l.Text))
		}
	}
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l)
		opens := strings.HasSuffix(l, "{") || strings.HasSuffix(l, "[")
		closes := i+1 == len(lines) || lines[i+1] == "}" || lines[i+1] == "]"
		if !opens && !closes {
			b.WriteByte(',')
		}
	}
	got, err := decodeLexemes(b.String())
	return err == nil && reflect.DeepEqual(got, want)
}

// lexeme is a JSON scalar as written. It is a struct because the drawing library converts what is a string.
type lexeme struct{ text string }

// GoString is what the drawing library prints.
func (l lexeme) GoString() string { return l.text }

// decodeLexemes reads one JSON value into maps and slices of lexemes. Member names stay in their JSON spelling.
func decodeLexemes(s string) (any, error) {
	if len(s) > maxDrawnBytes {
		return nil, errors.New("the values are too long to draw")
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	r := lexemeReader{dec: dec}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotWhole
	}
	return v, nil
}

var errNotWhole = errors.New("the values are cut or not JSON")

type lexemeReader struct {
	dec   *json.Decoder
	nodes int
}

func (r *lexemeReader) value(depth int) (any, error) {
	if r.nodes++; r.nodes > maxDrawnNodes || depth > maxDrawnDepth {
		return nil, errors.New("the values are too large to draw")
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, errNotWhole
	}
	switch token {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		return r.array(depth)
	}
	return lexeme{spellJSON(token)}, nil
}

func (r *lexemeReader) object(depth int) (any, error) {
	members := map[string]any{}
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, errNotWhole
		}
		quoted := spellJSON(token)
		name := quoted[1 : len(quoted)-1]
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("the member %q is there twice, which a drawing would hide", cut(visible(name), 40))
		}
		if members[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return members, r.end()
}

func (r *lexemeReader) array(depth int) (any, error) {
	elements := []any{}
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
	}
	return elements, r.end()
}

func (r *lexemeReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return errNotWhole
	}
	return nil
}

// spellJSON writes a scalar token as JSON; a json.Number keeps its digits.
func spellJSON(token json.Token) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(token); err != nil {
		return "null" // tokens are strings, numbers, booleans and nil: all of them encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}
