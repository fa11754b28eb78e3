package infer

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// arithmetic is one operation on numbers.
type arithmetic struct {
	key, words string
	theme      string // operations of one theme differ in rounding only
	bits       float64
	lossy      bool
	least      float64
	run        func(decimal) (decimal, bool)
}

// places is a rule for how many decimals are written.
type places struct {
	key  string
	bits float64
	run  func(was, is decimal) decimal
}

func proposeNumber(p *profile) {
	ins, outs := stylesOf(p.was), stylesOf(p.is)
	if len(ins) == 0 || len(outs) == 0 {
		return
	}
	for _, in := range ins {
		for _, out := range outs {
			for i := range p.was {
				a, okA := in.parse(p.was[i])
				b, okB := out.parse(p.is[i])
				if !okA || !okB {
					continue
				}
				for _, op := range operations(a, b) {
					p.offerNumber(in, out, op, a, p.is[i])
				}
			}
		}
	}
}

// unitRatios is the scales that are looked for when rounding hides the exact ratio.
var unitRatios = []ratio{newRatio(100, 1), newRatio(1, 100), newRatio(1000, 1), newRatio(1, 1000), newRatio(10, 1), newRatio(1, 10), newRatio(12, 1), newRatio(1, 12), newRatio(60, 1), newRatio(1, 60), newRatio(1, 3600), newRatio(24, 1), newRatio(1, 24), newRatio(1, 7), newRatio(1, 52), newRatio(1, 2), newRatio(2, 1), newRatio(1, 4), newRatio(4, 1), newRatio(1, 3), newRatio(2, 3), newRatio(1, 1024), newRatio(-1, 1)}

// operations solves what may have made b of a.
func operations(a, b decimal) []arithmetic {
	var out []arithmetic
	if a.cmp(b) == 0 {
		return []arithmetic{sameNumber}
	}
	if r, ok := ratioOf(a, b); ok && r.isSimple() {
		out = append(out, scaling(r))
	}
	out = append(out, adding(b.add(a.neg()).minimal()))
	ratios := []ratio{newRatio(1, 1)}
	if b.m.CmpAbs(big.NewInt(100)) >= 0 {
		ratios = append(ratios, unitRatios...) // of fewer than three digits almost any ratio is true after rounding
	}
	for _, r := range ratios {
		for i, mode := range roundings {
			if got := a.ratioRounded(r, b.places, mode.name); got.cmp(b) == 0 {
				out = append(out, roundingTo(r, b.places, mode, float64(i)))
			}
		}
	}
	return out
}

var sameNumber = arithmetic{key: "same", run: func(d decimal) (decimal, bool) { return d, true }}

func adding(offset decimal) arithmetic {
	return arithmetic{
		key: "offset " + offset.plain(), theme: offset.plain(), words: offsetWords(offset), bits: 4 + 3.5*float64(len(offset.plain())),
		run: func(d decimal) (decimal, bool) { return d.add(offset), true },
	}
}

func scaling(r ratio) arithmetic {
	words, bits := "multiplied by "+r.String(), r.bits()
	switch r.String() {
	case "100":
		words += " (decimal point lost, or cents instead of dollars)"
	case "0.01":
		words += " (dollars instead of cents)"
	case "-1":
		words = "sign reversed"
		bits += 3 // the sign is usually a matter of how it is written
	}
	return arithmetic{key: "ratio " + r.String(), theme: r.String(), words: words, bits: bits, run: func(d decimal) (decimal, bool) { return d.scale(r) }}
}

func offsetWords(d decimal) string {
	if d.m.Sign() < 0 {
		return d.neg().plain() + " subtracted"
	}
	return d.plain() + " added"
}

func roundingTo(r ratio, n int, mode rounding, extra float64) arithmetic {
	words := fmt.Sprintf("rounded to %s (%s)", harness.Count(n, "decimal"), mode.words)
	switch {
	case mode.name == "down" && n == 0:
		words = "decimals cut off"
	case n == 0:
		words = "rounded to whole numbers (" + mode.words + ")"
	}
	bits := 3 + float64(n) + extra
	theme := "round " + mode.name
	if !r.isOne() {
		theme = r.String()
		words = scaling(r).words + ", " + words
		bits += 2 + r.bits()
	}
	return arithmetic{
		key: fmt.Sprintf("round %s %d %s", r, n, mode.name), theme: theme, words: words, bits: bits, lossy: true, least: 0.8,
		run: func(d decimal) (decimal, bool) { return d.ratioRounded(r, n, mode.name), true },
	}
}

