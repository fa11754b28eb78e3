package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// message is what map gets. Its attributes are read when they are asked for.
type message struct {
	in    input
	value starlark.Value // once it was decoded
}

// attributes of a message. A field that the message does not have is empty.
var attributes = map[string]func(*message) (starlark.Value, error){
	"channel":   func(m *message) (starlark.Value, error) { return starlark.String(m.in.Channel), nil },
	"head":      (*message).head,
	"media":     func(m *message) (starlark.Value, error) { return starlark.String(m.in.Request.Media), nil },
	"method":    headField(harness.FieldMethod),
	"name":      headField(harness.FieldName),
	"now":       func(m *message) (starlark.Value, error) { return startime.Time(m.in.now), nil },
	"operation": func(m *message) (starlark.Value, error) { return starlark.String(m.in.Operation()), nil },
	"path":      headField(harness.FieldPath),
	"session":   func(m *message) (starlark.Value, error) { return starlark.String(m.in.Session), nil },
	"text":      func(m *message) (starlark.Value, error) { return starlark.String(m.in.body), nil },
	"value":     (*message).decoded,
}

func headField(name string) func(*message) (starlark.Value, error) {
	return func(m *message) (starlark.Value, error) { return starlark.String(m.in.Request.Head.Get(name)), nil }
}

// head is the fields as they were recorded, the last of several with one name; the names are in lower case.
func (m *message) head() (starlark.Value, error) {
	fields := starlark.NewDict(len(m.in.Request.Head))
	for _, f := range m.in.Request.Head {
		if err := fields.SetKey(starlark.String(strings.ToLower(f.Name)), starlark.String(f.Value)); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// decoded is the payload as a value.
func (m *message) decoded() (starlark.Value, error) {
	if m.value != nil {
		return m.value, nil
	}
	value, err := m.in.value()
	if err == nil {
		m.value, err = toStarlark(value)
	}
	return m.value, err
}

func (m *message) String() string        { return "message " + m.in.ID }
func (m *message) Type() string          { return "message" }
func (m *message) Freeze()               {}
func (m *message) Truth() starlark.Bool  { return true }
func (m *message) Hash() (uint32, error) { return 0, errors.New("a message is no key") }

// AttrNames are the names of the attributes.
func (m *message) AttrNames() []string { return slices.Sorted(maps.Keys(attributes)) }

// Attr is one of the attributes.
func (m *message) Attr(name string) (starlark.Value, error) {
	if read, known := attributes[name]; known {
		return read(m)
	}
	return nil, nil
}

// toStarlark turns a decoded payload into values of the machine. Members are in the order of their names.
func toStarlark(value any) (starlark.Value, error) {
	switch v := value.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case json.Number:
		return numberValue(v.String())
	case []any:
		list := make([]starlark.Value, len(v))
		for i, element := range v {
			e, err := toStarlark(element)
			if err != nil {
				return nil, err
			}
			list[i] = e
		}
		return starlark.NewList(list), nil
	case map[string]any:
		dict := starlark.NewDict(len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member, err := toStarlark(v[name])
			if err != nil {
				return nil, err
			}
			if err := dict.SetKey(starlark.String(name), member); err != nil {
				return nil, err
			}
		}
		return dict, nil
	}
	return nil, fmt.Errorf("a %T is no payload", value)
}

// numberValue is an int, or a decimal where the text has a point, an exponent or a negative zero.
func numberValue(text string) (starlark.Value, error) {
	if !strings.ContainsAny(text, ".eE") && text != "-0" {
		if n, ok := new(big.Int).SetString(text, 10); ok {
			return starlark.MakeBigInt(n), nil
		}
	}
	return parseDecimal(text)
}

// maxDepth bounds how deep what a mapping returns may be nested; a list can hold itself.
const maxDepth = 1000

// fromStarlark turns what a mapping returns into what outputs are written from.
func fromStarlark(value starlark.Value) (any, error) { return unwrapped(value, 0) }

func unwrapped(value starlark.Value, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	switch v := value.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Bytes:
		return string(v), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	case decimal:
		return json.Number(v.text), nil
	case starlark.Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s is no number of JSON", v)
		}
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 64)), nil
	case startime.Time:
		return time.Time(v).Format(time.RFC3339Nano), nil
	case *starlark.Dict:
		return unwrappedDict(v, depth)
	case starlark.Iterable:
		list := []any{}
		for element := range starlark.Elements(v) {
			e, err := unwrapped(element, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a %s is no payload", value.Type())
}

func unwrappedDict(dict *starlark.Dict, depth int) (any, error) {
	object := make(map[string]any, dict.Len())
	for key, value := range dict.Entries() {
		name, ok := starlark.AsString(key)
		if !ok {
			return nil, fmt.Errorf("a dict has a key that is no text but %s", key.Type())
		}
		member, err := unwrapped(value, depth+1)
		if err != nil {
			return nil, err
		}
		object[name] = member
	}
	return object, nil
}

func callDecimal(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value", &value); err != nil {
		return nil, err
	}
	return decimalOf(value)
}

func callDecode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	doc, err := payload.ParseJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	return toStarlark(valueOf(doc.Root()))
}

func callEncode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value", &value); err != nil {
		return nil, err
	}
	plain, err := fromStarlark(value)
	if err != nil {
		return nil, err
	}
	text, err := gojq.Marshal(plain)
	return starlark.String(text), err
}

// callLookup is lookup(table, code, …, column="", default=None): the cell of a column, or the row as a dict.
func (s *script) callLookup(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var column string
	var otherwise starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), nil, kwargs, "column?", &column, "default?", &otherwise); err != nil {
		return nil, err
	}
	if len(args) < 2 {
		return nil, errors.New("lookup: want the name of a crosswalk and a code")
	}
	words := make([]string, len(args))
	for i, arg := range args {
		plain, err := fromStarlark(arg)
		if err != nil {
			return nil, fmt.Errorf("lookup: %w", err)
		}
		if words[i], err = cellText(plain); err != nil {
			return nil, fmt.Errorf("lookup: %w", err)
		}
	}
	now, _ := thread.Local(threadNow).(time.Time)
	l, row, err := lookIn(s.tables, words[0], words[1:], now)
	if err != nil || row == nil {
		return otherwise, err
	}
	if column != "" {
		if !slices.Contains(l.columns, column) {
			return nil, fmt.Errorf("lookup: the crosswalk %s has no column %q", words[0], column)
		}
		return starlark.String(l.cell(row, column)), nil
	}
	cells := starlark.NewDict(len(l.columns))
	for i, name := range l.columns {
		if err := cells.SetKey(starlark.String(name), starlark.String(row.cells[i])); err != nil {
			return nil, err
		}
	}
	return cells, nil
}
