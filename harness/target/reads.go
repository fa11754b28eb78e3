package target

import (
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
)

// Reads is the fields that the mapping of a specification is known to read: of jq programs, all names by which they
// index anything, at every step. A program that hands on whole objects, that computes names, or that is no jq leaves it
// unknown.
func Reads(spec harness.TargetSpec, root string) harness.Reads {
	reads := harness.Reads{Known: len(spec.JQ) > 0, Names: map[string]bool{}}
	for _, s := range spec.JQ {
		source, err := readBelow(root, s.Program, maxProgram)
		if err != nil {
			return harness.Reads{}
		}
		query, err := gojq.Parse(string(source))
		if err != nil {
			return harness.Reads{}
		}
		r := reading{names: reads.Names}
		r.query(query)
		if r.open || !narrows(query) {
			return harness.Reads{}
		}
	}
	return reads
}

// reading collects the names that a program indexes by.
type reading struct {
	names  map[string]bool
	open   bool // some names are not known
	inside int  // how many objects are being built around the term
}

// wholes is the functions that read members without naming them, or hand on what they get in text form.
var wholes = []string{
	"to_entries", "with_entries", "keys", "keys_unsorted", "paths", "getpath", "leaf_paths", "tostream", "walk", "recurse", "env",
	"tojson", "tostring", "input", "inputs", "has", "in", "del", "delpaths", "pick", "map_values", "transpose", "splits", "input_line_number",
	"setpath", "path", "limit", "first", "last", "nth", "until", "error", "debug", "flatten", "values", "scalars", "iterables",
}

func (r *reading) query(q *gojq.Query) {
	if q == nil {
		return
	}
	for _, f := range q.FuncDefs {
		r.query(f.Body)
	}
	for _, p := range q.Patterns {
		r.open = r.open || len(p.Array)+len(p.Object) > 0
	}
	r.query(q.Left)
	r.query(q.Right)
	r.term(q.Term)
}

func (r *reading) term(t *gojq.Term) {
	if t == nil {
		return
	}
	switch t.Type {
	case gojq.TermTypeRecurse, gojq.TermTypeFormat:
		r.open = true
	case gojq.TermTypeIdentity: // all of something goes into what is built
		r.open = r.open || r.inside > 0 && (len(t.SuffixList) == 0 || t.SuffixList[0].Iter)
	}
	table := t.Func != nil && strings.HasPrefix(t.Func.Name, "$")
	r.index(t.Index, table)
	r.function(t.Func)
	r.object(t.Object)
	if t.Array != nil {
		r.query(t.Array.Query)
	}
	if t.Unary != nil {
		r.term(t.Unary.Term)
	}
	r.text(t.Str)
	r.branch(t)
	r.query(t.Query)
	for _, s := range t.SuffixList {
		r.index(s.Index, table)
	}
}

// branch follows the terms that hold queries of their own.
func (r *reading) branch(t *gojq.Term) {
	if t.If != nil {
		r.query(t.If.Cond)
		r.query(t.If.Then)
		r.query(t.If.Else)
		for _, e := range t.If.Elif {
			r.query(e.Cond)
			r.query(e.Then)
		}
	}
	if t.Try != nil {
		r.query(t.Try.Body)
		r.query(t.Try.Catch)
	}
	if t.Reduce != nil {
		r.query(t.Reduce.Query)
		r.query(t.Reduce.Start)
		r.query(t.Reduce.Update)
	}
	if t.Foreach != nil || t.Label != nil {
		r.open = true
	}
}

// index follows an index; those of a variable, such as a code table, may be computed: they name no field of the message.
func (r *reading) index(i *gojq.Index, table bool) {
	switch {
	case i == nil:
	case i.Name != "":
		r.names[i.Name] = true
	case i.Str != nil && i.Str.Queries == nil:
		r.names[i.Str.Str] = true
	case i.IsSlice:
		r.query(i.Start)
		r.query(i.End)
	case i.Str != nil:
		r.text(i.Str)
		r.open = r.open || !table
	case i.Start.Term != nil && i.Start.Term.Str != nil && i.Start.Term.Str.Queries == nil:
		r.names[i.Start.Term.Str.Str] = true
	default:
		r.query(i.Start)
		r.open = r.open || !table && (i.Start.Term == nil || i.Start.Term.Type != gojq.TermTypeNumber)
	}
}

func (r *reading) function(f *gojq.Func) {
	if f == nil {
		return
	}
	r.open = r.open || slices.Contains(wholes, f.Name)
	for _, a := range f.Args {
		r.query(a)
	}
}

func (r *reading) object(o *gojq.Object) {
	if o == nil {
		return
	}
	r.inside++
	defer func() { r.inside-- }()
	for _, kv := range o.KeyVals {
		r.query(kv.KeyQuery)
		r.text(kv.KeyString)
		r.query(kv.Val)
		switch {
		case kv.Val == nil && kv.Key != "": // {name} is {name: .name}
			r.names[kv.Key] = true
		case kv.Val == nil:
			r.open = true
		}
	}
}

func (r *reading) text(s *gojq.String) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		r.query(q)
	}
}

// narrows reports whether all that the program yields are objects that it builds: the last step of its pipe is one, alone,
// in an array or within map.
func narrows(q *gojq.Query) bool {
	for q.Op == gojq.OpPipe {
		q = q.Right
	}
	t := q.Term
	switch {
	case t == nil || len(t.SuffixList) > 0:
		return false
	case t.Object != nil:
		return true
	case t.Array != nil && t.Array.Query != nil:
		return narrows(t.Array.Query)
	case t.Query != nil:
		return narrows(t.Query)
	case t.Func != nil && t.Func.Name == "map" && len(t.Func.Args) == 1:
		return narrows(t.Func.Args[0])
	}
	return false
}