// decimalHabits is the ways to write decimals that need no number.
var decimalHabits = []places{
	{"keep", 0, func(_, is decimal) decimal { return is }},
	{"as before", 0.5, func(was, is decimal) decimal { return withPlaces(is, was.places) }},
	{"shortest", 1, func(_, is decimal) decimal { return is.minimal() }},
}

func fixedPlaces(n int) places {
	return places{strconv.Itoa(n), 2, func(_, is decimal) decimal { return withPlaces(is, n) }}
}

// decimalsFor solves how many decimals are written, given one example.
func decimalsFor(was, exact decimal, seen string, out numberStyle) []places {
	var fits []places
	for _, pl := range decimalHabits {
		if out.format(pl.run(was, exact)) == seen {
			fits = append(fits, pl)
		}
	}
	if d, ok := out.parse(seen); ok {
		n := d.places
		fits = append(fits, fixedPlaces(n))
	}
	return fits
}

// withPlaces writes zeros up to the place, and drops no digit but zeros.
func withPlaces(d decimal, n int) decimal {
	d = d.minimal()
	if d.places >= n {
		return d
	}
	return decimal{d.at(n), n}
}

func (p *profile) offerNumber(in, out numberStyle, op arithmetic, a decimal, seen string) {
	exact, ok := op.run(a)
	if !ok {
		return
	}
	for _, pl := range decimalsFor(a, exact, seen, out) {
		if in == out && op.key == "same" && pl.key == "keep" || !p.fresh(fmt.Sprint(in, out, op.key, pl.key)) {
			continue
		}
		f := reckon(in, out, op, pl)
		if !p.fits(f) {
			continue
		}
		bits := 0.5 + op.bits + pl.bits + styleBits(in) + styleBits(out)
		theme := "number " + op.theme + in.sample(true, 2) + out.sample(true, 2)
		if op.key == "same" && in == out {
			bits, theme = bits+4, "zeros"
		}
		p.offer(f, candidate{
			text: numberText(in, out, op, pl), bits: bits, lossy: op.lossy, least: op.least, kind: p.numberKind(op, in, out),
			params: numberParams(in, out, op, pl),
			probes: numberProbes(in), theme: theme,
		})
	}
}

// numberKind: digits that became a number without a change of the number itself are damaged identifiers.
func (p *profile) numberKind(op arithmetic, in, out numberStyle) string {
	if op.key != "same" || in != out {
		return "F19"
	}
	for i, was := range p.was {
		if got, ok := withoutZeros(was); !ok || got != p.is[i] {
			return "F19"
		}
	}
	return "F18"
}

func styleBits(s numberStyle) float64 {
	if s.isPlain() {
		return 0
	}
	bits := 2.0
	if s.sign != "-" {
		bits += 2
	}
	if s.thousands != "" {
		bits++
	}
	return bits
}

func numberText(in, out numberStyle, op arithmetic, pl places) string {
	var parts []string
	if in != out {
		negative := in.sign != out.sign
		text := "number format changed from " + in.sample(negative, 2) + " to " + out.sample(negative, 2)
		if in.thousands == out.thousands && in.point == out.point {
			text = "negative numbers changed from " + in.sample(true, 2) + " to " + out.sample(true, 2)
			if in.sample(false, 2) != out.sample(false, 2) {
				text += ", positive ones from " + in.sample(false, 2) + " to " + out.sample(false, 2)
			}
		}
		parts = append(parts, text)
	}
	if op.words != "" {
		parts = append(parts, op.words)
	}
	switch {
	case op.lossy || pl.key == "keep" || pl.key == "as before":
	case pl.key == "shortest":
		parts = append(parts, "zeros at the end of the decimals dropped")
	default:
		parts = append(parts, "written with "+pl.key+" decimals")
	}
	if len(parts) == 0 {
		return "leading zeros were lost, as when a text is read as a number"
	}
	return strings.Join(parts, ", ")
}

func numberProbes(in numberStyle) []probe {
	var out []probe
	for _, row := range []struct{ whole, fraction, words string }{
		{"1234567", "", "a number over a million"}, {"1234", "5", "a number with one decimal"}, {"0", "125", "a number with three decimals"},
		{"0", "135", "a number that lies between two roundings"}, {"7", "", "a small whole number"},
	} {
		for _, negative := range []bool{false, true} {
			d, _ := digitsToDecimal(row.whole, row.fraction, negative)
			words := row.words
			if negative {
				words += " below zero"
			}
			out = append(out, probe{in.format(d), words + " such as " + in.format(d)})
		}
	}
	return out
}

