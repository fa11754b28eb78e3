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

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// Limits of a mapping.
const (
	mappingTimeout = 30 * time.Second // for one payload
	maxProgram     = 1 << 20          // bytes of a program
	maxCrosswalk   = 64 << 20         // bytes of a crosswalk
)

// language is what mapping files are written in. A program sees its input and its crosswalks and nothing else: no files,
// no network, no environment, and a clock that stands at the frozen now in UTC.
type language struct {
	noun    string // of a file, such as "jq mapping"
	specs   func(harness.TargetSpec) []harness.MappingSpec
	writes  bool // it writes the text of its output itself, in any format
	compile func(spec harness.MappingSpec, source []byte, tables []namedTable, log io.Writer) (evaluator, error)
}

// evaluator maps payloads. It is safe for concurrent use.
type evaluator interface {
	// evaluate makes the output of one payload; none means that nothing is handed over. It ends with the context.
	evaluate(ctx context.Context, in input) (output []byte, none bool, err error)
	// detail is the message of an error of evaluate with the values of the payload left out.
	detail(err error) string
}

// input is one payload for a mapping.
type input struct {
	*harness.Exchange
	body []byte    // without content encoding, as UTF-8 where the encoding was named
	now  time.Time // the frozen clock
}

// value is the payload as the values that a mapping computes with.
func (in input) value() (any, error) {
	return readValue(in.Request.Media, in.Request.Head.Get(harness.FieldName), in.body)
}

// namedTable is a crosswalk as a mapping knows it.
type namedTable struct {
	name string
	codeTable
}

func (l language) chosen(spec harness.TargetSpec) bool { return len(l.specs(spec)) > 0 }

func (l language) newTarget(spec harness.TargetSpec) (harness.Target, error) {
	for _, s := range l.specs(spec) {
		if err := l.check(s); err != nil {
			return nil, err
		}
	}
	return translator{spec.System, func(env harness.StageEnv) ([]translation, error) { return l.compileAll(l.specs(spec), env) }}, nil
}

func (l language) check(s harness.MappingSpec) error {
	if s.Program == "" {
		return harness.Usage(errors.New("a mapping names no program"), "write program: the file below the workspace")
	}
	if err := checkFrom(s.From); err != nil {
		return err
	}
	if err := checkOutput(s.To, s.Output); err != nil {
		return err
	}
	for name := range s.Crosswalks {
		if !variable.MatchString(strings.TrimPrefix(name, "$")) {
			return harness.Usage(fmt.Errorf("crosswalk %q is not the name of a variable", name), "use letters, digits and _")
		}
	}
	if l.writes {
		return nil
	}
	return checkFormat(s.Output, s.Columns)
}

func checkFrom(from string) error {
	if _, err := path.Match(from, ""); err != nil {
		return harness.Usage(fmt.Errorf("from %q is not a glob", from), "write it like registrations-*.csv")
	}
	return nil
}

