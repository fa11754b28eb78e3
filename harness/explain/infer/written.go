package infer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// Written is the rule as it can be kept and reviewed; [Parse] makes the same rule of it. ok is false for a table of
// identifiers that is too long to be reviewed by anybody.
func (r Rule) Written() (w harness.CauseRule, ok bool) {
	w = harness.CauseRule{Family: r.Family, Says: r.Text, Params: maps.Clone(r.Params)}
	maps.DeleteFunc(w.Params, func(_, value string) bool { return value == "" })
	for _, e := range r.Table {
		c := harness.CodePair{Was: e.Was.Text, Is: e.Is.Text, WasType: typeName(e.Was), IsType: typeName(e.Is)}
		w.Table = append(w.Table, c)
	}
	isTable := r.Family == "table" || r.Family == "mask"
	return w, r.apply != nil && (!isTable || len(w.Table) > 0)
}

// Parse makes a rule of what Written wrote. The rule applies as the learned one did; what it was learned from is not
// known any more. An error says which parameter is wrong.
func Parse(w harness.CauseRule) (Rule, error) {
	r := Rule{Family: w.Family, Text: w.Says, Params: w.Params}
	for _, c := range w.Table {
		was, errWas := valueOf(c.Was, c.WasType)
		is, errIs := valueOf(c.Is, c.IsType)
		if errWas != nil || errIs != nil {
			return Rule{}, fmt.Errorf("rule %q: line %s → %s: no type %q → %q", w.Family, c.Was, c.Is, c.WasType, c.IsType)
		}
		r.Table = append(r.Table, Entry{Was: was, Is: is})
	}
	f, err := familyNamed(innermost(w))
	if err != nil {
		return Rule{}, err
	}
	if r.Kind = f.Kind; r.Text == "" {
		r.Text = f.Summary
	}
	p := reading{family: f.Name, params: w.Params, table: r.Table}
	inner := f.build(&p)
	if p.err == nil && strings.Contains(w.Family, " then ") {
		inner = p.surround(inner)
	}
	r.apply = inner
	return r, p.err
}

// innermost is the family of the step that was learned; the other one surrounds it.
func innermost(w harness.CauseRule) string {
	first, second, composed := strings.Cut(w.Family, " then ")
	if composed && w.Params["first"] != "" {
		return second
	}
	return first
}

func familyNamed(name string) (*Family, error) {
	names := make([]string, len(Families))
	for i := range Families {
		if names[i] = Families[i].Name; names[i] == name {
			return &Families[i], nil
		}
	}
	return nil, fmt.Errorf("rule of family %q: no such family; known: %s", name, strings.Join(names, ", "))
}

// reading is the parameters of a rule that is read back; the first error stays.
type reading struct {
	family string
	params map[string]string
	table  []Entry
	err    error
}

func (w *reading) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("rule of family %q: %s", w.family, fmt.Sprintf(format, args...))
	}
}

func (w *reading) text(name string) string { return w.params[name] }

// need is a parameter that must not be empty.
func (w *reading) need(name string) string {
	if w.params[name] == "" {
		w.fail("no %s", name)
	}
	return w.params[name]
}

// maxWrittenNumber bounds widths and lengths: a written rule must not ask for more memory than a field holds.
const maxWrittenNumber = 1 << 16

func (w *reading) number(name string) int {
	n, err := strconv.Atoi(w.params[name])
	if err != nil || n < 0 || n > maxWrittenNumber {
		w.fail("%s is %q, want a number from 0 to %d", name, w.params[name], maxWrittenNumber)
		return 0
	}
	return n
}

// char is a parameter of one character.
func (w *reading) char(name string) rune {
	list := []rune(w.params[name])
	if len(list) != 1 {
		w.fail("%s is %q, want one character", name, w.params[name])
		return ' '
	}
	return list[0]
}

// oneOf is a parameter that takes one of the values.
func (w *reading) oneOf(name string, values ...string) string {
	if !slices.Contains(values, w.params[name]) {
		w.fail("%s is %q, want one of %s", name, w.params[name], strings.Join(values, ", "))
	}
	return w.params[name]
}

