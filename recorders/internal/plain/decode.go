package plain

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// Decoder is a type that reads itself.
type Decoder interface{ DecodePlain(*Node) error }

// Decode reads the node into what v points to. A struct takes the members that its fields name with the tag plain; other
// members are left alone, and a member that is missing or null leaves the field as it is. A string takes any text, an int
// a whole number, a bool true or false, a slice a list, a *Node anything. Errors are of type [*Error] and name the place
// below the node, such as response.status.
func (n *Node) Decode(v any) error { return n.decode(reflect.ValueOf(v).Elem()) }

var nodeType = reflect.TypeFor[*Node]()

func (n *Node) decode(v reflect.Value) error {
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(n))
		return nil
	}
	if n.Kind == Null {
		return nil
	}
	if d, ok := v.Addr().Interface().(Decoder); ok {
		return d.DecodePlain(n)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return n.decode(v.Elem())
	case reflect.Struct:
		return n.decodeStruct(v)
	case reflect.Slice:
		return n.decodeSlice(v)
	}
	return n.decodeText(v)
}

func (n *Node) decodeStruct(v reflect.Value) error {
	if n.Kind != Map {
		return n.Errorf("want a map, have %s", n.Kind)
	}
	t := v.Type()
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("plain")
		if name == "" {
			continue
		}
		found := false
		for _, m := range n.Members {
			if m.Name != name {
				continue
			}
			if found {
				return m.Value.Errorf("%s stands twice", name)
			}
			found = true
			if err := m.Value.decode(v.Field(i)); err != nil {
				return Below(name, err)
			}
		}
	}
	return nil
}

func (n *Node) decodeSlice(v reflect.Value) error {
	if n.Kind != List {
		return n.Errorf("want a list, have %s", n.Kind)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		if err := item.decode(v.Index(i)); err != nil {
			return Below("["+strconv.Itoa(i)+"]", err)
		}
	}
	return nil
}

func (n *Node) decodeText(v reflect.Value) error {
	if n.Kind != Text {
		return n.Errorf("want a text or a number, have %s", n.Kind)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Text)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Text)
		if err != nil {
			return n.Errorf("want true or false, have %.40q", n.Text)
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(n.Text)
		if err != nil {
			return n.Errorf("want a whole number, have %.40q", n.Text)
		}
		v.SetInt(int64(i))
	default:
		panic("plain: no way to decode into " + v.Type().String())
	}
	return nil
}

// Below puts the name of a member or record in front of the place of an error.
func Below(name string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", name, err)
	}
	return &Error{e.Line, name + ": " + e.What}
}
