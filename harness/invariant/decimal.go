package invariant

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/rehearse-dev/rehearse/harness"
)

// decimal is an exact number within expressions.
type decimal struct{ *big.Rat }

var decimalType = cel.ObjectType("decimal", traits.AdderType, traits.SubtractorType, traits.MultiplierType, traits.DividerType,
	traits.NegatorType, traits.ComparerType)

// decimalOf reads a number: decimals, the numbers of CEL, and texts that are written as a decimal; blank text is 0.
func decimalOf(v ref.Val) (decimal, bool) {
	switch v := v.(type) {
	case decimal:
		return v, true
	case types.Int:
		return decimal{new(big.Rat).SetInt64(int64(v))}, true
	case types.Uint:
		return decimal{new(big.Rat).SetUint64(uint64(v))}, true
	case types.Double: // a literal such as 2.2, which means what it says
		r, ok := harness.ParseDecimal(strconv.FormatFloat(float64(v), 'g', -1, 64))
		return decimal{r}, ok
	case types.String:
		text := strings.TrimSpace(string(v))
		if text == "" {
			return decimal{new(big.Rat)}, true
		}
		r, ok := harness.ParseDecimal(text)
		return decimal{r}, ok
	}
	return decimal{}, false
}

// isNumber reports whether the value is a number, texts left out.
func isNumber(v ref.Val) bool {
	_, text := v.(types.String)
	_, ok := decimalOf(v)
	return ok && !text
}

// with computes with another number.
func (d decimal) with(other ref.Val, compute func(*big.Rat) ref.Val) ref.Val {
	if o, ok := decimalOf(other); ok && isNumber(other) {
		return compute(o.Rat)
	}
	return types.NewErr("%s is %s, not a number; write number(…) around it", shown(other), kindOf(other))
}

func (d decimal) Add(other ref.Val) ref.Val {
	return d.with(other, func(o *big.Rat) ref.Val { return decimal{new(big.Rat).Add(d.Rat, o)} })
}

func (d decimal) Subtract(other ref.Val) ref.Val {
	return d.with(other, func(o *big.Rat) ref.Val { return decimal{new(big.Rat).Sub(d.Rat, o)} })
}

func (d decimal) Multiply(other ref.Val) ref.Val {
	return d.with(other, func(o *big.Rat) ref.Val { return decimal{new(big.Rat).Mul(d.Rat, o)} })
}

func (d decimal) Divide(other ref.Val) ref.Val {
	return d.with(other, func(o *big.Rat) ref.Val {
		if o.Sign() == 0 {
			return types.NewErr("division by zero")
		}
		return decimal{new(big.Rat).Quo(d.Rat, o)}
	})
}

func (d decimal) Negate() ref.Val { return decimal{new(big.Rat).Neg(d.Rat)} }

func (d decimal) Compare(other ref.Val) ref.Val {
	return d.with(other, func(o *big.Rat) ref.Val { return types.Int(d.Cmp(o)) })
}

// Equal holds for numbers of the same value; expressions do not come here, their == is same.
func (d decimal) Equal(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	return types.Bool(ok && isNumber(other) && d.Cmp(o.Rat) == 0)
}

func (d decimal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a decimal is no %s", t)
}

func (d decimal) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return types.String(d.text())
	case types.TypeType:
		return decimalType
	case types.IntType:
		if d.IsInt() && d.Num().IsInt64() {
			return types.Int(d.Num().Int64())
		}
	}
	return types.NewErr("%s cannot become %s", d.text(), t.TypeName())
}

func (d decimal) Type() ref.Type { return decimalType }

func (d decimal) Value() any { return d.Rat }

// mostDecimals is how many decimals of a quotient are shown.
const mostDecimals = 6

// text writes the number with as many decimals as it has, and commas between thousands.
func (d decimal) text() string {
	decimals, exact := d.FloatPrec()
	if !exact || decimals > mostDecimals {
		decimals = mostDecimals
	}
	if decimals == 1 {
		decimals = 2 // 3.50 is read as an amount
	}
	whole, rest, _ := strings.Cut(d.FloatString(decimals), ".")
	sign := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if sign {
		return "-" + whole
	}
	return whole
}
