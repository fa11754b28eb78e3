package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// maxSteps bounds the work on one payload, in steps of the Starlark machine: some seconds. Tests wait for less.
var maxSteps uint64 = 100_000_000

// starlarkLanguage is mappings in Starlark: a file that defines map(msg) and what it needs. What map returns is the output:
// a list is the rows of a table or the lines of NDJSON, None hands nothing over.
//
// Whole numbers are int, of any size; a number with a point or an exponent is a decimal, which is exact and keeps its
// text. Members of objects are written in the order of their names.
var starlarkLanguage = language{
	noun: "Starlark mapping", specs: func(s harness.TargetSpec) []harness.MappingSpec { return s.Starlark }, compile: compileStarlark,
}

// dialect is plain Starlark, with while, recursion and statements at the top level: limits keep it from running for ever.
var dialect = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// script is a compiled Starlark mapping.
type script struct {
	spec   harness.MappingSpec
	source string
	log    io.Writer
	mapIt  starlark.Callable
	tables map[string]*lookup
}

// threadNow is where a thread keeps the frozen clock.
const threadNow = "rehearse.now"

func compileStarlark(spec harness.MappingSpec, source []byte, tables []namedTable, log io.Writer) (evaluator, error) {
	s := &script{spec: spec, source: string(source), log: log, tables: map[string]*lookup{}}
	known, err := s.predeclared(tables)
	if err != nil {
		return nil, err
	}
	_, program, err := starlark.SourceProgramOptions(dialect, spec.Program, source, known.Has)
	if err != nil {
		return nil, harness.Usage(err, "a mapping has no files, modules or environment; beside Starlark's own it knows "+strings.Join(known.Keys(), ", "))
	}
	thread, stop := s.thread(context.Background(), time.Time{})
	defer stop()
	globals, err := program.Init(thread, known)
	if err != nil {
		return nil, harness.Usage(fmt.Errorf("load %s: %w", spec.Program, s.placed(err)), "what stands outside of functions runs once, when the mapping is loaded")
	}
	globals.Freeze()
	var ok bool
	if s.mapIt, ok = globals["map"].(starlark.Callable); !ok {
		return nil, harness.Usage(fmt.Errorf("load %s: it defines no function map", spec.Program), "write def map(msg): and return the output")
	}
	return s, nil
}

// predeclared is what a mapping knows beside the language.
func (s *script) predeclared(tables []namedTable) (starlark.StringDict, error) {
	crosswalks := starlark.NewDict(len(tables))
	for _, t := range tables {
		l, err := t.by(nil, time.UTC)
		if err != nil {
			return nil, err
		}
		s.tables[t.name] = l
		rows, err := toStarlark(t.value())
		if err != nil {
			return nil, fmt.Errorf("read crosswalk %s: %w", t.file, err)
		}
		if err := crosswalks.SetKey(starlark.String(t.name), rows); err != nil {
			return nil, err
		}
	}
	crosswalks.Freeze()
	return starlark.StringDict{
		"crosswalks": crosswalks,
		"decimal":    starlark.NewBuiltin("decimal", callDecimal),
		"json": &starlarkstruct.Module{Name: "json", Members: starlark.StringDict{
			"decode": starlark.NewBuiltin("json.decode", callDecode), "encode": starlark.NewBuiltin("json.encode", callEncode),
		}},
		"lookup": starlark.NewBuiltin("lookup", s.callLookup),
		"time":   startime.Module,
	}, nil
}

// thread is a new thread of the machine that ends with the context. Call stop when it is done.
func (s *script) thread(ctx context.Context, now time.Time) (thread *starlark.Thread, stop func() bool) {
	thread = &starlark.Thread{Name: s.spec.Program, Print: func(t *starlark.Thread, text string) {
		if s.log != nil {
			fmt.Fprintf(s.log, "%s: %s\n", t.CallFrame(1).Pos, started.Printable(text)) //nolint:errcheck // a log
		}
	}}
	thread.SetMaxExecutionSteps(maxSteps)
	thread.SetLocal(threadNow, now)
	startime.SetNow(thread, func() (time.Time, error) {
		if now.IsZero() {
			return now, errors.New("the clock is known within map only")
		}
		return now, nil
	})
	return thread, context.AfterFunc(ctx, func() { thread.Cancel(ctx.Err().Error()) })
}

func (s *script) evaluate(ctx context.Context, in input) ([]byte, bool, error) {
	thread, stop := s.thread(ctx, in.now)
	defer stop()
	result, err := starlark.Call(thread, s.mapIt, starlark.Tuple{&message{in: in}}, nil)
	switch {
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case err != nil && thread.ExecutionSteps() >= maxSteps:
		return nil, false, fmt.Errorf("%s: the mapping takes more than %d steps for one payload", s.spec.Program, maxSteps)
	case err != nil:
		return nil, false, s.placed(err)
	}
	value, err := fromStarlark(result)
	if err != nil {
		return nil, false, fmt.Errorf("%s: what map returns: %w", s.spec.Program, err)
	}
	var values []any
	if value != nil {
		values = []any{value}
	}
	return writerOf(s.spec.Output).write(values, s.spec)
}

// placed puts the places of the calls before the message of an error, the innermost first.
func (s *script) placed(err error) error {
	failed, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		return err
	}
	var places []string
	for _, frame := range slices.Backward(failed.CallStack) {
		if frame.Pos.Filename() == s.spec.Program {
			places = append(places, fmt.Sprintf("%s in %s", frame.Pos, frame.Name))
		}
	}
	const most = 5
	if len(places) > most {
		places = append(places[:most], "…")
	}
	return fmt.Errorf("%s: %w", strings.Join(places, ", called at "), err)
}

// inQuotes is how messages show most texts.
var inQuotes = regexp.MustCompile(`("(?:[^"\\]|\\.)*")`)

// shown is how messages of the machine show values: each pattern has the value as its group.
var shown = []*regexp.Regexp{
	inQuotes,
	regexp.MustCompile(`(?s)(?:literal with base \d+|invalid float literal|key not found|duplicate keyword arg|in replacement fields): (.*)`),
	regexp.MustCompile(`(?s) has no \.(.*?) (?:field|attribute)`),
	regexp.MustCompile(`(?s)keyword (?:argument )?(.*?)(?: not found| \(did you mean|$)`),
	regexp.MustCompile(`(?s)multiple values for parameter (.*)`),
}

func (s *script) detail(err error) string { return withoutValues(err, s.source, shown...) }

// withoutValues leaves the groups of the patterns out of a message, unless the program itself says them.
func withoutValues(err error, source string, patterns ...*regexp.Regexp) string {
	text := err.Error()
	for _, pattern := range patterns {
		var kept strings.Builder
		last := 0
		for _, found := range pattern.FindAllStringSubmatchIndex(text, -1) {
			value := text[found[2]:found[3]]
			kept.WriteString(text[last:found[2]])
			if said, unquoted := strconv.Unquote(value); unquoted == nil && !strings.Contains(source, said) || unquoted != nil && !strings.Contains(source, value) {
				value = "…"
			}
			kept.WriteString(value)
			last = found[3]
		}
		text = kept.String() + text[last:]
	}
	return started.Printable(text)
}
