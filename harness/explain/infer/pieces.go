package infer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

const (
	maxPieces   = 3  // fields in one new value
	maxMembers  = 64 // members of a record that are looked at
	maxPrograms = 24 // ways to put one new value together that are followed
	maxLiteral  = 4  // characters between two fields
)

// proposeSubstring: the new value is part of the old one, by position or by separator.
func proposeSubstring(p *profile) {
	for i, was := range p.was {
		is := p.is[i]
		if is == "" || len(is) >= len(was) {
			continue
		}
		if at := strings.Index(was, is); at > 0 {
			p.offerPositions(was, is, at)
		}
		for _, r := range distinctRunes(was) {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				p.offerTokens(was, is, string(r))
			}
		}
	}
}

func (p *profile) offerPositions(was, is string, at int) {
	from, n, total := utf8.RuneCountInString(was[:at]), utf8.RuneCountInString(is), utf8.RuneCountInString(was)
	fromEnd := total - from - n
	probes := []probe{{strings.Repeat("x", total+2) + "yz", "a longer value"}}
	p.offerPart("positions", fmt.Sprintf("characters %d to %d of the old value", from+1, from+n), 6+log2(from+1)+log2(n), probes, from, n)
	if fromEnd == 0 {
		p.offerPart("last", fmt.Sprintf("the last %s of the old value", harness.Count(n, "character")), 5+log2(n), probes, 0, n)
		p.offerPart("drop", "the first "+harness.Count(from, "character")+" cut off", 5+log2(from+1), probes, from, 0)
	}
}

func (p *profile) offerPart(key, words string, bits float64, probes []probe, from, n int) {
	if !p.fresh(words) {
		return
	}
	p.offer(part(key, from, n), candidate{text: words, bits: bits, lossy: true, params: map[string]string{"part": key, "from": strconv.Itoa(from), "length": strconv.Itoa(n)}, probes: probes})
}

// part takes characters of a text: n of them behind the first ones, the last n, or all behind the first ones.
func part(key string, from, n int) step {
	return func(s string) (string, bool) {
		r := []rune(s)
		i, j := from, len(r)
		switch key {
		case "positions":
			j = from + n
		case "last":
			i = max(len(r)-n, 0)
		}
		if j > len(r) || i > j {
			return "", false
		}
		return string(r[i:j]), true
	}
}

func buildSubstring(w *reading) transform {
	key := w.oneOf("part", "positions", "last", "drop", "token")
	if key != "token" {
		return w.lift(part(key, w.number("from"), w.number("length")))
	}
	for i := range cuts {
		if cuts[i].key == w.text("which") {
			return w.lift(cutAt(&cuts[i], w.need("separator")))
		}
	}
	w.fail("no token %q", w.text("which"))
	return nil
}

// cutAt takes a part of a text at a separator, without blanks around it.
func cutAt(c *cut, sep string) step {
	return func(s string) (string, bool) {
		got, ok := c.run(s, sep)
		return trim(got), ok
	}
}

// cut is a way to take a part of a text at a separator.
type cut struct {
	key   string
	words string
	run   func(s, sep string) (string, bool)
}

var cuts = []cut{
	{"before first", "what stands before the first %s", func(s, sep string) (string, bool) { a, _, ok := strings.Cut(s, sep); return a, ok }},
	{"after first", "what stands after the first %s", func(s, sep string) (string, bool) { _, b, ok := strings.Cut(s, sep); return b, ok }},
	{"before last", "what stands before the last %s", func(s, sep string) (string, bool) {
		i := strings.LastIndex(s, sep)
		return s[:max(i, 0)], i >= 0
	}},
	{"after last", "what stands after the last %s", func(s, sep string) (string, bool) {
		i := strings.LastIndex(s, sep)
		return s[i+1:], i >= 0 && len(sep) == 1
	}},
	{"second", "the second part between %s", func(s, sep string) (string, bool) { return token(s, sep, 1) }},
	{"third", "the third part between %s", func(s, sep string) (string, bool) { return token(s, sep, 2) }},
}

func token(s, sep string, n int) (string, bool) {
	parts := strings.Split(s, sep)
	if n >= len(parts) {
		return "", false
	}
	return parts[n], true
}