// checkFormat wants an output whose extension is a format, with columns where it needs them.
func checkFormat(output string, columns []string) error {
	format, known := writers[path.Ext(output)]
	if output != "" && !known {
		return harness.Usage(fmt.Errorf("output %q has no known format", output), "name it .json, .ndjson or .csv")
	}
	if format.columns && len(columns) == 0 {
		return harness.Usage(fmt.Errorf("output %q has no columns", output), "write columns: the names in the order of the table")
	}
	return nil
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (l language) describe(spec harness.TargetSpec) string {
	var programs []string
	for _, s := range l.specs(spec) {
		programs = append(programs, s.Program)
	}
	return l.noun + inFolder(programs)
}

// inFolder names one file in full, and several below the folder that they share.
func inFolder(files []string) string {
	if len(files) == 1 {
		return " " + files[0]
	}
	folder := path.Dir(files[0]) + "/"
	for _, f := range files {
		for !strings.HasPrefix(f, folder) {
			folder = strings.TrimPrefix(path.Dir(strings.TrimSuffix(folder, "/"))+"/", "./")
		}
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimPrefix(f, folder)
	}
	return "s " + strings.Join(names, ", ")
}

// compileAll reads and compiles the programs and their crosswalks.
func (l language) compileAll(specs []harness.MappingSpec, env harness.StageEnv) ([]translation, error) {
	var all []translation
	for _, s := range specs {
		source, err := readBelow(env.Root, s.Program, maxProgram)
		if err != nil {
			return nil, harness.Usage(fmt.Errorf("read %s: %w", l.noun, err), "paths are relative to the workspace and stay below it")
		}
		var tables []namedTable
		for _, name := range crosswalkNames(s.Crosswalks) {
			table, err := readTable(env.Root, s.Crosswalks[name])
			if err != nil {
				return nil, err
			}
			tables = append(tables, namedTable{strings.TrimPrefix(name, "$"), table})
		}
		e, err := l.compile(s, source, tables, env.Log)
		if err != nil {
			return nil, err
		}
		all = append(all, translation{evaluator: e, label: s.Program, from: s.From, encoding: s.Encoding, to: s.To, output: s.Output})
	}
	return all, nil
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

// translator is mappings that run inside the harness.
type translator struct {
	system  string
	compile func(harness.StageEnv) ([]translation, error)
}

// Start reads and compiles the mappings.
func (t translator) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := t.compile(env)
	if err != nil {
		return nil, err
	}
	return &translating{t.system, env, list}, nil
}

// translation is one compiled mapping: what it takes, and where its output goes.
type translation struct {
	evaluator
	label    string // names it in messages
	from     string // glob over the operation of what is fed
	encoding string // of what is fed
	to       string
	output   string // name of the output file
	end      func() // called once when nothing more is fed; may be nil
}

func (t *translation) takes(operation string) bool {
	match, _ := path.Match(t.from, operation)
	return match || t.from == operation || t.from == ""
}

// translating is fed by one goroutine.
type translating struct {
	system string
	env    harness.StageEnv
	list   []translation
}

// Feed puts each exchange and what the matching mappings make of it. A file that no mapping takes is put alone; any
// other exchange must be answered by exactly one.
func (s *translating) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		if err := s.feed(ctx, x, sink); err != nil {
			return err
		}
	}
	return nil
}

func (s *translating) feed(ctx context.Context, x harness.Exchange, sink harness.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	taking, answers := s.taking(&x)
	if answers > 1 || answers == 0 && x.Channel == harness.ChannelHTTP {
		return harness.Usage(fmt.Errorf("feed exchange %s (%s): %d mappings answer it", x.ID, x.Operation(), answers),
			"let exactly one mapping without output take it by its from")
	}
	if answers == 0 {
		if err := sink.Put(asFed(x, clock(s.env, &x))); err != nil {
			return err
		}
	}
	for _, t := range taking {
		out, err := t.run(ctx, s.env, &x)
		if err != nil {
			return err
		}
		if err := mapped(sink, s.env, x, s.system, t.to, t.output, out); err != nil {
			return err
		}
	}
	return nil
}

// taking returns the mappings for the exchange, and how many of them answer it.
func (s *translating) taking(x *harness.Exchange) (list []*translation, answers int) {
	operation := x.Operation()
	for i := range s.list {
		t := &s.list[i]
		switch {
		case !t.takes(operation):
		case t.to != "":
			list = append(list, t)
		default:
			list = append([]*translation{t}, list...) // the answered exchange comes before what follows from it
			answers++
		}
	}
	return list, answers
}

// Close tells the mappings that nothing more comes. It may be called more than once.
func (s *translating) Close() error {
	for i := range s.list {
		if end := s.list[i].end; end != nil {
			s.list[i].end = nil
			end()
		}
	}
	return nil
}

// run maps one payload. Input that cannot be read, an error of the mapping and a result that does not fit the output are
// Faults that name the mapping and the recorded exchange; details go to the log.
func (t *translation) run(ctx context.Context, env harness.StageEnv, x *harness.Exchange) (outcome, error) {
	body, err := plainInput(x)
	if err != nil {
		return outcome{}, err
	}
	output, none, err := t.translate(ctx, input{x, body, clock(env, x)})
	if err == nil {
		return outcome{output: output, none: none}, nil
	}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	if env.Log != nil {
		fmt.Fprintf(env.Log, "%s on exchange %s: %s\n", t.label, x.ID, started.Printable(err.Error())) //nolint:errcheck // a log
	}
	fault := failed("%s on exchange %s: %s", t.label, x.ID, t.detail(err))
	if errors.Is(err, context.DeadlineExceeded) {
		fault.Kind = harness.FaultTimeout
	}
	return outcome{fault: fault}, nil
}

func (t *translation) translate(ctx context.Context, in input) (output []byte, none bool, err error) {
	if t.encoding != "" {
		if in.body, err = payload.ToUTF8(t.encoding, in.body); err != nil {
			return nil, false, fmt.Errorf("read input: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, mappingTimeout)
	defer cancel()
	return t.evaluate(ctx, in)
}
