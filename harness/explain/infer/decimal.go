package infer

import (
	"math/big"
	"strings"
)

// maxDigits bounds the length of a number; longer ones are texts.
const maxDigits = 64

// decimal is an exact number: m · 10^-places.
type decimal struct {
	m      *big.Int
	places int
}

var ten = big.NewInt(10)

func pow10(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// digitsToDecimal reads digits before and after the point.
func digitsToDecimal(whole, fraction string, negative bool) (decimal, bool) {
	if len(whole)+len(fraction) > maxDigits || !allDigits(whole) || fraction != "" && !allDigits(fraction) {
		return decimal{}, false
	}
	m, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return decimal{}, false
	}
	if negative {
		m.Neg(m)
	}
	return decimal{m, len(fraction)}, true
}

// at returns the mantissa for that many places, at least the decimal's own.
func (d decimal) at(places int) *big.Int {
	if places == d.places {
		return d.m
	}
	return new(big.Int).Mul(d.m, pow10(places-d.places))
}

// minimal drops zeros at the end of the fraction.
func (d decimal) minimal() decimal {
	m, places := d.m, d.places
	for q, r := new(big.Int), new(big.Int); places > 0; places-- {
		if q.QuoRem(m, ten, r); r.Sign() != 0 {
			break
		}
		m = new(big.Int).Set(q)
	}
	return decimal{m, places}
}

func (d decimal) cmp(e decimal) int {
	places := max(d.places, e.places)
	return d.at(places).Cmp(e.at(places))
}

func (d decimal) add(e decimal) decimal {
	places := max(d.places, e.places)
	return decimal{new(big.Int).Add(d.at(places), e.at(places)), places}
}

func (d decimal) neg() decimal { return decimal{new(big.Int).Neg(d.m), d.places} }

// scale multiplies by a ratio, exactly; ok is false when the result has no end.
func (d decimal) scale(by ratio) (decimal, bool) {
	m := new(big.Int).Mul(d.m, by.num)
	q, r := new(big.Int), new(big.Int)
	for places := d.places; places <= d.places+18; places++ {
		if q.QuoRem(m, by.den, r); r.Sign() == 0 {
			return decimal{q, places}.shorterThan(d.places), true
		}
		m.Mul(m, ten)
	}
	return decimal{}, false
}

// shorterThan drops zeros at the end as long as there are more places than wanted.
func (d decimal) shorterThan(places int) decimal {
	if d.places <= places {
		return d
	}
	short := d.minimal()
	if short.places < places {
		return decimal{short.at(places), places}
	}
	return short
}

// rounding is a way to drop decimals.
type rounding struct{ name, words string }

var roundings = []rounding{{"half-up", "half away from zero"}, {"half-even", "half to even"}, {"down", "cut off, not rounded"}, {"floor", "towards minus infinity"}, {"up", "away from zero"}}

// ratioRounded is the number scaled and rounded to places.
func (d decimal) ratioRounded(by ratio, places int, mode string) decimal {
	num := new(big.Int).Mul(d.m, by.num)
	den := new(big.Int).Set(by.den)
	if places >= d.places {
		num.Mul(num, pow10(places-d.places))
	} else {
		den.Mul(den, pow10(d.places-places))
	}
	sign := num.Sign() * den.Sign()
	q, r := new(big.Int).QuoRem(num.Abs(num), den.Abs(den), new(big.Int))
	if roundsAway(mode, q, r, den, sign) {
		q.Add(q, big.NewInt(1))
	}
	if sign < 0 {
		q.Neg(q)
	}
	return decimal{q, places}
}

// roundsAway decides whether the rest moves the quotient away from zero.
func roundsAway(mode string, q, r, den *big.Int, sign int) bool {
	if r.Sign() == 0 {
		return false
	}
	half := new(big.Int).Lsh(r, 1).Cmp(den)
	switch mode {
	case "half-up":
		return half >= 0
	case "half-even":
		return half > 0 || half == 0 && q.Bit(0) == 1
	case "floor":
		return sign < 0
	case "up":
		return true
	}
	return false
}

// plain writes the number with a point and a minus sign.
func (d decimal) plain() string {
	whole, fraction, negative := d.split()
	if negative {
		whole = "-" + whole
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// split is the digits before and after the point.
func (d decimal) split() (whole, fraction string, negative bool) {
	digits := new(big.Int).Abs(d.m).String()
	if n := d.places - len(digits) + 1; n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	at := len(digits) - d.places
	return digits[:at], digits[at:], d.m.Sign() < 0
}

// ratio is num / den, reduced; den is positive.
type ratio struct{ num, den *big.Int }

func newRatio(num, den int64) ratio { return ratio{big.NewInt(num), big.NewInt(den)} }

// ratioOf is b / a.
func ratioOf(a, b decimal) (ratio, bool) {
	if a.m.Sign() == 0 || b.m.Sign() == 0 {
		return ratio{}, false
	}
	places := max(a.places, b.places)
	num, den := new(big.Int).Set(b.at(places)), new(big.Int).Set(a.at(places))
	if den.Sign() < 0 {
		num.Neg(num)
		den.Neg(den)
	}
	g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(num), den)
	return ratio{num.Quo(num, g), den.Quo(den, g)}, true
}

// isSimple reports whether a person would have chosen the ratio: a power of ten, or small numbers on both sides.
func (r ratio) isSimple() bool {
	small := big.NewInt(1000)
	num := new(big.Int).Abs(r.num)
	return isPower(num) && r.den.IsInt64() && r.den.Int64() == 1 || isPower(r.den) && num.IsInt64() && num.Int64() == 1 ||
		num.Cmp(small) <= 0 && r.den.Cmp(small) <= 0
}

func isPower(n *big.Int) bool {
	s := n.String()
	return len(s) <= 19 && strings.TrimRight(s, "0") == "1"
}

func (r ratio) isOne() bool { return r.num.Cmp(r.den) == 0 }

func (r ratio) String() string {
	if r.den.IsInt64() && r.den.Int64() == 1 {
		return r.num.String()
	}
	if isPower(r.den) {
		return decimal{r.num, len(r.den.String()) - 1}.plain()
	}
	return r.num.String() + "/" + r.den.String()
}

// bits of writing the ratio down; powers of ten are what units differ by.
func (r ratio) bits() float64 {
	if n := new(big.Int).Abs(r.num); isPower(n) && isPower(r.den) {
		return 1.5 + 0.5*float64(len(n.String())+len(r.den.String()))
	}
	return 3 + float64(r.num.BitLen()+r.den.BitLen())
}
