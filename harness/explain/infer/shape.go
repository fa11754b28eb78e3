package infer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// proposeZeros: 00417 became 417, and 0 stayed 0.
func proposeZeros(p *profile) {
	p.offer(withoutZeros, candidate{
		text: "leading zeros were lost", bits: 3, lossy: true, theme: "zeros", params: map[string]string{"step": "strip-zeros"},
		probes: []probe{{"000", "a value of zeros only"}, {"0x07", "a value with letters"}},
	})
}

func buildZeros(w *reading) transform { return w.lift(withoutZeros) }

func withoutZeros(s string) (string, bool) {
	if !allDigits(s) {
		return "", false
	}
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t, true
	}
	return "0", true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// charName is a character for sentences.
func charName(r rune) string {
	if name, ok := charNames[r]; ok {
		return name
	}
	if !unicode.IsPrint(r) || isBlank(r) {
		return fmt.Sprintf("U+%04X", r)
	}
	return strconv.Quote(string(r))
}

var charNames = map[rune]string{' ': "blanks", '0': "zeros", '\u00a0': "no-break spaces (U+00A0)", '\u200b': "zero-width spaces (U+200B)", '\t': "tabs", '\ufeff': "byte order marks (U+FEFF)"}

// proposePad: filled up to a width on one side, or the fill stripped.
func proposePad(p *profile) {
	for i, was := range p.was {
		is := p.is[i]
		n, m := utf8.RuneCountInString(was), utf8.RuneCountInString(is)
		first, _ := utf8.DecodeRuneInString(is)
		last, _ := utf8.DecodeLastRuneInString(is)
		switch {
		case m > n && is == fill(first, m-n)+was:
			p.offerPad("left", first, m)
		case m > n && is == was+fill(last, m-n):
			p.offerPad("right", last, m)
		case m < n:
			p.offerStrip(was, is)
		}
	}
}

func fill(r rune, n int) string { return strings.Repeat(string(r), n) }

func padded(s string, r rune, width int, left bool) string {
	n := width - utf8.RuneCountInString(s)
	if n <= 0 {
		return s
	}
	if left {
		return fill(r, n) + s
	}
	return s + fill(r, n)
}

func pad(side string, r rune, width int) step {
	return func(s string) (string, bool) { return padded(s, r, width, side == "left"), true }
}

func strip(side, char string) step {
	if side == "left" {
		return func(s string) (string, bool) { return strings.TrimLeft(s, char), true }
	}
	return func(s string) (string, bool) { return strings.TrimRight(s, char), true }
}

func buildPad(w *reading) transform {
	side, char := w.oneOf("side", "left", "right"), w.char("char")
	if w.text("step") == "strip" {
		return w.lift(strip(side, string(char)))
	}
	return w.lift(pad(side, char, w.number("width")))
}

func (p *profile) offerPad(side string, r rune, width int) {
	if !p.fresh("pad" + side + string(r) + strconv.Itoa(width)) {
		return
	}
	bits := 5 + log2(width)
	if !strings.ContainsRune(" 0", r) {
		bits += 5
	}
	kind := "F17"
	if isBlank(r) && r != ' ' {
		kind = "F22"
	}
	p.offer(pad(side, r, width), candidate{
		kind: kind, bits: bits, text: "padded on the " + side + " with " + charName(r) + " to " + plural(width, "character"),
		params: map[string]string{"side": side, "char": string(r), "width": strconv.Itoa(width)},
		probes: []probe{{"7", "an old value of another length"}, {"1234567", "an old value of another length"}},
	})
}