func (p *profile) offerTokens(was, is, sep string) {
	for i := range cuts {
		c := &cuts[i]
		got, ok := c.run(was, sep)
		if !ok || trim(got) != is || !p.fresh(c.words+sep) {
			continue
		}
		words := fmt.Sprintf(c.words, shown(sep)) + " in the old value"
		p.offer(cutAt(c, sep), candidate{
			text: "only " + words + " is left", bits: 6 + 0.5*float64(i), lossy: true, params: map[string]string{"part": "token", "which": c.key, "separator": sep},
			probes: []probe{{"a" + sep + "b" + sep + "c" + sep + "d", "a value with more than one " + shown(sep)}},
		})
	}
}

// source is where a piece comes from.
type source struct {
	key   string // as it is written
	words string
	bits  float64
	text  func(was string, record []harness.Field) (string, bool)
}

// wholeOld is the old value itself.
var wholeOld = source{"old", "the old value", 3, func(was string, _ []harness.Field) (string, bool) { return was, true }}

// oldWords is the words of an old value that has several.
var oldWords = []source{
	{"first word", "its first word", 5, wordAt(func(words []string) string { return words[0] })},
	{"last word", "its last word", 5, wordAt(func(words []string) string { return words[len(words)-1] })},
	{"second word", "its second word", 5.5, wordAt(func(words []string) string { return words[1] })},
	{"third word", "its third word", 6, wordAt(func(words []string) string {
		if len(words) < 3 {
			return ""
		}
		return words[2]
	})},
}

func wordAt(pick func([]string) string) func(string, []harness.Field) (string, bool) {
	return func(was string, _ []harness.Field) (string, bool) {
		words := strings.FieldsFunc(was, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && !unicode.Is(unicode.Mn, r)
		})
		if len(words) < 2 || len(was) > 200 {
			return "", false
		}
		word := pick(words)
		return word, word != ""
	}
}

// memberKey and literalKey begin the written form of a piece.
const (
	memberKey  = "member "
	literalKey = "text "
)

// memberOf is a member of the record.
func memberOf(name string, members int) source {
	return source{memberKey + name, name, 3 + log2(members), func(_ string, record []harness.Field) (string, bool) {
		return harness.Value{Fields: record}.Field(name)
	}}
}

// piece is a literal, or a source in a form.
type piece struct {
	literal string
	from    *source
	form    int // row of forms
}

// form is one way to put in a field.
type form struct {
	key   string // as it is written
	words string
	bits  float64
	run   func(string) string
}

// forms is what can be done to a field before it is put in.
var forms = []form{
	{"", "", 0, func(s string) string { return s }},
	{"upper", " in upper case", 3, strings.ToUpper},
	{"lower", " in lower case", 3, strings.ToLower},
	{"initial", " (first letter)", 4, initial},
	{"initial-lower", " (first letter in lower case)", 5, func(s string) string { return strings.ToLower(initial(s)) }},
}

