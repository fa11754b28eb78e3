package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Modes of a command.
const (
	modeOnce  = "once"
	modeLines = "jsonl"
)

// commandTimeout is how long a command may take for one payload.
const commandTimeout = 30 * time.Second

// mapper maps one payload. It is used by one goroutine.
type mapper interface {
	// Map returns what the program made of the input. The error ends the run.
	Map(ctx context.Context, x *harness.Exchange, input []byte) (outcome, error)
	Close() error
}

// command is a program that maps a payload on standard input to a payload on standard output.
type command struct {
	system string
	spec   harness.CommandSpec
}

func newCommand(spec harness.TargetSpec) (harness.Target, error) {
	c := *spec.Command
	if c.Mode == "" {
		c.Mode = modeOnce
	}
	if c.Mode != modeOnce && c.Mode != modeLines {
		return nil, harness.Usage(fmt.Errorf("mode %q is unknown", c.Mode), "write once or jsonl")
	}
	if err := checkOutput(c.To, c.Output); err != nil {
		return nil, err
	}
	if err := checkRun(c.Run); err != nil {
		return nil, err
	}
	return command{spec.System, c}, nil
}

// checkOutput wants a receiver and a file name, or neither.
func checkOutput(to, output string) error {
	switch {
	case to != "" && output == "":
		return harness.Usage(errors.New("to is set without output"), "write output: the name of the file that the receiver gets")
	case to == "" && output != "":
		return harness.Usage(errors.New("output is set without to"), "write to: the system that receives the file")
	}
	return nil
}

func describeCommand(spec harness.TargetSpec) string {
	return "command " + strings.Join(spec.Command.Run, " ")
}

// Start finds the program. Mode jsonl starts it here, so that a program that cannot run is noticed before anything is
// fed.
func (c command) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	set, err := newSettings(env, "")
	if err != nil {
		return nil, err
	}
	if _, err := set.command(c.spec.Run, c.spec.Env, set.root); err != nil {
		return nil, err
	}
	return newMapping(ctx, c.spec, c.system, execution{c.spec, set}, env)
}

// newMapping is the stage of a program that maps payloads in the mode of the specification.
func newMapping(ctx context.Context, spec harness.CommandSpec, system string, from starter, env harness.StageEnv) (harness.Stage, error) {
	var m mapper = once{spec, from}
	if spec.Mode == modeLines {
		lines := &lines{name: spec.Run[0], spec: spec, from: from, env: env}
		if err := lines.start(ctx); err != nil {
			return nil, err
		}
		m = lines
	}
	return mapping{mapper: m, from: system, to: spec.To, name: spec.Output, env: env}, nil
}

// starter starts a program anew. Its standard output goes to output, which is closed at its end when it can be. Without an
// input the caller writes to what start returns, and closes it.
type starter interface {
	start(ctx context.Context, input io.Reader, output io.Writer) (c *child, stdin io.WriteCloser, err error)
}

// execution starts processes.
type execution struct {
	spec harness.CommandSpec
	set  settings
}

func (e execution) start(_ context.Context, input io.Reader, output io.Writer) (c *child, stdin io.WriteCloser, err error) {
	if closer, ok := output.(io.Closer); ok {
		defer closer.Close() // the program has its own
	}
	cmd, err := e.set.command(e.spec.Run, e.spec.Env, e.set.root)
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdin, cmd.Stdout = input, output
	if input == nil {
		if stdin, err = cmd.StdinPipe(); err != nil {
			return nil, nil, harness.CannotRun(fmt.Errorf("open input of %s: %w", e.spec.Run[0], err), "")
		}
	}
	c, err = startChild(e.spec.Run[0], cmd, e.set.env.Log)
	return c, stdin, err
}

// mapping feeds a mapper.
type mapping struct {
	mapper
	from, to, name string
	env            harness.StageEnv
}

// Feed maps the request body of each exchange. Without a receiver the output answers the exchange; else the exchange
// is put as it was fed and the output follows as a file.
func (m mapping) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		if err := ctx.Err(); err != nil {
			return err
		}
		input, err := plainInput(&x)
		if err != nil {
			return err
		}
		out, err := m.Map(ctx, &x, input)
		if err != nil {
			return err
		}
		if m.to != "" {
			if err := sink.Put(asFed(x, clock(m.env, &x))); err != nil {
				return err
			}
		}
		if err := mapped(sink, m.env, x, m.from, m.to, m.name, out); err != nil {
			return err
		}
	}
	return nil
}

// once starts the program anew for each payload. An exit code other than 0 is a Fault of the exchange with the code
// and the last line of standard error; a program that exceeds its time is a Fault too.
type once struct {
	spec harness.CommandSpec
	from starter
}

func (o once) Map(ctx context.Context, x *harness.Exchange, input []byte) (outcome, error) {
	stdout := &capped{most: maxOutput}
	c, _, err := o.from.start(ctx, bytes.NewReader(input), stdout)
	if err != nil {
		return outcome{}, err
	}
	defer c.kill()
	timeout := o.spec.Timeout.Or(commandTimeout)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-timer.C:
		return outcome{fault: &harness.Fault{Kind: harness.FaultTimeout, Detail: fmt.Sprintf("%s did not end within %s", c.name, timeout)}}, nil
	case <-c.done:
	}
	switch {
	case stdout.over:
		return outcome{fault: failed("%s wrote more than %d bytes", c.name, maxOutput)}, nil
	case !c.succeeded():
		return outcome{fault: failed("%s: %s", c.name, c.deathDetail())}, nil
	}
	return outcome{output: stdout.kept.Bytes()}, nil
}

// Close has nothing to end.
func (once) Close() error { return nil }

// capped keeps at most so many bytes; a program that writes more meets a closed pipe.
type capped struct {
	kept bytes.Buffer
	most int
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.kept.Len()+len(p) > c.most {
		c.over = true
		return 0, io.ErrShortWrite
	}
	return c.kept.Write(p)
}
