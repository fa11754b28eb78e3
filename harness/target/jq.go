package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Limits of a mapping.
const (
	jqTimeout    = 30 * time.Second // for one evaluation
	maxProgram   = 1 << 20          // bytes of a program
	maxCrosswalk = 64 << 20         // bytes of a crosswalk
)

// jq is mappings that run inside the harness. A program sees its input and its crosswalks and nothing else: no files,
// no environment, no further inputs, no modules, and a clock that stands at the frozen now in UTC.
//
// A JSON input is its value, a table an array of row objects with string values, NDJSON an array. Numbers that the
// program does not compute with keep their digits. An output named .json is the one value that the program yields,
// compact and with sorted member names; .ndjson has a line for each element or value; .csv has the columns in the
// declared order, a row for each element or value.
type jq struct {
	system string
	specs  []harness.JQSpec
}

func newJQ(spec harness.TargetSpec) (harness.Target, error) {
	for _, s := range spec.JQ {
		if err := checkJQ(s); err != nil {
			return nil, err
		}
	}
	return jq{spec.System, spec.JQ}, nil
}

func checkJQ(s harness.JQSpec) error {
	if s.Program == "" {
		return harness.Usage(errors.New("a mapping names no program"), "write program: the jq file below the workspace")
	}
	if _, err := path.Match(s.From, ""); err != nil {
		return harness.Usage(fmt.Errorf("from %q is not a glob", s.From), "write it like registrations-*.csv")
	}
	if err := checkOutput(s.To, s.Output); err != nil {
		return err
	}
	format, known := writers[path.Ext(s.Output)]
	if s.Output != "" && !known {
		return harness.Usage(fmt.Errorf("output %q has no known format", s.Output), "name it .json, .ndjson or .csv")
	}
	if format.columns && len(s.Columns) == 0 {
		return harness.Usage(fmt.Errorf("output %q has no columns", s.Output), "write columns: the names in the order of the table")
	}
	for name := range s.Crosswalks {
		if !variable.MatchString(strings.TrimPrefix(name, "$")) {
			return harness.Usage(fmt.Errorf("crosswalk %q is not the name of a variable", name), "use letters, digits and _")
		}
	}
	return nil
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func describeJQ(spec harness.TargetSpec) string {
	if len(spec.JQ) == 1 {
		return "jq mapping " + spec.JQ[0].Program
	}
	folder := path.Dir(spec.JQ[0].Program) + "/"
	for _, s := range spec.JQ {
		for !strings.HasPrefix(s.Program, folder) {
			folder = strings.TrimPrefix(path.Dir(strings.TrimSuffix(folder, "/"))+"/", "./")
		}
	}
	programs := make([]string, len(spec.JQ))
	for i, s := range spec.JQ {
		programs[i] = strings.TrimPrefix(s.Program, folder)
	}
	return "jq mappings " + strings.Join(programs, ", ")
}

// Start reads and compiles the programs and their crosswalks.
func (t jq) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stage := &jqStage{system: t.system, env: env}
	for _, s := range t.specs {
		p, err := compileJQ(s, env.Root)
		if err != nil {
			return nil, err
		}
		stage.programs = append(stage.programs, p)
	}
	return stage, nil
}

// program is a compiled mapping.
type program struct {
	spec   harness.JQSpec
	code   *gojq.Code
	values []any // of the crosswalks, in the order of the compiled variables
}

// nowVariable holds the frozen clock, in seconds. Its name cannot be written in a scenario.
const nowVariable = "$__rehearse_now"

// prelude replaces the functions that read the clock and the time zone of the machine.
const prelude = `def now: ` + nowVariable + `; def localtime: gmtime; def strflocaltime($f): strftime($f); .`

func compileJQ(spec harness.JQSpec, root string) (*program, error) {
	source, err := readBelow(root, spec.Program, maxProgram)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("read jq program: %w", err), "paths are relative to the workspace and stay below it")
	}
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
	for _, name := range crosswalkNames(spec.Crosswalks) {
		table, err := readCrosswalk(root, spec.Crosswalks[name])
		if err != nil {
			return nil, err
		}
		names = append(names, "$"+strings.TrimPrefix(name, "$"))
		p.values = append(p.values, valueOf(table.Root()))
	}
	if p.code, err = gojq.Compile(query, gojq.WithVariables(names)); err != nil {
		return nil, harness.Usage(fmt.Errorf("%s: %w", spec.Program+undefinedAt(source, err), err),
			"a mapping has no files, modules, environment or further inputs; crosswalks are variables: "+orNone(strings.Join(names[1:], " ")))
	}
	return p, nil
}

