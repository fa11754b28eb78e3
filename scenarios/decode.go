package scenarios

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/rehearse-dev/rehearse/harness"
)

// decoder reads the nodes of one file into Go values. It goes on after a problem, and remembers where every value
// stands, for the checks that follow.
type decoder struct {
	file     string
	what     string // what the root is called in messages: "scenario"
	lookup   func(string) (string, bool)
	problems Problems
	places   map[string]place // by label: rules[0].at
	faulty   map[string]bool  // labels that a problem names already
	expanded int              // bytes that texts with variables have grown to
	bare     bool             // $NAME is a variable for others who read the file, so that it must be written ${NAME}
}

func newDecoder(file, what string, lookup func(string) (string, bool)) *decoder {
	return &decoder{file: file, what: what, lookup: lookup, places: map[string]place{}, faulty: map[string]bool{}}
}

// decodeFile reads src into out, a pointer. The decoder's problems say what is wrong; a file without any value is one
// that lacks its required keys.
func (d *decoder) decodeFile(src []byte, out any) {
	root, problems := parseFile(d.file, src)
	if d.problems = append(d.problems, problems...); len(problems) > 0 {
		return
	}
	v := reflect.ValueOf(out).Elem()
	if root == nil || isNull(root) {
		d.places[""] = place{1, 1}
		if v.Kind() == reflect.Struct {
			d.fields(v, "", nil)
		}
		return
	}
	d.value(root, v, "")
}

// problem adds a problem at the place of the value with that label, or of the nearest one around it.
func (d *decoder) problem(label, format string, args ...any) {
	d.faulty[label] = true
	d.problems.add(d.file, d.placeOf(label), format, args...)
}

func (d *decoder) placeOf(label string) place {
	for {
		if at, ok := d.places[label]; ok || label == "" {
			return at
		}
		label = label[:max(0, strings.LastIndexAny(label, ".["))]
	}
}

// called is how messages name the value with that label.
func (d *decoder) called(label string) string {
	switch {
	case label == "":
		return d.what
	case label[0] == '[':
		return d.what + label
	}
	return label
}

// reader is a value that can be written in more than one way, such as a list or a mapping.
type reader interface {
	read(d *decoder, node ast.Node, label string)
}

// value reads one node. The order of the cases matters: a Path is a slice that is written as text.
func (d *decoder) value(node ast.Node, v reflect.Value, label string) {
	if _, known := d.places[label]; !known || !isNull(node) {
		d.places[label] = nodePlace(node)
	}
	if r, ok := v.Addr().Interface().(reader); ok {
		if !isNull(node) { // else as if it were not there, such as a list whose entries are all commented out
			r.read(d, node, label)
		}
		return
	}
	into, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case isNull(node) && !isText && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map):
		return // an empty list, such as one whose entries are all commented out
	case isNull(node):
		d.problem(label, `%s has no value; drop the key, or write "" for the empty text`, d.called(label))
		return
	case isText:
		d.text(node, into, label)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(node, v.Elem(), label)
	case reflect.Struct:
		if entries, ok := d.entries(node, label); ok {
			d.fields(v, label, entries)
		}
	case reflect.Map:
		d.mapping(node, v, label)
	case reflect.Slice:
		d.list(node, v, label)
	default:
		d.scalar(node, v, label)
	}
}

func (d *decoder) text(node ast.Node, into encoding.TextUnmarshaler, label string) {
	s, ok := d.words(node, label, "text")
	if !ok {
		return
	}
	err := into.UnmarshalText([]byte(s))
	if err == nil {
		return
	}
	switch into.(type) {
	case *time.Time:
		err = fmt.Errorf("%s is not a moment such as 2026-10-05T02:15:00-05:00", quoted(s))
	case *harness.Duration:
		err = fmt.Errorf("%s is not a duration such as 5s or 1m30s", quoted(s))
	}
	d.problem(label, "%s: %v", d.called(label), err)
}

func (d *decoder) scalar(node ast.Node, v reflect.Value, label string) {
	want := map[reflect.Kind]string{reflect.String: "text", reflect.Int: "a whole number", reflect.Bool: "true or false"}[v.Kind()]
	s, ok := d.words(node, label, want)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			d.problem(label, "%s: %s is not %s", d.called(label), quoted(s), want)
		}
		v.SetInt(int64(n))
	case reflect.Bool:
		if s != "true" && s != "false" {
			d.problem(label, "%s: %s is not %s", d.called(label), quoted(s), want)
		}
		v.SetBool(s == "true")
	default:
		panic("scenarios: no way to read " + v.Type().String())
	}
}

// words returns the text of a scalar with its variables replaced.
func (d *decoder) words(node ast.Node, label, want string) (string, bool) {
	var s string
	switch n := node.(type) {
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true // as written: 007 and 9.30 keep their zeros
	default:
		d.problem(label, "%s is %s, want %s", d.called(label), sort(node), want)
		return "", false
	}
	if !strings.Contains(s, "$") {
		return s, true
	}
	s, err := d.interpolated(s)
	if err != nil {
		d.problem(label, "%s: %v", d.called(label), err)
	}
	return s, err == nil
}

// interpolated is the text with its variables replaced.
func (d *decoder) interpolated(s string) (string, error) {
	if name := bareVariable(s); d.bare && name != "" {
		return "", fmt.Errorf("write ${%s} for the variable, or $$%s for the text itself", name, name)
	}
	s, err := interpolate(s, d.lookup)
	if d.expanded += len(s); err == nil && d.expanded > maxExpanded {
		err = fmt.Errorf("texts with variables are longer than %d bytes", maxExpanded)
	}
	return s, err
}

