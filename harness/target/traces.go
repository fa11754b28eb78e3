package target

import (
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
)

// Traces is which fields the jq and Starlark mappings of a specification read for which fields that they write, and through which
// crosswalks, as the programs say it. Programs that cannot be read have none.
func Traces(spec harness.TargetSpec, root string) []harness.MappedField {
	var all []harness.MappedField
	for _, s := range spec.JQ {
		source, err := readBelow(root, s.Program, maxProgram)
		if err != nil {
			continue
		}
		query, err := gojq.Parse(string(source))
		if err != nil {
			continue
		}
		t := tracer{spec: s, bound: map[string]sources{}, written: map[string]sources{}}
		for variable, file := range s.Crosswalks {
			t.bound["$"+strings.TrimPrefix(variable, "$")] = sources{files: map[string]bool{file: true}}
		}
		t.query(query)
		all = append(all, t.fields()...)
	}
	for _, s := range spec.Starlark {
		if source, err := readBelow(root, s.Program, maxProgram); err == nil {
			all = append(all, traceStarlark(s, source)...)
		}
	}
	return all
}

// sources is the names that an expression reads, and the crosswalks that it looks into.
type sources struct{ names, files map[string]bool }

func (s *sources) add(o sources) {
	for _, part := range []struct {
		into *map[string]bool
		from map[string]bool
	}{{&s.names, o.names}, {&s.files, o.files}} {
		if *part.into == nil {
			*part.into = map[string]bool{}
		}
		maps.Copy(*part.into, part.from)
	}
}

// tracer walks one program.
type tracer struct {
	spec    harness.MappingSpec
	bound   map[string]sources // variables and functions
	written map[string]sources // members of the objects that are built
}

// query is what a query reads. What it binds is known to the queries on its right.
func (t *tracer) query(q *gojq.Query) (read sources) {
	if q == nil {
		return read
	}
	for _, f := range q.FuncDefs {
		t.bound[f.Name] = t.query(f.Body)
	}
	left := t.query(q.Left)
	for _, p := range q.Patterns {
		t.bound[p.Name] = left
	}
	if len(q.Patterns) == 0 {
		read.add(left)
	}
	read.add(t.query(q.Right))
	read.add(t.parts(reflect.ValueOf(q.Term)))
	return read
}

// parts is what the parts of a term read, whatever sort of term it is.
func (t *tracer) parts(v reflect.Value) (read sources) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return read
		}
		switch node := v.Interface().(type) {
		case *gojq.Query:
			return t.query(node)
		case *gojq.Object:
			return t.object(node)
		case *gojq.Index:
			if node.Name != "" {
				read.add(sources{names: map[string]bool{node.Name: true}})
			}
			if node.Str != nil && node.Str.Queries == nil {
				read.add(sources{names: map[string]bool{node.Str.Str: true}})
			}
		case *gojq.Func:
			read.add(t.bound[node.Name])
		}
		read.add(t.parts(v.Elem()))
	case reflect.Struct:
		for i := range v.NumField() {
			read.add(t.parts(v.Field(i)))
		}
	case reflect.Slice:
		for i := range v.Len() {
			read.add(t.parts(v.Index(i)))
		}
	}
	return read
}

// object notes what each member of an object that is built reads.
func (t *tracer) object(o *gojq.Object) (read sources) {
	for _, kv := range o.KeyVals {
		name, from := kv.Key, t.query(kv.Val)
		if kv.KeyString != nil && kv.KeyString.Queries == nil {
			name = kv.KeyString.Str
		}
		if kv.Val == nil { // {name} and {$name}
			if from.add(t.bound[name]); !strings.HasPrefix(name, "$") {
				from.add(sources{names: map[string]bool{name: true}})
			}
		}
		read.add(t.query(kv.KeyQuery))
		read.add(from)
		name = strings.TrimPrefix(name, "$")
		all := t.written[name]
		all.add(from)
		t.written[name] = all
	}
	return read
}

// fields is what was traced, in order of the names.
func (t *tracer) fields() []harness.MappedField {
	var list []harness.MappedField
	for _, name := range slices.Sorted(maps.Keys(t.written)) {
		s := t.written[name]
		if name == "" || len(s.names) == 0 {
			continue
		}
		list = append(list, harness.MappedField{
			Input: t.spec.From, Output: t.spec.Output, Field: name, From: slices.Sorted(maps.Keys(s.names)),
			Crosswalks: slices.Sorted(maps.Keys(s.files)), Program: path.Base(t.spec.Program),
		})
	}
	return list
}