func (p *profile) offerStrip(was, is string) {
	first, _ := utf8.DecodeRuneInString(was)
	last, _ := utf8.DecodeLastRuneInString(was)
	for _, side := range []struct {
		name string
		char rune
		cut  func(string, string) string
	}{{"left", first, strings.TrimLeft}, {"right", last, strings.TrimRight}} {
		cutset := string(side.char)
		if side.cut(was, cutset) != is || !p.fresh("strip"+side.name+cutset) {
			continue
		}
		c := candidate{
			bits: 6, lossy: true, text: fmt.Sprintf("%s on the %s were removed", charName(side.char), side.name),
			params: map[string]string{"side": side.name, "char": cutset, "step": "strip"},
		}
		switch {
		case side.char == '0' && side.name == "left":
			c.kind, c.text = "F18", "leading zeros were lost"
		case side.char != ' ' && side.char != '0':
			c.bits += 4
		}
		p.offer(strip(side.name, cutset), c)
	}
}

// proposeTruncate: cut at n characters or bytes, with or without the blanks that the cut leaves.
func proposeTruncate(p *profile) {
	for i, was := range p.was {
		is := p.is[i]
		if is == "" || len(is) >= len(was) || !strings.HasPrefix(was, is) {
			continue
		}
		p.offerTruncate(utf8.RuneCountInString(is), "character", 0)
		p.offerTruncate(len(is), "byte", 1)
	}
}

func (p *profile) offerTruncate(n int, unit string, extra float64) {
	if !p.fresh(unit + strconv.Itoa(n)) {
		return
	}
	c := candidate{
		bits: 5 + log2(n) + extra, lossy: true, text: "cut after " + plural(n, unit),
		params: map[string]string{"length": strconv.Itoa(n), "unit": unit},
		probes: []probe{
			{strings.Repeat("é", n+1), "a long value with accented letters"}, {strings.Repeat("a b ", n), "a longer value with blanks"},
			{strings.Repeat("a", n+3), "a longer value"},
		},
	}
	p.offer(truncate(n, unit, false), c)
	c.bits += 2
	c.text += ", blanks at the end removed"
	c.params = map[string]string{"length": strconv.Itoa(n), "unit": unit, "blanks": "removed"}
	p.offer(truncate(n, unit, true), c)
}

// truncate cuts after n characters or bytes; bare also takes away the blanks that a cut leaves at the end.
func truncate(n int, unit string, bare bool) step {
	cut := cutRunes
	if unit == "byte" {
		cut = cutBytes
	}
	return func(s string) (string, bool) {
		short := cut(s, n)
		if bare && short != s {
			short = strings.TrimRight(short, " ")
		}
		return short, true
	}
}

