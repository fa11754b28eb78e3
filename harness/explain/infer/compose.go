package infer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// outer is a step that surrounds another one: it runs before it on the old value, or after it on the new one. back
// undoes an outer step of the second sort, so that the inner one can be solved.
type outer struct {
	fixed
	after  bool
	back   step
	params map[string]string // of the step, beside its name
}

// compose proposes rules of two steps.
func (s *search) compose() []*candidate {
	p := newProfile(s.train, s.options)
	var out []*candidate
	for _, o := range slices.Concat(befores(p), bared(p), afters(p)) {
		inner, of := o.view(s.train)
		if 2*of < len(p.changed) {
			continue
		}
		for _, c := range s.propose(inner, true) {
			out = append(out, o.around(c))
		}
	}
	return out
}

// befores is the steps that change at least one seed.
func befores(p *profile) []outer {
	var out []outer
	for _, f := range steps {
		changes := false
		for i, was := range p.was {
			if got := f.run(was); got != was && got != p.is[i] {
				changes = true
				break
			}
		}
		if f.first && changes {
			out = append(out, outer{fixed: f})
		}
	}
	return out
}

// bared takes the prefix and suffix off that all old values share, such as a currency sign.
func bared(p *profile) []outer {
	if len(p.was) < 2 {
		return nil
	}
	prefix, suffix := p.was[0], p.was[0]
	for _, was := range p.was[1:] {
		prefix, suffix = commonPrefix(prefix, was), commonSuffix(suffix, was)
	}
	prefix = prefix[:indexDigit(prefix)]
	suffix = strings.TrimLeft(suffix, "0123456789")
	var out []outer
	for _, cut := range [][2]string{{prefix, ""}, {"", suffix}} {
		if cut[0]+cut[1] == "" || strings.HasPrefix(p.is[0], prefix) && cut[0] != "" || strings.HasSuffix(p.is[0], suffix) && cut[1] != "" {
			continue
		}
		out = append(out, outer{fixed: fixed{
			name: "affix", kind: "F17", bits: 4, lossy: true, text: affixText(cut[0], cut[1], false),
			run: bare(cut[0], cut[1]),
		}, params: map[string]string{"prefix": cut[0], "suffix": cut[1]}})
	}
	return out
}

// bare takes a prefix and a suffix off where they are.
func bare(prefix, suffix string) func(string) string {
	return func(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, prefix), suffix) }
}

// indexDigit is where the first digit stands, or the length.
func indexDigit(s string) int {
	if i := strings.IndexAny(s, "0123456789"); i >= 0 {
		return i
	}
	return len(s)
}

// afters is the fills to a width and the affixes that all new values have and the old ones lack.
func afters(p *profile) []outer {
	if len(p.is) < 2 {
		return nil
	}
	var out []outer
	width := utf8.RuneCountInString(p.is[0])
	prefix, suffix := p.is[0], p.is[0]
	for _, is := range p.is[1:] {
		if utf8.RuneCountInString(is) != width {
			width = -1
		}
		prefix, suffix = commonPrefix(prefix, is), commonSuffix(suffix, is)
	}
	if width > 0 {
		for _, side := range []string{"left", "right"} {
			for _, r := range " 0" {
				out = append(out, padAfter(side, r, width))
			}
		}
	}
	prefix = strings.TrimRight(prefix, "0123456789")
	suffix = strings.TrimLeft(suffix, "0123456789")
	if prefix != "" && !strings.HasPrefix(p.was[0], prefix) {
		out = append(out, affixAfter(prefix, ""))
	}
	if suffix != "" && !strings.HasSuffix(p.was[0], suffix) {
		out = append(out, affixAfter("", suffix))
	}
	return out
}

