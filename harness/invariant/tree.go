package invariant

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// valueOf shows a node of a body to expressions, without a copy of what lies below it.
func valueOf(n payload.Node) ref.Val {
	if n.IsZero() {
		return types.NullValue
	}
	switch n.Kind() {
	case harness.KindArray:
		return list{n}
	case harness.KindObject:
		return object{n}
	case harness.KindBool:
		return types.Bool(n.Text() == "true")
	case harness.KindNumber:
		if r, ok := harness.ParseDecimal(n.Text()); ok {
			return decimal{r}
		}
		return types.NewErr("%s is too large a number", n.Short(40))
	case harness.KindNull:
		return types.NullValue
	default:
		return types.String(n.Text())
	}
}

// list is an array of a body.
type list struct{ payload.Node }

func (l list) Add(ref.Val) ref.Val { return types.NewErr("lists of a body are not put together") }

func (l list) Contains(v ref.Val) ref.Val {
	for c := range l.Children() {
		if same(valueOf(c), v) == types.True {
			return types.True
		}
	}
	return types.False
}

func (l list) Get(index ref.Val) ref.Val {
	d, ok := decimalOf(index)
	if !ok || !isNumber(index) || !d.IsInt() || d.Sign() < 0 || !d.Num().IsInt64() || d.Num().Int64() >= int64(l.Len()) {
		return types.NewErr("there is no element %s of %d", shown(index), l.Len())
	}
	return valueOf(l.Element(int(d.Num().Int64())))
}

func (l list) Iterator() traits.Iterator {
	var values []payload.Node
	for c := range l.Children() {
		values = append(values, c)
	}
	return &iterator{nodes: values, show: valueOf}
}

func (l list) Size() ref.Val { return types.Int(l.Len()) }

func (l list) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a list of a body is no %s", t)
}

func (l list) ConvertToType(t ref.Type) ref.Val { return convert(types.ListType, t) }

func (l list) Equal(other ref.Val) ref.Val {
	o, ok := other.(list)
	return types.Bool(ok && payload.CanonicalDigest(l.Node) == payload.CanonicalDigest(o.Node))
}

func (l list) Type() ref.Type { return types.ListType }

func (l list) Value() any { return l.Node }

// object is an object of a body: a record, mostly.
type object struct{ payload.Node }

func (o object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.NewErr("members have names, not %s", shown(key)), false
	}
	m := o.Member(string(name))
	if m.IsZero() {
		return nil, false
	}
	return valueOf(m), true
}

func (o object) Get(key ref.Val) ref.Val {
	v, ok := o.Find(key)
	switch {
	case ok:
		return v
	case v != nil:
		return v
	default:
		return types.NewErr("there is no member %s", shown(key))
	}
}

func (o object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

func (o object) Iterator() traits.Iterator {
	var members []payload.Node
	for c := range o.Children() {
		members = append(members, c)
	}
	return &iterator{nodes: members, show: func(n payload.Node) ref.Val { return types.String(n.Name()) }}
}

func (o object) Size() ref.Val { return types.Int(o.Len()) }

func (o object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an object of a body is no %s", t)
}

func (o object) ConvertToType(t ref.Type) ref.Val { return convert(types.MapType, t) }

func (o object) Equal(other ref.Val) ref.Val {
	p, ok := other.(object)
	return types.Bool(ok && payload.CanonicalDigest(o.Node) == payload.CanonicalDigest(p.Node))
}

func (o object) Type() ref.Type { return types.MapType }

func (o object) Value() any { return o.Node }

// convert answers for the type of a container; it becomes nothing else.
func convert(own *types.Type, t ref.Type) ref.Val {
	if t == types.TypeType {
		return own
	}
	return types.NewErr("%s cannot become %s", own.TypeName(), t.TypeName())
}

// iterator walks over nodes.
type iterator struct {
	nodes []payload.Node
	at    int
	show  func(payload.Node) ref.Val
}

func (i *iterator) HasNext() ref.Val { return types.Bool(i.at < len(i.nodes)) }

func (i *iterator) Next() ref.Val {
	if i.at >= len(i.nodes) {
		return nil
	}
	i.at++
	return i.show(i.nodes[i.at-1])
}

func (i *iterator) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator is no %s", t)
}

func (i *iterator) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("an iterator becomes nothing")
}

func (i *iterator) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(i)) }

func (i *iterator) Type() ref.Type { return types.IteratorType }

func (i *iterator) Value() any { return nil }