// readBelow reads a file below the workspace; a name that leads out of it is an error.
func readBelow(root, name string, most int64) ([]byte, error) {
	if root == "" {
		root = "."
	}
	f, err := os.OpenInRoot(root, filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return b, err
}

// position is ":line:column" of a byte offset, both from 1, the column in characters.
func position(source []byte, offset int) string {
	before := string(source[:min(max(offset, 0), len(source))])
	line := 1 + strings.Count(before, "\n")
	column := 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	return fmt.Sprintf(":%d:%d", line, column)
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

// jqStage is fed by one goroutine.
type jqStage struct {
	system   string
	env      harness.StageEnv
	programs []*program
}

// Feed puts each exchange and what the matching programs make of it. A file that no program takes is put alone; any
// other exchange must be answered by exactly one program.
func (s *jqStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		if err := s.feed(ctx, x, sink); err != nil {
			return err
		}
	}
	return nil
}

func (s *jqStage) feed(ctx context.Context, x harness.Exchange, sink harness.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	taking, answers := s.taking(&x)
	if answers > 1 || answers == 0 && x.Channel == harness.ChannelHTTP {
		return harness.Usage(fmt.Errorf("feed exchange %s (%s): %d jq mappings answer it", x.ID, x.Operation(), answers),
			"let exactly one mapping without output take it by its from")
	}
	if answers == 0 {
		if err := sink.Put(asFed(x, clock(s.env, &x))); err != nil {
			return err
		}
	}
	for _, p := range taking {
		out, err := p.run(ctx, s.env, &x)
		if err != nil {
			return err
		}
		if err := mapped(sink, s.env, x, s.system, p.spec.To, p.spec.Output, out); err != nil {
			return err
		}
	}
	return nil
}

// taking returns the programs for the exchange, and how many of them answer it.
func (s *jqStage) taking(x *harness.Exchange) (programs []*program, answers int) {
	operation := x.Operation()
	for _, p := range s.programs {
		if match, _ := path.Match(p.spec.From, operation); match || p.spec.From == operation || p.spec.From == "" {
			if p.spec.To != "" {
				programs = append(programs, p)
				continue
			}
			programs = append([]*program{p}, programs...) // the answered exchange comes before what follows from it
			answers++
		}
	}
	return programs, answers
}

// Close has nothing to end.
func (*jqStage) Close() error { return nil }

// run evaluates the program. Input that cannot be read, an error of the program and a result that does not fit the
// output are Faults that name the program and the recorded exchange; details go to the log.
func (p *program) run(ctx context.Context, env harness.StageEnv, x *harness.Exchange) (outcome, error) {
	input, err := plainInput(x)
	if err != nil {
		return outcome{}, err
	}
	output, none, err := p.evaluate(ctx, env, x, input)
	if err == nil {
		return outcome{output: output, none: none}, nil
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if env.Log != nil {
		fmt.Fprintf(env.Log, "%s on exchange %s: %s\n", p.spec.Program, x.ID, printable(err.Error())) //nolint:errcheck // a log
	}
	fault := failed("%s on exchange %s: %s", p.spec.Program, x.ID, withoutValues(err))
	if errors.Is(err, context.DeadlineExceeded) {
		fault.Kind = harness.FaultTimeout
	}
	return outcome{fault: fault}, nil
}

func (p *program) evaluate(ctx context.Context, env harness.StageEnv, x *harness.Exchange, input []byte) (output []byte, none bool, err error) {
	if p.spec.Encoding != "" {
		if input, err = payload.ToUTF8(p.spec.Encoding, input); err != nil {
			return nil, false, fmt.Errorf("read input: %w", err)
		}
	}
	value, err := readValue(x.Request.Media, x.Request.Head.Get(harness.FieldName), input)
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, jqTimeout)
	defer cancel()
	now := float64(clock(env, x).UnixMicro()) / 1e6
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

// withoutValues is the message of an error with the values of the payload left out.
func withoutValues(err error) string {
	text := applied.ReplaceAllString(err.Error(), " applied to the value: ")
	text = parsed.ReplaceAllString(text, "failed to parse the value with ")
	return printable(preview.ReplaceAllString(text, ""))
}
