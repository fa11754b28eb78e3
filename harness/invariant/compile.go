package invariant

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"

	"github.com/rehearse-dev/rehearse/harness"
)

// Bounds of an expression.
const (
	maxSource     = 4 << 10 // bytes of its text
	maxDepth      = 32      // of brackets
	baseCost      = 200_000 // steps for one message
	costPerRecord = 100     // steps for each of its records beside
)

// language is the environment of all expressions, made on first use: most runs have none.
var language = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.EnableMacroCallTracking(), // so that a part of an expression can be written down again
		cel.ParserRecursionLimit(maxDepth), cel.ParserExpressionSizeLimit(maxSource), cel.CrossTypeNumericComparisons(true),
		cel.Variable("body", cel.DynType), cel.Variable("records", cel.DynType), cel.Variable("header", cel.DynType),
		cel.Variable("trailer", cel.DynType), cel.Variable("facts", cel.DynType), cel.Variable("head", cel.DynType),
		cel.Variable("operation", cel.StringType), cel.Variable("length", cel.DynType),
	}
	for _, f := range functions {
		options = append(options, f.option())
	}
	return cel.NewEnv(options...)
})

// promise is a compiled invariant.
type promise struct {
	harness.Invariant
	holds    *cel.Ast
	template []part // of Says; empty: conjuncts speak
	parts    []conjunct
	seen     bool // a message of its operation was looked at
}

// part is a piece of what is said: text, or an expression whose value is put in.
type part struct {
	text  string
	value *cel.Ast
}

// conjunct is one of the conditions that && joins in a promise: a comparison has two sides.
type conjunct struct {
	source      string
	holds       *cel.Ast
	left, right string // sources; empty when it is no comparison
	was, is     *cel.Ast
}

// Check reports what is wrong with an invariant: its expression, what it says, the name of a ready-made one.
func Check(in harness.Invariant) error {
	_, err := compile(in)
	return err
}

func compile(in harness.Invariant) (*promise, error) {
	in, err := complete(in)
	if err != nil {
		return nil, err
	}
	for _, glob := range in.Operations {
		if _, err := path.Match(glob, ""); err != nil {
			return nil, fmt.Errorf("operation %q is not a glob such as *.dat", glob)
		}
	}
	p := &promise{Invariant: in}
	if p.holds, err = compiled(in.Check); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if is := p.holds.OutputType(); !is.IsAssignableType(cel.BoolType) && !is.IsAssignableType(cel.DynType) {
		return nil, fmt.Errorf("check: the expression gives %s, want true or false, such as records.size() > 0", is)
	}
	if p.template, err = template(in.Says); err != nil {
		return nil, fmt.Errorf("says: %w", err)
	}
	if len(p.template) > 0 {
		return p, nil
	}
	if p.parts, err = conjuncts(in.Check); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return p, nil
}

// compiled reads an expression and checks its names.
func compiled(source string) (*cel.Ast, error) {
	env, tree, err := parse(source)
	if err != nil {
		return nil, err
	}
	rewriteEquals(tree)
	checked, issues := env.Check(tree)
	if issues.Err() != nil {
		return nil, oneLine(issues)
	}
	return checked, nil
}

// prices is what functions cost.
func prices() []cost.TrackerOption {
	list := make([]cost.TrackerOption, 0, len(functions))
	for _, f := range functions {
		list = append(list, f.price())
	}
	return list
}

// parse reads an expression in the language of invariants.
func parse(source string) (*cel.Env, *cel.Ast, error) {
	env, err := language()
	if err != nil {
		return nil, nil, err
	}
	if len(source) > maxSource {
		return nil, nil, fmt.Errorf("an expression is longer than %d bytes", maxSource)
	}
	tree, issues := env.Parse(source)
	if issues.Err() != nil {
		return nil, nil, oneLine(issues)
	}
	return env, tree, nil
}

// oneLine keeps the first error with its place, and drops the drawing below it.
func oneLine(issues *cel.Issues) error {
	all := issues.Errors()
	if len(all) == 0 {
		return issues.Err()
	}
	message, _, _ := strings.Cut(all[0].Message, " expecting ") // a list of all tokens helps nobody
	message = strings.TrimPrefix(message, "Syntax error: ")
	if strings.Contains(message, "<EOF>") {
		message = "the expression ends too early"
	}
	return fmt.Errorf("at character %d of the expression: %s", all[0].Location.Column()+1, message)
}

// rewriteEquals makes == and != compare numbers by value, and refuse to compare a text with a number.
func rewriteEquals(tree *cel.Ast) {
	names := map[string]string{operators.Equals: sameName, operators.NotEquals: differsName}
	factory := ast.NewExprFactory()
	ast.PostOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		if name, ok := names[e.AsCall().FunctionName()]; ok {
			e.SetKindCase(factory.NewCall(e.ID(), name, e.AsCall().Args()...))
		}
	}))
}

// template reads what is said: text with {EXPRESSION} in it.
func template(says string) ([]part, error) {
	var parts []part
	for rest := says; rest != ""; {
		text, behind, found := strings.Cut(rest, "{")
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !found {
			break
		}
		source, after, closed := strings.Cut(behind, "}")
		if !closed {
			return nil, errors.New("a { is not closed")
		}
		value, err := compiled(source)
		if err != nil {
			return nil, fmt.Errorf("{%s}: %w", source, err)
		}
		parts = append(parts, part{value: value})
		rest = after
	}
	return parts, nil
}

// comparisons is the operators of which both sides are told.
var comparisons = map[string]bool{
	operators.Equals: true, operators.NotEquals: true, operators.Less: true, operators.LessEquals: true,
	operators.Greater: true, operators.GreaterEquals: true,
}

// conjuncts takes an expression apart at its outermost &&.
func conjuncts(source string) ([]conjunct, error) {
	_, tree, err := parse(source)
	if err != nil {
		return nil, err
	}
	var found []conjunct
	info := tree.NativeRep().SourceInfo()
	var walk func(e ast.Expr) error
	walk = func(e ast.Expr) error {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
			for _, arg := range e.AsCall().Args() {
				if err := walk(arg); err != nil {
					return err
				}
			}
			return nil
		}
		c, err := conjunctOf(e, info)
		found = append(found, c)
		return err
	}
	return found, walk(tree.NativeRep().Expr())
}

func conjunctOf(e ast.Expr, info *ast.SourceInfo) (c conjunct, err error) {
	if c.source, c.holds, err = piece(e, info); err != nil {
		return c, err
	}
	if e.Kind() != ast.CallKind || !comparisons[e.AsCall().FunctionName()] {
		return c, nil
	}
	sides := e.AsCall().Args()
	if c.left, c.was, err = piece(sides[0], info); err != nil {
		return c, err
	}
	c.right, c.is, err = piece(sides[1], info)
	return c, err
}

// piece compiles a part of an expression by itself.
func piece(e ast.Expr, info *ast.SourceInfo) (source string, p *cel.Ast, err error) {
	if source, err = cel.ExprToString(e, info); err != nil {
		return "", nil, err
	}
	p, err = compiled(source)
	return source, p, err
}