func (w *reading) value(name string) harness.Value {
	v, err := valueOf(w.params[name], w.params[name+"-type"])
	if err != nil {
		w.fail("%s-type: %v", name, err)
	}
	return v
}

// lift makes a transform of a step, with the types that the rule names.
func (w *reading) lift(f step) transform {
	kinds := map[harness.ValueKind]harness.ValueKind{}
	for _, move := range strings.Fields(w.params["types"]) {
		was, is, ok := strings.Cut(move, ">")
		if !ok || !isKind(was) || !isKind(is) {
			w.fail("types has %q, want a move such as string>number", move)
			continue
		}
		kinds[harness.ValueKind(was)] = harness.ValueKind(is)
	}
	return lifted(kinds, f)
}

func isKind(name string) bool { return kindWords[harness.ValueKind(name)] != "" }

func valueOf(text, kind string) (harness.Value, error) {
	if kind == "" {
		kind = string(harness.KindString)
	}
	if !isKind(kind) {
		return harness.Value{}, fmt.Errorf("%q is no type of value", kind)
	}
	return harness.Value{Kind: harness.ValueKind(kind), Text: text}, nil
}

// typeName is the type of a value as it is written: nothing for a text.
func typeName(v harness.Value) string {
	switch {
	case v.IsAbsent():
		return string(harness.KindAbsent)
	case v.Kind == harness.KindString:
		return ""
	}
	return string(v.Kind)
}

// valueParams are the parameters that spell the values by name.
func valueParams(values map[string]harness.Value) map[string]string {
	params := map[string]string{}
	for name, v := range values {
		params[name] = v.Text
		params[name+"-type"] = typeName(v)
	}
	return params
}

// withTypes adds the types that change to the parameters of a rule on texts.
func (p *profile) withTypes(params map[string]string) map[string]string {
	var moves []string
	for _, was := range slices.Sorted(maps.Keys(p.kinds)) {
		if is := p.kinds[was]; is != was {
			moves = append(moves, string(was)+">"+string(is))
		}
	}
	if len(moves) == 0 {
		return params
	}
	params = maps.Clone(params)
	if params == nil {
		params = map[string]string{}
	}
	params["types"] = strings.Join(moves, " ")
	return params
}

// Signature is equal for rules that say the same of any value: places whose rules have the same signature share a
// cause. Code tables have the signature of their family alone; [Union] decides about them.
func (r Rule) Signature() string {
	var b strings.Builder
	b.WriteString(r.Family)
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		if value := r.Params[name]; value != "" && !(r.Family == "table" && name == "entries") {
			b.WriteString("\x00" + name + "\x00" + value)
		}
	}
	if len(r.Table) > 0 && r.Family != "table" {
		for _, e := range r.Table {
			b.WriteString("\x00" + e.Was.Text + "\x00" + e.Is.Text)
		}
	}
	return b.String()
}

// Union joins two code tables into one; ok is false when they translate a code in two ways, or when they have no line in
// common: two tables that agree nowhere are no evidence of one cause.
func Union(a, b Rule) (Rule, bool) {
	if a.Family != "table" || b.Family != "table" {
		return Rule{}, false
	}
	f := finite{map[side]side{}, map[side]int{}, map[side]int{}}
	common := 0
	for _, e := range slices.Concat(a.Table, b.Table) {
		was, is := sideOf(e.Was), sideOf(e.Is)
		if old, known := f.to[was]; known && old != is {
			return Rule{}, false
		} else if known {
			common++
		}
		f.to[was] = is
		f.count[was] += e.Count
	}
	if common == 0 {
		return Rule{}, false
	}
	out := a
	out.Table, out.Text, out.Lossy = f.entries(), f.words(), !f.isOneToOne()
	out.Params = map[string]string{"entries": strconv.Itoa(len(f.to))}
	out.Support, out.Exceptions, out.apply = a.Support+b.Support, a.Exceptions+b.Exceptions, f.run
	return out, true
}
