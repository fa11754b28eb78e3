package target

import (
	"maps"
	"path"
	"slices"

	"go.starlark.net/syntax"

	"github.com/rehearse-dev/rehearse/harness"
)

// starlarkTracer finds which fields a Starlark mapping reads for which fields that it writes: the members of the dicts that it
// builds, and of those that it assigns to.
type starlarkTracer struct {
	spec    harness.MappingSpec
	bound   map[string]sources // variables and functions
	written map[string]sources
	lines   map[string]int // where a field is written first
}

// traceStarlark reads what a program says about its fields. One that cannot be read says nothing.
func traceStarlark(spec harness.MappingSpec, source []byte) []harness.MappedField {
	file, err := dialect.Parse(spec.Program, source, 0)
	if err != nil {
		return nil
	}
	t := &starlarkTracer{spec: spec, bound: map[string]sources{}, written: map[string]sources{}, lines: map[string]int{}}
	for range 2 { // what is bound below its use is known the second time
		t.statements(file.Stmts, "")
	}
	var list []harness.MappedField
	for _, name := range slices.Sorted(maps.Keys(t.written)) {
		if s := t.written[name]; len(s.names) > 0 {
			list = append(list, harness.MappedField{
				Input: spec.From, Output: spec.Output, Field: name, From: slices.Sorted(maps.Keys(s.names)),
				Crosswalks: slices.Sorted(maps.Keys(s.files)), Program: path.Base(spec.Program), Line: t.lines[name],
			})
		}
	}
	return list
}

// statements notes what is bound and written; within is the function that they are the body of.
func (t *starlarkTracer) statements(list []syntax.Stmt, within string) {
	for _, statement := range list {
		switch s := statement.(type) {
		case *syntax.DefStmt:
			t.statements(s.Body, s.Name.Name)
		case *syntax.AssignStmt:
			t.assign(s.LHS, t.reads(s.RHS))
		case *syntax.ReturnStmt:
			if s.Result != nil {
				t.bind(within, t.reads(s.Result))
			}
		case *syntax.ExprStmt:
			t.reads(s.X)
		case *syntax.IfStmt:
			t.reads(s.Cond)
			t.statements(s.True, within)
			t.statements(s.False, within)
		case *syntax.ForStmt:
			t.statements(s.Body, within)
		case *syntax.WhileStmt:
			t.statements(s.Body, within)
		}
	}
}

func (t *starlarkTracer) bind(name string, read sources) {
	all := t.bound[name]
	all.add(read)
	t.bound[name] = all
}

func (t *starlarkTracer) assign(to syntax.Expr, read sources) {
	switch to := to.(type) {
	case *syntax.Ident:
		t.bind(to.Name, read)
	case *syntax.IndexExpr:
		if name, ok := literal(to.Y); ok {
			t.write(name, to.Y, read)
		}
	}
}

func (t *starlarkTracer) write(name string, at syntax.Node, read sources) {
	all := t.written[name]
	all.add(read)
	t.written[name] = all
	if start, _ := at.Span(); t.lines[name] == 0 {
		t.lines[name] = int(start.Line)
	}
}

// reads is the names that an expression reads, and the crosswalks that it looks into.
func (t *starlarkTracer) reads(e syntax.Expr) (read sources) {
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DictEntry:
			value := t.reads(n.Value)
			if name, ok := literal(n.Key); ok {
				t.write(name, n.Key, value)
			}
			read.add(value)
			return false
		case *syntax.IndexExpr:
			if name, ok := literal(n.Y); ok {
				read.add(sources{names: map[string]bool{name: true}})
			}
		case *syntax.CallExpr:
			read.add(t.call(n))
		case *syntax.Ident:
			read.add(t.bound[n.Name])
		}
		return true
	})
	return read
}

// call is what a call reads beside its arguments: a crosswalk, or a member with get.
func (t *starlarkTracer) call(c *syntax.CallExpr) (read sources) {
	if len(c.Args) == 0 {
		return read
	}
	name, ok := literal(c.Args[0])
	if !ok {
		return read
	}
	switch f := c.Fn.(type) {
	case *syntax.Ident:
		for _, variable := range []string{name, "$" + name} {
			if file := t.spec.Crosswalks[variable]; f.Name == "lookup" && file != "" {
				read.add(sources{files: map[string]bool{file: true}})
			}
		}
	case *syntax.DotExpr:
		if f.Name.Name == "get" {
			read.add(sources{names: map[string]bool{name: true}})
		}
	}
	return read
}

// literal is the text of an expression that is one.
func literal(e syntax.Expr) (string, bool) {
	l, ok := e.(*syntax.Literal)
	if !ok {
		return "", false
	}
	text, ok := l.Value.(string)
	return text, ok
}
