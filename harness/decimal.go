package harness

import (
	"math/big"
	"strconv"
	"strings"
)

// Limits of a decimal, so that 1e999999999 does not fill the memory.
const (
	maxDecimal  = 1000 // bytes of its text
	maxExponent = 400
)

// ParseDecimal reads a decimal number exactly, without a detour over floating point. It refuses what is none, and what is
// longer than 1000 bytes or has an exponent beyond 400.
func ParseDecimal(text string) (*big.Rat, bool) {
	if strings.ContainsAny(text, "/_xXpPbBoO") || len(text) > maxDecimal {
		return nil, false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}
