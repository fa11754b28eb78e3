package invariant

import (
	"math/big"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// function is one row of the table of functions beside the standard ones.
type function struct {
	name  string
	args  int
	apply func(args []ref.Val) ref.Val
}

// functions is the table. The last two stand for == and !=, which an expression is rewritten to use.
var functions = []function{
	{"number", 1, func(a []ref.Val) ref.Val { return number(a[0]) }},
	{"sum", 1, func(a []ref.Val) ref.Val { return sum(a[0]) }},
	{"count", 1, func(a []ref.Val) ref.Val { return count(a[0]) }},
	{"digits", 2, func(a []ref.Val) ref.Val { return digits(a[0], a[1]) }},
	{"entryHash", 1, func(a []ref.Val) ref.Val { return digits(sum(a[0]), types.Int(hashDigits)) }},
	{"of", 2, func(a []ref.Val) ref.Val { return ofType(a[0], a[1]) }},
	{"cell", 2, func(a []ref.Val) ref.Val { return cell(a[0], a[1]) }},
	{"text", 1, func(a []ref.Val) ref.Val { return types.String(plain(a[0])) }},
	{sameName, 2, func(a []ref.Val) ref.Val { return same(a[0], a[1]) }},
	{differsName, 2, func(a []ref.Val) ref.Val { return not(same(a[0], a[1])) }},
}

// hashDigits is how many digits of an entry hash count.
const hashDigits = 10

// Names that no expression can write.
const (
	sameName    = "@same"
	differsName = "@differs"
)

func (f function) option() cel.EnvOption {
	args := make([]*cel.Type, f.args)
	for i := range args {
		args[i] = cel.DynType
	}
	return cel.Function(f.name, cel.Overload(f.name, args, cel.DynType, cel.FunctionBinding(func(args ...ref.Val) ref.Val { return f.apply(args) })))
}

// price charges a function for the elements that it walks over.
func (f function) price() cost.TrackerOption {
	return cost.OverloadTracker(f.name, func(args []ref.Val, _ ref.Val) *uint64 {
		price := uint64(1)
		if s, ok := args[0].(traits.Sizer); ok {
			if n, ok := s.Size().(types.Int); ok {
				price += uint64(n)
			}
		}
		return &price
	})
}

func number(v ref.Val) ref.Val {
	if d, ok := decimalOf(v); ok {
		return d
	}
	return types.NewErr("%s is no number", shown(v))
}

func sum(v ref.Val) ref.Val {
	items, ok := v.(traits.Lister)
	if !ok {
		return types.NewErr("sum wants a list, not %s", kindOf(v))
	}
	total := new(big.Rat)
	n := 0
	for it := items.Iterator(); it.HasNext() == types.True; {
		n++
		item := it.Next()
		d, ok := decimalOf(item)
		if !ok {
			return types.NewErr("%s, the value %d of a sum, is no number", shown(item), n)
		}
		total.Add(total, d.Rat)
	}
	return decimal{total}
}

func count(v ref.Val) ref.Val {
	if items, ok := v.(traits.Sizer); ok {
		return number(items.Size())
	}
	return types.NewErr("count wants a list, not %s", kindOf(v))
}

// digits is the last n digits of a whole number.
func digits(v, n ref.Val) ref.Val {
	d, ok := decimalOf(v)
	count, isInt := decimalOf(n)
	if !ok || !d.IsInt() || !isInt || !count.IsInt() || count.Sign() < 1 || count.Num().Cmp(big.NewInt(100)) > 0 {
		return types.NewErr("digits wants a whole number and how many of its digits, not %s and %s", shown(v), shown(n))
	}
	modulus := new(big.Int).Exp(big.NewInt(10), count.Num(), nil)
	return decimal{new(big.Rat).SetInt(new(big.Int).Rem(d.Num(), modulus))}
}

// ofType keeps the records of one type.
func ofType(v, name ref.Val) ref.Val {
	items, ok := v.(traits.Lister)
	if !ok {
		return types.NewErr("of wants a list of records, not %s", kindOf(v))
	}
	var kept []ref.Val
	for it := items.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		if m, ok := item.(traits.Mapper); ok {
			if record, found := m.Find(types.String("record")); found && same(record, name) == types.True {
				kept = append(kept, item)
			}
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, kept)
}

// cell is the n-th member of a record, from 1.
func cell(v, n ref.Val) ref.Val {
	o, ok := v.(object)
	at, isInt := decimalOf(n)
	if !ok || !isInt || !at.IsInt() {
		return types.NewErr("cell wants a record and a place, not %s and %s", kindOf(v), shown(n))
	}
	i := at.Num()
	for c := range o.Children() {
		if i.Cmp(big.NewInt(1)) == 0 {
			return valueOf(c)
		}
		i = new(big.Int).Sub(i, big.NewInt(1))
	}
	return types.NewErr("the record has no cell %s", shown(n))
}

// same is == of expressions: numbers by value, everything else as CEL has it. A text is no number.
func same(a, b ref.Val) ref.Val {
	switch {
	case types.IsUnknownOrError(a):
		return a
	case types.IsUnknownOrError(b):
		return b
	case isNumber(a) && isNumber(b):
		x, _ := decimalOf(a)
		y, _ := decimalOf(b)
		return types.Bool(x.Cmp(y.Rat) == 0)
	case isNumber(a) && isString(b), isString(a) && isNumber(b):
		return types.NewErr("%s is compared with %s, a text with a number; write number(…) around the text", shown(a), shown(b))
	default:
		return a.Equal(b)
	}
}

func isString(v ref.Val) bool {
	_, ok := v.(types.String)
	return ok
}

func not(v ref.Val) ref.Val {
	if b, ok := v.(types.Bool); ok {
		return !b
	}
	return v
}

// mostShown is how much of a text is shown, in bytes.
const mostShown = 60

// shown is a value for people.
func shown(v ref.Val) string {
	switch v := v.(type) {
	case decimal:
		return v.text()
	case types.Int, types.Uint, types.Double:
		if d, ok := decimalOf(v); ok {
			return d.text()
		}
	case types.String:
		return quoted(string(v))
	case types.Bool:
		return strconv.FormatBool(bool(v))
	case types.Null:
		return "null"
	case list:
		return v.Short(mostShown)
	case object:
		return v.Short(mostShown)
	}
	if s, ok := v.(traits.Lister); ok {
		return shown(s.Size()) + " values"
	}
	return kindOf(v)
}

// plain is shown without quotes and padding.
func plain(v ref.Val) string {
	if s, ok := v.(types.String); ok {
		return strings.TrimSpace(string(s))
	}
	return shown(v)
}

func quoted(s string) string {
	if len(s) > mostShown {
		s = strings.ToValidUTF8(s[:mostShown], "") + "…"
	}
	return strconv.Quote(s)
}

var kinds = map[string]string{
	"string": "a text", "int": "a number", "uint": "a number", "double": "a number", "decimal": "a number", "bool": "true or false",
	"null_type": "null", "list": "a list", "map": "an object",
}

func kindOf(v ref.Val) string {
	if word, ok := kinds[v.Type().TypeName()]; ok {
		return word
	}
	return v.Type().TypeName()
}
