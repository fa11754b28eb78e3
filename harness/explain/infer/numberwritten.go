package infer

import (
	"math/big"
	"strconv"
	"strings"
)

// reckon is one operation on numbers, read and written in their styles.
func reckon(in, out numberStyle, op arithmetic, pl places) step {
	return func(s string) (string, bool) {
		d, ok := in.parse(s)
		if !ok {
			return "", false
		}
		got, ok := op.run(d)
		if !ok {
			return "", false
		}
		return out.format(pl.run(d, got)), true
	}
}

func numberParams(in, out numberStyle, op arithmetic, pl places) map[string]string {
	params := map[string]string{"operation": op.key, "decimals": pl.key}
	for name, s := range map[string]numberStyle{"was": in, "is": out} {
		params[name+"-thousands"] = s.thousands
		if s.point != "." {
			params[name+"-point"] = s.point
		}
		if s.sign != "-" {
			params[name+"-sign"] = s.sign
		}
	}
	return params
}

func buildNumber(w *reading) transform {
	return w.lift(reckon(w.numberStyle("was"), w.numberStyle("is"), w.arithmetic(), w.places()))
}

func (w *reading) numberStyle(name string) numberStyle {
	s := numberStyle{w.text(name + "-thousands"), ".", "-"}
	if point := w.text(name + "-point"); point != "" {
		s.point = point
	}
	if sign := w.text(name + "-sign"); sign != "" {
		s.sign = sign
	}
	for _, known := range numberStyles {
		if known == s {
			return s
		}
	}
	w.fail("no way to write numbers with %q for thousands, point %q and sign %q", s.thousands, s.point, s.sign)
	return s
}

func (w *reading) places() places {
	for _, pl := range decimalHabits {
		if pl.key == w.text("decimals") {
			return pl
		}
	}
	return fixedPlaces(min(w.number("decimals"), maxDigits))
}

// arithmetic reads the key of an operation: same, ratio 100, offset -5, round 1 2 half-up.
func (w *reading) arithmetic() arithmetic {
	words := strings.Fields(w.need("operation"))
	if len(words) == 1 && words[0] == "same" {
		return sameNumber
	}
	if len(words) == 2 && words[0] == "ratio" {
		if r, ok := parseRatio(words[1]); ok {
			return scaling(r)
		}
	}
	if len(words) == 2 && words[0] == "offset" {
		if d, ok := (numberStyle{"", ".", "-"}).parse(words[1]); ok {
			return adding(d)
		}
	}
	if len(words) == 4 && words[0] == "round" {
		r, ok := parseRatio(words[1])
		n, err := strconv.Atoi(words[2])
		for i, mode := range roundings {
			if ok && err == nil && n >= 0 && n <= maxDigits && mode.name == words[3] {
				return roundingTo(r, n, mode, float64(i))
			}
		}
	}
	w.fail("no operation %q; such as ratio 100, offset -5 or round 1 2 half-up", w.text("operation"))
	return sameNumber
}

// parseRatio reads what ratio.String writes.
func parseRatio(s string) (ratio, bool) {
	if num, den, ok := strings.Cut(s, "/"); ok {
		n, okN := new(big.Int).SetString(num, 10)
		d, okD := new(big.Int).SetString(den, 10)
		return ratio{n, d}, okN && okD && len(s) <= 2*maxDigits && d.Sign() > 0 && n.Sign() != 0
	}
	d, ok := numberStyle{"", ".", "-"}.parse(s)
	if !ok || d.m.Sign() == 0 {
		return ratio{}, false
	}
	return ratioOf(decimal{big.NewInt(1), 0}, d)
}

// step writes a plain number in scientific notation.
func (e exponential) step(s string) (string, bool) {
	d, ok := numberStyle{"", ".", "-"}.parse(s)
	if !ok {
		return "", false
	}
	return e.format(d), true
}

func fromExponent(s string) (string, bool) {
	d, _, ok := parseExponent(s)
	return d.plainOr(s), ok
}

func (e exponential) params() map[string]string {
	params := map[string]string{"letter": e.letter, "exponent-digits": strconv.Itoa(e.digits), "decimals": strconv.Itoa(e.places)}
	if e.plus {
		params["plus"] = "yes"
	}
	if e.keep {
		params["zeros"] = "kept"
	}
	return params
}

func buildExponent(w *reading) transform {
	switch {
	case w.text("step") != "":
		w.oneOf("step", "from-exponent")
		return w.lift(fromExponent)
	case w.text("like") != "":
		return w.lift(spreadsheetDate(w.oneOf("like", "26-Mar", "Mar-26") == "26-Mar"))
	}
	e := exponential{letter: w.oneOf("letter", "e", "E"), plus: w.text("plus") != "", keep: w.text("zeros") != ""}
	e.digits, e.places = min(w.number("exponent-digits"), maxDigits), min(w.number("decimals"), maxDigits)
	return w.lift(e.step)
}
