package diff

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// maxDecimals bounds the places of a rule for numbers.
const maxDecimals = 100

// checkNumber compares decimals exactly: no difference above the tolerance, after rounding when the rule says to how many
// places. A relative tolerance is a share of the larger one, so that it is the same in both directions.
func checkNumber(r harness.Rule) (takesAway, error) {
	text, relative := strings.CutSuffix(r.Tolerance, "%")
	tolerance := new(big.Rat)
	if r.Tolerance != "" {
		var ok bool
		if tolerance, ok = harness.ParseDecimal(text); !ok || tolerance.Sign() < 0 {
			return nil, fmt.Errorf("rule at %s: tolerance %q is not a number such as 0.01 or 1%%", r.At, r.Tolerance)
		}
	}
	if relative {
		tolerance.Quo(tolerance, big.NewRat(100, 1))
	}
	if r.Decimals != nil && (*r.Decimals < 0 || *r.Decimals > maxDecimals) {
		return nil, fmt.Errorf("rule at %s: decimals %d is not a number of places from 0 to %d", r.At, *r.Decimals, maxDecimals)
	}
	return func(d harness.Difference) bool {
		a, okA := harness.ParseDecimal(d.Was.Text)
		b, okB := harness.ParseDecimal(d.Is.Text)
		if !okA || !okB || d.Was.Kind != d.Is.Kind {
			return false
		}
		if r.Decimals != nil {
			a, b = rounded(a, *r.Decimals), rounded(b, *r.Decimals)
		}
		allowed := tolerance
		if relative {
			allowed = new(big.Rat).Mul(tolerance, larger(new(big.Rat).Abs(a), new(big.Rat).Abs(b)))
		}
		distance := new(big.Rat).Sub(a, b)
		return distance.Abs(distance).Cmp(allowed) <= 0
	}, nil
}

// rounded is the decimal at so many places, halves away from zero, as amounts are rounded.
func rounded(a *big.Rat, places int) *big.Rat {
	r, _ := new(big.Rat).SetString(a.FloatString(places))
	return r
}

func larger(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// sameDecimal reports whether two texts are the same number, however large: the same digits at the same place of the
// point. Negative zero is zero.
func sameDecimal(a, b string) bool {
	x, okX := canonicalDecimal(a)
	y, okY := canonicalDecimal(b)
	return okX && okY && x == y
}

// decimal is a number as its digits without zeros at both ends, and the power of ten of the last one.
type decimal struct {
	negative bool
	digits   string
	exponent string // a decimal integer, because an exponent may have any length
}

func canonicalDecimal(text string) (decimal, bool) {
	var d decimal
	text, d.negative = strings.CutPrefix(text, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole+fraction == "" || len(exponent) > maxExponentLength {
		return d, false
	}
	power := new(big.Int)
	if exponent != "" {
		if _, ok := power.SetString(exponent, 10); !ok {
			return d, false
		}
	}
	d.digits = strings.TrimRight(digits, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	power.Add(power, big.NewInt(int64(len(digits)-len(d.digits)-len(fraction))))
	d.exponent = power.String()
	return d, true
}

// maxExponentLength bounds the work on an exponent; longer ones are compared as texts.
const maxExponentLength = 1000