func initial(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// proposeConcat: the new value is put together from members of the record, and the old value or its words.
func proposeConcat(p *profile) {
	if p.inner {
		return
	}
	tried := 0
	for _, t := range p.changed {
		if t.Is.Kind != harness.KindString && t.Is.Kind != harness.KindNumber || t.Is.Text == "" || len(t.Is.Text) > 200 {
			continue
		}
		if tried++; tried > maxSeeds {
			break
		}
		w := newWeaver(t)
		w.follow(t.Is.Text, nil, 0)
		for _, program := range w.out {
			p.offerProgram(program)
		}
	}
}

// weaver finds the ways to put one new value together.
type weaver struct {
	sources []source
	texts   [][]string // of each source, in each form; empty where it does not apply
	out     [][]piece
	steps   int
}

func newWeaver(t *Pair) *weaver {
	w := &weaver{sources: append([]source{wholeOld}, oldWords...)}
	members := t.Record[:min(len(t.Record), maxMembers)]
	for _, f := range members {
		if strings.HasPrefix(f.Name, ":") {
			continue // a feature of the exchange, not a part of its data
		}
		w.sources = append(w.sources, memberOf(f.Name, len(members)))
	}
	for _, s := range w.sources {
		text, _ := s.text(t.Was.Text, t.Record)
		spelled := make([]string, len(forms))
		for i, f := range forms {
			if got := f.run(text); i == 0 || got != text {
				spelled[i] = got
			}
		}
		w.texts = append(w.texts, spelled)
	}
	return w
}

func (w *weaver) follow(rest string, done []piece, fields int) {
	if w.steps++; len(w.out) >= maxPrograms || w.steps > 4000 {
		return
	}
	if rest == "" {
		if fields > 0 {
			w.out = append(w.out, append([]piece(nil), done...))
		}
		return
	}
	if fields < maxPieces {
		for i := range w.sources {
			for form, text := range w.texts[i] {
				if text != "" && strings.HasPrefix(rest, text) {
					w.follow(rest[len(text):], append(done, piece{from: &w.sources[i], form: form}), fields+1)
				}
			}
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	if last := len(done) - 1; last >= 0 && done[last].from == nil {
		if len(done[last].literal)+n <= maxLiteral {
			longer := append([]piece(nil), done...)
			longer[last].literal += rest[:n]
			w.follow(rest[n:], longer, fields)
		}
		return
	}
	w.follow(rest[n:], append(done, piece{literal: rest[:n]}), fields)
}

func (p *profile) offerProgram(program []piece) {
	var words []string
	bits, others := 2.0, 0
	for _, pc := range program {
		if pc.from == nil {
			words = append(words, strconv.QuoteToGraphic(pc.literal))
			bits += textBits(pc.literal)
			continue
		}
		words = append(words, pc.from.words+forms[pc.form].words)
		bits += pc.from.bits + forms[pc.form].bits
		if pc.from.words != wholeOld.words {
			others++
		}
	}
	text := "put together from " + strings.Join(words, " + ")
	if len(program) == 1 {
		text = "the value is that of " + words[0] + " now"
	}
	if others == 0 || !p.fresh(text) {
		return
	}
	f := func(v harness.Value, record []harness.Field) (harness.Value, bool) { return weave(program, v, record) }
	hit, of := 0, 0
	for _, t := range spread(p.changed, 2*maxSeeds) {
		if of++; explains(f, t) {
			hit++
		}
	}
	if 4*hit < of {
		return
	}
	p.add(candidate{text: text, bits: bits, apply: f, free: len(p.changed) >= 12 && p.mixed(), params: pieceParams(program), lossy: true})
}

// pieceParams writes a program, one numbered parameter for each piece.
func pieceParams(program []piece) map[string]string {
	params := map[string]string{}
	for i, pc := range program {
		name := strconv.Itoa(i + 1)
		if pc.from == nil {
			params[name] = literalKey + pc.literal
			continue
		}
		params[name], params[name+"-form"] = pc.from.key, forms[pc.form].key
	}
	return params
}

func buildConcat(w *reading) transform {
	var program []piece
	for i := 1; w.text(strconv.Itoa(i)) != ""; i++ {
		program = append(program, w.piece(strconv.Itoa(i)))
	}
	if len(program) == 0 {
		w.fail("no piece 1")
	}
	return func(v harness.Value, record []harness.Field) (harness.Value, bool) { return weave(program, v, record) }
}

func (w *reading) piece(name string) piece {
	text := w.text(name)
	if literal, ok := strings.CutPrefix(text, literalKey); ok {
		return piece{literal: literal}
	}
	at := slices.IndexFunc(forms, func(f form) bool { return f.key == w.text(name+"-form") })
	if at < 0 {
		w.fail("no form %q", w.text(name+"-form"))
		return piece{}
	}
	if member, ok := strings.CutPrefix(text, memberKey); ok {
		from := memberOf(member, 1)
		return piece{from: &from, form: at}
	}
	for _, from := range append([]source{wholeOld}, oldWords...) {
		if from.key == text {
			return piece{from: &from, form: at}
		}
	}
	w.fail("piece %s is %q, which is none", name, text)
	return piece{}
}

func weave(program []piece, v harness.Value, record []harness.Field) (harness.Value, bool) {
	var b strings.Builder
	for _, pc := range program {
		if pc.from == nil {
			b.WriteString(pc.literal)
			continue
		}
		text, ok := pc.from.text(v.Text, record)
		if !ok {
			return harness.Value{}, false
		}
		b.WriteString(forms[pc.form].run(text))
	}
	kind := v.Kind
	if !isScalar(v) {
		kind = harness.KindString
	}
	return harness.Value{Kind: kind, Text: b.String()}, true
}
