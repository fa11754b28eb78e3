package infer

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// sentinels are texts that stand for "no value" by convention.
var sentinels = map[string]bool{
	"N/A": true, "n/a": true, "NA": true, "NULL": true, "null": true, "None": true, "none": true, ".": true, "-": true, "--": true, "?": true,
	"00000000": true, "0000-00-00": true, "0000-00-00 00:00:00": true, "99999999": true, "9999-12-31": true, "12/31/9999": true, "31-DEC-9999": true, "31-DEC-99": true,
	"99991231": true, "1900-01-01": true, "01/01/1900": true, "19000101": true, "0001-01-01": true, "0001-01-01T00:00:00Z": true, "9999-12-31T00:00:00Z": true,
	"UNKNOWN": true, "Unknown": true, "unknown": true, "(null)": true, "<null>": true, "\\N": true, "#N/A": true, "NaN": true, "nil": true, "undefined": true,
}

// isNothing reports whether a value stands for "no value".
func isNothing(v harness.Value) bool {
	switch v.Kind {
	case harness.KindAbsent, harness.KindNull, "":
		return true
	case harness.KindString:
		return sentinels[v.Text] || strings.TrimSpace(v.Text) == ""
	}
	return false
}

// nameOf is the word for a value, for sentences.
func nameOf(v harness.Value) string {
	switch {
	case v.IsAbsent():
		return "missing"
	case v.Kind == harness.KindNull:
		return "null"
	case v.Kind == harness.KindString && v.Text == "":
		return "empty"
	case isNothing(v) && strings.TrimSpace(v.Text) == "":
		return "blank"
	}
	return strconv.Quote(v.Text)
}

// valueBits is the length of a value that is written out.
func valueBits(v harness.Value) float64 {
	if isNothing(v) {
		return 3
	}
	return textBits(v.Text)
}

// proposePresence: one form of "no value" became another one, or a default.
func proposePresence(p *profile) {
	for _, t := range spread(p.changed, 4*maxSeeds) {
		if !isNothing(t.Was) {
			continue
		}
		was, is := t.Was, t.Is
		was.Fields, is.Fields = nil, nil
		if !p.fresh(nameOf(was)+"\x00"+nameOf(is)) || is.Kind == harness.KindArray || is.Kind == harness.KindObject {
			continue
		}
		c := candidate{
			text: "values that were " + nameOf(was) + " are " + nameOf(is) + " now", bits: 2 + valueBits(is), kind: "F21",
			params: valueParams(map[string]harness.Value{"was": was, "is": is}), lossy: true, plain: true, apply: inPlaceOf(was, is),
		}
		if !isNothing(is) {
			c.text = "values that were " + nameOf(was) + " got the default " + nameOf(is)
		}
		p.add(c)
	}
}

// inPlaceOf puts one value where another one was.
func inPlaceOf(was, is harness.Value) transform {
	return func(v harness.Value, _ []harness.Field) (harness.Value, bool) { return is, same(v, was) }
}

func buildPresence(w *reading) transform { return inPlaceOf(w.value("was"), w.value("is")) }

// proposeConstant: whatever was there, one value is there now.
func proposeConstant(p *profile) {
	counts := map[string]int{}
	first := map[string]*Pair{}
	was := map[string]int{}
	for _, t := range p.changed {
		k := string(t.Is.Kind) + "\x00" + t.Is.Text
		counts[k]++
		if first[k] == nil {
			first[k] = t
		}
		if !isNothing(t.Was) {
			was[t.Was.Text]++
		}
	}
	if len(was) < 2 || p.inner {
		return
	}
	best := slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
	is := first[best].Is
	if is.Kind == harness.KindArray || is.Kind == harness.KindObject {
		return
	}
	c := candidate{
		text: "every value is " + nameOf(is) + " now, whatever it was", bits: 3 + valueBits(is), least: 0.99, lossy: true,
		params: valueParams(map[string]harness.Value{"is": is}), apply: always(is),
	}
	if isNothing(is) {
		c.kind, c.bits, c.plain = "F03", 1, true
		c.text = "every value is " + nameOf(is) + " now"
	}
	p.add(c)
}

func always(is harness.Value) transform {
	return func(harness.Value, []harness.Field) (harness.Value, bool) { return is, true }
}

func buildConstant(w *reading) transform { return always(w.value("is")) }

// proposeRetype: the text stayed, its type did not.
func proposeRetype(p *profile) {
	words, bits := p.retyped()
	if words == "" {
		return
	}
	if !p.fits(asItIs) {
		return
	}
	p.add(candidate{text: words, bits: bits, apply: p.lift(asItIs), params: p.withTypes(nil)})
}

func asItIs(s string) (string, bool) { return s, true }

func buildRetype(w *reading) transform {
	w.need("types")
	return w.lift(asItIs)
}

// proposeArray: a value became a list of it, or the reverse. Containers show as their JSON text.
func proposeArray(p *profile) {
	p.add(candidate{text: "a single value became a list of one", bits: 2, apply: wrap, params: map[string]string{"step": "wrap"}})
	for _, kind := range []harness.ValueKind{harness.KindString, harness.KindNumber, harness.KindBool, harness.KindObject} {
		if !slices.ContainsFunc(p.changed, func(t *Pair) bool { return t.Was.Kind == harness.KindArray && t.Is.Kind == kind }) {
			continue
		}
		p.add(candidate{text: "a list of one became a single value", bits: 2.5, apply: unwrap(kind), params: map[string]string{"step": "unwrap", "type": string(kind)}})
	}
}

func wrap(v harness.Value, _ []harness.Field) (harness.Value, bool) {
	if !isScalar(v) && v.Kind != harness.KindObject {
		return harness.Value{}, false
	}
	return harness.Value{Kind: harness.KindArray, Text: "[" + literal(v) + "]"}, true
}

func unwrap(kind harness.ValueKind) transform {
	return func(v harness.Value, _ []harness.Field) (harness.Value, bool) {
		text, ok := strings.CutPrefix(v.Text, "[")
		text, closed := strings.CutSuffix(text, "]")
		if v.Kind != harness.KindArray || !ok || !closed || !json.Valid([]byte(text)) {
			return harness.Value{}, false
		}
		out := harness.Value{Kind: kind, Text: strings.TrimSpace(text)}
		if kind == harness.KindString && json.Unmarshal([]byte(out.Text), &out.Text) != nil {
			return harness.Value{}, false
		}
		return out, true
	}
}

func buildArray(w *reading) transform {
	if w.oneOf("step", "wrap", "unwrap") == "wrap" {
		return wrap
	}
	kind := w.need("type")
	if !isKind(kind) {
		w.fail("type is %q, which is none", kind)
	}
	return unwrap(harness.ValueKind(kind))
}

// literal is the value as JSON writes it.
func literal(v harness.Value) string {
	if v.Kind != harness.KindString && v.Kind != harness.KindBytes {
		return v.Text
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v.Text) != nil {
		return v.Text
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Nothing returns the word for a value that stands for "no value": missing, null, empty, blank, or a quoted stand-in such
// as "N/A". It is empty for every other value.
func Nothing(v harness.Value) string {
	if !isNothing(v) {
		return ""
	}
	return nameOf(v)
}
