package infer

import (
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
)

// codings is the spellings of true and false.
var codings = [][2]string{
	{"true", "false"}, {"True", "False"}, {"TRUE", "FALSE"}, {"1", "0"}, {"Y", "N"}, {"y", "n"}, {"yes", "no"}, {"Yes", "No"}, {"YES", "NO"},
	{"T", "F"}, {"t", "f"}, {"on", "off"}, {"On", "Off"}, {"ON", "OFF"}, {"X", ""}, {"-1", "0"},
}

// truth reads a spelling.
func truth(coding [2]string, text string) (value, ok bool) {
	switch text {
	case coding[0]:
		return true, true
	case coding[1]:
		return false, true
	}
	return false, false
}

// proposeBoolean: another spelling of true and false, or the two swapped.
func proposeBoolean(p *profile) {
	if p.inner {
		return
	}
	for i, was := range p.was {
		for _, in := range codings {
			for _, out := range codings {
				a, okA := truth(in, was)
				b, okB := truth(out, p.is[i])
				if okA && okB && p.fresh(in[0]+in[1]+"\x00"+out[0]+out[1]+strconv.FormatBool(a != b)) {
					p.offerBoolean(in, out, a != b)
				}
			}
		}
	}
}

func (p *profile) offerBoolean(in, out [2]string, swapped bool) {
	if in == out && !swapped {
		return // the same text, if of another type, is the business of the type family
	}
	if swapped {
		out[0], out[1] = out[1], out[0]
	}
	f := spelled(in, out)
	sides := map[string]bool{}
	for _, t := range p.changed {
		if _, ok := truth(in, t.Was.Text); ok {
			sides[t.Was.Text] = true
		}
	}
	c := candidate{
		text: "true and false are written " + spelling(out, p.kinds, true) + " now, were " + spelling(in, p.kinds, false),
		bits: 4, least: 0.95, plain: true, free: len(sides) > 1 && len(p.changed) >= 12 && p.mixed(),
		apply: p.lift(f), params: p.withTypes(map[string]string{"was-true": in[0], "was-false": in[1], "is-true": out[0], "is-false": out[1]}),
	}
	if swapped {
		c.kind, c.bits = "F01", 8
		c.text = "true and false changed sides: " + in[0] + " became " + after(f, in[0]) + " and " + in[1] + " became " + after(f, in[1])
	}
	if len(sides) > 1 || !swapped {
		p.add(c)
	}
}

// spelled writes what in says as out says it.
func spelled(in, out [2]string) step {
	return func(s string) (string, bool) {
		v, ok := truth(in, s)
		if !ok {
			return "", false
		}
		if v {
			return out[0], true
		}
		return out[1], true
	}
}

func buildBoolean(w *reading) transform {
	in := [2]string{w.need("was-true"), w.text("was-false")}
	out := [2]string{w.text("is-true"), w.text("is-false")}
	return w.lift(spelled(in, out))
}

// mixed reports whether both new values occur, so that shuffling them means something.
func (p *profile) mixed() bool {
	for _, t := range p.changed {
		if t.Is.Text != p.changed[0].Is.Text {
			return true
		}
	}
	return false
}

func after(f step, s string) string {
	out, _ := f(s)
	return out
}

// spelling shows both words, in quotes when they are texts.
func spelling(coding [2]string, kinds map[harness.ValueKind]harness.ValueKind, now bool) string {
	quoted := false
	for was, is := range kinds {
		if k := map[bool]harness.ValueKind{true: is, false: was}[now]; k == harness.KindString {
			quoted = true
		}
	}
	if quoted {
		return strconv.Quote(coding[0]) + "/" + strconv.Quote(coding[1])
	}
	return coding[0] + "/" + coding[1]
}

// Truth returns the truth value that a text spells in any of the known ways.
func Truth(text string) (value, ok bool) {
	for _, coding := range codings {
		if value, ok := truth(coding, text); ok {
			return value, true
		}
	}
	return false, false
}

// Respelled returns how true and false were spelled and are spelled now, when each old text became the new spelling of
// the same truth value. Both values must occur, or the new spelling must be a word for a truth value: 1 that became 0
// or a lone 1 that became T proves nothing.
func Respelled(was, is []string) (before, now [2]string, ok bool) {
	for _, in := range codings {
		for _, out := range codings {
			if in != out && respells(in, out, was, is) {
				return in, out, true
			}
		}
	}
	return before, now, false
}

func respells(in, out [2]string, was, is []string) bool {
	var seen [2]bool
	for i := range was {
		a, okA := truth(in, was[i])
		b, okB := truth(out, is[i])
		if !okA || !okB || a != b || was[i] == is[i] {
			return false
		}
		seen[map[bool]int{true: 0, false: 1}[a]] = true
	}
	return seen[0] && seen[1] || len(was) > 0 && len(out[0]) > 1
}
