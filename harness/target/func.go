package target

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// function is a mapping written in Go, for tests of users.
type function struct {
	system string
	call   harness.Func
}

func newFunc(spec harness.TargetSpec) (harness.Target, error) {
	return function{spec.System, spec.Func}, nil
}

// Start returns the function with its surroundings.
func (f function) Start(ctx context.Context, env harness.StageEnv) (harness.Stage, error) {
	return &functionStage{f, env}, ctx.Err()
}

type functionStage struct {
	function
	env harness.StageEnv
}

// Close has nothing to end.
func (*functionStage) Close() error { return nil }

// Feed calls the function with each exchange as it was recorded, and puts its answer and its outputs.
func (s *functionStage) Feed(ctx context.Context, session []harness.Exchange, sink harness.Sink) error {
	for _, x := range session {
		if err := ctx.Err(); err != nil {
			return err
		}
		handed, err := s.call(ctx, x)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.put(x, handed, err, sink); err != nil {
			return err
		}
	}
	return nil
}

func (s *functionStage) put(x harness.Exchange, handed harness.Handed, failure error, sink harness.Sink) error {
	at := clock(s.env, &x)
	fed := asFed(x, at)
	if failure != nil {
		fed.Fault = failed("%s", started.Printable(failure.Error()))
		if errors.Is(failure, context.DeadlineExceeded) {
			fed.Fault.Kind = harness.FaultTimeout
		}
		return sink.Put(fed)
	}
	if handed.Answer != nil || handed.Status != 0 {
		response, err := answer(&x, outcome{output: handed.Answer, status: handed.Status, media: handed.ContentType})
		if err != nil {
			return err
		}
		fed.Response = response
	}
	if err := sink.Put(fed); err != nil {
		return err
	}
	for _, o := range handed.Outputs {
		if err := sink.Put(fileOutput(&x, s.system, o.To, o.Name, at, harness.BytesBody(o.Body))); err != nil {
			return err
		}
	}
	return nil
}