func buildTruncate(w *reading) transform {
	return w.lift(truncate(w.number("length"), w.oneOf("unit", "character", "byte"), w.oneOf("blanks", "", "removed") != ""))
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func cutBytes(s string, n int) string { return s[:min(n, len(s))] }

// proposeAffix: the same text before or after every value, added or removed.
func proposeAffix(p *profile) {
	for i, was := range p.was {
		is := p.is[i]
		if at := strings.Index(is, was); at >= 0 && len(is) > len(was) {
			p.offerAffix(is[:at], is[at+len(was):], true)
		}
		if is == "" {
			continue
		}
		if at := strings.Index(was, is); at >= 0 && len(was) > len(is) {
			p.offerAffix(was[:at], was[at+len(is):], false)
		}
	}
}

func (p *profile) offerAffix(prefix, suffix string, added bool) {
	if !p.fresh(prefix+"\x00"+suffix+strconv.FormatBool(added)) || len(prefix)+len(suffix) > 64 {
		return
	}
	c := candidate{
		kind: affixKind(p, prefix+suffix), bits: 1 + textBits(prefix+suffix), params: affixParams(prefix, suffix, added),
		text: affixText(prefix, suffix, added), probes: []probe{{"7", "an old value of another length"}, {"Ab-1234567", "an old value of another length"}},
	}
	if prefix != "" && suffix != "" {
		c.bits += 3
	}
	if !added && p.allWere(prefix, suffix) {
		// The old values show it: it need not be written out. Digits that all values begin with are more often part of
		// the data than a mark.
		c.bits = 5.5 + 0.5*float64(len(prefix+suffix)-len(strings.Trim(prefix+suffix, "0123456789")))
	}
	p.offer(affix(prefix, suffix, added), c)
}

func affix(prefix, suffix string, added bool) step {
	if added {
		return func(s string) (string, bool) { return prefix + s + suffix, true }
	}
	return func(s string) (string, bool) { return between(s, prefix, suffix) }
}

func affixParams(prefix, suffix string, added bool) map[string]string {
	change := "removed"
	if added {
		change = "added"
	}
	return map[string]string{"prefix": prefix, "suffix": suffix, "change": change}
}

func buildAffix(w *reading) transform {
	if w.text("prefix")+w.text("suffix") == "" {
		w.fail("no prefix and no suffix")
	}
	return w.lift(affix(w.text("prefix"), w.text("suffix"), w.oneOf("change", "added", "removed") == "added"))
}

// allWere reports whether all old values have the prefix and suffix.
func (p *profile) allWere(prefix, suffix string) bool {
	for _, was := range p.was {
		if !strings.HasPrefix(was, prefix) || !strings.HasSuffix(was, suffix) {
			return false
		}
	}
	return len(p.was) > 1
}

// affixKind: blanks are a matter of form, a sign is one of numbers, and a change of the pattern of identifiers is a kind
// of its own.
func affixKind(p *profile, affix string) string {
	if affix == "-" && p.allNumbers() {
		return "F19"
	}
	if trim(affix) == "" {
		return "F22"
	}
	for _, was := range p.was {
		if len(was) < 5 || !strings.ContainsAny(was, "0123456789") || strings.ContainsAny(was, " ./:") {
			return "F17"
		}
	}
	return "F35"
}

// allNumbers reports whether all old values are plain numbers.
func (p *profile) allNumbers() bool {
	plain := numberStyle{"", ".", "-"}
	for _, was := range p.was {
		if _, ok := plain.parse(was); !ok {
			return false
		}
	}
	return len(p.was) > 0
}

func affixText(prefix, suffix string, added bool) string {
	verb := " was removed"
	if added {
		verb = " was added"
	}
	var parts []string
	if prefix != "" {
		parts = append(parts, shown(prefix)+verb+" at the start")
	}
	if suffix != "" {
		parts = append(parts, shown(suffix)+verb+" at the end")
	}
	return strings.Join(parts, " and ")
}

// shown is a short text for sentences; single blanks by name.
func shown(s string) string {
	switch s {
	case "\u00a0":
		return "a no-break space (U+00A0)"
	case " ":
		return "a blank"
	case "\t":
		return "a tab"
	case "\u200b":
		return "a zero-width space (U+200B)"
	case "\ufeff":
		return "a byte order mark (U+FEFF)"
	}
	return strconv.QuoteToGraphic(s)
}

// proposeReplace: one character stands in place of another, or characters of one sort were dropped.
func proposeReplace(p *profile) {
	p.offer(total(alphanumeric), candidate{
		text: "everything but letters and digits was removed", bits: 6, lossy: true, params: map[string]string{"step": "strip-punctuation"},
		probes: []probe{{"a.b c_d-e/f", "a value with other punctuation"}},
	})
	for i, was := range p.was {
		p.offerInside(was, p.is[i])
		for _, old := range distinctRunes(was) {
			if unicode.IsLetter(old) || unicode.IsDigit(old) || strings.ContainsRune(p.is[i], old) {
				continue
			}
			if p.is[i] == strings.ReplaceAll(was, string(old), "") {
				p.offerReplace(old, "")
			}
			if fresh, ok := inPlace(was, p.is[i], old); ok {
				p.offerReplace(old, string(fresh))
			}
		}
	}
}

// offerInside: a word within the value became another one, such as the name of a host.
func (p *profile) offerInside(was, is string) {
	prefix := commonPrefix(was, is)
	suffix := commonSuffix(was[len(prefix):], is[len(prefix):])
	// The word is what differs, with the letters around it.
	from := len(strings.TrimRightFunc(prefix, isWord))
	to := len(suffix) - len(strings.TrimLeftFunc(suffix, isWord))
	old, fresh := was[from:len(was)-len(suffix)+to], is[from:len(is)-len(suffix)+to]
	if old == "" || old == was || len(old) > 64 || len(fresh) > 64 || !p.fresh("inside\x00"+old+"\x00"+fresh) {
		return
	}
	p.offer(within(old, fresh), candidate{
		text: shown(old) + " became " + shown(fresh) + " within the value", bits: 4 + textBits(fresh) + 0.5*float64(len(old)),
		params: map[string]string{"word": old, "by": fresh},
	})
}

func within(old, fresh string) step {
	return func(s string) (string, bool) { return strings.Replace(s, old, fresh, 1), strings.Contains(s, old) }
}

func everywhere(old, fresh string) step {
	return func(s string) (string, bool) { return strings.ReplaceAll(s, old, fresh), true }
}

func buildReplace(w *reading) transform {
	switch {
	case w.text("step") != "":
		w.oneOf("step", "strip-punctuation")
		return w.lift(total(alphanumeric))
	case w.text("word") != "":
		return w.lift(within(w.text("word"), w.text("by")))
	}
	return w.lift(everywhere(string(w.char("char")), w.text("by")))
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

var alphanumeric = without(func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })

func distinctRunes(s string) []rune {
	var out []rune
	for _, r := range s {
		if !strings.ContainsRune(string(out), r) {
			out = append(out, r)
		}
		if len(out) == 32 {
			break
		}
	}
	return out
}

// inPlace finds the character that stands where old was.
func inPlace(was, is string, old rune) (rune, bool) {
	a, b := []rune(was), []rune(is)
	if len(a) != len(b) {
		return 0, false
	}
	for i, r := range a {
		if r == old {
			return b[i], strings.ReplaceAll(was, string(old), string(b[i])) == is
		}
	}
	return 0, false
}

func (p *profile) offerReplace(old rune, fresh string) {
	if !p.fresh(string(old) + "\x00" + fresh) {
		return
	}
	c := candidate{
		bits: 8, lossy: true, text: "every " + strconv.QuoteToGraphic(string(old)) + " was removed", params: map[string]string{"char": string(old), "by": fresh},
		probes: []probe{{"a.b c_d-e/f", "a value with other punctuation"}},
	}
	if fresh != "" {
		c.bits = 10
		c.text = "every " + strconv.QuoteToGraphic(string(old)) + " became " + strconv.QuoteToGraphic(fresh)
	}
	if isBlank(old) {
		c.kind = "F22"
	}
	p.offer(everywhere(string(old), fresh), c)
}

// proposeTemplate: the letters and digits of the old value in another punctuation, such as 555-0100 for 5550100.
func proposeTemplate(p *profile) {
	for i, was := range p.was {
		is := p.is[i]
		if alphanumeric(was) != alphanumeric(is) || alphanumeric(is) == is || was == is {
			continue
		}
		template := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return slot
			}
			return r
		}, is)
		if !p.fresh(template) {
			continue
		}
		p.offer(pouredInto(template), candidate{
			text: "punctuation changed to the form " + strings.ReplaceAll(template, string(slot), "x"), bits: 6 + 2.5*float64(utf8.RuneCountInString(template)),
			params: map[string]string{"form": strings.ReplaceAll(template, string(slot), "x")},
		})
	}
}

func pouredInto(template string) step {
	return func(s string) (string, bool) { return poured(alphanumeric(s), template) }
}

// buildTemplate: in a written form every x is a place for a letter or digit; the rest is punctuation.
func buildTemplate(w *reading) transform {
	return w.lift(pouredInto(strings.ReplaceAll(w.need("form"), "x", string(slot))))
}

// slot marks a letter or digit in a template; it is a non-character that no text holds.
const slot = '\uffff'

func poured(letters, template string) (string, bool) {
	var b strings.Builder
	rest := []rune(letters)
	for _, r := range template {
		if r == slot {
			if len(rest) == 0 {
				return "", false
			}
			r, rest = rest[0], rest[1:]
		}
		b.WriteRune(r)
	}
	return b.String(), len(rest) == 0
}
