package target

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/rehearse-dev/rehearse/harness"
)

// decimal is an exact decimal number in a Starlark mapping: coefficient × 10^-scale. One that was not computed keeps the
// text that it came with.
type decimal struct {
	text        string
	coefficient *big.Int
	scale       int // never negative
}

// Rounding modes.
const (
	roundHalfUp   = "half_up" // away from zero
	roundHalfEven = "half_even"
	roundDown     = "down" // towards zero
)

var ten = big.NewInt(10)

func power(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// parseDecimal reads a number as JSON or a table writes it. A + in front and blanks around it are allowed.
func parseDecimal(text string) (decimal, error) {
	plain := strings.TrimPrefix(strings.TrimSpace(text), "+")
	if _, ok := harness.ParseDecimal(plain); !ok {
		return decimal{}, fmt.Errorf("decimal: %s is not a decimal number", strconv.Quote(text))
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(plain), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	scale := len(fraction)
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil {
			return decimal{}, fmt.Errorf("decimal: %w", err)
		}
		scale -= e
	}
	c, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return decimal{}, fmt.Errorf("decimal: %s is not a decimal number", strconv.Quote(text))
	}
	if scale < 0 {
		c, scale = c.Mul(c, power(-scale)), 0
	}
	d := decimal{plain, c, scale}
	if !jsonNumber.MatchString(plain) {
		d.text = d.digits()
	}
	return d, nil
}

// computed is a decimal without a text of its own.
func computed(c *big.Int, scale int) decimal {
	d := decimal{coefficient: c, scale: scale}
	d.text = d.digits()
	return d
}