func padAfter(side string, r rune, width int) outer {
	left := side == "left"
	cut := strings.TrimRight
	if left {
		cut = strings.TrimLeft
	}
	return outer{after: true, params: map[string]string{"side": side, "char": string(r), "width": strconv.Itoa(width)}, fixed: fixed{
		name: "pad", kind: "F17", bits: 6 + log2(width), text: "padded on the " + side + " with " + charName(r) + " to " + plural(width, "character"),
		run: func(s string) string { return padded(s, r, width, left) },
	}, back: func(s string) (string, bool) {
		bare := cut(s, string(r))
		return bare, bare != s && bare != ""
	}}
}

func affixAfter(prefix, suffix string) outer {
	return outer{after: true, params: map[string]string{"prefix": prefix, "suffix": suffix}, fixed: fixed{
		name: "affix", kind: "F17", bits: 2 + textBits(prefix+suffix), text: affixText(prefix, suffix, true),
		run: func(s string) string { return prefix + s + suffix },
	}, back: func(s string) (string, bool) { return between(s, prefix, suffix) }}
}

func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return a[:n]
}

func commonSuffix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return a[len(a)-n:]
}

// view is the pairs as the inner step sees them, and how many there are.
func (o outer) view(train []*Pair) (pairs []*Pair, changed int) {
	for _, t := range train {
		if same(t.Was, t.Is) || !isScalar(t.Was) || !isScalar(t.Is) {
			continue
		}
		p := *t
		if o.after {
			text, ok := o.back(t.Is.Text)
			if !ok {
				if o.run(t.Is.Text) != t.Is.Text {
					continue
				}
				text = t.Is.Text
			}
			p.Is.Text = text
		} else {
			p.Was.Text = o.run(t.Was.Text)
		}
		pairs = append(pairs, &p)
	}
	return pairs, len(pairs)
}

// around is the rule of both steps.
func (o outer) around(c *candidate) *candidate {
	both := *c
	both.bits += o.bits + 2
	both.lossy = both.lossy || o.lossy
	both.params = maps.Clone(c.params)
	if both.params == nil {
		both.params = map[string]string{}
	}
	both.probes = nil
	when := "first"
	if o.after {
		when = "then"
		both.family, both.text = c.family+" then "+o.name, c.text+", then "+o.text
		both.probes = c.probes
		both.apply = followed(c.apply, o.run)
	} else {
		both.family, both.text = o.name+" then "+c.family, o.text+", then "+c.text
		both.apply = preceded(o.run, c.apply)
	}
	both.params[when] = o.name
	for name, value := range o.params {
		both.params[when+"-"+name] = value
	}
	return &both
}

// followed runs a step on what a transform makes.
func followed(inner transform, run func(string) string) transform {
	return func(v harness.Value, record []harness.Field) (harness.Value, bool) {
		got, ok := inner(v, record)
		if ok && isScalar(got) {
			got.Text = run(got.Text)
		}
		return got, ok
	}
}

// preceded runs a step on what a transform gets.
func preceded(run func(string) string, inner transform) transform {
	return func(v harness.Value, record []harness.Field) (harness.Value, bool) {
		if isScalar(v) {
			v.Text = run(v.Text)
		}
		return inner(v, record)
	}
}

// surround puts the outer step of a written rule around the inner one.
func (w *reading) surround(inner transform) transform {
	if w.text("first") != "" {
		run := w.outer("first")
		return preceded(run, inner)
	}
	return followed(inner, w.outer("then"))
}

// outer reads the step that stands first or follows.
func (w *reading) outer(when string) func(string) string {
	prefix, suffix := w.text(when+"-prefix"), w.text(when+"-suffix")
	switch name := w.need(when); {
	case name == "pad":
		char, width, left := w.char(when+"-char"), w.number(when+"-width"), w.oneOf(when+"-side", "left", "right") == "left"
		return func(s string) string { return padded(s, char, width, left) }
	case name == "affix" && when == "first":
		return bare(prefix, suffix)
	case name == "affix":
		return func(s string) string { return prefix + s + suffix }
	default:
		f, ok := stepNamed(name)
		if !ok {
			w.fail("%s is %q, which is no step", when, name)
		}
		return f.run
	}
}