// exponential is a way of writing scientific notation.
type exponential struct {
	letter string // e or E
	plus   bool   // a sign before positive exponents
	digits int    // fewest digits of the exponent
	places int    // most decimals of the mantissa
	keep   bool   // zeros at the end of the mantissa are written
}

// parseExponent reads scientific notation, and how it is written.
func parseExponent(s string) (d decimal, e exponential, ok bool) {
	at := strings.IndexAny(s, "eE")
	if at <= 0 || len(s) > maxDigits {
		return d, e, false
	}
	plain := numberStyle{"", ".", "-"}
	mantissa, ok := plain.parse(s[:at])
	digits := strings.TrimLeft(s[at+1:], "+-")
	power, err := strconv.Atoi(s[at+1:])
	if !ok || err != nil || digits == "" || power > maxDigits || power < -maxDigits {
		return d, e, false
	}
	e = exponential{letter: s[at : at+1], plus: s[at+1] == '+', digits: len(digits), places: mantissa.places}
	e.keep = mantissa.places > 0 && strings.HasSuffix(s[:at], "0")
	if power >= mantissa.places {
		return decimal{decimal{mantissa.m, 0}.at(power - mantissa.places), 0}, e, true
	}
	return decimal{mantissa.m, mantissa.places - power}.minimal(), e, true
}

// format writes a number in scientific notation, rounded half up.
func (e exponential) format(d decimal) string {
	whole, fraction, _ := decimal{d.m, 0}.split()
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	power := len(digits) - 1 - d.places
	rounded := decimal{d.m, len(digits) - 1}.ratioRounded(newRatio(1, 1), min(e.places, len(digits)-1), "half-up")
	if w, _, _ := rounded.split(); len(w) > 1 {
		power++
		rounded = decimal{rounded.m, rounded.places + 1}.ratioRounded(newRatio(1, 1), e.places, "half-up")
	}
	if e.keep {
		rounded = decimal{rounded.at(max(e.places, rounded.places)), max(e.places, rounded.places)}
	} else {
		rounded = rounded.minimal()
	}
	sign := ""
	switch {
	case power < 0:
		sign, power = "-", -power
	case e.plus:
		sign = "+"
	}
	return rounded.plain() + e.letter + sign + fmt.Sprintf("%0*d", e.digits, power)
}

// proposeExponent: numbers in scientific notation, or back.
func proposeExponent(p *profile) {
	longest := exponential{}
	for _, is := range p.is {
		if _, e, ok := parseExponent(is); ok && e.places >= longest.places {
			longest = e
		}
	}
	if longest.letter != "" {
		for _, keep := range []bool{false, true} {
			e := longest
			e.keep = keep
			p.offer(e.step, candidate{
				text: fmt.Sprintf("numbers are in scientific notation now, such as 1.23%s: digits beyond %d are lost", e.sample(), e.places+1),
				bits: 6 + log2(e.places+1), lossy: true, params: e.params(),
			})
		}
	}
	p.offer(fromExponent, candidate{text: "scientific notation was written out", bits: 4, params: map[string]string{"step": "from-exponent"}})
	for _, dayFirst := range []bool{false, true} {
		example := "Mar-26"
		if dayFirst {
			example = "26-Mar"
		}
		p.offer(spreadsheetDate(dayFirst), candidate{
			text: "a spreadsheet took the values for dates: 3-26 became " + example, bits: 5, lossy: true, params: map[string]string{"like": example},
		})
	}
}

func (e exponential) sample() string {
	if e.plus {
		return e.letter + "+" + strings.Repeat("0", max(e.digits-2, 0)) + "12"
	}
	return e.letter + "12"
}

func (d decimal) plainOr(s string) string {
	if d.m == nil {
		return s
	}
	return d.plain()
}

var months = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// spreadsheetDate is what a spreadsheet makes of 3-26 and 3/26: a month and a year, or a month and a day.
func spreadsheetDate(dayFirst bool) step {
	return func(s string) (string, bool) {
		month, rest, ok := monthAndRest(s)
		if dayFirst {
			return rest + "-" + month, ok
		}
		return month + "-" + rest, ok
	}
}

func monthAndRest(s string) (month, rest string, ok bool) {
	month, rest, ok = strings.Cut(s, "-")
	if !ok {
		month, rest, ok = strings.Cut(s, "/")
	}
	n, err := strconv.Atoi(month)
	if !ok || err != nil || n < 1 || n > 12 || !allDigits(rest) || len(rest) > 2 {
		return "", "", false
	}
	return months[n-1], rest, true
}