// digits writes the number without exponent, with all digits of its scale.
func (d decimal) digits() string {
	s := new(big.Int).Abs(d.coefficient).String()
	if d.scale > 0 {
		if pad := d.scale + 1 - len(s); pad > 0 {
			s = strings.Repeat("0", pad) + s
		}
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.coefficient.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// aligned are the coefficients of two numbers at the larger scale.
func aligned(a, b decimal) (x, y *big.Int, scale int) {
	scale = max(a.scale, b.scale)
	return new(big.Int).Mul(a.coefficient, power(scale-a.scale)), new(big.Int).Mul(b.coefficient, power(scale-b.scale)), scale
}

// rounded is the quotient of two integers, rounded.
func rounded(x, y *big.Int, mode string) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if mode == roundDown || r.Sign() == 0 {
		return q
	}
	half := new(big.Int).Abs(r)
	half.Lsh(half, 1)
	c := half.CmpAbs(y)
	if c > 0 || c == 0 && (mode == roundHalfUp || q.Bit(0) == 1) {
		q.Add(q, big.NewInt(int64(x.Sign()*y.Sign())))
	}
	return q
}

// round returns the number with so many places after the point.
func (d decimal) round(places int, mode string) decimal {
	if places >= d.scale {
		return computed(new(big.Int).Mul(d.coefficient, power(places-d.scale)), places)
	}
	return computed(rounded(d.coefficient, power(d.scale-places), mode), places)
}

// divide returns the quotient with so many places after the point.
func (d decimal) divide(by decimal, places int, mode string) decimal {
	x, y, _ := aligned(d, by)
	return computed(rounded(x.Mul(x, power(places)), y, mode), places)
}

// The methods of a Starlark value.

func (d decimal) String() string       { return d.text }
func (d decimal) Type() string         { return "decimal" }
func (d decimal) Freeze()              {}
func (d decimal) Truth() starlark.Bool { return d.coefficient.Sign() != 0 }

// Hash is the same for numbers that are equal, such as 3.5 and 3.50.
func (d decimal) Hash() (uint32, error) {
	h := fnv.New32a()
	h.Write([]byte(strings.TrimSuffix(strings.TrimRight(computed(d.coefficient, max(d.scale, 1)).text, "0"), "."))) //nolint:errcheck // never fails
	return h.Sum32(), nil
}

// CompareSameType compares by value.
func (d decimal) CompareSameType(op syntax.Token, other starlark.Value, _ int) (bool, error) {
	x, y, _ := aligned(d, other.(decimal))
	c := x.Cmp(y)
	switch op {
	case syntax.EQL:
		return c == 0, nil
	case syntax.NEQ:
		return c != 0, nil
	case syntax.LT:
		return c < 0, nil
	case syntax.LE:
		return c <= 0, nil
	case syntax.GT:
		return c > 0, nil
	}
	return c >= 0, nil
}

// Unary is + and -.
func (d decimal) Unary(op syntax.Token) (starlark.Value, error) {
	switch op {
	case syntax.PLUS:
		return d, nil
	case syntax.MINUS:
		return computed(new(big.Int).Neg(d.coefficient), d.scale), nil
	}
	return nil, nil
}

// Binary adds, subtracts and multiplies with decimals and whole numbers, exactly. A quotient may have no end: it is asked
// for with divide, which says how many places it has.
func (d decimal) Binary(op syntax.Token, value starlark.Value, side starlark.Side) (starlark.Value, error) {
	if _, isText := value.(starlark.String); isText {
		return nil, nil
	}
	other, err := decimalOf(value)
	if err != nil {
		return nil, nil //nolint:nilerr // nil, nil says that the operation is not known
	}
	a, b := d, other
	if side == starlark.Right {
		a, b = other, d
	}
	x, y, scale := aligned(a, b)
	switch op {
	case syntax.PLUS:
		return computed(x.Add(x, y), scale), nil
	case syntax.MINUS:
		return computed(x.Sub(x, y), scale), nil
	case syntax.STAR:
		return computed(new(big.Int).Mul(a.coefficient, b.coefficient), a.scale+b.scale), nil
	case syntax.SLASH:
		return nil, fmt.Errorf("a quotient of decimals may have no end: write a.divide(b, places=2)")
	}
	return nil, nil
}

// decimalOf reads a whole number, a decimal, a text, or a float by its shortest digits.
func decimalOf(value starlark.Value) (decimal, error) {
	switch v := value.(type) {
	case decimal:
		return v, nil
	case starlark.Int:
		return computed(v.BigInt(), 0), nil
	case starlark.String:
		return parseDecimal(string(v))
	case starlark.Float:
		return parseDecimal(strconv.FormatFloat(float64(v), 'g', -1, 64))
	}
	return decimal{}, fmt.Errorf("decimal: got %s, want a number or a text", value.Type())
}

// AttrNames are the methods that mappings can call.
func (d decimal) AttrNames() []string { return []string{"divide", "int", "round"} }

// Attr is one of the methods.
func (d decimal) Attr(name string) (starlark.Value, error) {
	switch name {
	case "round":
		return starlark.NewBuiltin("round", d.callRound), nil
	case "divide":
		return starlark.NewBuiltin("divide", d.callDivide), nil
	case "int":
		return starlark.NewBuiltin("int", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return starlark.MakeBigInt(d.round(0, roundDown).coefficient), nil
		}), nil
	}
	return nil, nil
}

// maxPlaces bounds the digits after the point that a mapping can ask for.
const maxPlaces = 1000

func checkRounding(places int, mode string) error {
	if places < 0 || places > maxPlaces {
		return fmt.Errorf("places: want 0 to %d", maxPlaces)
	}
	if mode != roundHalfUp && mode != roundHalfEven && mode != roundDown {
		return fmt.Errorf("mode: want %s, %s or %s", roundHalfUp, roundHalfEven, roundDown)
	}
	return nil
}

func (d decimal) callRound(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	places, mode := 0, roundHalfUp
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "places", &places, "mode?", &mode); err != nil {
		return nil, err
	}
	if err := checkRounding(places, mode); err != nil {
		return nil, fmt.Errorf("round: %w", err)
	}
	return d.round(places, mode), nil
}

func (d decimal) callDivide(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var by starlark.Value
	places, mode := 0, roundHalfUp
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "by", &by, "places", &places, "mode?", &mode); err != nil {
		return nil, err
	}
	if err := checkRounding(places, mode); err != nil {
		return nil, fmt.Errorf("divide: %w", err)
	}
	other, err := decimalOf(by)
	if err != nil {
		return nil, err
	}
	if other.coefficient.Sign() == 0 {
		return nil, fmt.Errorf("divide: by zero")
	}
	return d.divide(other, places, mode), nil
}
