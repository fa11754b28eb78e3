package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// jq is mappings in jq. They have no further inputs and no modules.
//
// A JSON input is its value, a table an array of row objects with string values, NDJSON an array. Numbers that the
// program does not compute with keep their digits. An output named .json is the one value that the program yields,
// compact and with sorted member names; .ndjson has a line for each element or value; .csv has the columns in the
// declared order, a row for each element or value.
var jq = language{noun: "jq mapping", specs: func(s harness.TargetSpec) []harness.MappingSpec { return s.JQ }, compile: compileJQ}

// program is a compiled mapping.
type program struct {
	spec   harness.MappingSpec
	code   *gojq.Code
	values []any // of the crosswalks, in the order of the compiled variables
}

// nowVariable holds the frozen clock, in seconds. Its name cannot be written in a scenario.
const nowVariable = "$__rehearse_now"

// prelude replaces the functions that read the clock and the time zone of the machine.
const prelude = `def now: ` + nowVariable + `; def localtime: gmtime; def strflocaltime($f): strftime($f); .`

func compileJQ(spec harness.MappingSpec, source []byte, tables []namedTable, _ io.Writer) (evaluator, error) {
	query, err := gojq.Parse(string(source))
	if err != nil {
		place := spec.Program
		if at, ok := errors.AsType[*gojq.ParseError](err); ok {
			place += position(source, at.Offset-len(at.Token))
		}
		return nil, harness.Usage(fmt.Errorf("%s: %w", place, err), "check the program with jq or gojq on the command line")
	}
	fixed, err := gojq.Parse(prelude)
	if err != nil {
		return nil, fmt.Errorf("read prelude: %w", err)
	}
	query.FuncDefs = append(fixed.FuncDefs, query.FuncDefs...)
	p := &program{spec: spec}
	names := []string{nowVariable}
	for _, table := range tables {
		names = append(names, "$"+table.name)
		p.values = append(p.values, table.value())
	}
	if p.code, err = gojq.Compile(query, gojq.WithVariables(names)); err != nil {
		return nil, harness.Usage(fmt.Errorf("%s: %w", spec.Program+undefinedAt(source, err), err),
			"a mapping has no files, modules, environment or further inputs; crosswalks are variables: "+orNone(strings.Join(names[1:], " ")))
	}
	return p, nil
}

// undefined is how the compiler tells a name that it does not know, or does not allow.
var undefined = regexp.MustCompile(`^(?:(?:function|variable) not defined: (\$?\w+)|(input)\(s\)/0)`)

// undefinedAt finds where the name in a message of the compiler occurs first: it tells names, not places.
func undefinedAt(source []byte, err error) string {
	name := undefined.FindStringSubmatch(err.Error())
	if name == nil {
		return ""
	}
	pattern := regexp.QuoteMeta(name[1])
	if name[2] != "" {
		pattern = "inputs?"
	}
	found := regexp.MustCompile(`(?:^|[^\w$])(` + pattern + `)(?:$|\W)`).FindSubmatchIndex(source)
	if found == nil {
		return ""
	}
	return position(source, found[2])
}

func (p *program) evaluate(ctx context.Context, in input) (output []byte, none bool, err error) {
	value, err := in.value()
	if err != nil {
		return nil, false, err
	}
	now := float64(in.now.UnixMicro()) / 1e6
	results := p.code.RunWithContext(ctx, value, append([]any{now}, p.values...)...)
	var values []any
	for {
		v, more := results.Next()
		if !more {
			break
		}
		if err, isError := v.(error); isError {
			if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
				break
			}
			return nil, false, err
		}
		values = append(values, v)
	}
	return writerOf(p.spec.Output).write(values, p.spec)
}

// preview is how gojq shows values in its messages; applied is how it shows the argument of a function with a cause,
// parsed how it shows a time that it cannot read. What a program itself says with error is its author's matter.
var (
	preview = regexp.MustCompile(` \((?s:.*)\)`)
	applied = regexp.MustCompile(`(?s) applied to (?:"(?:[^"\\]|\\.)*"|[\[{].*|[-0-9.eE+]+): `)
	parsed  = regexp.MustCompile(`(?s)failed to parse ".*" with `)
)

func (*program) detail(err error) string {
	text := applied.ReplaceAllString(err.Error(), " applied to the value: ")
	text = parsed.ReplaceAllString(text, "failed to parse the value with ")
	return started.Printable(preview.ReplaceAllString(text, ""))
}