func (d *decoder) list(node ast.Node, v reflect.Value, label string) {
	n, ok := node.(*ast.SequenceNode)
	if !ok {
		d.problem(label, "%s is %s, want a list", d.called(label), sort(node))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Values), len(n.Values)))
	for i, element := range n.Values {
		at := fmt.Sprintf("%s[%d]", label, i)
		d.places[at] = placeOf(n.GetToken())
		if isNull(element) {
			d.places[at] = nodePlace(element)
			d.problem(at, "%s is empty", d.called(at))
			continue
		}
		d.value(element, v.Index(i), at)
	}
}

func (d *decoder) mapping(node ast.Node, v reflect.Value, label string) {
	entries, ok := d.entries(node, label)
	if !ok {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
	for _, e := range entries {
		at := below(label, e.name)
		d.places[at] = e.at
		if isNull(e.node) {
			d.problem(at, `%s has no value`, d.called(at))
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(e.node, value, at)
		v.SetMapIndex(reflect.ValueOf(e.name), value)
	}
}

// fields reads the entries of a mapping into a struct.
func (d *decoder) fields(v reflect.Value, label string, entries []entry) {
	keys, present, wrong := keysOf(v.Type()), map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == e.name })
		if i < 0 {
			d.problems.add(d.file, e.at, "unknown key %s in %s%s", quoted(e.name), d.called(label), orList(e.name, names(keys)))
			wrong[nearest(e.name, names(keys))] = true // it is not missing as well
			continue
		}
		at, field := below(label, e.name), v.Field(keys[i].field)
		d.places[at] = e.at
		before := len(d.problems)
		d.value(e.node, field, at)
		d.checkEnum(field, keys[i], at)
		present[e.name] = true
		wrong[e.name] = len(d.problems) > before
	}
	d.checkRequired(v, label, keys, present, wrong)
	d.checkKinds(v, label, keys, wrong)
}

// checkKinds wants exactly one of the keys that exclude one another.
func (d *decoder) checkKinds(v reflect.Value, label string, keys []key, wrong map[string]bool) {
	all := kinds[v.Type().Name()]
	var have []string
	for _, k := range keys {
		if slices.Contains(all, k.name) && (wrong[k.name] || !isEmpty(v.Field(k.field))) {
			have = append(have, k.name)
		}
	}
	if len(all) > 0 && len(have) != 1 {
		d.problem(label, "%s must have exactly one of %s; it has %s", d.called(label), strings.Join(all, ", "), orNone(have))
	}
}

func (d *decoder) checkEnum(field reflect.Value, k key, label string) {
	words := enums[k.id]
	if len(words) > 0 && !field.IsZero() && !slices.Contains(words, field.String()) {
		d.problem(label, "%s: %s is not known%s", d.called(label), quoted(field.String()), orList(field.String(), words))
	}
}

func (d *decoder) checkRequired(v reflect.Value, label string, keys []key, present, wrong map[string]bool) {
	for _, k := range keys {
		why := ""
		if reason, ok := reasons[k.id]; ok {
			why = ": " + reason
		}
		switch at := below(label, k.name); {
		case !k.required || wrong[k.name] || !present[k.name] && present[unless[k.id]]:
		case !present[k.name]:
			d.problem(label, "missing key %q in %s%s", k.name, d.called(label), why)
		case isEmpty(v.Field(k.field)) && !maySayNothing[k.id]:
			d.problem(at, "%s has no value%s", d.called(at), why)
		}
	}
}

func isEmpty(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

// orList suggests the nearest of the words, or lists them all.
func orList(word string, words []string) string {
	if s := suggestion(word, words); s != "" {
		return s
	}
	return "; known: " + strings.Join(words, ", ")
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " and ")
}

func below(label, name string) string {
	if label == "" {
		return name
	}
	return label + "." + name
}

// entry is one key of a mapping with its value.
type entry struct {
	name string
	at   place
	node ast.Node
}

// entries lists the keys of a mapping in the order of the file; a key that comes twice is a problem.
func (d *decoder) entries(node ast.Node, label string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.problem(label, "%s is %s, want keys with values", d.called(label), sort(node))
		return nil, false
	}
	var list []entry
	first := map[string]place{}
	for _, value := range values {
		tk := value.Key.GetToken()
		e := entry{tk.Value, placeOf(tk), value.Value}
		if before, twice := first[e.name]; twice {
			d.problems.add(d.file, e.at, "key %s comes twice in %s; first in line %d", quoted(e.name), d.called(label), before.line)
			continue
		}
		first[e.name] = e.at
		list = append(list, e)
	}
	return list, true
}

func isNull(node ast.Node) bool {
	_, null := node.(*ast.NullNode)
	return node == nil || null
}

// nodePlace is where the node begins; the token of a block mapping is the colon after its first key.
func nodePlace(node ast.Node) place {
	if node == nil {
		return place{}
	}
	tk := node.GetToken()
	switch n := node.(type) {
	case *ast.MappingNode:
		if tk.Type != token.MappingStartType && len(n.Values) > 0 {
			tk = n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		tk = n.Key.GetToken()
	}
	return placeOf(tk)
}

// sort names what a node is, for people.
func sort(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	}
	return "something else"
}
